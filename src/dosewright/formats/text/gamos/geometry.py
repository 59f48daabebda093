"""Geometry text of GAMOS and Geant4 as a scene; what has no effect here is named in sentences."""

from collections import Counter
from functools import partial
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.modules import RangeModulator
from dosewright.core.part_tree import tree_problems
from dosewright.core.scene import Module, Part, Scene
from dosewright.formats.text.gamos import materials as media
from dosewright.formats.text.gamos import volumes as places
from dosewright.formats.text.gamos.cursor import Cursor
from dosewright.formats.text.gamos.expressions import Parameters
from dosewright.formats.text.gamos.hierarchy import Instance, below, check_places, placement, world_of
from dosewright.formats.text.gamos.lexer import Statement, read_statements
from dosewright.formats.text.gamos.materials import Materials, Named
from dosewright.formats.text.gamos.modules import Pending, Wheel, read_module
from dosewright.formats.text.gamos.rotations import Matrix
from dosewright.formats.text.gamos.solids import Made
from dosewright.formats.text.gamos.volumes import Volume, Volumes
from dosewright.formats.text.scene.scene_toml import filled_with

_OPTICAL = "optical properties are not simulated"
_STATE = "of a material only elements, density and mean excitation energy count"
_REGION = "cuts of regions belong into the run file"
IGNORED = {
    ":VIS": "how volumes are drawn",
    ":COLOUR": "how volumes are drawn",
    ":COLOR": "how volumes are drawn",
    ":CHECK_OVERLAPS": "overlaps are always looked for",
    ":MATE_STATE": _STATE,
    ":MATE_TEMPERATURE": _STATE,
    ":MATE_PRESSURE": _STATE,
    ":REGION": _REGION,
    ":CUTS": _REGION,
    ":MATE_PROPERTIES_TABLE": _OPTICAL,
    ":MATEPT_ADD_ENERGIES": _OPTICAL,
    ":MATEPT_ADD_WAVELENGTHS": _OPTICAL,
    ":MATEPT_ADD_PROPERTY": _OPTICAL,
    ":MATEPT_ADD_CONST_PROPERTY": _OPTICAL,
    ":MATEPT_ATTACH_TO_MATERIAL": _OPTICAL,
    ":MATEPT_ATTACH_TO_OPTICAL_SURFACE": _OPTICAL,
    ":OPTICAL_SURFACE": _OPTICAL,
    ":LOGICAL_BORDER_SURFACE": _OPTICAL,
    ":LOGICAL_SKIN_SURFACE": _OPTICAL,
}
NOT_KNOWN = (":REPL", ":DIV_NDIV", ":DIV_WIDTH", ":DIV_NDIV_WIDTH", ":PLACE_PARAM", ":VOLU_ASSEMBLY", ":PLACE_ASSEMBLY")
KNOWN = (":P", ":PS", ":MODULE", *places.TAGS, *media.TAGS)


def read_gamos_geometry(path: Path, named: Named) -> tuple[Scene, tuple[str, ...]]:
    """Read geometry text; `named` gives the materials that it does not define, such as ``G4_W``.

    Returns the scene in the axes of the world volume, and sentences about what has no effect here. All problems are
    listed together.
    """
    text = _Text(path, named)
    for statement in read_statements(path, text.problems):
        tried(partial(text.read, statement), text.problems)
    return text.scene()


