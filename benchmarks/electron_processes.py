"""Each process of electrons against published values and its own formula: ``python -m benchmarks.electron_processes``.

Writes docs/measured/electron_processes.md and its pictures. Published values are those of the tests; the evaluation of
bremsstrahlung is read from ../shared/data, and left out where there is none.
"""

import numpy as np
from matplotlib.figure import Figure
from tests.materials.electrons import test_density_effect, test_elastic, test_radiation, test_stopping
from tests.materials.electrons.test_partial_waves import ELSEPA
from tests.materials.electrons.test_screening import BOHR2_CM2
from tests.materials.electrons.test_stopping import AIR, CORTICAL_BONE, ENERGIES, WATER_75, csda_range
from tests.materials.photons.test_impact import BOTE
from tests.physics import test_backscatter, test_fano
from tests.transport.electrons import test_annihilation, test_bremsstrahlung, test_collisions

from benchmarks.bremsstrahlung_fit import EVALUATION, deviations, read_evaluation
from benchmarks.process_page import COLOURS, SPREAD, WORST, Page, band, bars, in_bins, plain, spread, worst
from dosewright.core.matter import Material
from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.collisions import differential
from dosewright.materials.electrons.density_effect import density_effect
from dosewright.materials.electrons.elastic import Elastic, elastic, transport_coefficients
from dosewright.materials.electrons.lookup import COARSE, LARGEST_Q, node_energies_MeV
from dosewright.materials.electrons.radiation import radiation, scaled_cross_section
from dosewright.materials.electrons.screening import elastic_per_q
from dosewright.materials.electrons.stopping import collision_stopping
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.photons.impact import ionisation_cm2
from dosewright.transport.tracks import POSITRON

INTRODUCTION = """Made by `python -m benchmarks.electron_processes`. The upper kind of table compares with published
values: the largest difference of all values, where it is, and its bound. The lower kind compares what the compiled
kernels sample with the formula they are meant to follow: chi-square of a histogram, and the value that a right
sampling exceeds once in a thousand. In the pictures lines are formulas or tables, points are what was sampled or
published. Water has 75 eV here, as in ESTAR."""


def stopping(page: Page) -> None:
    """Collision stopping powers, density effect and ranges over ESTAR."""
    page.section(
        "Collisions: stopping powers, density effect, ranges",
        "Against ESTAR (Berger, Coursey, Zucker and Chang, NISTIR 4999), 10 keV to 50 MeV\n"
        "([collisions](../physics/electron_collisions.md)).",
    )
    rows = []
    picture = Figure(figsize=(11, 4), layout="constrained")
    left, right = picture.subplots(1, 2)
    bone = test_stopping.ESTAR_BONE
    cases = [
        ("water", WATER_75, ENERGIES, test_stopping.ESTAR_WATER, 0.05),
        ("air", AIR, ENERGIES, test_stopping.ESTAR_AIR, 0.15),
        ("cortical bone", CORTICAL_BONE, np.array(list(bone)), list(bone.values()), 0.05),
    ]
    for (name, medium, energies, published, bound), colour in zip(cases, COLOURS, strict=False):
        ours = collision_stopping(medium, energies)
        rows.append(worst(f"collision stopping power, {name}", energies, ours, published, bound))
        left.plot(energies, 100 * (ours / published - 1), "o-", markersize=3, color=colour, label=name)
    for (medium, ranges), colour, bound in zip(test_stopping.ESTAR_RANGES, COLOURS, (0.2, 0.2), strict=False):
        at = list(ranges)[1:]
        ours = np.array([csda_range(medium, energy, ranges[0.01]) for energy in at])
        published = np.array([ranges[energy] for energy in at])
        name = "water" if medium is WATER_75 else "air"
        rows.append(worst(f"CSDA range, {name}", at, ours, published, bound))
        left.plot(at, 100 * (ours / published - 1), "s--", markersize=4, color=colour, label=f"range, {name}")
    left.set(xscale="log", xlabel="Energy (MeV)", ylabel="ours - ESTAR (%)", ylim=(-0.3, 0.3))
    band(left, 0.15)
    fine = np.geomspace(0.05, 50, 300)
    water = test_density_effect.ESTAR_WATER
    media = [("water", WATER_75, np.array(list(water)), list(water.values()), 0.005)]
    for z, published in test_density_effect.ESTAR_METALS:
        medium = test_density_effect.solid(z)
        media.append((element(z).symbol, medium, test_density_effect.ESTAR_METALS_MEV, published, 0.04))
    for (name, medium, energies, published, bound), colour in zip(media, COLOURS, strict=False):
        row = worst(f"density effect, {name}", energies, density_effect(medium, energies), published, bound, "in delta")
        rows.append(row)
        right.plot(fine, density_effect(medium, fine), "-", color=colour, label=name)
        right.plot(energies, published, ".", color=colour)
    right.set(xscale="log", xlabel="Energy (MeV)", ylabel="density effect delta")
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        plain(axes.xaxis, (0.01, 0.1, 1, 10))
    left.legend(frameon=False, fontsize=8, ncols=2)
    page.table(WORST, rows)
    page.picture(picture, "stopping", "Stopping powers and ranges over ESTAR, and the density effect")


