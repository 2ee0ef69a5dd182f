"""Charts as SVG from the server: whole in the first paint, readable without a script.

The outer `<svg>` has no viewBox and places text and dots in percent, so text is 12 px at every
width; curves live in a nested one that stretches. x runs 0..1, y in the data's own unit.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup, escape

Point = tuple[float, float]
SPACE: Final = 1000
"""Side of the nested, stretched coordinate system."""


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What the pointer (or the arrow keys) reads at one x."""

    x: float
    label: str
    value: str
    note: str
    y: float


def nice_ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round numbers that cover a range: 1, 2, 2.5 or 5 times a power of ten apart."""
    span = max(high - low, 1e-9)
    magnitude = 10.0 ** math.floor(math.log10(span / wanted))
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= span / wanted)
    first = math.floor(low / step)
    return [round(k * step, 9) for k in range(first, math.ceil(high / step - 1e-9) + 1)]


@dataclass(slots=True)
class Plot:
    """A chart under construction; parts are drawn in the order they are added."""

    height: int
    low: float
    high: float
    top: int = 30
    bottom: int = 26
    _curves: list[str] = field(default_factory=list[str])
    _grid: list[str] = field(default_factory=list[str])
    _marks: list[str] = field(default_factory=list[str])

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return self.top + (self.height - self.top - self.bottom) * self._fall(value)

    def grid(self, ticks: Iterable[float], write: Callable[[float], str]) -> None:
        """Lines across, each with its value."""
        for tick in ticks:
            y = self.y(tick)
            self._grid.append(f'<line class="c-grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
            self._marks.append(f'<text x="0" y="{y - 4:.1f}">{escape(write(tick))}</text>')

    def line(self, points: Sequence[Point], kind: str) -> None:
        """A curve; fewer than two points draw nothing."""
        if len(points) > 1:
            self._curves.append(f'<path class="{kind}" d="{self._path(points)}"/>')

    def band(self, upper: Sequence[Point], lower: Sequence[Point], kind: str = "c-band") -> None:
        """The area between two curves."""
        if len(upper) > 1:
            outline = self._path([*upper, *reversed(lower)])
            self._curves.append(f'<path class="{kind}" d="{outline}Z"/>')

    def shade(self, left: float, right: float, kind: str = "c-out") -> None:
        """A stretch of x, full height."""
        if right > left:
            width = (right - left) * SPACE
            self._curves.append(
                f'<rect class="{kind}" x="{left * SPACE:.1f}" y="0" width="{width:.1f}" height="{SPACE}"/>'
            )

    def dot(self, x: float, value: float, kind: str, radius: float = 5) -> None:
        """A point that keeps its shape."""
        self._marks.append(
            f'<circle class="{kind}" cx="{x * 100:.2f}%" cy="{self.y(value):.1f}" r="{radius:.1f}"/>'
        )

    def rule(self, x: float, kind: str = "c-rule") -> None:
        """A line from top to bottom."""
        at = f"{x * 100:.2f}%"
        self._marks.append(
            f'<line class="{kind}" x1="{at}" x2="{at}" y1="{self.top}" y2="{self.height - self.bottom}"/>'
        )

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "middle", kind: str = ""
    ) -> None:
        """Words at a height in pixels."""
        self._marks.append(
            f'<text class="{kind}" x="{x * 100:.2f}%" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def under(self, x: float, words: str, *, may_hide: bool = False) -> None:
        """A label under the chart; on a phone those that may hide do."""
        anchor = "start" if x < 0.04 else "end" if x > 0.96 else "middle"
        self.text(x, self.height - 8, words, anchor=anchor, kind="c-may-hide" if may_hide else "")

    def svg(self, label: str, reads: Sequence[ReadOut] = ()) -> Markup:
        """The chart; `label` says in a sentence what it shows."""
        points = [[round(r.x, 4), r.label, r.value, r.note, round(r.y, 1)] for r in reads]
        data = f' data-points="{escape(json.dumps(points, ensure_ascii=False))}"' if points else ""
        inner_height = self.height - self.top - self.bottom
        return Markup(  # noqa: S704 -- every text in it was escaped as it was put in
            f'<div class="plot" tabindex="0" role="img" aria-label="{escape(label)}"{data}>'
            f'<svg class="chart" width="100%" height="{self.height}" aria-hidden="true" focusable="false">'
            f"{''.join(self._grid)}"
            f'<svg x="0" y="{self.top}" width="100%" height="{inner_height}" viewBox="0 0 {SPACE} {SPACE}"'
            f' preserveAspectRatio="none">{"".join(self._curves)}</svg>'
            f"{''.join(self._marks)}</svg></div>"
        )

    def _fall(self, value: float) -> float:
        return 1 - (value - self.low) / ((self.high - self.low) or 1)

    def _path(self, points: Sequence[Point]) -> str:
        return "M" + "L".join(f"{x * SPACE:.1f} {self._fall(v) * SPACE:.1f}" for x, v in points)


def sparkline(
    values: Sequence[float],
    expected: Sequence[float] = (),
    *,
    falling: bool = False,
    width: int = 104,
) -> Markup:
    """A small curve without axes; dashed behind it what was to be expected. Decoration: hidden from readers."""
    if len(values) < 2:
        return Markup("")
    height, everything = 30, [*values, *expected]
    low, span = min(everything), (max(everything) - min(everything)) or 1.0

    def path(series: Sequence[float]) -> str:
        step = (width - 6) / max(len(series) - 1, 1)
        return "M" + "L".join(
            f"{2 + i * step:.1f} {3 + (height - 6) * (1 - (v - low) / span):.1f}"
            for i, v in enumerate(series)
        )

    dashed = f'<path class="s-expected" d="{path(expected)}"/>' if len(expected) > 1 else ""
    return Markup(  # noqa: S704 -- every text in it was escaped as it was put in
        f'<svg class="spark{" falling" if falling else ""}" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" aria-hidden="true">{dashed}<path class="s-line" d="{path(values)}"/></svg>'
    )
