"""The demand that a run of the models starts from, as it is kept with the run's inputs."""

from dataclasses import dataclass

import numpy as np

from shopify_app.analytics.demand import DemandForecast

PREFIX = "demand."
"""Prefix of the arrays' names in an archive."""


@dataclass(frozen=True, slots=True)
class KnownDemand:
    """A forecast of the tracked variants, and the parameters it was followed with.

    Attributes
    ----------
    forecast : weeks from the run's day on
    learned : bytes of `analytics.demand.learned.LearnedDemand`
    closes : weeks closed since those were learned
    """

    forecast: DemandForecast
    learned: bytes
    closes: int

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays by name, for an archive."""
        forecast = self.forecast
        levels = forecast.levels if forecast.levels is not None else np.zeros((0, 0, 0))
        found = {
            "ids": forecast.series_ids,
            "mean": forecast.mean,
            "dispersion": forecast.dispersion,
            "alive": forecast.alive,
            "spans": np.array(forecast.spans),
            "levels": levels,
            "learned": np.frombuffer(self.learned, np.uint8),
            "closes": np.array(self.closes),
        }
        return {PREFIX + name: array for name, array in found.items()}

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "KnownDemand | None":
        """The demand of an archive; None if it holds none."""
        found = {
            name.removeprefix(PREFIX): array
            for name, array in arrays.items()
            if name.startswith(PREFIX)
        }
        if not found:
            return None
        forecast = DemandForecast(
            found["ids"],
            found["mean"],
            found["dispersion"],
            found["alive"],
            tuple(int(span) for span in found["spans"]),
            found["levels"] if found["levels"].size else None,
        )
        return cls(forecast, found["learned"].tobytes(), int(found["closes"]))