class _Text:
    """A text while it is read, statement by statement."""

    def __init__(self, path: Path, named: Named) -> None:
        self.path = path
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.parameters = Parameters()
        self.materials = Materials(named)
        self.volumes = Volumes()
        self.modules: list[Pending] = []
        self.ignored: dict[str, list[str]] = {}

    def read(self, statement: Statement) -> None:
        """Carry out a statement."""
        cursor = Cursor(statement, self.parameters)
        tag = statement.tag
        lost = [word for word in statement.words if word.text.upper() in (*KNOWN, *IGNORED) and not word.quoted]
        if lost:
            raise refuse("A tag stands inside a line; it must be the first word of its own", given=lost[0].text,
                         where=lost[0].where)  # fmt: skip
        if tag in (":P", ":PS"):
            self._parameter(cursor)
        elif tag in media.TAGS:
            self.materials.read(cursor)
        elif tag in places.TAGS:
            self.volumes.read(cursor)
        elif tag == ":MODULE":
            self._module(cursor)
        elif tag in IGNORED:
            self.ignored.setdefault(tag, []).append(statement.where)
        elif tag in NOT_KNOWN:
            raise refuse(f"The tag {tag} makes volumes in a way that is not known here", given=tag,
                         allowed="each volume with a :PLACE of its own", where=statement.where)  # fmt: skip
        else:
            hint = nearest(tag, [*KNOWN, *IGNORED])
            raise refuse(f"Unknown tag.{hint}", given=tag, allowed=", ".join(KNOWN), where=statement.where)

    def _parameter(self, cursor: Cursor) -> None:
        word = cursor.word("the name of a parameter")
        name, numbers, texts = word.text, self.parameters.numbers, self.parameters.texts
        if name in numbers or name in texts:
            self.notes.append(f"The parameter {name} is defined again; the later value counts. Where: {cursor.where}.")
            numbers.pop(name, None)
            texts.pop(name, None)
        try:
            if cursor.statement.tag == ":PS":
                texts[name] = cursor.name("a text")
            else:
                numbers[name] = self.parameters.evaluated(cursor.word("a value"))[0]
            cursor.end()
        except InputError:
            self.parameters.refused.add(name)
            raise

    def _module(self, cursor: Cursor) -> None:
        module = read_module(cursor, self.path.parent)
        if isinstance(module, Wheel):
            self.volumes.add_solid(module.name, module, cursor)
        else:
            self.modules.append(module)

    def scene(self) -> tuple[Scene, tuple[str, ...]]:
        """Return the scene once all statements are read, or refuse it with all problems."""
        self.materials.finish(self.problems)
        of_volumes = {
            name: tried(partial(self.materials.find, volume.material, volume.where), self.problems)
            for name, volume in self.volumes.volumes.items()
        }
        of_modules = [
            tried(partial(self.materials.find, one.material, one.where), self.problems) for one in self.modules
        ]
        check_places(self.volumes, self.problems)
        self._stop()
        world = tried(partial(world_of, self.volumes, {one.mother for one in self.modules}), self.problems)
        instances = tried(partial(below, self.volumes, world), self.problems) if world else None
        if world is None or instances is None:
            raise InputError(*self.problems)
        parts, modules = self._parts(instances, of_volumes)
        for pending, material in zip(self.modules, of_modules, strict=True):
            parent = tried(partial(self._parent, pending, world, instances), self.problems)
            if material is not None and parent is not None:
                made = tried(partial(pending.make, material, parent or None), self.problems)
                modules += [made] if made else []
        self._stop()
        self.problems += tree_problems(parts, modules)
        self._stop()
        fill = of_volumes[world.name]
        filled = None if fill is None else filled_with(fill)
        return Scene(tuple(parts), tuple(modules), filled, self.path.name), self._notes(world, instances)

    def _stop(self) -> None:
        if self.problems:
            raise InputError(*self.problems)

    def _parts(
        self, instances: list[Instance], of_volumes: dict[str, Material | None]
    ) -> tuple[list[Part], list[Module]]:
        """Return the parts below the world, and wheels as the modules they are."""
        parts: list[Part] = []
        modules: list[Module] = []
        wheels = {one.name for one in instances if isinstance(one.volume.solid, Wheel)}
        for one in instances:
            place = placement(self.volumes, one)
            material, made = of_volumes[one.volume.name], one.volume.solid
            if one.mother in wheels:
                self.problems.append(str(refuse("Nothing can be placed in a range modulator", where=one.place.where,
                                                given=f"{one.name} in {one.mother}")))  # fmt: skip
            elif isinstance(made, Made):
                parts.append(Part(one.name, made.shape, material, place, one.mother, where=one.place.where))
            elif material is not None:
                tried(partial(_upright, one, place.rotation), self.problems)
                wheel = tried(partial(
                    RangeModulator, one.name, made.hub_inner_mm, made.hub_outer_mm, made.outer_mm, made.blades,
                    made.thickness_mm, made.weights, material, place.centre_mm, one.mother, where=made.where
                ), self.problems)  # fmt: skip
                modules += [wheel] if wheel else []
        return parts, modules

    def _parent(self, module: Pending, world: Volume, instances: list[Instance]) -> str:
        """Return the part that a module lies in; an empty name for the world."""
        mother = module.mother
        if mother == world.name:
            return ""
        found = [one for one in instances if one.volume.name == mother]
        if not found:
            known = [world.name, *(one.volume.name for one in instances)]
            raise refuse(f"{module.name!r} lies in a volume that is not there.{nearest(mother, known)}",
                         given=repr(mother), allowed=", ".join(dict.fromkeys(known)), where=module.where)  # fmt: skip
        shape = found[0].volume.solid
        if len(found) > 1 or not isinstance(shape, Made) or any(shape.shift_mm):
            why = f"placed {len(found)} times" if len(found) > 1 else "a solid around a point that is not its middle"
            raise refuse(f"{module.name!r} cannot lie in this volume", given=f"{mother}, {why}",
                         allowed="a volume placed once, around its own middle", where=module.where)  # fmt: skip
        return found[0].name

    def _notes(self, world: Volume, instances: list[Instance]) -> tuple[str, ...]:
        """Return sentences about what has no effect here, or another one than in GAMOS."""
        notes = list(self.notes)
        for tag, wheres in self.ignored.items():
            times = "once" if len(wheres) == 1 else f"{len(wheres)} times, first"
            notes.append(f"{tag} has no effect here: {IGNORED[tag]} ({times} in {wheres[0]}).")
        placed = Counter(one.volume.name for one in instances)
        for volume in self.volumes.volumes.values():
            if volume.name not in placed and volume is not world:
                notes.append(f"The volume {volume.name!r} is placed nowhere and left out ({volume.where}).")
        used = [volume.solid for volume in self.volumes.volumes.values()]
        for made in self.volumes.solids.values():
            if isinstance(made, Wheel):
                is_volume = any(made is one for one in used)
                said = "turns while the beam is on" if is_volume else "is not made a volume and left out"
                notes.append(f"The range modulator {made.name!r} {said} ({made.where}).")
        return tuple(notes)


def _upright(one: Instance, axes: Matrix) -> None:
    """Refuse a wheel whose axis is not along the z axis of its mother; where it begins its turn means nothing."""
    if axes[2, 2] < 1 - 1e-9:
        raise refuse(f"The range modulator {one.name!r} must turn about the z axis of its mother",
                     given=f"rotation {one.place.rotation}", where=one.place.where)  # fmt: skip
