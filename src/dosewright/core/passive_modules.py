"""Modules without moving parts, as the numbers that describe them; `geometry.modules` makes parts of them.

Lengths in mm, in the axes of the module's parent. Sizes are full lengths along x and y. ``beam`` is the direction of
flight along z: -1 (the convention) or +1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dosewright.core.matter import Material
from dosewright.core.module_checks import beam_problems, number_problems, raise_all
from dosewright.core.outline import fault_of

Pair = tuple[float, float]
Triple = tuple[float, float, float]
Outline = tuple[Pair, ...]


@dataclass(frozen=True)
class RangeShifter:
    """A plate of even thickness around its centre; `size_mm` along x and y, or twice its diameter if it is `round`."""

    name: str
    size_mm: Pair
    thickness_mm: float
    centre_mm: Triple
    material: Material
    round: bool = False
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *_plate_problems(self.size_mm, self.thickness_mm, self.round)]
        raise_all(problems, f"Range shifter {self.name!r}", self.where)


@dataclass(frozen=True)
class Snout:
    """A tube that holds devices: `outer_mm` and `opening_mm` along x and y, or diameters if it is `round`."""

    name: str
    outer_mm: Pair
    opening_mm: Pair
    length_mm: float
    centre_mm: Triple
    material: Material
    round: bool = False
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *_plate_problems(self.outer_mm, self.length_mm, self.round)]
        problems += _opening_problems(self.outer_mm, self.opening_mm, self.round)
        raise_all(problems, f"Snout {self.name!r}", self.where)


@dataclass(frozen=True)
class Aperture:
    """A plate with holes of any outline, their walls parallel to z; outlines in x and y of the plate's parent."""

    name: str
    size_mm: Pair
    thickness_mm: float
    centre_mm: Triple
    holes_mm: tuple[Outline, ...]
    material: Material
    round: bool = False
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *_plate_problems(self.size_mm, self.thickness_mm, self.round)]
        if not self.holes_mm:
            problems.append("it needs a hole")
        for number, hole in enumerate(self.holes_mm, 1):
            problems += _outline_problems(f"hole {number}", hole)
            problems += _outside(f"hole {number}", hole, self.size_mm, self.centre_mm, self.round)
        raise_all(problems, f"Aperture {self.name!r}", self.where)


@dataclass(frozen=True)
class Compensator:
    """Columns side by side on a flat base: `thickness_mm[row][column]` above the base, against the flight.

    Rows follow y upward, columns x upward, `pitch_mm` apart along x and y; the middle of the whole lies at
    `centre_mm` (x, y). Columns without thickness are empty.
    """

    name: str
    thickness_mm: tuple[tuple[float, ...], ...]
    pitch_mm: Pair
    centre_mm: Pair
    base_z_mm: float
    material: Material
    beam: int = -1
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *beam_problems(self.beam)]
        rows = {len(row) for row in self.thickness_mm}
        if len(rows) != 1 or 0 in rows:
            problems.append(f"all rows need the same number of columns, one or more; they have {sorted(rows)}")
        elif not min(map(min, self.thickness_mm)) >= 0 or not max(map(max, self.thickness_mm)) > 0:
            low, high = min(map(min, self.thickness_mm)), max(map(max, self.thickness_mm))
            problems.append(f"thicknesses must not be negative, nor all zero; they go from {low:g} to {high:g} mm")
        if not min(self.pitch_mm) > 0:
            problems.append(f"columns need positive widths, and have {self.pitch_mm} mm")
        raise_all(problems, f"Compensator {self.name!r}", self.where)


@dataclass(frozen=True)
class Wedge:
    """A wedge on a flat base: `profile_mm` of (position along the orientation, thickness above the base), ascending.

    Two rows make a plain wedge, more a curved one. `width_mm` is its length across; `base_z_mm` the downstream face.
    """

    name: str
    orientation: str
    profile_mm: Outline
    width_mm: float
    base_z_mm: float
    material: Material
    cross_mm: float = 0.0
    beam: int = -1
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self), *beam_problems(self.beam)]
        if self.orientation not in ("X", "Y"):
            problems.append(f"the orientation must be X or Y, and is {self.orientation!r}")
        if len(self.profile_mm) < 2:
            problems.append(f"its profile needs two or more rows, and has {len(self.profile_mm)}")
        for (a, _), (b, _) in pairwise(self.profile_mm):
            if not b > a:
                problems.append(f"positions of its profile must ascend, and go from {a:g} to {b:g} mm")
        thickness = [t for _, t in self.profile_mm]
        if thickness and (min(thickness) < 0 or not max(thickness) > 0):
            problems.append(
                f"thicknesses must not be negative, nor all zero; they go from {min(thickness):g} to "
                f"{max(thickness):g} mm"
            )
        if any(t == u == 0 for t, u in pairwise(thickness)):
            problems.append("two rows of its profile that follow one another have no thickness; leave the first out")
        if not self.width_mm > 0:
            problems.append(f"its width must be positive, and is {self.width_mm:g} mm")
        raise_all(problems, f"Wedge {self.name!r}", self.where)


