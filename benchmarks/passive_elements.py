"""What stands in a beam, against slabs, projections and what material and shape must do.

``python -m benchmarks.passive_elements`` writes docs/measured/passive_elements.md with its pictures.
"""

from functools import cache

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tests.physics.device_runs import Shot, sheet, shoot, water_equivalent_mm

from benchmarks.process_page import COLOURS, Page, Row
from dosewright.analysis.profile import Profile, distal_position
from dosewright.core.plan import Block, Compensator, EnergyLayer, IonBeam
from dosewright.core.solids import Device, Prism, Solid
from dosewright.geometry.beam.aperture import block_devices
from dosewright.geometry.beam.compensator import compensator_devices
from dosewright.geometry.beam.projection import Projection
from dosewright.geometry.beam.range_shifter import plate
from dosewright.materials.library import named

Floats = NDArray[np.float64]

SAD_MM = 2000.0
HISTORIES = 300_000
EDGE_MM = 30.0
RIDGE_MM, PERIOD_MM, PARTS = 6.0, 4.0, 12
THICKNESSES_MM = (12.0, 30.0, 21.5)

TEXT = """Made by `python -m benchmarks.passive_elements`. Fields of mono-energetic protons, uniform in the isocentre
plane, meet a device and then water whose surface is the isocentre plane. Bounds are said with each table."""


def beam_with(**parts: tuple[object, ...]) -> IonBeam:
    """Return a beam with blocks or compensators and nothing else of interest."""
    layer = EnergyLayer(0, 150.0, np.zeros(1), np.zeros(1), np.ones(1))
    return IonBeam(1, "b", "m", "PROTON", "NP", 1.0, 1.0, 0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0), (layer,), **parts)  # type: ignore[arg-type]


def range_shifters(page: Page) -> None:
    """Compare the shift of R80 with the water that takes the same energy."""
    open_field = _r80(_open(100.0))
    rows = []
    for name, thickness in (
        ("G4_PLEXIGLASS", 30.0), ("G4_POLYCARBONATE", 50.0), ("G4_POLYETHYLENE", 40.0), ("G4_Al", 12.0)
    ):  # fmt: skip
        shifted = _shot_100((plate("RS", named(name), thickness, 100.0),))
        found, wanted = open_field - _r80(shifted), water_equivalent_mm(name, thickness, 100.0)
        met = abs(found - wanted) < 0.1
        rows.append(Row((f"{thickness:g} mm {name}", f"{found:.2f}", f"{wanted:.2f}", f"{found - wanted:+.2f}"), met))
    page.section(
        "Range shifters",
        "100 MeV through a plate 100 mm above the water; shift of R80 in mm against the water that takes the same mean "
        "energy by stopping powers alone. Bound 0.1 mm; the statistical error is 0.01 mm.",
    )
    page.table(("plate", "shift", "expected", "difference"), rows)