def collisions(page: Page) -> None:
    """Transfers over Moller's and Bhabha's cross sections."""
    page.section(
        "Hard collisions",
        "Energies of electrons set free, against Møller's (electrons) and Bhabha's (positrons) cross sections.",
    )
    rows = []
    picture = Figure(figsize=(6, 3.8), layout="constrained")
    axes = picture.subplots()
    for (species, energy, cut), colour in zip(test_collisions.CASES, COLOURS, strict=False):
        positron = species == POSITRON
        transfer = test_collisions.sampled(species, energy, cut)[:, 0]
        top = energy if positron else energy / 2
        edges, fine = np.geomspace(cut, top * (1 + 1e-12), 41), np.geomspace(cut, top, 16_001)
        density = differential(np.array([energy]), fine, positron) / fine**2
        counts, _ = np.histogram(transfer, edges)
        expected = in_bins(edges, fine, density, transfer.size)
        name = f"{'positrons' if species == POSITRON else 'electrons'}, {energy:g} MeV, from {1000 * cut:g} keV"
        rows.append(spread(name, counts, expected))
        middle, width = np.sqrt(edges[1:] * edges[:-1]) / energy, np.diff(np.log(edges))
        axes.plot(middle, middle * expected / width / transfer.size, "-", linewidth=1, color=colour, label=name)
        axes.plot(middle, middle * counts / width / transfer.size, ".", markersize=4, color=colour)
    axes.set(xscale="log", yscale="log", xlabel="W/T", ylabel="W/T times the density in ln W")
    axes.legend(frameon=False, fontsize=7)
    page.table(SPREAD, rows)
    page.picture(picture, "collisions", "Energies of knock-on electrons over Moller and Bhabha")


