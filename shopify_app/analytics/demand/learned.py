"""A shop's demand model between two fits: shared parameters, and the state of each series.

In:  parts of a fit (`state.learned_of` and `state.states_of` take them out of one).
Out: `LearnedDemand`, a small archive of a shop; `DemandStates`, a row of some thousand bytes a series.
Both go to bytes and back to the bit; another version of either is refused.
"""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.demand import filters, state_rows
from shopify_app.analytics.demand.boosted_trees import Trees
from shopify_app.analytics.demand.common_errors import CommonErrors
from shopify_app.analytics.demand.filters import FilterState
from shopify_app.analytics.demand.forecast import BLOCK, LEARNED_SPAN, Shared
from shopify_app.analytics.demand.launches import LaunchCurve
from shopify_app.analytics.demand.pattern_correction import LOOKED_BACK, Correction
from shopify_app.analytics.demand.pooling import SharedDispersion
from shopify_app.analytics.demand.promotions import NO_LIFT, Lift

LEARNED_VERSION: Final = 3
"""Version of the archive of shared parameters."""

STATES_VERSION: Final = 1
"""Version of the byte layout of a series' row."""

MARKS: Final = 5
"""Number of marks of a series: group, launch, first sale, last sale, usual promotion multiplier."""


@dataclass(frozen=True, slots=True)
class LearnedDemand:
    """Parameters that a fit learned of a shop's series.

    Attributes
    ----------
    period : {"D", "W", "M"}
    first : datetime64, start of the first period of the history learned from
    moments : array (moments,) of int, blocks known at the moments looked at; the last is the fit's
    names : array (groups,) of str; one factor more than names is kept, for groups not known then
    past : array (groups + 1, T), common factor of the known periods
    coming : array (groups + 1, moments, ahead), common factor foreseen after each moment
    curve : launch curve
    priors : array (groups + 1, 2, 2), gamma (shape, rate) of what was always there and of launches
    most : array (spans,), sum of the weights of the windows that dispersions were learned of
    shared : combination weights, correction, dispersions, common errors, levels
    lift : log effects of promotions
    """

    period: str
    first: np.datetime64
    moments: np.ndarray
    names: np.ndarray
    past: np.ndarray
    coming: np.ndarray
    curve: LaunchCurve
    priors: np.ndarray
    most: np.ndarray
    shared: Shared
    lift: Lift = NO_LIFT

    @property
    def block(self) -> int:
        """Number of periods in one filter step."""
        return BLOCK[self.period]

    @property
    def known(self) -> int:
        """Number of blocks known at the fit."""
        return int(self.moments[-1])

    def groups_of(self, names: np.ndarray) -> np.ndarray:
        """Code of each group's name (n,); unknown names have the code after the last."""
        # Names are sorted: a name that is not found where it would stand is unknown.
        place = np.minimum(np.searchsorted(self.names, names), len(self.names) - 1)
        return np.where(self.names[place] == names, place, len(self.names))

    def to_bytes(self) -> bytes:
        """An npz archive, without pickles."""
        shared, correction = self.shared, self.shared.correction
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            allow_pickle=False,
            version=LEARNED_VERSION,
            period=self.period,
            first=np.array(self.first.astype("datetime64[s]")),
            moments=self.moments,
            names=self.names.astype(str),
            past=self.past,
            coming=self.coming,
            curve=self.curve.factors,
            # The key of the launch spike keeps its first name: archives of before must stay
            # readable.
            opening=np.array([self.curve.spike, self.curve.share]),
            priors=self.priors,
            most=self.most,
            weights=shared.weights,
            middle=correction.middle,
            spread=correction.spread,
            coefficients=correction.coefficients,
            tree_features=correction.trees.features,
            tree_cuts=correction.trees.cuts,
            tree_leaves=correction.trees.leaves,
            trust=correction.shrinkage,
            spans=np.array(shared.spans),
            by_class=np.array([one.by_class for one in shared.dispersions]),
            by_age=np.array([one.by_age for one in shared.dispersions]),
            seen=np.array([len(one.moves) for one in shared.errors]),
            moves=np.concatenate([one.moves for one in shared.errors]),
            variance=np.array([one.variance for one in shared.errors]),
            levels=shared.levels,
            lift=np.array([self.lift.during, self.lift.after]),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, archive: bytes) -> "LearnedDemand":
        """The parameters of an archive, bit for bit.

        Raises
        ------
        ValueError
            If it is of another version.
        """
        with np.load(io.BytesIO(archive), allow_pickle=False) as found:
            if int(found["version"]) != LEARNED_VERSION:
                raise ValueError(f"what was learned is not of version {LEARNED_VERSION}")
            correction = Correction(
                found["middle"],
                found["spread"],
                found["coefficients"],
                Trees(found["tree_features"], found["tree_cuts"], found["tree_leaves"]),
                float(found["trust"]),
            )
            # The moments of each span were laid end to end; `seen` says how many each has.
            moves = np.split(found["moves"], np.cumsum(found["seen"])[:-1])
            errors = zip(moves, found["variance"], strict=True)
            pairs = zip(found["by_class"], found["by_age"], strict=True)
            shared = Shared(
                found["weights"],
                correction,
                tuple(int(span) for span in found["spans"]),
                tuple(SharedDispersion(by_class, by_age) for by_class, by_age in pairs),
                tuple(CommonErrors(move, variance) for move, variance in errors),
                found["levels"],
            )
            return cls(
                str(found["period"]),
                found["first"][()],
                found["moments"],
                found["names"],
                found["past"],
                found["coming"],
                LaunchCurve(found["curve"], *(float(part) for part in found["opening"])),
                found["priors"],
                found["most"],
                shared,
                Lift(*(float(effect) for effect in found["lift"])),
            )


