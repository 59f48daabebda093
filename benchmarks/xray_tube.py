"""The x-ray tube of the examples beside spekpy: spectra, half-value layers, and what the collimator lets through.

``python -m benchmarks.xray_tube`` writes docs/measured/xray_tube.md with its pictures.
"""

import argparse
import re
import tempfile
from pathlib import Path

import numpy as np
import spekpy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.process_page import COLOURS, Page, Row
from dosewright.materials.library import named
from dosewright.materials.photons.tables import photon_tables
from dosewright.simulation.kerma import kerma
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.read import read_run_file
from dosewright.simulation.run_folder import run_in_folder

Floats = NDArray[np.float64]

TUBE = Path(__file__).resolve().parents[1] / "examples" / "scenes" / "xray_tube.toml"
ENERGY_MEV, ANODE_DEG, FILTER_MM = 0.150, 20.0, 2.5
BIN_KEV = 1.0
CONE_DEG = 4.0  # photons whose direction is that near to the axis
ELECTRONS = 4_000_000
SPLIT = 200
HVL_BOUND_PERCENT = 3.0
MEAN_BOUND_PERCENT = 2.0
TEXT = f"""Made by `python -m benchmarks.xray_tube` with `examples/scenes/xray_tube.toml`: electrons of 150 keV on
tungsten tilted by {ANODE_DEG:g} degrees, {FILTER_MM:g} mm of aluminium, in vacuum, without its collimator. Photons
within {CONE_DEG:g} degrees of the axis are compared with spekpy {spekpy.__version__} (Poludniowski et al.,
Med. Phys. 48, 3630 (2021)), physics model `kqp`, no filter but the same aluminium. Half-value layers of air kerma in
aluminium are found from both spectra with the same coefficients."""


def without_collimator(folder: Path) -> Path:
    """Write the example's tube without its collimator; return the file."""
    text = re.sub(r"\[\[module\]\].*", "", TUBE.read_text(encoding="utf-8"), flags=re.DOTALL)
    place = folder / "tube.toml"
    place.write_text(text, encoding="utf-8")
    return place


def run_tube(scene: Path, folder: Path, electrons: int, field_mm: float, at_mm: float) -> Result:
    """Send electrons on the target; photons aimed at a square field below are made in numbers."""
    run = folder / "run.toml"
    run.write_text(
        f"""
[scene]
file = "{scene}"
rotation_deg = [180, 0, 0]

[source]
kind = "pencil"
particle = "electron"
energy_MeV = {ENERGY_MEV}
position_mm = [-20, 0, 0]
direction = [1, 0, 0]
sigma_mm = [0.3, 0.3]

[transport]
photon_cut_MeV = 0.005
electron_cut_MeV = 0.01

[variance_reduction]
directional = {{n = {SPLIT}, field_mm = [{field_mm}, {field_mm}], at_mm = [0, 0, {at_mm}], electron_plane_mm = 40}}

[[score]]
quantity = "spectrum"
particle = "photon"
energy_bins = {round(ENERGY_MEV * 1000 / BIN_KEV)}
energy_max_MeV = {ENERGY_MEV}
angle_bins = {round(180 / CONE_DEG)}

[goal]
histories = {electrons}
""",
        encoding="utf-8",
    )
    return run_in_folder(read_run_file(run), folder / "out")


def air_kerma(energies_MeV: Floats) -> Floats:
    """Return air kerma per fluence (MeV cm2/g) at photon energies, from the tables of the transport."""
    air = named("G4_AIR")
    photons = photon_tables([air], [air.density_g_cm3], ())
    return np.interp(energies_MeV, photons.attenuation.energies, kerma([air], photons, 0.005)[0])


def aluminium(energies_MeV: Floats) -> Floats:
    """Return the linear attenuation coefficient of aluminium, 1/mm."""
    metal = named("G4_Al")
    attenuation = photon_tables([metal], [metal.density_g_cm3], ()).attenuation
    return np.interp(energies_MeV, attenuation.energies, attenuation.total[0]) * metal.density_g_cm3 / 10.0


