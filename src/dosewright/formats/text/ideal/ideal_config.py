"""IDEAL's configuration: system.cfg as the settings of a site.

Every label of IDEAL's manual is known. Labels that mean nothing here are named with the reason; labels that the file
does not name have IDEAL's own defaults. log_daemon.cfg and api.cfg are read by `ideal_daemon`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.ideal.ideal_corrections import machine_corrections
from dosewright.formats.text.ideal.labels import Section, Setting, Taking, read_sections, refuse_other_sections
from dosewright.formats.text.site_settings import (
    ROLES,
    Calculation,
    Folders,
    Gamma,
    Goals,
    Memory,
    Output,
    Range,
    SiteSettings,
    UserEntry,
)

SECTIONS = (
    "directories",
    "mc stats",
    "simulation",
    "(tmp) correction factors",
    "msw scaling",
    "condor memory",
    "materials",
    "user roles",
)
GOALS = {  # IDEAL's label: least, usual, largest value, step, where the file does not name the goal
    "n minutes per job": (5.0, 20.0, 10080.0, 5.0),
    "n ions per beam": (1000.0, 1e6, 1e9, 1000.0),
    "x pct unc in target": (0.1, 1.0, 99.0, 0.1),
}
OUTPUTS = {  # IDEAL's label: ours, and whether IDEAL writes it where the file does not say
    "run gamma analysis": ("gamma", False),
    "write mhd unscaled dose": ("mhd_unscaled", False),
    "write mhd scaled dose": ("mhd_scaled", False),
    "write mhd physical dose": ("mhd_physical", False),
    "write dicom physical dose": ("dicom_physical", True),
    "write mhd rbe dose": ("mhd_rbe", False),
    "write dicom rbe dose": ("dicom_rbe", False),
    "write mhd plan dose": ("mhd_plan", False),
    "write dicom plan dose": ("dicom_plan", False),
}
GAMMA = "gamma index parameters dta_mm dd_percent {} def"
GAMMA_UNITS = {"thr_gray": ("threshold_Gy", "Gy"), "thr_percent": ("threshold_percent", "percent of the maximum")}
DENSITY_TOLERANCE = 1e-3
MEMORY_TERMS = ("offset", "dosegrid", "ct", "nspots")


@dataclass(frozen=True)
class IdealConfig:
    """A system.cfg.

    Parameters
    ----------
    settings
        What it says, as the settings of a site.
    commissioning
        The commissioning folder; a relative one counts from the file's folder.
    materials_database
        File name in the folder ``material`` of the commissioning folder.
    override_densities
        Materials that may override a region, with the density in g/cm3 that the file gives them.
    notes
        What was read and has no effect here or not the expected one, as sentences.
    places
        Line of each override material, for messages.
    """

    settings: SiteSettings
    commissioning: Path
    materials_database: str
    override_densities: dict[str, float]
    notes: tuple[str, ...]
    places: dict[str, str] = field(default_factory=dict)


@dataclass
class Reading:
    """A file on its way to values: its sections, and what is collected over all of them."""

    sections: dict[str, Section]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)

    def section(self, name: str) -> Taking:
        """Return a section to take settings from; one that is missing has none."""
        return Taking(self.sections.get(name), self.problems, self.notes, self.defaults)


def read_system_cfg(path: Path) -> IdealConfig:
    """Read IDEAL's system.cfg; all problems are listed together, each with its line."""
    reading = Reading(read_sections(path))
    refuse_other_sections(reading.sections, SECTIONS, reading.problems)
    folders, commissioning = _directories(reading, path)
    goals = _goals(reading, path)
    calculation, output = _simulation(reading)
    corrections, default_factor, default_polynomial = machine_corrections(
        reading.section("(tmp) correction factors"), reading.section("msw scaling")
    )
    memory = _memory(reading)
    database, tolerance, densities, places = _materials(reading)
    users = _users(reading)
    if reading.problems:
        raise InputError(*reading.problems)
    if reading.defaults:
        said = "; ".join(reading.defaults)
        reading.notes.append(f"{path.name} does not name these, so they have IDEAL's defaults: {said}.")
    settings = SiteSettings(
        goals=goals,
        calculation=calculation.model_copy(update={"hu_density_tolerance_g_cm3": tolerance}),
        output=output,
        correction=corrections,
        default_dose_factor=default_factor,
        default_weight_polynomial=default_polynomial,
        memory=memory,
        user=users,
        override_materials=list(densities),
        folders=folders,
    )
    return IdealConfig(settings, commissioning, database, densities, tuple(reading.notes), places)


