"""Modules of a beam line as the numbers that describe them; `geometry.modules` makes parts of them.

Lengths in mm, IEC 61217, in the axes of the module's parent. ``beam`` is the direction of flight along z: -1 (the
convention) or +1; heights, as in "height above", count against the flight. The focus lies at x = 0 or y = 0 in the
plane of travel. Formulas: `core.tip_place`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dosewright.core.errors import nearest, refuse
from dosewright.core.matter import Material
from dosewright.core.module_checks import beam_problems, number_problems, raise_all
from dosewright.core.outline import extent_at, fault_of
from dosewright.core.passive_modules import (
    Aperture,
    Applicator,
    Block,
    Compensator,
    ConvergingCollimator,
    RangeShifter,
    Snout,
    Wedge,
)
from dosewright.core.tip_checks import TipInLeaf

TIPS = ("STRAIGHT", "STRAIGHT_HORIZ", "ROUND", "ROUND_DISP", "ROUND_DISP_POSFILE")
ORIENTATIONS = ("X", "Y")
LEAF_KINDS = ("LEAF", "BLOCK")


@dataclass(frozen=True)
class Tip:
    """The end of a jaw or leaf.

    `kind` is one of `TIPS`. `radius_mm` of the round ones; `centre_below_top_mm` from the top of the leaf to the centre
    of the circle (ROUND_DISP, ROUND_DISP_POSFILE); `half_value_mm` is the chord in the leaf of the ray that defines the
    field edge (ROUND, ROUND_DISP); `travel_radius_mm` of the circle that a straight leaf moves on; `positions_mm` pairs
    of opening and position of the tip, both projected to the isocentre plane (ROUND_DISP_POSFILE), for the positive
    leaf; the negative one is its mirror image.
    """

    kind: str
    radius_mm: float = 0.0
    centre_below_top_mm: float = 0.0
    half_value_mm: float = 0.0
    travel_radius_mm: float = 0.0
    positions_mm: tuple[tuple[float, float], ...] = ()
    where: str = ""

    def __post_init__(self) -> None:
        if self.kind not in TIPS:
            raise refuse(f"Unknown kind of tip.{nearest(self.kind, TIPS)}", given=self.kind, allowed=", ".join(TIPS),
                         where=self.where or None)  # fmt: skip
        raise_all(self._problems(), f"A tip {self.kind}", self.where)

    def _problems(self) -> Iterator[str]:
        yield from number_problems(self)
        if self.kind.startswith("ROUND") and not self.radius_mm > 0:
            yield f"its radius must be positive, and is {self.radius_mm:g} mm"
        if self.half_value_mm < 0:
            yield f"its half-value layer must not be negative, and is {self.half_value_mm:g} mm"
        if self.kind == "STRAIGHT" and not self.travel_radius_mm > 0:
            yield f"the radius of its movement must be positive, and is {self.travel_radius_mm:g} mm"
        if self.half_value_mm and self.kind not in ("ROUND", "ROUND_DISP"):
            yield f"it has no half-value layer, but {self.half_value_mm:g} mm is given; ROUND and ROUND_DISP have one"
        rows = self.positions_mm
        if rows and self.kind != "ROUND_DISP_POSFILE":
            yield f"it has no table of positions, but {len(rows)} rows are given; ROUND_DISP_POSFILE has one"
        if self.kind == "ROUND_DISP_POSFILE":
            if len(rows) < 2:
                yield f"its table of openings and tip positions needs two or more rows, and has {len(rows)}"
            for (x0, y0), (x1, y1) in pairwise(rows):
                if not (x1 > x0 and y1 > y0):
                    yield f"openings and tip positions must ascend, and go from {x0:g}, {y0:g} to {x1:g}, {y1:g} mm"

    def in_leaf(
        self, name: str, heights: tuple[float, float], top: float, length: float, focus: tuple[float, float]
    ) -> TipInLeaf:
        """Return the tip in a leaf between two heights; `focus` is its height and that of the isocentre plane."""
        low, high = heights
        below = self.kind in ("ROUND_DISP", "ROUND_DISP_POSFILE")
        centre = top - self.centre_below_top_mm if below else 0.5 * (low + high)
        return TipInLeaf(
            name, self.kind, low, high, centre, length, *focus,
            self.radius_mm, self.half_value_mm, self.travel_radius_mm, self.positions_mm,
        )  # fmt: skip


@dataclass(frozen=True)
class Jaws:
    """A pair of jaws that moves along x or y; the openings are projected from the focus to the isocentre plane.

    `centre_z_mm` is where their centres are at opening 0.
    """

    name: str
    orientation: str
    tip: Tip
    half_size_mm: tuple[float, float, float]
    focus_z_mm: float
    centre_z_mm: float
    isocentre_z_mm: float
    negative_mm: float
    positive_mm: float
    material: Material
    parent: str | None = None
    beam: int = -1
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *_orientation_problems(self.orientation, self.beam)]
        if not min(self.half_size_mm) > 0:
            problems.append(f"half sizes must be positive, and are {self.half_size_mm} mm")
        top = -self.beam * self.centre_z_mm + self.half_size_mm[2]
        problems += _order_problems(self.focus_z_mm, self.isocentre_z_mm, top, self.beam)
        problems += _opening_problems("", self.negative_mm, self.positive_mm)
        if not problems:
            for side, edge in ((-1, self.negative_mm), (1, self.positive_mm)):
                problems += [*self.tip_in_leaf().problems(), *self.tip_in_leaf().problems_at(edge, side)]
        raise_all(problems, f"Jaws {self.name!r}", self.where)

    @property
    def half_length_mm(self) -> float:
        """Half the length along the travel."""
        return self.half_size_mm["XY".index(self.orientation)]

    @property
    def half_width_mm(self) -> float:
        """Half the length across the travel."""
        return self.half_size_mm["YX".index(self.orientation)]

    def tip_in_leaf(self) -> TipInLeaf:
        """Return the tip in its jaw."""
        centre, half = -self.beam * self.centre_z_mm, self.half_size_mm[2]
        heights = (centre - half, centre + half)
        focus = (-self.beam * self.focus_z_mm, -self.beam * self.isocentre_z_mm)
        return self.tip.in_leaf("", heights, centre + half, 2.0 * self.half_length_mm, focus)


@dataclass(frozen=True)
class LeafProfile:
    """The outline of a leaf across its travel: (z below the top, negative downstream; cross), in order.

    `kind` is ``LEAF``, or ``BLOCK`` for a leaf that fills its whole travel and has no tip.
    """

    kind: str
    points_mm: tuple[tuple[float, float], ...]
    where: str = ""

    def __post_init__(self) -> None:
        if self.kind not in LEAF_KINDS:
            raise refuse("Unknown kind of leaf", given=self.kind, allowed=", ".join(LEAF_KINDS),
                         where=self.where or None)  # fmt: skip
        fault = fault_of(self.points_mm)
        raise_all([fault] if fault else [], "The outline of a leaf profile", self.where)

    @property
    def heights_mm(self) -> tuple[float, float]:
        """Its lowest and highest point, relative to the top of the leaves."""
        heights = [z for z, _ in self.points_mm]
        return min(heights), max(heights)

    def low_at(self, z: float) -> float:
        """Return its most negative position across at a height; it must have a width there."""
        return (extent_at(self.points_mm, z) or (0.0, 0.0))[0]


@dataclass(frozen=True)
class LeafPair:
    """Which profile (from 1), and the openings at the isocentre plane."""

    profile: int
    negative_mm: float
    positive_mm: float


@dataclass(frozen=True)
class Mlc:
    """A multi-leaf collimator.

    `focused`: the sides of leaves point at the cross focus. Leaves begin at `cross_start_mm` and follow with
    `cross_gap_mm` between them, both at the plane `gap_z_mm` below (negative) the top; the width of a leaf is that of
    its profile at this plane. The first leaf is that at the most negative position across.
    """

    name: str
    focused: bool
    orientation: str
    tip: Tip
    half_length_mm: float
    focus_z_mm: float
    cross_focus_mm: float
    isocentre_z_mm: float
    top_z_mm: float
    gap_z_mm: float
    cross_gap_mm: float
    cross_start_mm: float
    profiles: tuple[LeafProfile, ...]
    pairs: tuple[LeafPair, ...]
    material: Material
    parent: str | None = None
    beam: int = -1
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *_orientation_problems(self.orientation, self.beam)]
        problems += self._count_problems()
        if not self.half_length_mm > 0:
            problems.append(f"the half length of leaves must be positive, and is {self.half_length_mm:g} mm")
        if self.cross_gap_mm < 0:
            problems.append(f"the gap between leaves must not be negative, and is {self.cross_gap_mm:g} mm")
        if self.profiles:
            highest = max(profile.heights_mm[1] for profile in self.profiles)
            top = -self.beam * self.top_z_mm + highest
            problems += _order_problems(self.focus_z_mm, self.isocentre_z_mm, top, self.beam)
        for number, profile in enumerate(self.profiles, 1):
            across = extent_at(profile.points_mm, self.gap_z_mm)
            if across is None or not across[1] > across[0]:
                problems.append(
                    f"profile {number}, between {profile.heights_mm[0]:g} and {profile.heights_mm[1]:g} mm from "
                    f"the top, has no width at the plane of gaps, {self.gap_z_mm:g} mm from the top"
                )
        raise_all(problems or self._pair_problems(), f"MLC {self.name!r}", self.where)

    def _count_problems(self) -> Iterator[str]:
        if not self.profiles:
            yield "it needs a leaf profile"
        if not self.pairs:
            yield "it needs a pair of leaves"
        for number, pair in enumerate(self.pairs, 1):
            if not 1 <= pair.profile <= len(self.profiles):
                yield f"pair {number} has profile {pair.profile}, and there are {len(self.profiles)} (counted from 1)"

    def _pair_problems(self) -> Iterator[str]:
        for number in sorted({pair.profile for pair in self.pairs}):
            if self.profiles[number - 1].kind == "LEAF":
                yield from self.tip_in_leaf(number, f"profile {number}").problems()
        for number, pair in enumerate(self.pairs, 1):
            if self.profiles[pair.profile - 1].kind == "BLOCK":
                if pair.negative_mm != pair.positive_mm:
                    yield (
                        f"pair {number} is a block, which has no opening, and is given one from "
                        f"{pair.negative_mm:g} to {pair.positive_mm:g} mm"
                    )
                continue
            yield from _opening_problems(f"pair {number}: ", pair.negative_mm, pair.positive_mm)
            tip = self.tip_in_leaf(pair.profile, f"pair {number}")
            yield from tip.problems_at(pair.negative_mm, -1)
            yield from tip.problems_at(pair.positive_mm, +1)

    def tip_in_leaf(self, profile: int, name: str = "") -> TipInLeaf:
        """Return the tip in a leaf of a profile (from 1)."""
        top = -self.beam * self.top_z_mm
        low, high = self.profiles[profile - 1].heights_mm
        focus = (-self.beam * self.focus_z_mm, -self.beam * self.isocentre_z_mm)
        return self.tip.in_leaf(name, (top + low, top + high), top, 2.0 * self.half_length_mm, focus)

    def sides_mm(self) -> tuple[tuple[float, float], ...]:
        """Return where each leaf begins and ends across, at the plane of gaps."""
        start, found = self.cross_start_mm, []
        for pair in self.pairs:
            low, high = extent_at(self.profiles[pair.profile - 1].points_mm, self.gap_z_mm) or (0.0, 0.0)
            found.append((start, start + high - low))
            start += high - low + self.cross_gap_mm
        return tuple(found)

    def outline_mm(self, profile: int, start: float) -> tuple[tuple[float, float], ...]:
        """Return the outline (cross, height) of a leaf whose width at the plane of gaps begins at `start`.

        In a focused collimator the distance of each point from the cross focus grows with its distance from the focus,
        as (focus - z) / (focus - plane of gaps): walls that are parallel to z in the profile point at the cross focus.
        """
        top, focus = -self.beam * self.top_z_mm, -self.beam * self.focus_z_mm
        outline = self.profiles[profile - 1]
        points = []
        for z, cross in outline.points_mm:
            v, w = cross + start - outline.low_at(self.gap_z_mm), top + z
            if self.focused:
                v = self.cross_focus_mm + (v - self.cross_focus_mm) * (focus - w) / (focus - top - self.gap_z_mm)
            points.append((v, w))
        return tuple(points)

    def boundaries_mm(self) -> tuple[float, ...]:
        """Return where leaves begin and end at the isocentre plane; one more than there are pairs.

        A boundary is the middle between how far the shadows of two neighbours, seen from the focus, reach to one
        another: without steps the middle of their gap. Beyond the outer leaves one more of the same kind is imagined.
        """
        sides = self.sides_mm()
        first, last = sides[0], sides[-1]
        starts = [first[0] - (first[1] - first[0]) - self.cross_gap_mm, *(low for low, _ in sides)]
        starts.append(last[1] + self.cross_gap_mm)
        numbers = [pair.profile for pair in (self.pairs[0], *self.pairs, self.pairs[-1])]
        shadows = [self._shadow(number, start) for number, start in zip(numbers, starts, strict=True)]
        return tuple(0.5 * (one[1] + other[0]) for one, other in pairwise(shadows))

    def _shadow(self, profile: int, start: float) -> tuple[float, float]:
        """Return between which positions across a leaf is seen at the isocentre plane, from the focus."""
        focus, plane = -self.beam * self.focus_z_mm, -self.beam * self.isocentre_z_mm
        f = self.cross_focus_mm
        seen = [f + (v - f) * (focus - plane) / (focus - w) for v, w in self.outline_mm(profile, start)]
        return min(seen), max(seen)


@dataclass(frozen=True)
class RangeModulator:
    """A wheel of stepped blades: radii, steps of thickness and the share of a turn each has; it turns with the beam on.

    Thicknesses ascend; what the weights leave of a turn is open. The hub has the largest thickness; its middle lies at
    `centre_mm`, and the blades stand on its lower face.
    """

    name: str
    hub_inner_mm: float
    hub_outer_mm: float
    outer_mm: float
    blades: int
    thickness_mm: tuple[float, ...]
    weights: tuple[float, ...]
    material: Material
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    parent: str | None = None
    turns: bool = True
    where: str = ""

    def __post_init__(self) -> None:
        raise_all(self._problems(), f"Range modulator {self.name!r}", self.where)

    def _problems(self) -> Iterator[str]:
        yield from number_problems(self)
        radii = (self.hub_inner_mm, self.hub_outer_mm, self.outer_mm)
        if not 0 <= radii[0] < radii[1] < radii[2]:
            yield f"radii must ascend: hole, hub, blades; they are {radii[0]:g}, {radii[1]:g} and {radii[2]:g} mm"
        if self.blades < 1:
            yield f"it needs a blade, and has {self.blades}"
        if len(self.thickness_mm) != len(self.weights) or not self.weights:
            yield (
                f"each step has a thickness and a weight; there are {len(self.thickness_mm)} thicknesses and "
                f"{len(self.weights)} weights"
            )
        steps = (0.0, *self.thickness_mm)
        for thinner, thicker in zip(steps, self.thickness_mm, strict=False):
            if not thicker > thinner:
                yield f"thicknesses must be positive and ascend, and go from {thinner:g} to {thicker:g} mm"
        if self.weights and not min(self.weights) > 0:
            yield f"weights must be positive, and the smallest is {min(self.weights):g}"
        if sum(self.weights) > 1.0 + 1e-9:
            yield f"the weights are shares of a turn; their sum must not exceed 1, and is {sum(self.weights):g}"


MODULES: dict[str, type] = {
    "jaws": Jaws,
    "mlc": Mlc,
    "range_modulator": RangeModulator,
    "range_shifter": RangeShifter,
    "snout": Snout,
    "aperture": Aperture,
    "compensator": Compensator,
    "wedge": Wedge,
    "block": Block,
    "applicator": Applicator,
    "converging_collimator": ConvergingCollimator,
}


def _orientation_problems(orientation: str, beam: int) -> Iterator[str]:
    if orientation not in ORIENTATIONS:
        yield f"the orientation must be X or Y, and is {orientation!r}"
    yield from beam_problems(beam)


def _order_problems(focus_z: float, isocentre_z: float, top: float, beam: int) -> Iterator[str]:
    """Yield what is wrong with the order of focus, top and isocentre along the flight."""
    sign = "-z" if beam == -1 else "+z"
    if not -beam * (focus_z - isocentre_z) > 0:
        yield (
            f"the beam flies along {sign}, so the focus must lie before the isocentre plane; they are at z = "
            f"{focus_z:g} and {isocentre_z:g} mm"
        )
    elif not -beam * focus_z > top:
        yield f"the focus, at z = {focus_z:g} mm, must lie before the top, at z = {-beam * top:g} mm (beam {sign})"


def _opening_problems(what: str, negative: float, positive: float) -> Iterator[str]:
    if not negative <= positive:
        yield f"{what}openings cross: the negative edge is at {negative:g} mm, the positive one at {positive:g} mm"