def half_value_layers_mm(fluence: Floats, kerma_per: Floats, mu: Floats) -> tuple[float, float]:
    """Return the first and second half-value layer of air kerma in aluminium (mm)."""
    thickness = np.linspace(0.0, 40.0, 8001)
    left = (fluence * kerma_per) @ np.exp(-np.outer(mu, thickness))
    half, quarter = np.interp([-0.5, -0.25], -left / left[0], thickness)
    return float(half), float(quarter - half)


def theirs(middles_keV: Floats) -> Floats:
    """Return spekpy's fluence in our bins, in any unit."""
    spectrum = spekpy.Spek(kvp=ENERGY_MEV * 1000, th=ANODE_DEG, targ="W", physics="kqp", dk=0.5, z=100)
    spectrum.filter("Al", FILTER_MM)
    energies, fluence = spectrum.get_spectrum(edges=False)
    edges = np.append(middles_keV - 0.5 * BIN_KEV, middles_keV[-1] + 0.5 * BIN_KEV)
    sums, _ = np.histogram(energies, edges, weights=fluence)
    return sums.astype(np.float64)


def spectra(page: Page, share: float) -> None:
    """Compare spectrum, mean energy and half-value layers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        field = 2.0 * 1000.0 * np.tan(np.deg2rad(CONE_DEG)) * 1.2
        result = run_tube(without_collimator(folder), folder, int(ELECTRONS * share), field, 1000.0)
    leaving = result.leaving
    if leaving is None:
        raise AssertionError("a score of a spectrum gives one")
    fluence, error = leaving.counts[0, :, 0], leaving.counts_uncertainty[0, :, 0]
    keV = (np.arange(fluence.size) + 0.5) * BIN_KEV
    their = theirs(keV)
    ours, their = fluence / fluence.sum(), their / their.sum()
    kerma_per, mu = air_kerma(keV / 1000), aluminium(keV / 1000)
    first, second = half_value_layers_mm(ours, kerma_per, mu)
    their_first, their_second = half_value_layers_mm(their, kerma_per, mu)
    mean, their_mean = float(ours @ keV), float(their @ keV)
    rows = []
    for what, a, b, bound, unit in (
        ("first half-value layer", first, their_first, HVL_BOUND_PERCENT, "mm Al"),
        ("second half-value layer", second, their_second, HVL_BOUND_PERCENT, "mm Al"),
        ("mean energy", mean, their_mean, MEAN_BOUND_PERCENT, "keV"),
    ):
        off = 100.0 * (a / b - 1.0)
        rows.append(
            Row((what, f"{a:.3f} {unit}", f"{b:.3f} {unit}", f"{off:+.1f} %", f"{bound:g} %"), abs(off) <= bound)
        )
    page.section("Spectrum", f"{result.histories:,} electrons, {result.cpu_seconds:.0f} CPU seconds.")
    page.table(("", "Dosewright", "spekpy", "difference", "bound"), rows)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.step(keV, ours, where="mid", color=COLOURS[0], label="Dosewright")
    axes.fill_between(keV, ours * (1 - error), ours * (1 + error), step="mid", color=COLOURS[0], alpha=0.3, lw=0)
    axes.plot(keV, their, color=COLOURS[1], lw=1, label=f"spekpy {spekpy.__version__}")
    axes.set(xlabel="photon energy / keV", ylabel="share of the photons per keV", xlim=(0, 155))
    axes.legend(frameon=False)
    page.picture(figure, "spectrum", "Spectra of 150 kV")


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the histories, for a quick look")
    asked = parser.parse_args(arguments)
    page = Page("xray_tube", "The x-ray tube of the examples, measured", TEXT)
    spectra(page, asked.share)
    page.write()


if __name__ == "__main__":
    main()
