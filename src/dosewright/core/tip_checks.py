"""Whether the end of a jaw or leaf can be where its field edge wants it; each problem with its numbers and the rule."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, isnan

from dosewright.core.tip_place import chord_heights, interpolated, on_circle, slope


@dataclass(frozen=True)
class TipInLeaf:
    """A tip in a leaf: heights grow against the flight; `centre` is that of the circle, or of the leaf if it has none.

    `name` is what messages call the leaf, where there are several; the rest as in `modules.Tip`.
    """

    name: str
    kind: str
    low: float
    high: float
    centre: float
    length: float
    focus: float
    isocentre: float
    radius: float = 0.0
    chord: float = 0.0
    travel_radius: float = 0.0
    table: tuple[tuple[float, float], ...] = ()

    @property
    def at(self) -> str:
        """How its messages begin."""
        return f"{self.name}: " if self.name else ""

    @property
    def round(self) -> bool:
        """Whether it has a circle."""
        return self.kind.startswith("ROUND")

    @property
    def inner_radius(self) -> float:
        """How far the top of the leaf is from the axis of movement (STRAIGHT)."""
        return self.travel_radius - (self.high - self.centre)

    def problems(self) -> Iterator[str]:
        """Yield what is wrong whatever the opening."""
        if self.kind == "STRAIGHT" and not self.length < 2.0 * self.inner_radius:
            yield (
                f"{self.at}a leaf of {self.length:g} mm cannot move on a circle of {self.travel_radius:g} mm; "
                f"at its top the radius is {self.inner_radius:g} mm, and the length must be less than twice that"
            )
        if not self.round:
            return
        if not self.low <= self.centre <= self.high:
            yield (
                f"{self.at}the centre of the tip circle, at height {self.centre:g} mm, must lie in the leaf, "
                f"between {self.low:g} and {self.high:g} mm"
            )
            return
        reach = max(self.high - self.centre, self.centre - self.low)
        if self.radius < reach:
            yield (
                f"{self.at}the tip circle of radius {self.radius:g} mm does not reach the farther face of the "
                f"leaf, {reach:g} mm from its centre; the radius must be {reach:g} mm or more"
            )
        elif self.radius - (self.radius**2 - reach**2) ** 0.5 >= self.length:
            depth = self.radius - (self.radius**2 - reach**2) ** 0.5
            yield (
                f"{self.at}the tip circle goes {depth:g} mm back over the thickness of the leaf; the leaf must be "
                f"longer than that, and is {self.length:g} mm long"
            )

    def problems_at(self, edge: float, side: int) -> Iterator[str]:
        """Yield what is wrong with one field edge; `side` is +1 for the positive leaf, -1 for the negative one."""
        s = slope(side * edge, self.focus, self.isocentre)
        if self.kind == "ROUND_DISP_POSFILE":
            if isnan(interpolated(self.table, side * edge)):
                yield (
                    f"{self.at}the field edge {edge:g} mm is an opening of {side * edge:g} mm, which the table of "
                    f"tip positions, {self.table[0][0]:g} to {self.table[-1][0]:g} mm, does not hold"
                )
        elif self.round:
            yield from self._chord_problems(edge, s)
        elif self.kind == "STRAIGHT":
            pivot, within = self.centre + self.travel_radius, 0.5 * self.inner_radius
            if on_circle(s, self.focus, pivot, within) is None:
                yield (
                    f"{self.at}the ray to the field edge {edge:g} mm passes the axis of movement, at height "
                    f"{pivot:g} mm, farther away than half of the radius at the top, {within:g} mm"
                )

    def _chord_problems(self, edge: float, s: float) -> Iterator[str]:
        longest = 2.0 * self.radius / hypot(1.0, s)
        if self.chord >= longest:
            yield (
                f"{self.at}the half-value layer of {self.chord:g} mm is no chord of the tip circle of radius "
                f"{self.radius:g} mm for the field edge {edge:g} mm; it must be less than {longest:g} mm"
            )
            return
        low, high = chord_heights(s, self.centre, self.radius, self.chord)
        if low < self.low or high > self.high:
            what = f"goes through the tip circle between heights {low:g} and {high:g} mm"
            if low == high:
                what = f"touches the tip circle at height {low:g} mm"
            yield (
                f"{self.at}the ray to the field edge {edge:g} mm {what}, outside the leaf, which lies between "
                f"{self.low:g} and {self.high:g} mm: the ray would enter by a flat face"
            )