def aperture(page: Page) -> None:
    """Show the edge of a field without aperture and behind one at two heights."""
    picture = Figure(figsize=(10.5, 4.2), layout="constrained")
    shallow, deep = picture.subplots(1, 2, sharey=True)
    cases = (("no aperture", None), ("aperture, 100 mm", 100.0), ("aperture, 300 mm", 300.0))
    rows = []
    for colour, (name, height) in zip(COLOURS, cases, strict=False):
        shot = _field(height)
        cells = [name]
        met = True
        for axes, low, high in ((shallow, 0.0, 5.0), (deep, 95.0, 105.0)):
            profile = shot.across(low, high)
            share = profile / profile[np.abs(shot.x_mm) < 15.0].mean()
            axes.plot(shot.x_mm, 100 * share, color=colour, lw=1.4, label=name)
            edge, penumbra = _edge(shot.x_mm, share)
            beside = share[(shot.x_mm > EDGE_MM + 10) & (shot.x_mm < EDGE_MM + 20)].mean()
            cells += [f"{edge:.2f}", f"{penumbra:.2f}", f"{100 * beside:.2f}"]
            met &= height is None or low > 0 or abs(edge - EDGE_MM) < 0.3
        rows.append(Row(tuple(cells), met))
    for axes, words in ((shallow, "depth 0 to 5 mm"), (deep, "depth 95 to 105 mm")):
        axes.set(title=words, xlabel="x (mm)", xlim=(10, 55))
        axes.axvline(EDGE_MM, color="0.6", lw=0.8, ls=":")
        axes.grid(alpha=0.25)
    shallow.set_ylabel("dose over that of the middle (%)")
    shallow.legend(frameon=False)
    page.section(
        "Aperture",
        "150 MeV, spots of sigma 6 mm on a lattice of 2 mm up to x = 40 mm, through air from a source 2 m away; a "
        "brass plate of 65 mm, straight walls, open up to 30 mm in the isocentre plane, its lower face 100 or 300 mm "
        "above the water. Edge (50 %) and penumbra (80 to 20 %) in mm, dose 10 to 20 mm beyond the edge in percent, "
        "at two depths. Bound: the edge at the surface within 0.3 mm of 30 mm. The penumbra grows with the distance of "
        "the plate, for the spots' own angles and the air's are then projected farther; at depth scattering in water "
        "rules. The horns inside the edge are protons scattered from the wall.",
    )
    head = ("", "edge", "penumbra", "beyond (%)", "edge at 100 mm", "penumbra", "beyond (%)")
    page.table(head, rows)
    page.picture(picture, "aperture", "Profiles at two depths without an aperture and behind one at two heights")


