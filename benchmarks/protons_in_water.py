"""Protons in water against reference codes: ``python -m benchmarks.protons_in_water``.

Reads ../shared/reference (says so where it is missing) and writes docs/measured/protons_in_water.md with a picture of
depth doses and their differences.
"""

import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tests.physics.water_runs import Run, core_sigma_mm, distal_mm, pencil_on_slabs

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "reference"
MEASURED = ROOT / "docs" / "measured"
CASES = {100.0: (400_000, 90.0, 0.5), 200.0: (200_000, 290.0, 1.0)}
CODES = {"Geant4 11.4": "geant4", "MCsquare": "mcsquare"}
FRACTIONS = (0.05, 0.25, 0.5, 0.75, 0.9)
TOP = """# Protons in water, measured

Made by `python -m benchmarks.protons_in_water`: mono-energetic pencils of no width, water of 1 g/cm3 with a mean
excitation energy of 78 eV; Geant4 11.4 (option4-like, ICRU 90, binary cascade) and MCsquare as run for the reference
doses. All three are read with the same code. Widths are sigmas of the Gaussian core; the halo is the share of the
energy beyond 10 mm in one projection at half range.
"""


def figures(depth_dose: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """Return range, falloff, peak and the depth dose at fractions of the range."""
    r80 = distal_mm(depth_dose, z, 0.8)
    found = {"R80 (mm)": r80, "80-20 % (mm)": distal_mm(depth_dose, z, 0.2) - r80, "peak (MeV/cm)": depth_dose.max()}
    for f in FRACTIONS:
        found[f"at {f:g} R80 (MeV/cm)"] = float(depth_dose[abs(z - f * r80) <= 2.5].mean())
    return found


def ours(run: Run) -> dict[str, float]:
    """Return the figures of a run of our own."""
    found = figures(run.depth_dose, run.z_mm)
    r80 = found["R80 (mm)"]
    found["sigma at 0.75 R80 (mm)"] = core_sigma_mm(run, 0.75 * r80)
    profile = run.energy[abs(run.z_mm - 0.5 * r80) <= 0.02 * r80].sum(0)
    found["halo (%)"] = 100 * float(profile[abs(run.x_mm) > 10].sum() / profile.sum())
    found["deposited (MeV)"] = run.result.energy["deposited"]
    return found


def theirs(code: dict) -> dict[str, float]:
    """Return the same figures of a reference code."""
    z = (np.arange(len(code["idd"])) + 0.5) * code["dz_mm"]
    found = figures(np.array(code["idd"]), z)
    rows = code["lateral"]
    found["sigma at 0.75 R80 (mm)"] = float(
        np.interp(0.75 * found["R80 (mm)"], [r["depth_mm"] for r in rows], [r["sigma_core_mm"] for r in rows])
    )
    found["halo (%)"] = 100 * next(r[1] for r in code["halo_fraction"]["rows"] if r[0] == 0.5)
    found["deposited (MeV)"] = code["energy_deposited_MeV_per_primary"]
    return found


def draw(above: Axes, below: Axes, run: Run, codes: dict[str, dict]) -> None:
    """Overlay depth doses and show the differences from each code beneath."""
    above.plot(run.z_mm, run.depth_dose, color="#0b5563", label="Dosewright")
    for (name, code), colour in zip(codes.items(), ("#c1440e", "#7a5195"), strict=True):
        z = (np.arange(len(code["idd"])) + 0.5) * code["dz_mm"]
        above.plot(z, code["idd"], "--", color=colour, linewidth=1, label=name)
        other = np.interp(run.z_mm, z, code["idd"])
        inside = run.z_mm < distal_mm(run.depth_dose, run.z_mm, 0.9)
        smooth = np.convolve(run.depth_dose - other, np.ones(5) / 5, "same")[inside] / other[inside]
        below.plot(run.z_mm[inside][3:-3], 100 * smooth[3:-3], color=colour, linewidth=1)
    below.axhline(0, color="0.6", linewidth=0.8)
    below.set(ylim=(-5, 5), xlabel="Depth (mm)", ylabel="difference (%)")
    above.set_ylabel("MeV/cm per proton")
    above.legend(frameon=False)


def main() -> None:
    """Run the cases and write the page and the picture."""
    if not REFERENCE.is_dir():
        print("The folder shared/reference beside the repository is missing: nothing to compare with.")
        return
    picture = Figure(figsize=(9, 5), layout="constrained")
    axes = picture.subplots(2, len(CASES), sharex="col", height_ratios=(3, 1.3))
    page = [TOP]
    for column, (energy, (histories, depth, dz)) in enumerate(CASES.items()):
        run = pencil_on_slabs(energy, histories, depth, dz, dx_mm=0.25 if energy < 150 else 1.0)
        codes = {n: json.loads((REFERENCE / f"ion_{c}_p{energy:.0f}.json").read_text()) for n, c in CODES.items()}
        columns = {"Dosewright": ours(run), **{n: theirs(c) for n, c in codes.items()}}
        page += [f"## {energy:g} MeV, {histories:,} primaries\n", "| | " + " | ".join(columns) + " |"]
        page.append("|---" * (len(columns) + 1) + "|")
        for figure in columns["Dosewright"]:
            page.append(f"| {figure} | " + " | ".join(f"{c[figure]:.5g}" for c in columns.values()) + " |")
        page.append("")
        draw(axes[0, column], axes[1, column], run, codes)
        axes[0, column].set_title(f"{energy:g} MeV")
    page.append("![Depth doses of three codes and their differences](protons_in_water.png)\n")
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / "protons_in_water.png", dpi=100)
    (MEASURED / "protons_in_water.md").write_text("\n".join(page), encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
