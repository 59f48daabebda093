"""A FRED input as a whole: what it defines, what it asks for, and the delivery directives in their order.

Definitions may stand in any order; only delivery directives are a sequence. Keys that FRED knows and that are not done
here are named; those it does not know are mistakes, told with the nearest word.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.fred.checks import check_beams, check_boxes, check_hu_table
from dosewright.formats.text.fred.directives import Directive, Setting, collect_directives
from dosewright.formats.text.fred.known_words import (
    DELIVERY,
    NUMBERS,
    OF_DEFAULT_BEAM,
    SWITCHES,
    check_names,
    settings_alone,
    value_of,
)
from dosewright.formats.text.fred.media import BUILT_IN, FredMaterial, HuRow, read_hu_table, read_material
from dosewright.formats.text.fred.pencil_beams import BeamReader, PencilBeam
from dosewright.formats.text.fred.places import (
    ROOM,
    Field,
    Region,
    default_field,
    identity_of,
    read_field,
    read_region,
    read_room,
)
from dosewright.formats.text.fred.scope import Budget
from dosewright.formats.text.fred.taking import Taking, Unsupported, as_flag, as_whole
from dosewright.formats.text.fred.variance_reduction import VarianceReduction, read_variance_reduction

HISTORIES = 10_000  # per pencil beam; FRED's default
Made = TypeVar("Made")


@dataclass(frozen=True)
class FredInput:
    """All of an input.

    Parameters
    ----------
    path
        The input file.
    regions, fields, beams
        In the order of their lines; beams know their field by its ID.
    materials, hu_rows
        Media that the input defines, and its HU table in ascending order.
    room_material
        What fills the room.
    histories
        Histories per pencil beam, where it has no number of its own.
    internal_hu, clamp_hu
        Whether FRED's own HU table is asked for; whether numbers beyond the table take its ends.
    switched_off
        Keys of processes that are not followed.
    variance_reduction
        None where the simulation is not repeated.
    delivery
        Delivery directives in their order.
    unsupported, notes
        What FRED knows and is not done here; sentences on what was assumed.
    complete
        False where some lines could not be read: what is missing may stand in them.
    """

    path: Path
    regions: tuple[Region, ...]
    fields: tuple[Field, ...]
    beams: tuple[PencilBeam, ...]
    materials: tuple[FredMaterial, ...]
    hu_rows: tuple[HuRow, ...]
    room_material: str
    histories: int
    internal_hu: bool
    clamp_hu: bool
    switched_off: tuple[str, ...]
    variance_reduction: VarianceReduction | None
    delivery: tuple[Directive, ...]
    unsupported: tuple[Unsupported, ...]
    notes: tuple[str, ...]
    complete: bool = True


def read_fred(path: Path, folder: Path | None = None, histories: int | None = None,
              budget: Budget | None = None) -> FredInput:  # fmt: skip
    """Read an input with its includes; `InputError` lists every problem with its file and line.

    Parameters
    ----------
    path
        The input file.
    folder
        The input folder: where files are looked for first; by default that of the file.
    histories
        Histories per pencil beam instead of those of the input.
    budget
        How much loops and expressions may do.
    """
    problems: list[str] = []
    found = collect_fred(path, problems, folder, histories, budget)
    if problems:
        raise InputError(*problems)
    return found


def collect_fred(path: Path, problems: list[str], folder: Path | None = None, histories: int | None = None,
                 budget: Budget | None = None) -> FredInput:  # fmt: skip
    """Read as `read_fred` does; problems are added to a list, and what could be read is returned."""
    directives, complete = collect_directives(path, problems, folder, budget)
    folders = [folder or path.parent, path.parent]
    return _Work(path, directives, folders, problems, complete).read(histories)


class _Work:
    """An input while its objects are made."""

    def __init__(self, path: Path, directives: Sequence[Directive], folders: Sequence[Path], problems: list[str],
                 complete: bool) -> None:  # fmt: skip
        self.path, self.directives, self.folders, self.problems = path, directives, folders, problems
        self.complete = complete
        self.unsupported: list[Unsupported] = []
        self.notes: list[str] = []
        self.settings: dict[str, Setting] = {}

    def read(self, histories: int | None) -> FredInput:
        """Make everything."""
        self.unsupported += check_names(self.directives, self.problems)
        self.settings = settings_alone(self.directives, self.problems, self.unsupported)
        own = value_of(self.settings, "nprim", lambda text, where: as_whole(text, where, least=1), self.problems)
        per_beam = histories or own or HISTORIES
        internal, clamp = (bool(value_of(self.settings, key, as_flag, self.problems)) for key in NUMBERS[1:])
        switches = {key: value_of(self.settings, key, as_flag, self.problems) for key in SWITCHES}
        off = tuple(key for key, on in switches.items() if on is False)
        materials = self.materials()
        regions, room = self.regions({one.id.casefold() for one in materials})
        fields = self.fields()
        beams = self.beams([one for one in self.directives if one.name in ("pb", "pbmaster")], fields, per_beam)
        rows = read_hu_table(self.of("mat", "matColumns"), self.problems, self.notes)
        if self.complete:
            check_hu_table(regions, rows, internal, self.problems)
        check_boxes([one.box for one in regions] + [one.box for one in fields], self.problems)
        repeated = [read_variance_reduction(one, self.taking(one), self.notes) for one in self.of("varianceReduction")]
        if len(repeated) > 1:
            self.problem("varianceReduction stands twice", self.of("varianceReduction")[1])
        return FredInput(
            self.path, tuple(regions), tuple(fields), tuple(beams), tuple(materials), rows, room, per_beam, internal,
            clamp, off, repeated[0] if repeated else None, self.of(*DELIVERY), tuple(self.unsupported),
            tuple(dict.fromkeys(self.notes)), self.complete,
        )  # fmt: skip

    def of(self, *names: str) -> tuple[Directive, ...]:
        """Return the directives of some names."""
        return tuple(one for one in self.directives if one.name in names)

    def taking(self, directive: Directive) -> Taking:
        """Return the settings of a directive, to be taken."""
        return Taking(directive.name, directive.where, directive.settings, self.problems, self.unsupported)

    def problem(self, what: str, at: Directive, given: object = None, allowed: object = None) -> None:
        """Add a problem of a directive."""
        self.problems += refuse(what, given=given, allowed=allowed, where=at.where).problems

    def unique(self, of: Sequence[Directive], found: Sequence[Made], name: Callable[[Made], str]) -> list[Made]:
        """Return things whose names differ, in any case; those that do not are problems."""
        kept: dict[str, Made] = {}
        for one, directive in zip(found, of, strict=True):
            if name(one).casefold() in kept:
                self.problem(f"The {directive.name} {name(one)!r} is defined twice, but for the case", directive)
            kept.setdefault(name(one).casefold(), one)
        return list(kept.values())

    def materials(self) -> list[FredMaterial]:
        """Make the materials."""
        found = []
        for one in self.of("material"):
            taking = self.taking(one)
            name = identity_of(one, taking, "ID")
            found.append(read_material(one, taking, name))
        materials = self.unique(self.of("material"), found, lambda one: one.id)
        names = {*BUILT_IN, *(one.id.casefold() for one in materials)}
        for material in materials:
            if material.id.casefold() in BUILT_IN:
                self.problems += refuse("A material has the name of a built-in one", given=material.id,
                                        where=material.where).problems  # fmt: skip
            if material.based_on and (material.based_on.casefold() not in names or material.based_on == material.id):
                self.unknown_medium(material.based_on, names, material.where)
        return materials

    def unknown_medium(self, name: str, names: Iterable[str], where: str) -> None:
        """Tell a medium that nobody knows."""
        if self.complete:
            self.problems += refuse(f"Unknown material.{nearest(name, names)}", given=name, where=where,
                                    allowed=", ".join(sorted(names))).problems  # fmt: skip

    def fields(self) -> list[Field]:
        """Make the fields, or the default one."""
        made = [read_field(one, self.taking(one), self.notes) for one in self.of("field")]
        return self.unique(self.of("field"), made, lambda one: one.id) or [default_field()]

    def regions(self, own_materials: set[str]) -> tuple[list[Region], str]:
        """Make the regions, and tell what fills the room."""
        rooms = [one for one in self.of("region") if _is_room(one)]
        if len(rooms) > 1:
            self.problem("The room is defined twice", rooms[1])
        room = read_room(self.taking(rooms[0])) if rooms else "vacuum"
        directives = [one for one in self.of("region") if one not in rooms]
        made = [read_region(one, self.taking(one), self.folders, self.notes) for one in directives]
        regions = self.unique(directives, made, lambda one: one.box.name)
        names = {*BUILT_IN, *own_materials}
        used = [(one.material, one.box.where) for one in regions] + [(room, rooms[0].where if rooms else "")]
        for name, where in used:
            if name is not None and name.casefold() not in names:
                self.unknown_medium(name, names, where)
        if not regions and self.complete:
            self.problems += refuse("The input has no region", allowed="region: ID ; L = [...] ; ...",
                                    where=self.path.name).problems  # fmt: skip
        return regions, room

    def beams(self, explicit: Sequence[Directive], fields: Sequence[Field], histories: int) -> list[PencilBeam]:
        """Make the pencil beams, or the default one."""
        reader = BeamReader(histories, self.problems, self.unsupported, self.notes)
        defaults = [self.settings[key] for key in OF_DEFAULT_BEAM if key in self.settings]
        if not explicit:
            return [one for one in [reader.default(defaults)] if one] if self.on_default_field(fields, defaults) else []
        for one in defaults:
            self.problems += refuse(f"{one.key} describes the default pencil beam, and the input has its own",
                                    given=one.key, allowed="the key within pb:", where=one.where).problems  # fmt: skip
        before = len(self.problems)
        beams = reader.read_all(explicit)
        check_beams(beams, fields, self.problems, complete=self.complete)
        self.complete = self.complete and len(self.problems) == before
        return beams

    def on_default_field(self, fields: Sequence[Field], defaults: Sequence[Setting]) -> bool:
        """Return whether the default pencil beam has its place: in the default field only."""
        if not self.of("field") or not self.complete:
            return not self.of("field")
        where = defaults[0].where if defaults else fields[0].box.where
        self.problems += refuse("The input has fields and no pencil beams", allowed="pb: ID FIELD ; ...",
                                where=where).problems  # fmt: skip
        return False


def _is_room(directive: Directive) -> bool:
    names = [*directive.words, *(one.text.strip("'\"") for one in directive.settings if one.key == "ID")]
    return bool(names) and names[0].casefold() == ROOM