def radiative_stopping(page: Page) -> None:
    """Radiative stopping powers over ESTAR and over the evaluation."""
    page.section(
        "Bremsstrahlung",
        "Radiative stopping powers against ESTAR, and the fit against the evaluation it was made from (Seltzer and\n"
        "Berger, 1985 and 1986), elements from beryllium to lead, 1 keV to 50 MeV\n"
        "([bremsstrahlung](../physics/bremsstrahlung.md)).",
    )
    rows = []
    for name, (medium, table) in zip(("water", "air", "cortical bone"), test_radiation.ESTAR, strict=True):
        at = np.array(list(table))
        ours = radiation(medium, at, np.inf).total
        rows.append(worst(f"radiative stopping power, {name}", at, ours, list(table.values()), 0.7))
    if not EVALUATION.exists():
        page.table(WORST, rows)
        page.parts.append("The evaluation was not there to be compared with.")
        return
    energy, share, table = read_evaluation(EVALUATION)
    used = (energy >= 1e-3) & (energy <= 50.0)
    energy, table = energy[used], table[:92, used]
    cross_section, whole = deviations(energy, share, table)
    elements = slice(3, 82)  # beryllium to lead
    body = cross_section[elements][..., share <= 0.95]
    at = np.broadcast_to(energy, whole[elements].shape).ravel()
    rows.append(worst("radiative stopping power, Be to Pb", at, 1 + whole[elements].ravel(), np.ones(at.size), 0.5))
    at = np.broadcast_to(energy[None, :, None], body.shape).ravel()
    rows.append(worst("cross section up to k/T = 0.95, Be to Pb", at, 1 + body.ravel(), np.ones(at.size), 3.0))
    page.table(WORST, rows)

    picture = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    z = np.arange(1, 93)
    left.plot(z, 100 * np.abs(whole).max(axis=1), "-", color=COLOURS[0], label="stopping power")
    worst_bodies = 100 * np.abs(cross_section[..., share <= 0.95]).max(axis=(1, 2))
    left.plot(z, worst_bodies, "-", color=COLOURS[1], label="cross section")
    left.set(xlabel="Atomic number", ylabel="largest difference (%)", ylim=(0, 4))
    left.axvspan(4, 82, color="0.95", zorder=0)
    left.legend(frameon=False, fontsize=8)
    for kinetic, colour in zip((0.01, 0.1, 1.0, 10.0), COLOURS, strict=False):
        at_node = int(np.argmin(np.abs(energy - kinetic)))
        fine = np.linspace(0, 1, 400)
        ours = scaled_cross_section(74, energy[at_node : at_node + 1], fine[None])[0]
        right.plot(fine, ours, "-", linewidth=1, color=colour, label=f"{energy[at_node]:g} MeV")
        right.plot(share, table[73, at_node], ".", markersize=4, color=colour)
    right.set(xlabel="k/T", ylabel="beta2/Z2 k dsigma/dk, tungsten (mb)", ylim=(0, None))
    right.legend(frameon=False, fontsize=8)
    page.picture(picture, "radiation", "The fit of bremsstrahlung over the evaluation")


def radiation_sampled(page: Page) -> None:
    """Spectra and angles sampled."""
    rows = []
    picture = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    for (material, energy, cut), colour in zip(
        ((0, 1.03, 0.01), (1, 0.12, 0.01), (1, 20.0, 0.01)), COLOURS, strict=False
    ):
        out = np.zeros((200_000, 2))
        test_bremsstrahlung.radiate_often(test_bremsstrahlung.TABLES, material, energy, cut, out)
        medium = test_bremsstrahlung.MATERIALS[material]
        edges = np.geomspace(cut, energy, 41)
        rates = np.array([radiation(medium, np.array([energy]), edge).rate[0] for edge in edges])
        expected = -np.diff(rates) / rates[0] * len(out)
        counts, _ = np.histogram(out[:, 0], edges * np.append(np.ones(40), 1 + 1e-12))
        name = f"{'water' if material == 0 else 'tungsten'}, {energy:g} MeV"
        rows.append(spread(f"photon energy, {name}", counts, expected))
        middle = np.sqrt(edges[1:] * edges[:-1])
        width = np.diff(np.log(edges))
        left.plot(middle / energy, expected / width / len(out), "-", linewidth=1, color=colour, label=name)
        left.plot(middle / energy, counts / width / len(out), ".", markersize=4, color=colour)
    left.set(xscale="log", xlabel="k/T", ylabel="photons in ln k")
    left.legend(frameon=False, fontsize=8)
    for (energy, share, z), colour in zip(
        ((0.05, 0.3, 74.0), (1.0, 0.1, 7.0), (6.0, 0.5, 74.0)), COLOURS, strict=False
    ):
        out = np.zeros(200_000)
        test_bremsstrahlung.turn_often(energy, share * energy, z, out)
        gamma = 1 + energy / ELECTRON_MASS_MEV
        beta = np.sqrt(1 - 1 / gamma**2)
        largest = 2 * beta * (1 + beta) * gamma**2
        edges = np.linspace(0, 180 if energy < 0.5 else 60, 61)
        fine = np.linspace(0, 180, 60_001)
        x = largest * (1 - np.cos(np.radians(fine))) / 2
        density = test_bremsstrahlung.two_bs(x, energy, share * energy, z) * np.sin(np.radians(fine))
        counts, _ = np.histogram(np.degrees(np.arccos(out)), edges)
        whole = in_bins(np.append(edges, 180.0001), fine, density, out.size)[:-1]
        expected = whole / whole.sum() * counts.sum()
        name = f"{energy:g} MeV, k/T = {share:g}, Z = {z:g}"
        kept = expected > 20
        rows.append(spread(f"photon angle, {name}", counts[kept], expected[kept]))
        bars(right, edges, counts, expected, colour, name)
    right.set(
        xlabel="Angle to the electron (degrees)", ylabel="per degree", xlim=(0, 120), yscale="log", ylim=(1e-4, 1)
    )
    right.legend(frameon=False, fontsize=8)
    page.parts.append("First tries of angles lie on a lattice, which makes their chi-squares small.")
    page.table(SPREAD, rows)
    page.picture(picture, "bremsstrahlung", "Spectra and angles of bremsstrahlung")


