"""Photons and electrons against EGSnrc: ``python -m benchmarks.photons_electrons [CASE ...]``.

Cases: P1 E1 P5_60 B1_W. Reads ../shared/reference (says so where it is missing) and writes
docs/measured/photons_electrons.md with pictures of depth doses, profiles, and what leaves a target.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tests.physics.coupled_runs import (
    ELECTRONS,
    PHOTONS,
    CoupledRun,
    mean_and_error,
    narrow_beam,
    run,
    slabs,
)

from benchmarks.proton_figures import MEASURED, REFERENCE, Floats
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.scoring.leaving import Leaving
from dosewright.simulation.coupled_settings import CoupledSettings

BATCHES = 30
CELL_CM = 0.5  # of the profiles; the phantom is as wide as that of the reference and half a cell more on either side
SIGMAS = 3.0  # a point counts as missed if it lies beyond its bound by more than this many standard errors
LOW_DOSE = 0.2  # of the maximum, below which differences are shares of the maximum
COLOURS = {"P1": "#0b5563", "E1": "#c1440e", "P5_60": "#7a5195", "B1_W": "#0b5563"}
THEIRS, GREY = "#E69F00", "0.92"
TOP = """# Photons and electrons, measured

Made by `python -m benchmarks.photons_electrons`: EGSnrc (DOSXYZnrc, egs++; settings in the reference files) on the same
phantoms with the same cuts. A beam of 0.5 cm x 1 cm on a phantom uniform across stands for the field by superposition,
as in the reference runs. Water is 1 g/cm3 with a mean excitation energy of 78 eV; the reference files do not
tell theirs, and with 75 eV the figures of E1 move by 0.1 % of the maximum. Differences are
Dosewright over EGSnrc less one; where the dose is below 20 % of the maximum, the difference over the maximum.
Uncertainties are standard errors of both together. A point counts as missed if it lies beyond its bound by more than
three of them; with many points the largest difference is mostly chance, so its standard error stands beside it. The
points of a profile share histories, so the error of their mean is too small.
"""


@dataclass(frozen=True)
class Field:
    """A field on water, and the bounds of its comparison."""

    words: str
    particle: str
    energy_MeV: float
    half_cm: float
    electron_cut_MeV: float
    histories: int
    local: float
    of_maximum: float
    shift_cm: float  # a point is met as well if the reference has the dose within this distance in depth


@dataclass(frozen=True)
class Curve:
    """A dose along a line beside the reference, as shares of the reference's maximum on the axis."""

    name: str
    where_cm: Floats
    ours: Floats
    theirs: Floats
    error: Floats

    def difference(self) -> tuple[Floats, Floats]:
        """Return differences, local or of the maximum, and their errors."""
        scale = np.where(self.theirs >= LOW_DOSE, self.theirs, 1.0)
        return (self.ours - self.theirs) / scale, self.error / scale


FIELDS = {
    "P1": Field("6 MeV photons, 10 x 10 cm2", "photon", 6.0, 5.0, 0.189, 6_000_000, 0.01, 0.003, 0.0),
    "E1": Field("10 MeV electrons, 10 x 10 cm2", "electron", 10.0, 5.0, 0.189, 4_000_000, 0.02, 0.003, 0.1),
    "P5_60": Field("60 keV photons, 5 x 5 cm2", "photon", 0.06, 2.5, 0.010, 8_000_000, 0.01, 0.003, 0.0),
}


def reference(name: str) -> dict[str, Any]:
    """Read one reference file."""
    read: dict[str, Any] = json.loads((REFERENCE / f"egsnrc_{name}.json").read_text(encoding="utf-8"))
    return read