def ripple(page: Page) -> None:
    """Show a ripple filter against plates of all its thicknesses."""
    triangle = np.array([[-PERIOD_MM / 2, 0.0], [PERIOD_MM / 2, 0.0], [0.0, RIDGE_MM]])
    upright = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # the outline's y goes up, its z across
    ridges = tuple(
        Solid("ridge", Prism(triangle, 200.0), named("PMMA"), 1.19, (x, 0.0, 300.0), upright)
        for x in np.arange(-38.0, 40.0, PERIOD_MM)
    )
    rippled = _shot_100((Device("RM", "range_modulator", ridges),))
    plates = [
        _shot_100((plate("P", named("PMMA"), (k + 0.5) * RIDGE_MM / PARTS, 300.0),), HISTORIES // PARTS, seed=20 + k)
        for k in range(PARTS)
    ]
    wanted = np.mean([shot.depth_dose for shot in plates], axis=0)
    difference = float(np.abs(rippled.depth_dose - wanted).max() / wanted.max())
    ranges = [distal_position(Profile(rippled.depth_mm, curve), 0.8) for curve in (rippled.depth_dose, wanted)]
    picture = Figure(figsize=(9, 4.2), layout="constrained")
    axes = picture.subplots()
    top = _open(100.0).depth_dose.max() / 100
    axes.plot(rippled.depth_mm, _open(100.0).depth_dose / top, color="0.6", lw=1.2, label="no filter")
    axes.plot(rippled.depth_mm, wanted / top, color=COLOURS[1], lw=2.5, alpha=0.6, label="mean of twelve plates")
    axes.plot(rippled.depth_mm, rippled.depth_dose / top, color=COLOURS[0], lw=1.2, label="ripple filter")
    axes.set(xlabel="depth (mm)", ylabel="dose over the peak without filter (%)", xlim=(40, 85))
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    page.section(
        "Ripple filter",
        "100 MeV through triangular ridges of PMMA, 6 mm high every 4 mm, 300 mm above the water, against the mean of "
        "twelve plates of 0.25, 0.75, ... 5.75 mm: a triangle holds as much of every thickness. Bounds: 2 % of the "
        "peak in every 0.5 mm, and 0.1 mm in R80.",
    )
    page.table(
        ("", "found", "plates", "difference"),
        [
            Row(("largest difference (% of the peak)", "", "", f"{100 * difference:.2f}"), difference < 0.02),
            Row(("R80 (mm)", f"{ranges[0]:.2f}", f"{ranges[1]:.2f}", f"{ranges[0] - ranges[1]:+.2f}"),
                abs(ranges[0] - ranges[1]) < 0.1),
        ],
    )  # fmt: skip
    page.picture(picture, "ripple", "Depth doses without filter, through a ripple filter and through plates")


def compensator(page: Page) -> None:
    """Compare R80 below every column with its thickness."""
    one = Compensator(
        "RC", 1, "PMMA", 60.0, "SOURCE_SIDE", False, np.array([THICKNESSES_MM]), (80.0, 26.0), (-26.0, 0.0)
    )
    parallel = Projection((np.inf, np.inf), 0.0)
    devices, _ = compensator_devices(beam_with(compensators=(one,)), parallel, named)
    shot = shoot(sheet(100.0, (39.0, 10.0)), devices, HISTORIES, depth_mm=90.0, dz_mm=0.5, half_mm=39.0, dx_mm=6.0)
    rows = []
    for column, thickness in enumerate(THICKNESSES_MM):
        below = np.abs(shot.x_mm - 26.0 * (column - 1)) < 7.0
        curve = Profile(shot.depth_mm, shot.energy[:, 0, below].sum(1))
        found = _r80(_open(100.0)) - distal_position(curve, 0.8)
        wanted = water_equivalent_mm("G4_PLEXIGLASS", thickness, 100.0)
        rows.append(
            Row((f"{thickness:g} mm", f"{found:.2f}", f"{wanted:.2f}", f"{found - wanted:+.2f}"),
                abs(found - wanted) < 0.15)
        )  # fmt: skip
    page.section(
        "Compensator",
        "100 MeV through three columns of PMMA side by side, 26 mm wide, 60 mm above the water; shift of R80 in mm "
        "below each middle. Bound 0.15 mm.",
    )
    page.table(("column", "shift", "expected", "difference"), rows)


@cache
def _open(energy_MeV: float) -> Shot:
    return shoot(sheet(energy_MeV, (20.0, 20.0)), (), HISTORIES, depth_mm=90.0, dz_mm=0.5)


def _shot_100(devices: tuple[Device, ...], histories: int = HISTORIES, seed: int = 7) -> Shot:
    return shoot(sheet(100.0, (20.0, 20.0)), devices, histories, depth_mm=90.0, dz_mm=0.5, seed=seed)


def _field(height_mm: float | None) -> Shot:
    """A scanned field of wide spots, half of it behind an aperture."""
    outline = np.array([[-200.0, -200.0], [EDGE_MM, -200.0], [EDGE_MM, 200.0], [-200.0, 200.0]])
    devices: tuple[Device, ...] = ()
    if height_mm is not None:
        block = Block("A", 1, "APERTURE", "brass", 65.0, height_mm, "SOURCE_SIDE", False, outline)
        devices, _ = block_devices(beam_with(blocks=(block,)), Projection((SAD_MM, SAD_MM), 0.0), named)
    beam = sheet(150.0, (40.0, 20.0), spacing_mm=2.0, sigma_mm=6.0, source_mm=SAD_MM, spread_rad=0.003, medium="air")
    return shoot(beam, devices, 3 * HISTORIES, depth_mm=110.0, dz_mm=5.0, half_mm=75.0, dx_mm=1.0)


def _r80(shot: Shot) -> float:
    return distal_position(Profile(shot.depth_mm, shot.depth_dose), 0.8)


def _edge(x_mm: Floats, share: Floats) -> tuple[float, float]:
    """Return where the dose falls to half of the middle's towards +x, and from 80 to 20 %."""
    right = x_mm > 5.0
    falling = np.minimum.accumulate(share[right])
    at80, at50, at20 = np.interp([-0.8, -0.5, -0.2], -falling, x_mm[right])
    return float(at50), float(at20 - at80)


def main() -> None:
    """Run all and write the page."""
    page = Page("passive_elements", "What stands in a beam, measured", TEXT)
    for part in (range_shifters, aperture, ripple, compensator):
        part(page)
    page.write()


if __name__ == "__main__":
    main()