def impact(page: Page) -> None:
    """Ionisation of inner shells over Bote and Salvat."""
    page.section(
        "Impact ionisation",
        "K and L cross sections against those of Bote, Salvat, Jablonski and Powell (2009); arsenic, antimony, gold\n"
        "and L of holmium took no part in the fit ([impact ionisation](../physics/impact_ionisation.md)).",
    )
    picture = Figure(figsize=(6, 3.8), layout="constrained")
    axes = picture.subplots()
    at, ours, published = [], [], []
    for (z, shell, edge), table in BOTE.items():
        energies = np.array(list(table)) * 1e-3
        at += list(energies)
        ours += list(ionisation_cm2(z, shell, edge * 1e-3, energies) * 1e24)
        published += list(table.values())
    for (z, shell), colour in zip(((29, 0), (51, 0), (74, 0), (74, 3)), COLOURS, strict=False):
        edge, table = next((e, t) for (a, s, e), t in BOTE.items() if (a, s) == (z, shell))
        fine = np.geomspace(edge * 1.01e-3, 10, 200)
        name = f"{element(z).symbol} {('K', 'L1', 'L2', 'L3')[shell]}"
        axes.plot(fine, ionisation_cm2(z, shell, edge * 1e-3, fine) * 1e24, "-", color=colour, label=name)
        axes.plot(np.array(list(table)) * 1e-3, list(table.values()), ".", color=colour)
    axes.set(xscale="log", yscale="log", xlabel="Energy (MeV)", ylabel="barn", ylim=(1, 1000))
    plain(axes.xaxis, (0.01, 0.1, 1, 10))
    axes.legend(frameon=False, fontsize=8)
    page.table(WORST, [worst("K and L shells, Al to Pb", at, ours, published, 2.5)])
    page.picture(picture, "impact", "Ionisation of inner shells over published values")


def annihilation(page: Page) -> None:
    """Shares of the weaker photon over Heitler's."""
    page.section(
        "Annihilation in flight",
        "The weaker photon's share of the whole energy against Heitler ([annihilation](../physics/annihilation.md)).",
    )
    rows = []
    picture = Figure(figsize=(6, 3.8), layout="constrained")
    axes = picture.subplots()
    for energy, colour in zip((0.1, 1.0, 20.0), COLOURS, strict=False):
        out = np.zeros((200_000, 4))
        test_annihilation.annihilate_often(energy, out)
        gamma = 1 + energy / ELECTRON_MASS_MEV
        least = 1 / (gamma + 1 + np.sqrt(gamma**2 - 1))
        fine = np.linspace(least, 0.5, 60_001)
        square, middle = (gamma + 1) ** 2, gamma**2 + 4 * gamma + 1
        density = sum(middle / s - square - 1 / s**2 for s in (fine, 1 - fine))
        edges = np.linspace(least, 0.5, 41)
        weaker = np.minimum(out[:, 0], out[:, 2]) / (energy + 2 * ELECTRON_MASS_MEV)
        counts, _ = np.histogram(np.clip(weaker, least, 0.5), edges)
        expected = in_bins(edges, fine, np.maximum(density, 0), len(out))
        rows.append(spread(f"{energy:g} MeV", counts, expected))
        bars(axes, edges, counts, expected, colour, f"{energy:g} MeV")
    axes.set(xlabel="Share of the weaker photon", ylabel="density", yscale="log")
    axes.legend(frameon=False, fontsize=8)
    page.table(SPREAD, rows)
    page.picture(picture, "annihilation", "Shares of annihilation photons")