@dataclass(frozen=True)
class Block:
    """A poured block: a shield of an outline, or a plate with a hole of it; outline in x and y at the isocentre plane.

    The walls follow the rays from the focus (`divergent`), or are parallel to z, with the outline as it is given.
    `hole_in_mm` is the full size of the plate around the hole, centred on the axis of the focus; None for a shield.
    """

    name: str
    outline_mm: Outline
    top_z_mm: float
    thickness_mm: float
    material: Material
    divergent: bool = True
    focus_z_mm: float = 1000.0
    isocentre_z_mm: float = 0.0
    hole_in_mm: Pair | None = None
    beam: int = -1
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [
            *number_problems(self),
            *beam_problems(self.beam),
            *_outline_problems("its outline", self.outline_mm),
        ]
        if not self.thickness_mm > 0:
            problems.append(f"its thickness must be positive, and is {self.thickness_mm:g} mm")
        if self.divergent and not (-self.beam * (self.focus_z_mm - self.top_z_mm) > 0
                                   and -self.beam * (self.focus_z_mm - self.isocentre_z_mm) > 0):  # fmt: skip
            problems.append(
                f"the focus must lie before the top and the isocentre plane; they are at z = {self.focus_z_mm:g}, "
                f"{self.top_z_mm:g} and {self.isocentre_z_mm:g} mm"
            )
        if not problems and self.hole_in_mm is not None:
            widest = self.scales[1]
            hole = tuple((x * widest, y * widest) for x, y in self.outline_mm)
            problems += _outside("its hole", hole, self.hole_in_mm, (0.0, 0.0, 0.0), False)
        raise_all(problems, f"Block {self.name!r}", self.where)

    @property
    def scales(self) -> Pair:
        """Return how large the outline is at the upstream and the downstream face, as shares of that given."""
        if not self.divergent:
            return 1.0, 1.0
        whole = -self.beam * (self.focus_z_mm - self.isocentre_z_mm)
        above = -self.beam * (self.focus_z_mm - self.top_z_mm)
        return above / whole, (above + self.thickness_mm) / whole


@dataclass(frozen=True)
class Frame:
    """One frame of an applicator: a plate with a rectangular opening, its middle at `z_mm`."""

    z_mm: float
    thickness_mm: float
    outer_mm: Pair
    opening_mm: Pair
    material: Material | None = None


@dataclass(frozen=True)
class Applicator:
    """An electron applicator: frames one behind another, of one material unless a frame has its own."""

    name: str
    frames: tuple[Frame, ...]
    material: Material
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [*number_problems(self)] if self.frames else ["it needs a frame"]
        for number, frame in enumerate(self.frames, 1):
            faults = [*number_problems(frame), *_plate_problems(frame.outer_mm, frame.thickness_mm, False)]
            faults += _opening_problems(frame.outer_mm, frame.opening_mm, False)
            problems += [f"frame {number}: {fault}" for fault in faults]
        order = sorted(self.frames, key=lambda frame: frame.z_mm)
        for low, high in pairwise(order):
            if low.z_mm + 0.5 * low.thickness_mm > high.z_mm - 0.5 * high.thickness_mm:
                problems.append(f"the frames at z = {low.z_mm:g} and {high.z_mm:g} mm overlap")
        raise_all(problems, f"Applicator {self.name!r}", self.where)