def on_water(field: Field, z_edges_cm: Floats, share: float) -> CoupledRun:
    """Run the narrow beam that stands for a field."""
    cells = np.arange(-30, 31)
    x_edges = np.append(cells - 0.5, 30.5) * CELL_CM
    water = slabs(z_edges_cm, x_edges_cm=x_edges, y_edges_cm=(-15.0, -field.half_cm, field.half_cm, 15.0))
    settings = CoupledSettings(photon_cut_MeV=0.01, electron_cut_MeV=field.electron_cut_MeV)
    histories = max(int(field.histories * share), 10 * BATCHES)
    beam = narrow_beam(field.energy_MeV, CELL_CM, 1.0)
    return run(water, beam, field.particle, settings, histories, batches=BATCHES)


def superposed(done: CoupledRun, field: Field) -> Floats:
    """Return the dose of the field in cells across and in depth, Gy per particle [batch, z, cell], cells as the edges.

    Cell c covers c to c + 1 times `CELL_CM`, from -30 to 29.
    """
    kernel = done.energy[:, :, 1, :] / (2 * field.half_cm)  # over |y| < half: what a cm of |y| < half gives there
    across = round(2 * field.half_cm / CELL_CM)
    summed = np.cumsum(np.pad(kernel, ((0, 0), (0, 0), (1, 0))), axis=2)
    cells = np.arange(-30, 30)
    low = np.clip(cells - across // 2 + 1 + 30, 0, 61)  # displacements of cell c from cells -across/2 .. across/2 - 1
    high = np.clip(cells + across // 2 + 30 + 1, 0, 61)
    energy = (summed[:, :, high] - summed[:, :, low]) / across
    return np.asarray(energy / (CELL_CM * done.dz_cm[:, None]) * MEV_PER_G_IN_GY, float)


def curves(case: str, done: CoupledRun) -> list[Curve]:
    """Return axis, integral and profiles beside those of the reference."""
    field, theirs = FIELDS[case], reference(case)
    dose = superposed(done, field)
    z = 0.5 * (done.z_edges_cm[1:] + done.z_edges_cm[:-1])
    top = max(theirs["cax"]["dose_Gy_per_particle"])
    axis = mean_and_error(dose[:, :, 29:31].mean(axis=2))
    whole = mean_and_error(done.layer_energy() / done.dz_cm * MEV_PER_G_IN_GY)
    integral = theirs["integral"]
    found = [
        _curve("axis", z, axis, theirs["cax"]["dose_Gy_per_particle"], theirs["cax"]["rel_unc_1sigma"], top),
        _curve("integral", z, whole, integral["dose_area_Gy_cm2"], integral["rel_unc_1sigma"],
               max(integral["dose_area_Gy_cm2"])),
    ]  # fmt: skip
    for profile in theirs["profiles"]:
        layer = int(np.argmin(abs(z - profile["depth_cm"])))
        x = np.array(profile["x_cm"])
        right = np.round(x / CELL_CM - 0.5).astype(int)
        both = 0.5 * (dose[:, layer, 30 + right] + dose[:, layer, 29 - right])
        name = f"profile at {profile['depth_cm']:g} cm"
        found.append(_curve(name, x, mean_and_error(both), *_doses(profile), top))
    return found


def _doses(profile: dict[str, Any]) -> tuple[list[float], list[float]]:
    dose = next(value for key, value in profile.items() if key.startswith("dose"))
    error = next(value for key, value in profile.items() if key.startswith("rel_unc"))
    return dose, error


def _curve(
    name: str,
    where: Floats,
    ours: tuple[Floats, Floats],
    theirs: Sequence[float],
    relative: Sequence[float],
    top: float,
) -> Curve:
    reference_dose = np.array(theirs)
    error = np.hypot(ours[1], reference_dose * np.array(relative))
    return Curve(name, where, ours[0] / top, reference_dose / top, error / top)


def missed(curve: Curve, field: Field) -> Floats:
    """Return by how many standard errors each point lies beyond its bound; zero or less where it is met."""
    high = curve.theirs >= LOW_DOSE
    room = np.where(high, field.local * curve.theirs, field.of_maximum)
    low, top = curve.theirs, curve.theirs
    if field.shift_cm and "profile" not in curve.name:
        moved = [np.interp(curve.where_cm + s, curve.where_cm, curve.theirs) for s in (-field.shift_cm, field.shift_cm)]
        low, top = np.minimum(low, np.min(moved, axis=0)), np.maximum(top, np.max(moved, axis=0))
    beyond = np.maximum(low - room - curve.ours, curve.ours - top - room)
    return np.asarray(beyond / np.maximum(curve.error, 1e-30), float)


def field_rows(case: str, found: Sequence[Curve]) -> list[str]:
    """Return one line per curve."""
    field = FIELDS[case]
    bound = f"{100 * field.local:g} % or {100 * field.of_maximum:g} % of maximum"
    bound += f", or {10 * field.shift_cm:g} mm" if field.shift_cm else ""
    lines = [
        "| | mean above 20 % | largest above 20 % | largest below, of maximum | bound | verdict |",
        "|---" * 6 + "|",
    ]
    for curve in found:
        difference, error = curve.difference()
        high = curve.theirs >= LOW_DOSE
        weight = high / np.maximum(error, 1e-30) ** 2
        cells = [
            f"{100 * (weight @ difference) / weight.sum():+.2f} ± {100 / np.sqrt(weight.sum()):.2f} %"
            if high.any()
            else ""
        ]
        for group in (high, ~high):
            if not group.any():
                cells.append("")
                continue
            worst = int(np.argmax(np.where(group, abs(difference), -1)))
            at = f"{curve.where_cm[worst]:g} cm"
            cells.append(f"{100 * difference[worst]:+.2f} ± {100 * error[worst]:.2f} % at {at}")
        count = int((missed(curve, field) > SIGMAS).sum())
        verdict = f"**MISSED at {count} of {difference.size} points**" if count else "met"
        lines.append("| " + " | ".join([curve.name, *cells, bound, verdict]) + " |")
    return lines


def field_page(case: str, share: float) -> list[str]:
    """Run a field on water, draw it, and return its part of the page."""
    field = FIELDS[case]
    done = on_water(field, np.array(reference(case)["cax"]["z_edges_cm"]), share)
    found = curves(case, done)
    draw_field(case, found)
    title = f"## {field.words} on water ({case}), {done.histories:,} histories\n"
    picture = f"photons_electrons_{case}.png"
    return [title, *field_rows(case, found), "", f"![Doses and differences, {field.words}]({picture})\n"]


def draw_field(case: str, found: Sequence[Curve]) -> None:
    """Show depth doses and profiles with their differences beneath."""
    field = FIELDS[case]
    picture = Figure(figsize=(11, 5), layout="constrained")
    axes = picture.subplots(2, 3, height_ratios=(3, 1.4), sharex="col")
    shades = ("#0b5563", "#c1440e", "#7a5195", "#4c8c2b")
    for column, group in enumerate((found[:1], found[1:2], found[2:])):
        above, below = axes[0, column], axes[1, column]
        for shade, curve in zip(shades, group, strict=False):
            above.plot(curve.where_cm, curve.ours, color=shade, linewidth=1.2, label=f"Dosewright, {curve.name}")
            above.plot(curve.where_cm, curve.theirs, ".", color=THEIRS, markersize=3)
            difference, error = curve.difference()
            below.errorbar(
                curve.where_cm, 100 * difference, 100 * error, fmt=".", color=shade, markersize=3, linewidth=0.6
            )
        below.axhspan(-100 * field.local, 100 * field.local, color=GREY, zorder=0)
        below.axhline(0, color="0.6", linewidth=0.8)
        below.set(ylim=(-5, 5), xlabel="across (cm)" if column == 2 else "Depth (cm)")
        above.plot([], [], ".", color=THEIRS, label="EGSnrc")
        above.set_ylim(bottom=0)
        above.legend(frameon=False, fontsize=8, loc="lower left" if column == 2 else "upper right")
    axes[0, 0].set_ylabel("dose over maximum on the axis")
    axes[1, 0].set_ylabel("difference (%)")
    picture.suptitle(field.words)
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / f"photons_electrons_{case}.png", dpi=100)


TARGET_ENERGY_MEV, TARGET_BINS, ANGLES, TARGET_HISTORIES = 6.0, 600, 36, 600_000
YIELD, PER_BIN = 0.03, 0.05


def target_page(share: float) -> list[str]:
    """6 MeV electrons on a millimetre of tungsten."""
    theirs = reference("B1_W")
    plate = slabs([0.0, 0.1], [(0.0, 1.0, "G4_W", 19.3)], x_edges_cm=(-20.0, 20.0), y_edges_cm=(-20.0, 20.0))
    settings = CoupledSettings(
        photon_cut_MeV=0.01, electron_cut_MeV=0.01, processes_off=("impact_ionisation",)
    )  # as theirs
    histories = max(int(TARGET_HISTORIES * share), 10 * BATCHES)
    bins = Leaving(TARGET_BINS, TARGET_ENERGY_MEV, ANGLES)
    done = run(plate, narrow_beam(TARGET_ENERGY_MEV), "electron", settings, histories, batches=BATCHES, leaving=bins)
    rows = target_rows(done, theirs["totals"])
    spectrum = target_curve(done.leaving[:, PHOTONS, :TARGET_BINS, :18], theirs["energy_spectrum"], 20, axis=1)
    angular = target_curve(done.leaving[:, PHOTONS, :, :18], theirs["angular"], 18, axis=2)
    draw_target(theirs, spectrum, angular)
    title = f"## 6 MeV electrons on 1 mm of tungsten (B1_W), {histories:,} histories\n"
    lines = ["| | Dosewright | EGSnrc | difference | bound | verdict |", "|---" * 6 + "|", *rows]
    lines += [bin_row("spectrum, bins of 0.3 MeV", *spectrum), bin_row("angles, bins of 5 degrees", *angular)]
    note = "\nElectrons and the energy deposited have no bound of their own; the photons have.\n"
    return [title, *lines, note, "![Spectrum and angles of the photons](photons_electrons_B1_W.png)\n"]


def target_rows(done: CoupledRun, totals: dict[str, Any]) -> list[str]:
    """Compare yields and energies per electron."""
    middle = (np.arange(TARGET_BINS + 1) + 0.5) * TARGET_ENERGY_MEV / TARGET_BINS
    photons, electrons = done.leaving[:, PHOTONS], done.leaving[:, ELECTRONS]
    ahead, back = slice(None, 18), slice(18, None)
    ours = {
        "photons_hemisphere": photons[:, :, ahead].sum((1, 2)),
        "photon_energy_hemisphere_MeV": photons[:, :, ahead].sum(2) @ middle,
        "photons_other_hemisphere": photons[:, :, back].sum((1, 2)),
        "photon_energy_other_hemisphere_MeV": photons[:, :, back].sum(2) @ middle,
        "electrons_forward": electrons[:, :, ahead].sum((1, 2)),
        "electrons_forward_energy_MeV": electrons[:, :, ahead].sum(2) @ middle,
        "electrons_backward": electrons[:, :, back].sum((1, 2)),
        "electrons_backward_energy_MeV": electrons[:, :, back].sum(2) @ middle,
        "energy_deposited_MeV": done.energy.sum((1, 2, 3)),
    }
    rows = []
    for name, values in ours.items():
        mean, error = mean_and_error(values)
        theirs, its_error = totals[name]["value"], totals[name]["value"] * totals[name]["rel_unc"]
        difference, both = mean / theirs - 1, np.hypot(error, its_error) / theirs
        bound = YIELD if name.startswith("photon") else None
        verdict = "" if bound is None else "met" if abs(difference) <= bound + 2 * both else "**MISSED**"
        cells = [name.replace("_", " "), f"{mean:.5g} ± {error:.1g}", f"{theirs:.5g} ± {its_error:.1g}"]
        cells += [f"{100 * difference:+.2f} ± {100 * both:.2f} %", f"{100 * bound:g} %" if bound else "", verdict]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def target_curve(counts: Floats, theirs: dict[str, Any], bins: int, axis: int) -> tuple[Floats, Floats, Floats]:
    """Return photons per electron in the bins of the reference, their difference from it, and its standard error."""
    per_batch = counts.sum(axis=3 - axis).reshape(len(counts), bins, -1).sum(axis=2)
    mean, error = mean_and_error(per_batch)
    value, relative = np.array(theirs["photons_per_electron"]), np.array(theirs["rel_unc"])
    return mean, mean / value - 1, np.hypot(error / value, relative)


def bin_row(name: str, mean: Floats, difference: Floats, error: Floats) -> str:
    """Say how many bins lie beyond 5 % and twice the uncertainty, and the worst of them."""
    beyond = abs(difference) > PER_BIN + 2 * error
    worst = int(np.argmax(abs(difference) / error))
    said = f"{100 * difference[worst]:+.1f} ± {100 * error[worst]:.1f} % in bin {worst + 1}"
    verdict = f"**MISSED in {int(beyond.sum())} of {beyond.size} bins**" if beyond.any() else "met"
    return f"| {name} | {mean.sum():.5g} | | least likely: {said} | 5 % per bin | {verdict} |"


def draw_target(theirs: dict[str, Any], spectrum: tuple[Floats, ...], angular: tuple[Floats, ...]) -> None:
    """Show spectrum and angles with the differences beneath."""
    picture = Figure(figsize=(9, 5), layout="constrained")
    axes = picture.subplots(2, 2, height_ratios=(3, 1.4), sharex="col")
    parts = (
        (spectrum, theirs["energy_spectrum"], "bin_edges_MeV", "photon energy (MeV)"),
        (angular, theirs["angular"], "bin_edges_deg", "angle to the beam (degrees)"),
    )
    for column, ((mean, difference, error), code, key, label) in enumerate(parts):
        above, below = axes[0, column], axes[1, column]
        edges = np.array(code[key], float)
        middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
        if column:
            width = np.array(code["solid_angle_sr"])
        above.stairs(mean / width, edges, color=COLOURS["B1_W"], label="Dosewright")
        above.plot(
            middle, np.array(code["photons_per_electron"]) / width, "o", color=THEIRS, markersize=3, label="EGSnrc"
        )
        above.set(yscale="log", ylabel="photons per electron and " + ("sr" if column else "MeV"))
        above.legend(frameon=False)
        below.errorbar(middle, 100 * difference, 100 * error, fmt=".", color=COLOURS["B1_W"])
        below.axhspan(-100 * PER_BIN, 100 * PER_BIN, color=GREY, zorder=0)
        below.axhline(0, color="0.6", linewidth=0.8)
        below.set(ylim=(-15, 15), xlabel=label)
    axes[1, 0].set_ylabel("difference (%)")
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / "photons_electrons_B1_W.png", dpi=100)


def page_of(case: str, share: float) -> list[str]:
    """Return the part of one case."""
    return target_page(share) if case == "B1_W" else field_page(case, share)


def main(arguments: list[str] | None = None) -> None:
    """Run the cases and write the page and the pictures."""
    cases = [*FIELDS, "B1_W"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*cases, []], help="default: all, which also writes the page")
    parser.add_argument("--share", type=float, default=1.0, help="share of the histories, for a quick look")
    chosen = parser.parse_args(arguments)
    if not REFERENCE.is_dir():
        print("The folder shared/reference beside the repository is missing: nothing to compare with.")
        return
    page = [TOP]
    for case in chosen.cases or cases:
        part = page_of(case, chosen.share)
        print("\n".join(part), flush=True)
        page += part
    if not chosen.cases:
        count = sum("MISSED" in line for line in page)
        page.insert(1, f"**{count} bounds are missed.**\n" if count else "All bounds are met.\n")
        (MEASURED / "photons_electrons.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