def elsepa(page: Page) -> None:
    """Cross sections of atoms over those of ELSEPA."""
    page.section(
        "Elastic scattering",
        "Atoms against ELSEPA (Salvat, Jablonski and Powell, Comput. Phys. Commun. 165, 157 (2005), version of 2020):\n"
        "total, first and second transport cross section, and the cross section at angles\n"
        "([elastic scattering](../physics/electron_scattering.md)).",
    )
    at = np.array([energy for _, energy in ELSEPA])
    ours, published, per_angle, angles_of = [], [], [], []
    picture = Figure(figsize=(6, 3.8), layout="constrained")
    axes = picture.subplots()
    for ((z, energy), (integrals, angles)), colour in zip(ELSEPA.items(), COLOURS, strict=False):
        medium = Material(element(z).symbol, element(z).density_g_cm3, {z: 1.0})
        per_atom = element(z).atomic_weight / AVOGADRO_PER_MOL / BOHR2_CM2
        ours.append([float(part[0]) * per_atom for part in transport_coefficients(medium, np.array([energy]))])
        published.append(integrals)
        degrees = np.geomspace(0.3, 180, 300)
        here = [per_solid_angle(z, energy, x) * per_atom for x in (degrees, np.array(list(angles)))]
        per_angle += list(here[1])
        angles_of += [(energy, value) for value in angles.values()]
        axes.plot(degrees, here[0], "-", color=colour, label=f"{element(z).symbol}, {1000 * energy:g} keV")
        axes.plot(list(angles), list(angles.values()), ".", color=colour)
    axes.set(xscale="log", yscale="log", xlabel="Angle (degrees)", ylabel="cross section (a0²/sr)")
    plain(axes.xaxis, (1, 3, 10, 30, 100))
    axes.legend(frameon=False, fontsize=8)
    rows = [
        worst(name, at, np.array(ours)[:, k], np.array(published)[:, k], bound)
        for k, (name, bound) in enumerate((("total", 1.0), ("first transport", 0.3), ("second transport", 0.3)))
    ]
    rows.append(worst("at angles", [e for e, _ in angles_of], per_angle, [value for _, value in angles_of], 1.0))
    page.table(WORST, rows)
    page.picture(picture, "elsepa", "Elastic cross sections over those of ELSEPA")


def per_solid_angle(z: int, energy: float, degrees: np.ndarray) -> np.ndarray:
    """Return the elastic cross section of electrons, cm2 per gram of an element and steradian."""
    q = LARGEST_Q * np.sin(np.radians(degrees) / 2) ** 2
    return np.asarray(elastic_per_q({z: 1.0}, np.array([energy]), q[None], False)[0] / np.pi)