def wrong_override_densities(config: IdealConfig, named: Callable[[str], Material]) -> list[str]:
    """Return a problem for every override material that `named` does not know or gives another density (0.1 %)."""
    problems: list[str] = []
    for name, density in config.override_densities.items():
        where = config.places.get(name, "system.cfg")
        try:
            known = named(name).density_g_cm3
        except InputError as error:
            problems.extend(f"{problem} Where: {where}." for problem in error.problems)
            continue
        if abs(density / known - 1.0) > DENSITY_TOLERANCE:
            problems.append(
                str(
                    refuse(
                        f"The density of {name!r} is given twice, and the two differ",
                        given=f"{density:g} g/cm3; the material's own: {known:g} g/cm3",
                        allowed="the same within 0.1 %",
                        where=where,
                    )
                )
            )
    return problems


def _directories(reading: Reading, path: Path) -> tuple[Folders, Path]:
    taking = reading.section("directories")
    source = taking.text("input dicom", "")
    taking.without_effect("tmpdir jobs", "working data lie inside the folder of each job")
    output = taking.text("first output dicom", "")
    second = taking.text("second output dicom", "")
    logging = taking.text("logging", "")
    given = taking.setting("commissioning")
    taking.refuse_rest()
    if given is None or not given.value:
        where = given.where if given else f"{path.name}, section [directories]"
        reading.problems.append(
            str(refuse("The commissioning folder is missing", allowed="commissioning = FOLDER", where=where))
        )
        return Folders(), path.parent
    folders = Folders(input=source, output=output, second_output=second, logging=logging)
    return folders, path.parent / given.value


def _goals(reading: Reading, path: Path) -> Goals:
    taking = reading.section("mc stats")
    ranges = [_range(taking, label, usual) for label, usual in GOALS.items()]
    top = taking.number("n top voxels for mean dose max", 100, least=1, most=1e9, whole=True)
    threshold = taking.number("dose threshold as fraction in percent of mean dose max", 50.0, least=0.001, most=99.999)
    taking.refuse_rest()
    if taking.section is not None and not any(one.on for one in ranges):
        reading.problems.append(
            str(
                refuse(
                    "No goal is on",
                    given="no line of [mc stats] ends with the word default",
                    allowed="the word default behind at least one of " + "; ".join(GOALS),
                    where=taking.section.where,
                )
            )
        )
    if taking.section is None:
        ranges[1] = ranges[1].model_copy(update={"on": True})
        reading.notes.append(f"{path.name} has no section [mc stats]; 'n ions per beam' is on, as in IDEAL.")
    if reading.problems:
        return Goals()
    return Goals(
        minutes=ranges[0],
        primaries=ranges[1],
        uncertainty_percent=ranges[2],
        top_voxels=int(top),
        dose_threshold_percent=threshold,
    )


def _range(taking: Taking, label: str, usual: tuple[float, float, float, float]) -> Range:
    default = Range(min=usual[0], default=usual[1], max=usual[2], step=usual[3])
    one = taking.setting(label)
    if one is None:
        taking.defaults.append(label)
        return default
    words = one.value.split()
    on = len(words) == 5 and words[4].casefold() == "default"
    allowed = "min default max step, positive and ascending to max; then the word default where the goal is on"
    if len(words) not in (4, 5) or (len(words) == 5 and not on):
        hint = nearest(words[4], ["default"]) if len(words) == 5 else ""
        taking.problem(one, given=repr(one.value), allowed=allowed, hint=hint)
        return default
    before = len(taking.problems)
    low, mean, high, step = (taking.checked(one, word, 1.0, least=1e-12, most=1e18) for word in words[:4])
    if len(taking.problems) > before:
        return default
    if not low <= mean <= high:
        taking.problem(one, given=f"min {low:g}, default {mean:g}, max {high:g}", allowed=allowed)
        return default
    return Range(min=low, default=mean, max=high, step=step, on=on)


def _simulation(reading: Reading) -> tuple[Calculation, Output]:
    taking = reading.section("simulation")
    taking.without_effect("gate shell environment", "doses are not calculated by Gate")
    taking.without_effect("proton physics list", "protons are transported by Dosewright's own physics")
    taking.without_effect("ion physics list", "ions other than protons are not calculated")
    waits = "a running calculation looks at its goals and keeps its sums after fixed numbers of primaries"
    taking.without_effect("stop on script actor time interval [s]", waits)
    taking.without_effect("htcondor next job start delay [s]", "a calculation runs on one machine")
    cores = taking.number("number of cores", 0, least=1, most=1024, whole=True)
    factor = taking.number("rbe factor protons", 1.1, least=0.1, most=10.0)
    margin = taking.number("air box margin [mm]", 10.0, least=0.0, most=1000.0)
    voxel = taking.number("minimum dose grid resolution [mm]", 0.5, least=1e-3, most=100.0)
    masked = taking.switch("remove dose outside external", False)
    gamma = _gamma(taking)
    switches = {name: taking.switch(label, usual) for label, (name, usual) in OUTPUTS.items()}
    taking.refuse_rest()
    if switches["gamma"] and not gamma:
        reading.notes.append("'run gamma analysis' is on, but no gamma index parameters are given: no gamma analysis.")
    threads = int(cores) if cores <= (os.cpu_count() or 1) else 0
    if cores:
        taken = f"{threads}" if threads else "all of this machine, which has fewer"
        reading.notes.append(f"'number of cores = {cores:g}' was meant for a cluster; threads here: {taken}.")
    calculation = Calculation(
        threads=threads,
        rbe_factor_protons=factor,
        air_margin_mm=margin,
        remove_dose_outside_external=masked,
        least_dose_voxel_mm=voxel,
        gamma=[gamma] if gamma else [],
    )
    return calculation, Output(**switches)