@dataclass(frozen=True)
class ConvergingCollimator:
    """A plate with rows of round holes whose axes meet in a focus, `focus_mm` beyond its downstream face.

    `pitch_mm` between holes along x (columns) and y (rows), and `hole_mm`, their diameter, are at the downstream face;
    `entrance_mm` is the diameter where a hole begins (None: the same). The middle of the plate is at `centre_mm`.
    """

    name: str
    rows: int
    columns: int
    pitch_mm: Pair
    hole_mm: float
    thickness_mm: float
    focus_mm: float
    size_mm: Pair
    centre_mm: Triple
    material: Material
    entrance_mm: float | None = None
    beam: int = -1
    parent: str | None = None
    where: str = ""

    def __post_init__(self) -> None:
        problems = [
            *number_problems(self),
            *beam_problems(self.beam),
            *_plate_problems(self.size_mm, self.thickness_mm, False),
        ]
        if self.rows < 1 or self.columns < 1:
            problems.append(f"it needs rows and columns of holes, and has {self.rows} and {self.columns}")
        if not min(*self.pitch_mm, self.hole_mm, self.focus_mm, self.entrance_mm or 1.0) > 0:
            problems.append(
                f"pitch, holes and the distance of the focus must be positive; they are {self.pitch_mm}, "
                f"{self.hole_mm:g}, {self.focus_mm:g} mm"
            )
        if not problems:
            problems += self._hole_problems()
        raise_all(problems, f"Collimator {self.name!r}", self.where)

    def _hole_problems(self) -> Iterator[str]:
        larger = (self.focus_mm + self.thickness_mm) / self.focus_mm
        entrance = self.hole_mm if self.entrance_mm is None else self.entrance_mm
        stretch = [self._obliquity(larger, axis) for axis in (0, 1)]
        for face, diameter, scale in (("downstream", self.hole_mm, 1.0), ("upstream", entrance, larger)):
            for count, pitch, long, word in zip(
                (self.columns, self.rows), self.pitch_mm, stretch, ("x", "y"), strict=True
            ):
                if count > 1 and diameter * long >= pitch * scale:
                    yield (
                        f"its holes overlap at the {face} face: {diameter * long:.4g} mm wide along {word}, their "
                        f"middles {pitch * scale:.4g} mm apart"
                    )
        for count, pitch, side, long, word in zip(
            (self.columns, self.rows), self.pitch_mm, self.size_mm, stretch, ("x", "y"), strict=True
        ):
            wide = max((count - 1) * pitch + self.hole_mm * long, (count - 1) * pitch * larger + entrance * long)
            if wide >= side:
                yield f"its holes need {wide:.4g} mm along {word}, and the plate has {side:g} mm"

    def _obliquity(self, larger: float, axis: int) -> float:
        """Return how much wider than its diameter the outermost hole is in a face of the plate."""
        count = (self.columns, self.rows)[axis]
        across = 0.5 * (count - 1) * self.pitch_mm[axis] * larger
        return float((1.0 + (across / (self.focus_mm * larger)) ** 2) ** 0.5)


def _plate_problems(size: Pair, thickness: float, is_round: bool) -> Iterator[str]:
    if not min(size) > 0:
        yield f"its sizes must be positive, and are {size[0]:g} and {size[1]:g} mm"
    if not thickness > 0:
        yield f"its thickness must be positive, and is {thickness:g} mm"
    if is_round and size[0] != size[1]:
        yield f"it is round, so both sizes are its diameter; they are {size[0]:g} and {size[1]:g} mm"


def _opening_problems(outer: Pair, opening: Pair, is_round: bool) -> Iterator[str]:
    if not min(opening) > 0:
        yield f"its opening must be positive, and is {opening[0]:g} by {opening[1]:g} mm"
    if not (opening[0] < outer[0] and opening[1] < outer[1]):
        yield (
            f"its opening, {opening[0]:g} by {opening[1]:g} mm, must be smaller than its outside, {outer[0]:g} by "
            f"{outer[1]:g} mm"
        )
    if is_round and opening[0] != opening[1]:
        yield f"it is round, so both openings are the diameter; they are {opening[0]:g} and {opening[1]:g} mm"


def _outline_problems(what: str, outline: Outline) -> Iterator[str]:
    fault = fault_of(outline)
    if fault:
        yield f"{what} is no outline: {fault}"


def _outside(what: str, outline: Outline, size: Pair, centre: Triple, is_round: bool) -> Iterator[str]:
    for x, y in outline:
        u, v = abs(x - centre[0]) / (0.5 * size[0]), abs(y - centre[1]) / (0.5 * size[1])
        if (u * u + v * v if is_round else max(u, v)) >= 1.0:
            yield f"{what} reaches {x:g}, {y:g} mm, outside the plate of {size[0]:g} by {size[1]:g} mm"
            return
