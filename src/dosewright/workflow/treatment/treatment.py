"""A delivery made ready: what is asked for can be done, and each step is divided into portions that can be run."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.looks import tried
from dosewright.core.scene import Part
from dosewright.core.units import MM_PER_CM
from dosewright.delivery.steps import Delivery, Step
from dosewright.formats.text.fred.places import Region
from dosewright.geometry.scene_check.problems import scene_problems
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.problem import TransportSettings
from dosewright.simulation.seeds import seed_of
from dosewright.sources import emit
from dosewright.workflow.treatment.beam_checks import check_beams
from dosewright.workflow.treatment.beams import SIGMAS, BeamGroup, beam_groups
from dosewright.workflow.treatment.in_front import in_front
from dosewright.workflow.treatment.portion import Around, Portion
from dosewright.workflow.treatment.regions import ROOM, Filled, Matter, filled, parts_around

DOSE, WATER, ENERGY, LET = "dose", "dose-to-water", "edep", "letd"
DONE = (DOSE, WATER, ENERGY, LET)  # quantities that are scored here
FILE_NAME = re.compile(r"\w[\w.+-]*\Z")
DEFAULT_SEED = 1
OFF = {
    "lTracking_fluc": ("straggling",),
    "lTracking_nuc": ("nuclear",),
    "lTracking_mcs": ("scattering", "hard_scattering"),
}


@dataclass(frozen=True)
class Treatment:
    """A delivery that can be carried out.

    Parameters
    ----------
    delivery
        What was read.
    steps
        Its steps.
    scored
        Quantities by region, of `DONE`.
    grids
        Voxels of each scored region, where the input puts it, room axes.
    portions
        Everything to run, step by step.
    said
        What a reader should know, a sentence each.
    """

    delivery: Delivery
    steps: tuple[Step, ...]
    scored: Mapping[str, tuple[str, ...]]
    grids: Mapping[str, Grid]
    portions: tuple[Portion, ...]
    said: tuple[str, ...]

    @property
    def histories(self) -> int:
        """Histories that will be followed."""
        return sum(one.whole(one.beams.histories) for one in self.portions)


def treatment_of(delivery: Delivery, seed: int = DEFAULT_SEED) -> Treatment:
    """Return a delivery ready to be carried out; `InputError` names all that cannot be done, before anything runs."""
    of, steps = delivery.input, tuple(delivery.steps())
    problems = _not_done(delivery)
    delivered = {(beam.field, beam.id): beam for step in steps for one in step.fields for beam in one.beams}
    problems += check_beams([beam for beam in delivered.values() if beam.particles > 0])
    scored, said = _scored(of.regions, problems)
    matter = tried(lambda: filled(of, tuple(scored)), problems)
    if problems or matter is None:
        raise InputError(*problems)
    portions = tuple(_Portions(delivery, matter, scored, seed).all(steps, problems))
    if not portions and not problems:
        problems += refuse("No particle is delivered", allowed="pencil beams with N above 0").problems
    if problems:
        raise InputError(*dict.fromkeys(problems))
    reached = {one.region for one in portions}
    said += [f"Region {name} is there in no step: no dose is written for it." for name in scored if name not in reached]
    regions = {one.box.name: one for one in of.regions if one.box.name in scored}
    grids = {name: grid_of(region) for name, region in regions.items()}
    said = [*of.notes, *(one.sentence for one in of.unsupported), *matter.said, *said, *_assumed(delivery)]
    return Treatment(delivery, steps, scored, grids, portions, tuple(dict.fromkeys(said)))


def _not_done(delivery: Delivery) -> list[str]:
    """Return what an input asks for, is not done here and could change the dose."""
    of = delivery.input
    problems = [one.sentence for one in of.unsupported if one.changes_dose]
    if of.internal_hu:
        problems += refuse("FRED's own HU table is not here", given="lUseInternalHU2Mat = t",
                           allowed="matColumns: and mat:", where=of.path.name).problems  # fmt: skip
    return problems


def _scored(regions: Sequence[Region], problems: list[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return what is scored in which regions, and what of the rest is asked for and not done."""
    scored, said = {}, []
    for region in regions:
        name = region.box.name
        asked = tuple(dict.fromkeys(word.casefold() for word in (*region.scores, *region.scores_ij)))
        left_out = [word for word in asked if word not in DONE] + list(region.writes)
        if left_out:
            said.append(f"Region {name}: {', '.join(left_out)} asked for and not written.")
        if region.scores_ij:
            said.append(f"Region {name}: scoreij is scored for all pencil beams together, not for each.")
        chosen = tuple(word for word in DONE if word in asked)
        if chosen:
            scored[name] = chosen
        if chosen and not FILE_NAME.match(name):
            problems += refuse("A region that scores cannot name a file", given=name, where=region.box.where,
                               allowed="letters, digits, '_', '.', '+', '-'").problems  # fmt: skip
    if not scored:
        problems += refuse("No region scores a dose", allowed="score = [Dose] in a region, or "
                           + ", ".join(DONE)).problems  # fmt: skip
    return scored, said


def grid_of(region: Region) -> Grid:
    """Return the voxels of a region in the room, where the input puts it."""
    box = region.box
    nx, ny, nz = region.voxels
    spacing = np.array(box.size_mm) / np.array(region.voxels)
    x, y, z = box.frame.points(np.array(box.low_mm) + spacing / 2).tolist()
    return Grid((nx, ny, nz), tuple(spacing), (x, y, z), box.frame.rotation)