def scattering(page: Page) -> None:
    """What is condensed and what is sampled make the whole."""
    page.parts.append(
        "What is condensed and what is sampled together, over the transport cross sections they were split from:\n"
        "first, of 1 - cos, and second, of 3/2 sin², half way between coarse nodes, 10 keV to 50 MeV. The electron\n"
        "cut is 10 keV; single deflections are a tenth of the first transport path apart."
    )
    rows = []
    picture = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    energy = node_energies_MeV()
    for name, colour in zip(("G4_WATER", "G4_Cu", "G4_W"), COLOURS, strict=False):
        medium = named(name)
        _, first, second = transport_coefficients(medium, energy, cut_MeV=0.01)
        split = elastic(medium, energy, 0.1 / first, cut_MeV=0.01)
        at = [row for row in range(COARSE // 2, energy.size - 1, COARSE) if 0.01 < energy[row] < 50]
        sums = np.array([moments(split, row) for row in at])
        words = name.removeprefix("G4_").lower() if name == "G4_WATER" else name.removeprefix("G4_")
        for k, (which, whole) in enumerate((("first", first), ("second", second))):
            rows.append(worst(f"{which} transport cross section, {words}", energy[at], sums[:, k], whole[at], 0.3))
        left.plot(energy[at], 100 * (sums[:, 0] / first[at] - 1), "-", color=colour, label=f"{words}, first")
        left.plot(energy[at], 100 * (sums[:, 1] / second[at] - 1), "--", color=colour, label=f"{words}, second")
        right.plot(energy, 1 / split.hard, "-", color=colour, label=f"{words}: between large deflections")
        right.plot(energy, 1 / first, "--", color=colour, label=f"{words}: first transport path")
    left.set(xscale="log", xlabel="Energy (MeV)", ylabel="split - whole (%)", ylim=(-0.5, 0.5))
    band(left, 0.3)
    right.set(xscale="log", yscale="log", xlabel="Energy (MeV)", ylabel="mean path (g/cm2)")
    right.legend(frameon=False, fontsize=7)
    for axes in (left, right):
        plain(axes.xaxis, (0.01, 0.1, 1, 10))
    page.table(WORST, rows)
    page.picture(picture, "elastic", "Condensed and sampled deflections over the whole, and mean paths")


def moments(split: Elastic, row: int) -> tuple[float, float]:
    """Return both transport cross sections from what is condensed and what the step samples at a node."""
    q = test_elastic.sampled(split, row, (np.arange(50_000) + 0.5) / 50_000)
    soft, hard = split.soft[row], split.hard[row]
    return soft / 2 + hard * q.mean() / 2, 1.5 * soft + hard * (1.5 * q * (1 - q / 4)).mean()


def together(page: Page) -> None:
    """Fano's theorem and backscatter, with all processes of the step."""
    page.section(
        "All together: Fano's theorem and backscatter",
        "Electrons that start evenly per mass in water with a layer of gas density: the dose in the layer over the\n"
        "energy started per mass must be one (Fano, Radiat. Res. 1, 237, 1954); the bound is three standard errors.\n"
        "And electrons thrown back by thick metals over fits to measurements: Reuter (1972) at 20 keV, where they\n"
        "agree to a few percent, Tabata, Ito and Okabe (1971) above, where they agree to 10 or 15 %\n"
        "([the step](../physics/electron_step.md)).",
    )
    rows = []
    for layer, histories in ((test_fano.SHORT, 60_000), (test_fano.GRAZED, 100_000)):
        share, error = test_fano.dose_per_source(layer, histories)
        name = f"Fano: {layer.energy_MeV:g} MeV, {layer.cells} cells of {layer.density_g_cm3:g} g/cm3"
        rows.append(worst(name, [layer.energy_MeV], [share], [1.0], round(300 * error, 2)))
    picture = Figure(figsize=(6, 3.8), layout="constrained")
    axes = picture.subplots()
    metals = [(name, next(iter(named(name).mass_fractions))) for name in ("G4_Cu", "G4_Ag", "G4_W", "G4_Au")]
    fine = np.geomspace(0.05, 3, 100)
    for (name, z), colour in zip(metals, COLOURS, strict=False):
        at = np.array([0.02, 0.1, 0.5, 2.0])
        seen = np.array([test_backscatter.thrown_back(name, e, 80_000 if e < 0.1 else 20_000)[0] for e in at])
        fits = [test_backscatter.reuter(z), *(test_backscatter.tabata(z, energy) for energy in at[1:])]
        rows.append(worst(f"backscatter at 20 keV, {element(z).symbol}", at[:1], seen[:1], fits[:1], 6.0))
        rows.append(worst(f"backscatter from 0.1 to 2 MeV, {element(z).symbol}", at[1:], seen[1:], fits[1:], 13.0))
        axes.plot(at, seen, "o", color=colour, label=element(z).symbol)
        axes.plot(fine, [test_backscatter.tabata(z, energy) for energy in fine], "-", color=colour)
        axes.plot(at[:1], fits[:1], "_", markersize=14, color=colour)
    axes.set(xscale="log", xlabel="Energy (MeV)", ylabel="share of electrons thrown back", ylim=(0, 0.6))
    plain(axes.xaxis, (0.02, 0.1, 0.5, 2))
    axes.legend(frameon=False, fontsize=8)
    page.table(WORST, rows)
    page.picture(picture, "backscatter", "Electrons thrown back by thick metals over fits to measurements")


def main() -> None:
    """Compare all processes and write the page."""
    page = Page("electron_processes", "Processes of electrons and positrons, measured", INTRODUCTION)
    stopping(page)
    collisions(page)
    radiative_stopping(page)
    radiation_sampled(page)
    elsepa(page)
    scattering(page)
    impact(page)
    annihilation(page)
    together(page)
    page.write()


if __name__ == "__main__":
    main()
