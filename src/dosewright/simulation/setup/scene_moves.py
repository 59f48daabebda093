"""Jaws and leaves of a scene where the run file, or a DICOM plan that it names, wants them."""

from dataclasses import dataclass, replace
from pathlib import Path

from dosewright.core.beam_choice import choose_beams
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.modules import Jaws, Mlc
from dosewright.core.openings import BeamOpenings, ControlPoint
from dosewright.core.scene import Module, Scene
from dosewright.formats.dicom.leaf_openings import read_openings
from dosewright.geometry.modules.openings import with_openings
from dosewright.simulation.run_file.phantom_tables import ModuleSet
from dosewright.simulation.run_file.phantom_tables import Scene as SceneTable


@dataclass(frozen=True)
class PlannedOpening:
    """The control point of a plan's beam that jaws and leaves stand at; `number` counts from 0."""

    beam: BeamOpenings
    number: int

    @property
    def point(self) -> ControlPoint:
        """The control point."""
        return self.beam.control_points[self.number]

    @property
    def collimator_deg(self) -> float:
        """The angle of the collimator; 0 where the plan states none, which `said` tells."""
        return self.point.collimator_deg or 0.0

    def said(self) -> tuple[str, ...]:
        """Return what a reader of the results should know."""
        name = f" {self.beam.name!r}" if self.beam.name else ""
        told = [
            f"Jaws and leaves stand where control point {self.number} of beam {self.beam.number}{name} of the plan has "
            "them.",
            "Isocentre, patient position and couch of the plan are not applied: scene and phantom lie where the run "
            "file has them.",
        ]
        if self.point.collimator_deg is None:
            told.append("The plan states no collimator angle; it is taken as 0.")
        elif self.collimator_deg:
            told.append(
                f"All modules of the scene are turned by the collimator angle, {self.collimator_deg:g} degrees, about "
                "the z axis of what they lie in; parts are not."
            )
        if self.point.gantry_deg:
            told.append(f"The gantry angle of the plan, {self.point.gantry_deg:g} degrees, is not applied, as asked.")
        if self.beam.in_beam:
            told.append(
                f"The plan has more in this beam: {', '.join(self.beam.in_beam)}. The scene holds what its file says, "
                "nothing else."
            )
        return tuple(told)


def set_module(scene: Scene, wanted: ModuleSet) -> Scene:
    """Return a scene with one module where the run file wants it."""
    names = [module.name for module in scene.modules]
    module = next((one for one in scene.modules if one.name == wanted.module), None)
    if module is None:
        raise refuse(f"The scene has no module {wanted.module!r}.{nearest(wanted.module, names)}",
                     allowed=", ".join(names) or "none: it has no modules")  # fmt: skip
    return scene.with_module(_opened(module, wanted))


def _opened(module: Module, wanted: ModuleSet) -> Module:
    low, high = wanted.negative_mm, wanted.positive_mm
    if isinstance(module, Jaws):
        if wanted.pairs_mm is not None or low is None or high is None:
            raise refuse(f"{module.name!r} are jaws, which have two edges", allowed="negative_mm and positive_mm")
        return replace(module, negative_mm=low, positive_mm=high)
    if not isinstance(module, Mlc):
        raise refuse(f"The module {module.name!r} has nothing that moves", given=type(module).__name__,
                     allowed="jaws and leaves")  # fmt: skip
    if wanted.pairs_mm is None or low is not None or high is not None:
        raise refuse(f"{module.name!r} are leaves", allowed="pairs_mm, (negative, positive) of each pair")
    if len(wanted.pairs_mm) != len(module.pairs):
        raise refuse(f"The leaves {module.name!r} have another number of pairs", given=len(wanted.pairs_mm),
                     allowed=f"{len(module.pairs)}, from the most negative across")  # fmt: skip
    pairs = zip(module.pairs, wanted.pairs_mm, strict=True)
    moved = tuple(replace(pair, negative_mm=one, positive_mm=other) for pair, (one, other) in pairs)
    return replace(module, pairs=moved)


def at_plan(scene: Scene, table: SceneTable) -> tuple[Scene, PlannedOpening]:
    """Return a scene with jaws and leaves where a plan has them, and where that is."""
    against = [m.name for m in scene.modules if getattr(m, "beam", -1) != -1]
    if against:
        raise refuse("A plan has the axes of IEC 61217, the beam along -z; these modules have it along +z",
                     given=", ".join(against))  # fmt: skip
    beam = _beam(read_openings(Path(table.plan or "")), table.beam)
    planned = PlannedOpening(beam, _number(beam, table.control_point))
    gantry = planned.point.gantry_deg or 0.0
    if gantry % 360.0 and table.gantry is None:
        raise refuse("The gantry angle of a plan is not applied: the scene lies where scene.rotation_deg has it",
                     given=f"{gantry:g} degrees", allowed='0, or gantry = "ignored"')  # fmt: skip
    fixed = {wanted.module for wanted in table.set}
    return with_openings(scene, planned.point, fixed=fixed, ignored=table.ignored_devices), planned


def _beam(beams: tuple[BeamOpenings, ...], wanted: str | int | None) -> BeamOpenings:
    if wanted is None and len(beams) == 1:
        return beams[0]
    known = [(beam.number, beam.name) for beam in beams]
    if wanted is None:
        listed = ", ".join(f"{number} {name!r}" for number, name in known)
        raise refuse("scene.beam is missing and the plan has several beams", allowed=listed)
    chosen, problems = choose_beams(known, [str(wanted)])
    if problems:
        raise InputError(*(problem.replace(" (-b)", "") for problem in problems))
    found = [beam for beam in beams if beam.number in chosen]
    if len(found) != 1:
        raise refuse("scene.beam must be one beam", given=repr(wanted))
    return found[0]


def _number(beam: BeamOpenings, wanted: int | None) -> int:
    """Return which control point is meant; none needs to be named where they are all alike."""
    points = beam.control_points
    if wanted is not None:
        if wanted >= len(points):
            raise refuse("The beam has no such control point", given=wanted, allowed=f"0 to {len(points) - 1}")
        return wanted
    if any(_numbers(point) != _numbers(points[0]) for point in points):
        raise refuse(f"The {len(points)} control points of beam {beam.number} differ; scene.control_point names one",
                     allowed=f"0 to {len(points) - 1}")  # fmt: skip
    return 0


def _numbers(point: ControlPoint) -> tuple[object, ...]:
    """Return all that a control point says, without its weight."""
    openings = sorted((one.kind, one.negative_mm, one.positive_mm) for one in point.devices)
    return (*openings, point.gantry_deg, point.collimator_deg, point.couch_deg)