@dataclass(frozen=True, slots=True)
class DemandStates:
    """States of a shop's series, in float32.

    Attributes
    ----------
    ids : array (n,)
    filters : FilterState
    marks : array (MARKS, n)
        Code of the group; period of the launch (-1: not seen); block first on sale (0: from the
        beginning, -1: not yet); blocks up to the last sale (0: none); usual multiplier of promotions.
    newest : array (2, LOOKED_BACK, n)
        Units and effective exposure of the newest blocks, oldest first.
    errors : array (2, spans, n)
        Sums of excess (S - M)^2 - M and of squares M^2, whose ratio is a series' own dispersion.
    """

    ids: np.ndarray
    filters: FilterState
    marks: np.ndarray
    newest: np.ndarray
    errors: np.ndarray

    def __len__(self) -> int:
        """Number of series."""
        return len(self.ids)

    def of(self, series: slice | np.ndarray) -> "DemandStates":
        """The states of the chosen series."""
        return DemandStates(
            self.ids[series],
            self.filters.of(series),
            self.marks[:, series],
            self.newest[:, :, series],
            self.errors[:, :, series],
        )

    def to_rows(self) -> list[bytes]:
        """One row of bytes a series."""
        arrays = [*self.filters.arrays(), self.marks, self.newest, self.errors]
        return state_rows.pack(STATES_VERSION, self.filters.known, arrays)

    @classmethod
    def from_rows(
        cls, ids: np.ndarray, rows: list[bytes], learned: LearnedDemand
    ) -> "DemandStates":
        """The states of rows; `learned` is what they were followed with.

        Raises
        ------
        ValueError
            If a row is of another version, length or moment than it should be.
        """
        spans = len(learned.shared.spans)
        filter_span = -(-LEARNED_SPAN[learned.period] // learned.block)
        shapes = [*filters.shapes(filter_span), (MARKS,), (2, LOOKED_BACK), (2, spans)]
        known, arrays = state_rows.unpack(STATES_VERSION, rows, shapes)
        return cls(ids, FilterState(known, *arrays[:-3]), *arrays[-3:])


def beside(states: list[DemandStates]) -> DemandStates:
    """One `DemandStates` of several: different series at one moment, side by side.

    Raises
    ------
    ValueError
        If they are not of one moment.
    """
    if len(states) == 1:
        return states[0]
    return DemandStates(
        np.concatenate([one.ids for one in states]),
        filters.joined([one.filters for one in states]),
        np.concatenate([one.marks for one in states], axis=-1),
        np.concatenate([one.newest for one in states], axis=-1),
        np.concatenate([one.errors for one in states], axis=-1),
    )