def _assumed(delivery: Delivery) -> list[str]:
    of = delivery.input
    said = ["Water has a mean excitation energy of 78 eV (ICRU 90) unless the input says another."]
    said += [f"Switched off, as {key} = f asks: {' and '.join(OFF[key])}." for key in of.switched_off]
    if any(field.exit_window_mm == 0 for field in of.fields) and of.room_material.casefold() != "vacuum":
        said.append(
            f"Pencil beams start in what fills the room ({of.room_material}); the box of a field holds nothing."
        )
    if any(beam.spread is None and beam.section.shape == "pin" for beam in of.beams):
        said.append("Pencil beams without a width are infinitely thin.")
    return said


class _Portions:
    """The portions of a delivery while they are made."""

    def __init__(self, delivery: Delivery, matter: Filled, scored: Mapping[str, tuple[str, ...]], seed: int) -> None:
        self.delivery, self.matter, self.scored, self.seed = delivery, matter, scored, seed
        self.windows = {one.box.name: one.exit_window_mm for one in delivery.input.fields}
        self.checked: dict[bytes, tuple[str, ...]] = {}

    def all(self, steps: Iterable[Step], problems: list[str]) -> Iterator[Portion]:
        """Yield the portions of all steps; what cannot be done is added to the problems."""
        for step in steps:
            found = tried(lambda step=step: list(self.of_step(step)), problems)  # type: ignore[misc]
            yield from found or []

    def of_step(self, step: Step) -> Iterator[Portion]:
        """Yield the portions of a step."""
        groups = [
            (field.name, number, group)
            for field in step.fields
            for number, group in enumerate(
                beam_groups(field.beams, step.placements[field.name], self.windows[field.name])
            )
        ]
        if not groups:
            return
        starts = np.concatenate([_starts_mm(group) for _, _, group in groups])
        for region in self.scored:
            if region not in step.active:
                continue
            matter = self.matter.matter[region]
            parts = parts_around(step, region, self.matter, starts)
            placement = step.placements[region]
            reaching = self._checked(parts, matter, placement, step)
            voxels = replace(_voxels(matter), frame=placement)
            for field, number, group in groups:
                seed = portion_seed(self.seed, step.number, field, region, number)
                around = self._around(parts, group, voxels, reaching)
                yield Portion(step.number, field, region, group, voxels, around, self._settings(region), seed)

    def _around(self, parts: tuple[Part, ...], group: BeamGroup, voxels: Voxels, reaching: tuple[str, ...]) -> Around:
        """Return what is around the voxels, as devices where it can be; refuse what reaches into them else."""
        bodies = [part for part in parts if part.name != ROOM]
        alone = all(part.parent in (None, ROOM) for part in bodies)
        around = in_front(self.matter.room, bodies, group, voxels, reach_in=bool(reaching)) if alone else None
        if around is None and reaching:
            raise InputError(*reaching)
        return Around(parts=parts) if around is None else around

    def _settings(self, region: str) -> TransportSettings:
        asked = self.scored[region]
        longest = min([TransportSettings().max_step_mm, *(one.max_step_mm for one in self.delivery.input.regions)])
        off = tuple(process for key in self.delivery.input.switched_off for process in OFF[key])
        return TransportSettings(max_step_mm=longest, dose_to_water=WATER in asked, let=LET in asked, processes_off=off)

    def _checked(self, parts: tuple[Part, ...], matter: Matter, placement: Rigid, step: Step) -> tuple[str, ...]:
        """Refuse parts that overlap, return what reaches into the voxels; the same setting is looked at once."""
        places = [placement.rotation, placement.translation]
        places += [np.append(one.placement.rotation, one.placement.centre_mm) for one in parts]
        key = matter.region.box.name.encode() + b"".join(np.round(one, 6).tobytes() for one in places)
        key += " ".join(part.name for part in parts).encode()
        if key not in self.checked:
            box, of_step = matter.region.box, f"In step {step.number}, {step.where}."
            self.checked[key] = ()
            if overlaps := scene_problems(parts):
                raise InputError(*(f"{text} {of_step}" for text in overlaps))
            found = scene_problems(parts, (box.low_mm, box.high_mm), placement.inverse()) if parts else ()
            self.checked[key] = tuple(f"{text} {of_step}" for text in found)
        return self.checked[key]


def portion_seed(seed: int, step: int, field_name: str, region: str, group: int) -> int:
    """Return the seed of one portion: portions with the same random numbers would not be independent."""
    return seed_of(seed, f"step {step} {field_name} {region} {group}")


def _voxels(matter: Matter) -> Voxels:
    if matter.voxels is None:
        raise AssertionError("a scored region without voxels")
    return matter.voxels


def _starts_mm(group: BeamGroup) -> np.ndarray:
    """Return the places around which particles start, with the reach of their widths, (n, 3), room axes, mm."""
    rows = group.rows
    places = rows[:, [emit.X, emit.Y, emit.START_Z]] * MM_PER_CM
    reach = SIGMAS * MM_PER_CM * np.concatenate([rows[:, [emit.XX, emit.YY]], np.zeros((len(rows), 1))], axis=1)
    ends = np.concatenate([places - reach, places + reach])
    low, high = ends.min(axis=0), ends.max(axis=0)
    corners = np.array(np.meshgrid(*zip(low, high, strict=True), indexing="ij")).reshape(3, -1).T
    return group.to_room.points(corners)
