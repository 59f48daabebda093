"""Modules of geometry text: jaws, multi-leaf collimators and range modulators, in the order in which GAMOS reads them.

Words may spread over any number of lines; what is missing or too many is refused with what belongs there. The beam runs
along -z (IEC 61217) unless the text says ``:P BEAM_Z 1``, which GAMOS takes for a parameter that nobody uses.
Source: GAMOS 5.1 User's Guide, "Radiotherapy application: Geometrical modules", and the order of GAMOS itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.core.modules import ORIENTATIONS, TIPS, Jaws, LeafPair, LeafProfile, Mlc, Tip
from dosewright.formats.text.gamos.cursor import Cursor
from dosewright.formats.text.gamos.expressions import Parameters, is_number
from dosewright.formats.text.gamos.lexer import Word
from dosewright.formats.text.lines import numeric_rows
from dosewright.formats.text.scene.tables import placed

MODULES = ("JAWS", "MLC", "RANGE_MODULATOR")
TYPES = ("FOCUSED", "UNFOCUSED")
LEAVES = ("LEAF", "BLOCK")
ROUND = ("ROUND", "ROUND_DISP", "ROUND_DISP_POSFILE")
WITH_HALF_VALUE = ("ROUND", "ROUND_DISP")
STRAIGHT = ("STRAIGHT", "STRAIGHT_HORIZ")
LABEL = "module_name"  # what the manual writes behind the name in its examples, meant as a comment
BEAM = "BEAM_Z"
MOST_POINTS, MOST_LEAVES = 1000, 500


@dataclass(frozen=True)
class Pending:
    """A module whose parent and material are still names."""

    name: str
    where: str
    material: str
    mother: str
    make: Callable[[Material, str | None], Jaws | Mlc]


@dataclass(frozen=True)
class Wheel:
    """A range modulator before it is made a volume: GAMOS makes a solid of it that the text places itself."""

    name: str
    hub_inner_mm: float
    hub_outer_mm: float
    outer_mm: float
    blades: int
    thickness_mm: tuple[float, ...]
    weights: tuple[float, ...]
    where: str


def beam_of(parameters: Parameters) -> int:
    """Return the direction of the beam along z."""
    value = parameters.numbers[BEAM].value if BEAM in parameters.numbers else -1.0
    if value not in (-1.0, 1.0):
        raise refuse(f"The parameter {BEAM} gives the direction of the beam along z", given=f"{value:g}",
                     allowed="-1 (IEC 61217) or 1")  # fmt: skip
    return int(value)


def read_module(cursor: Cursor, folder: Path) -> Pending | Wheel:
    """Return the module of a statement; files of tip positions lie in `folder`."""
    kind = cursor.one_of(MODULES, "a kind of module")
    name = cursor.name("the name of the module")
    left = cursor.left()
    if left and left[0].text.casefold() == LABEL:
        cursor.word("a label")
    if kind == "RANGE_MODULATOR":
        return _range_modulator(name, cursor)
    return _jaws(name, cursor, folder) if kind == "JAWS" else _mlc(name, cursor, folder)


def _jaws(name: str, cursor: Cursor, folder: Path) -> Pending:
    orientation = cursor.one_of(ORIENTATIONS, "the orientation")
    kind = cursor.one_of(TIPS, "the type of the tip")
    x, y, z = (cursor.positive_mm(f"the {axis} half size") for axis in "XYZ")
    radius, below, positions = _circle(kind, cursor, folder)
    half_value = _half_value(kind, cursor)
    focus = cursor.length_mm("the z of the focus")
    travel = _travel(kind, cursor)
    centre, isocentre = cursor.length_mm("the z of the centre"), cursor.length_mm("the z of the isocentre")
    negative, positive = cursor.length_mm("the negative field edge"), cursor.length_mm("the positive field edge")
    beam = _beam(name, focus, isocentre, cursor)
    material, mother = _material_and_mother(cursor)
    tip = placed(partial(Tip, kind, radius, below, half_value, travel, positions), cursor.where)

    def make(medium: Material, parent: str | None) -> Jaws:
        return Jaws(name, orientation, tip, (x, y, z), focus, centre, isocentre, negative, positive, medium, parent,
                    beam, cursor.where)  # fmt: skip

    return Pending(name, cursor.where, material, mother, make)


def _mlc(name: str, cursor: Cursor, folder: Path) -> Pending:
    focused = cursor.one_of(TYPES, "the type of the collimator") == "FOCUSED"
    orientation = cursor.one_of(ORIENTATIONS, "the orientation")
    kind = cursor.one_of(TIPS, "the type of the tip")
    half_length = cursor.positive_mm("the half length of the leaves")
    radius, below, positions = _circle(kind, cursor, folder)
    travel = _travel(kind, cursor)
    half_value = _half_value(kind, cursor)
    focus, cross_focus = cursor.length_mm("the z of the focus"), cursor.length_mm("the cross position of the focus")
    isocentre, top = cursor.length_mm("the z of the isocentre"), cursor.length_mm("the z of the top")
    gap_z, gap = cursor.length_mm("the z of the gap, from the top"), cursor.length_mm("the cross gap")
    start = cursor.length_mm("the cross position of the first leaf")
    profiles = _profiles(cursor)
    pairs = _pairs(cursor, len(profiles))
    beam = _beam(name, focus, isocentre, cursor)
    material, mother = _material_and_mother(cursor, len(pairs))
    tip = placed(partial(Tip, kind, radius, below, half_value, travel, positions), cursor.where)

    def make(medium: Material, parent: str | None) -> Mlc:
        return Mlc(name, focused, orientation, tip, half_length, focus, cross_focus, isocentre, top, gap_z, gap, start,
                   profiles, pairs, medium, parent, beam, cursor.where)  # fmt: skip

    return Pending(name, cursor.where, material, mother, make)


def _circle(kind: str, cursor: Cursor, folder: Path) -> tuple[float, float, tuple[tuple[float, float], ...]]:
    """Return radius of the tip, depth of its centre below the top, and the table of its positions."""
    radius = cursor.positive_mm("the radius of the tip") if kind in ROUND else 0.0
    below = cursor.length_mm("the distance from the top to the centre of the tip") if kind in ROUND[1:] else 0.0
    positions = _positions(cursor, folder) if kind == "ROUND_DISP_POSFILE" else ()
    return radius, below, positions


def _positions(cursor: Cursor, folder: Path) -> tuple[tuple[float, float], ...]:
    """Return the table in the file that a word names: opening and position of the tip, at the isocentre."""
    word = cursor.word("the name of the file of tip positions")
    if is_number(word, cursor.parameters):
        raise refuse("ROUND_DISP_POSFILE takes the name of a file with the positions of the tip here, not a number",
                     given=f"{word.text}; a half-value layer belongs to ROUND and ROUND_DISP only",
                     allowed="a file of two columns, opening and position of the tip at the isocentre in mm; or the tip"
                     " ROUND_DISP with this half-value layer", where=word.where)  # fmt: skip
    path = folder / cursor.parameters.text(word)
    try:
        rows = [values for _, values in numeric_rows(path, 2)]
    except InputError as error:
        raise InputError(*(f"{problem} Named in {word.where}." for problem in error.problems)) from error
    if len(rows) < 2 or any(second[0] <= first[0] for first, second in pairwise(rows)):
        raise refuse("A table of tip positions needs two rows or more with openings that ascend", given=path.name,
                     where=word.where)  # fmt: skip
    return tuple((opening, position) for opening, position in rows)


def _half_value(kind: str, cursor: Cursor) -> float:
    if kind not in WITH_HALF_VALUE:
        return 0.0
    word = cursor.word("the half-value layer")
    length = cursor.parameters.length_mm(word)
    if length < 0:
        raise refuse("A half-value layer is not negative", given=f"{word.text} = {length:g} mm", where=word.where)
    return length


def _travel(kind: str, cursor: Cursor) -> float:
    return cursor.positive_mm("the radius of the movement") if kind in STRAIGHT else 0.0


def _beam(name: str, focus_mm: float, isocentre_mm: float, cursor: Cursor) -> int:
    """Return the direction of the beam, which must run from the focus to the isocentre."""
    beam = beam_of(cursor.parameters)
    if not (isocentre_mm - focus_mm) * beam > 0:
        along = "-z" if beam < 0 else "+z"
        raise refuse(f"{name}: the beam runs along {along}, from the focus to the isocentre",
                     given=f"focus at {focus_mm:g} mm, isocentre at {isocentre_mm:g} mm",
                     allowed=f"an isocentre downstream of the focus; :P {BEAM} {-beam} turns the beam round",
                     where=cursor.where)  # fmt: skip
    return beam


def _profiles(cursor: Cursor) -> tuple[LeafProfile, ...]:
    count = cursor.whole("the number of leaf profiles", MOST_LEAVES)
    profiles = []
    for i in range(1, count + 1):
        kind = cursor.one_of(LEAVES, f"LEAF or BLOCK of profile {i} of {count}")
        points = cursor.whole(f"the number of points of profile {i}", MOST_POINTS)
        if points < 3:
            raise refuse(f"Profile {i} needs three points or more", given=points, where=cursor.where)
        what = f"point {{}} of {points} of profile {i}"
        outline = tuple(
            (cursor.length_mm("z of " + what.format(k)), cursor.length_mm("cross of " + what.format(k)))
            for k in range(1, points + 1)
        )
        try:
            profiles.append(placed(partial(LeafProfile, kind, outline), cursor.where))
        except InputError as error:
            raise InputError(*(f"Profile {i}: {problem}" for problem in error.problems)) from error
    return tuple(profiles)


def _pairs(cursor: Cursor, profiles: int) -> tuple[LeafPair, ...]:
    count = cursor.whole("the number of leaf pairs", MOST_LEAVES)
    pairs = []
    for i in range(1, count + 1):
        word = cursor.word(f"the profile of pair {i} of {count}")
        if not is_number(word, cursor.parameters):
            raise refuse(f"Expected the profile of pair {i}: {count} pairs are counted, the list ends after {i - 1}",
                         given=word.text, allowed=f"1 to {profiles}", where=word.where)  # fmt: skip
        number = cursor.parameters.number(word)
        if number != round(number) or not 1 <= number <= profiles:
            raise refuse(f"Pair {i} of {count} names a profile that is not there; each pair has its profile, its"
                         " negative and its positive opening, and no cross position", given=word.text,
                         allowed=f"1 to {profiles}", where=word.where)  # fmt: skip
        negative = cursor.length_mm(f"the negative opening of pair {i}")
        pairs.append(LeafPair(int(number), negative, cursor.length_mm(f"the positive opening of pair {i}")))
    return tuple(pairs)


def _material_and_mother(cursor: Cursor, pairs: int | None = None) -> tuple[str, str]:
    word = cursor.word("the material")
    if is_number(word, cursor.parameters):
        left = len(cursor.left()) + 1
        more = f" after {pairs} pairs of leaves" if pairs is not None else ""
        raise refuse(f"Expected a material{more}; the module has more or fewer numbers than its type needs",
                     given=f"{word.text}, and {left} words are left", allowed="a material and the mother volume",
                     where=word.where)  # fmt: skip
    material = cursor.parameters.text(word)
    mother = cursor.name("the mother volume")
    cursor.end()
    return material, mother


def _range_modulator(name: str, cursor: Cursor) -> Wheel:
    inner = _not_negative(cursor, "RMIN, the radius of the hole in the hub")
    hub, outer = cursor.positive_mm("RIN, the outer radius of the hub"), cursor.positive_mm("ROUT, the outer radius")
    if not inner < hub < outer:
        raise refuse(f"{name}: the radii of a range modulator ascend: RMIN, RIN, ROUT", where=cursor.where,
                     given=f"{inner:g}, {hub:g}, {outer:g} mm")  # fmt: skip
    blades = cursor.whole("NBLADE, the number of blades", 1000)
    steps = cursor.whole("STEPS, the number of steps", 1000)
    pairs = [
        (cursor.positive_mm(f"the thickness of step {i} of {steps}"), cursor.number(f"the weight of step {i}"))
        for i in range(1, steps + 1)
    ]
    cursor.end()
    thickness, weights = tuple(t for t, _ in pairs), tuple(w for _, w in pairs)
    if any(b <= a for a, b in pairwise(thickness)):
        raise refuse(f"{name}: the thicknesses of a range modulator ascend", given=thickness, where=cursor.where)
    if min(weights) < 0 or sum(weights) > 1 + 1e-9:
        raise refuse(f"{name}: the weights of a range modulator are shares of a turn and at most one together",
                     given=f"sum {sum(weights):g}", where=cursor.where)  # fmt: skip
    return Wheel(name, inner, hub, outer, blades, thickness, weights, cursor.where)


def _not_negative(cursor: Cursor, what: str) -> float:
    word: Word = cursor.word(what)
    length = cursor.parameters.length_mm(word)
    if length < 0:
        raise refuse(f"{what} must not be negative", given=f"{word.text} = {length:g} mm", where=word.where)
    return length
