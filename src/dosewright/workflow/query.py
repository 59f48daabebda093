"""Questions about a plan and about the library; nothing is calculated."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid
from dosewright.formats.dicom.study import Study, find_study
from dosewright.formats.text.site_settings import SiteSettings
from dosewright.workflow.preprocess.tps_doses import comparable_doses
from dosewright.workflow.users import account_of, belongs


@dataclass(frozen=True)
class Question:
    """What is asked: beams, structures and grids need a plan, the others the library."""

    plan: Path | None = None
    beams: bool = False
    rois: bool = False
    grid: bool = False
    protocols: bool = False
    phantoms: bool = False
    materials: bool = False
    models: bool = False
    users: bool = False
    settings: bool = False
    library: Path | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.about_plan and self.plan is None:
            problems.append("-B, -R and -X ask about a plan; give one: dosewright query PLAN -B -R -X.")
        if not self.about_plan and not self.about_library and self.plan is None:
            problems.append(
                "Ask something: -B -R -X about a plan, or -C -P -M -Z --users --settings about the library."
            )
        if problems:
            raise InputError(*problems)

    @property
    def about_plan(self) -> bool:
        """True when something of the plan is asked."""
        return self.beams or self.rois or self.grid

    @property
    def about_library(self) -> bool:
        """True when something of the library is asked."""
        return self.protocols or self.phantoms or self.materials or self.models or self.users or self.settings


def answer(question: Question) -> dict[str, list[str]]:
    """Return lines of text by heading; a plan without a question is asked for everything."""
    found: dict[str, list[str]] = {}
    if question.plan is not None and (question.about_plan or not question.about_library):
        study = find_study(question.plan)
        everything = not question.about_plan
        if question.beams or everything:
            found["Beams"] = beam_lines(study)
        if question.rois or everything:
            found["Structures"] = structure_lines(study)
        if question.grid or everything:
            found["Grids"] = grid_lines(study)
    if question.about_library:
        library = Library.open(question.library)
        asked: dict[str, tuple[bool, Any]] = {
            "CT protocols": (question.protocols, library.ct_protocol_names),
            "Phantoms": (question.phantoms, library.phantom_names),
            "Materials": (question.materials, partial(override_materials, library)),
            "Beam models": (question.models, library.beam_model_names),
            "Users": (question.users, partial(user_lines, library)),
            "Settings": (question.settings, partial(setting_lines, library)),
        }
        found |= {heading: list(names()) for heading, (wanted, names) in asked.items() if wanted}
    return found


def override_materials(library: Library) -> Sequence[str]:
    """Return the materials that -m may name: those that the site lists, else every one."""
    return library.settings.override_materials or library.material_names()


def user_lines(library: Library) -> list[str]:
    """Return a line per user, whose account it is, and whether it is one's own."""
    account = account_of(os.getuid())
    lines = [
        f"{one.acronym}, {one.name}: {one.role}"
        + (f", account {one.system_user}" if one.system_user else "")
        + (" (you)" if belongs(one, account) else "")
        for one in library.settings.user
    ]
    return lines or ["The settings list no users: everyone has the research role."]


def setting_lines(library: Library) -> list[str]:
    """Return every setting with its value, and the file; users and materials have lists of their own."""
    values = library.settings.model_dump(mode="json", exclude={"user", "override_materials"})
    return [f"file: {library.settings_file or 'none, so the defaults'}", *leaves(values)]


def leaves(values: Any, place: str = "") -> list[str]:
    """Return a line ``key.key = value`` per leaf of nested values, as TOML names them."""
    if isinstance(values, dict):
        return [line for key, one in values.items() for line in leaves(one, f"{place}.{key}" if place else key)]
    if isinstance(values, list) and values and isinstance(values[0], dict):
        return [line for index, one in enumerate(values, start=1) for line in leaves(one, f"{place}[{index}]")]
    return [f"{place} = {'none' if values is None else values}"]


def text_of(found: dict[str, list[str]]) -> str:
    """Return an answer as text."""
    return "\n".join(line for heading, lines in found.items() for line in (heading, *(f"  {line}" for line in lines)))


def beam_lines(study: Study) -> list[str]:
    """Return a line per treatment beam."""
    return [
        f"{beam.number} {beam.name!r}: {beam.radiation}, machine {beam.machine!r}, gantry {beam.gantry_deg:g}, couch "
        f"{beam.couch_deg:g}, {len(beam.layers)} energies, {beam.spot_count} spots, "
        f"{'no meterset' if beam.meterset is None else f'{beam.meterset:g}'} {beam.meterset_unit}"
        for beam in study.plan.beams
    ]


def structure_lines(study: Study) -> list[str]:
    """Return a line per structure."""
    if study.structures is None:
        return ["There is no structure set."]
    return [
        f"{s.name!r} ({s.kind or 'no type'})" + ("" if s.contours else ", without contours")
        for s in study.structures.structures
    ]


def grid_lines(study: Study) -> list[str]:
    """Return the planning system's dose grid and the CT."""
    tps = comparable_doses(study.doses, study.plan, SiteSettings().calculation.rbe_factor_protons)
    dose = "none; a 2 mm grid will be used" if tps.grid is None else grid_text(tps.grid)
    ct = "none" if study.ct is None else grid_text(study.ct.image.grid)
    return [f"Dose of the planning system: {dose}", f"CT: {ct}"]


def grid_text(grid: Grid) -> str:
    """Describe a grid in words."""
    counts = " x ".join(str(n) for n in grid.shape)
    spacing = " x ".join(f"{s:.4g}" for s in grid.spacing_mm)
    origin = ", ".join(f"{o:.1f}" for o in grid.origin_mm)
    return f"{counts} voxels of {spacing} mm, first voxel at ({origin}) mm"