def _gamma(taking: Taking) -> Gamma | None:
    """Return the criterion under either of IDEAL's labels, saying which unit the threshold was read in."""
    found = {word: taking.setting(GAMMA.format(word)) for word in GAMMA_UNITS}
    given = {word: one for word, one in found.items() if one is not None and one.value}
    if len(given) > 1:
        first, second = given.values()
        taking.problem(
            second, given=f"the other label in {first.where}", allowed="one of the two: thr_gray, thr_percent"
        )
    for word, one in given.items():
        values = taking.numbers(GAMMA.format(word), 4)
        if values is None:
            return None
        key, unit = GAMMA_UNITS[word]
        distance, percent, threshold, outside = values
        most = 100.0 if word == "thr_percent" else 1e6
        if distance <= 0 or percent <= 0 or not 0 <= threshold < most:
            taking.problem(one, given=one.value, allowed=f"dta_mm and dd_percent above 0, {word} from 0 to {most:g}")
            return None
        taking.notes.append(f"{one.where}: the gamma threshold was read in {unit} ({word}): {threshold:g}.")
        return Gamma.model_validate(
            {"distance_mm": distance, "dose_percent": percent, key: threshold, "outside_value": outside}
        )
    return None


def _memory(reading: Reading) -> Memory:
    taking = reading.section("condor memory")
    for word in ("minimum", "default"):
        taking.without_effect(f"condor memory request {word} [MB]", "memory is estimated and not asked for")
    label = "condor memory request maximum [MB]"
    given = taking.setting(label)
    most = taking.number(label, 1.0, least=1e-3, most=1e9) if given else None
    for radiation in ("proton", "carbon"):
        for geometry in ("ct", "phantom"):
            one = taking.without_effect(
                f"condor memory fit {radiation} {geometry}",
                "memory is estimated with coefficients that were measured on Dosewright",
            )
            if one is not None:
                _check_fit(taking, one)
    taking.refuse_rest()
    return Memory(most_MB=most)


def _check_fit(taking: Taking, one: Setting) -> None:
    words = one.value.split()
    for word, value in zip(words[::2], [*words[1::2], ""], strict=False):
        if word.casefold() not in MEMORY_TERMS:
            taking.problem(one, given=repr(word), allowed=", ".join(f"{term} NUMBER" for term in MEMORY_TERMS),
                           hint=nearest(word, MEMORY_TERMS))  # fmt: skip
        else:
            taking.checked(one, value, 0.0)


def _materials(reading: Reading) -> tuple[str, float | None, dict[str, float], dict[str, str]]:
    taking = reading.section("materials")
    database = taking.text("materials database", "GateMaterials.db")
    tolerance = taking.number("hu density tolerance [g/cm3]", 0.01, least=1e-6, most=1.0)
    given = taking.setting("materials database")
    if given is not None and (not database or Path(database).name != database or database in (".", "..")):
        taking.problem(given, given=repr(database), allowed="the name of a file in the folder material")
    densities, places = {}, {}
    for one in taking.rest():
        densities[one.label] = taking.checked(one, one.value, 1.0, least=1e-9, most=100.0)
        places[one.label] = one.where
    return database, tolerance, densities, places


def _users(reading: Reading) -> list[UserEntry]:
    """Return the users of ``ACRONYM, name = role``; a third word is the account of the operating system."""
    taking = reading.section("user roles")
    users: list[UserEntry] = []
    seen: dict[str, str] = {}
    for one in taking.rest():
        words = one.label.replace(",", " ").split()
        role = one.value.casefold()
        if role not in ROLES:
            taking.problem(one, given=repr(one.value), allowed=", ".join(ROLES), hint=nearest(role, ROLES))
        if len(words) > 3:
            taking.problem(one, given=repr(one.label), allowed="ACRONYM, name or ACRONYM, name, account")
        twice = [word for word in dict.fromkeys(words[:2]) if word.casefold() in seen]
        if twice:
            first = seen[twice[0].casefold()]
            taking.problem(one, given=f"{twice[0]!r}, which stands in {first} too", allowed="each word once")
        seen |= {word.casefold(): one.where for word in words[:2]}
        if role in ROLES and len(words) <= 3 and not twice:
            name = words[1] if len(words) > 1 else words[0]
            account = words[2] if len(words) > 2 else ""
            users.append(UserEntry.model_validate(
                {"acronym": words[0], "name": name, "role": role, "system_user": account}))  # fmt: skip
    if taking.section is None:
        reading.notes.append("There is no section [user roles]: nobody has a role.")
    return users
