"""Each process of photons against published values and its own formula: ``python -m benchmarks.photon_processes``.

Writes docs/measured/photon_processes.md and its pictures. Published values are those of the tests.
"""

import numpy as np
from matplotlib.figure import Figure
from tests.materials.photons.test_attenuation import NIST, NIST_EDGES, total
from tests.materials.photons.test_vacancies import BEARDEN, KRAUSE_K
from tests.simulation.test_kerma import NIST_ABSORBED, NIST_MEV, absorbed
from tests.transport.photons import test_compton, test_pair, test_photoelectric, test_rayleigh
from tests.transport.photons.test_compton import AFTER, COSINE, angular_density, impulse

from benchmarks.process_page import COLOURS, SPREAD, WORST, Page, band, bars, in_bins, plain, spread, worst
from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.library import named
from dosewright.materials.photons.attenuation import partial_coefficients
from dosewright.materials.photons.compton import HC_MEV_ANGSTROM, shells
from dosewright.materials.photons.lookup import position
from dosewright.materials.photons.pair import sharing
from dosewright.materials.photons.quantiles import INTERVALS
from dosewright.materials.photons.rayleigh import rayleigh_tables, squared_form_factor
from dosewright.materials.photons.vacancies import transitions
from dosewright.transport.photons.photoelectric import sauter_cosine

WORDS = {
    "G4_H": "hydrogen",
    "G4_WATER": "water",
    "G4_AIR": "air",
    "G4_Al": "aluminium",
    "G4_Cu": "copper",
    "G4_W": "tungsten",
    "G4_Pb": "lead",
    "G4_U": "uranium",
    "water": "water",
}
INTRODUCTION = """Made by `python -m benchmarks.photon_processes`. The upper kind of table compares with published
values: the largest difference of all values, where it is, and its bound. The lower kind compares what the compiled
kernels sample with the formula they are meant to follow: chi-square of a histogram, and the value that a right
sampling exceeds once in a thousand. In the pictures lines are formulas or tables, points are what was sampled or
published."""


def attenuation(page: Page) -> None:
    """Coefficients over those of NIST, and their parts."""
    page.section(
        "Attenuation",
        "Totals over those of NISTIR 5632 (Hubbell and Seltzer, version 1.4, 2004), 1.5 keV to 20 MeV, and both sides\n"
        "of edges ([attenuation](../physics/photon_attenuation.md)).",
    )
    rows = []
    picture = Figure(figsize=(11, 4), layout="constrained")
    left, right = picture.subplots(1, 2)
    for (name, table), colour in zip(NIST.items(), COLOURS, strict=True):
        energies, published = np.array(list(table)), np.array(list(table.values()))
        ours = total(named(name), list(energies))
        rows.append(worst(WORDS[name], energies, ours, published, 0.5))
        left.plot(energies, 100 * (ours / published - 1), "o-", markersize=3, color=colour, label=WORDS[name])
    edges = list(NIST_EDGES)
    both = [total(named(name), [edge * (1 - 1e-9), edge * (1 + 1e-9)]) for name, edge in edges]
    at = np.repeat([edge for _, edge in edges], 2)
    rows.append(worst("both sides of edges (Al, W, Pb)", at, np.ravel(both), np.ravel(list(NIST_EDGES.values())), 0.5))
    left.set(xscale="log", xlabel="Energy (MeV)", ylabel="attenuation, ours - NIST (%)", ylim=(-0.8, 0.8))
    band(left, 0.5)
    fine = np.geomspace(1e-3, 50, 2000)
    parts = partial_coefficients(named("G4_Pb"), fine)
    for part, words, colour in zip(parts, ("Rayleigh", "Compton", "pair", "photoelectric"), COLOURS[1:], strict=False):
        right.plot(fine, np.where(part > 0, part, np.nan), "-", linewidth=1, color=colour, label=words)
    right.plot(fine, np.sum(parts, axis=0), "-", color=COLOURS[0], label="total")
    right.plot(list(NIST["G4_Pb"]), list(NIST["G4_Pb"].values()), "k.", label="NIST")
    right.set(xscale="log", yscale="log", xlabel="Energy (MeV)", ylabel="lead (cm2/g)", ylim=(1e-4, 1e4))
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        plain(axes.xaxis, (0.001, 0.01, 0.1, 1, 10))
    page.table(WORST, rows)
    page.picture(picture, "attenuation", "Attenuation coefficients over those of NIST, and their parts in lead")


def energy_absorption(page: Page) -> None:
    """Kerma over energy fluence, which scores kV dose by track length."""
    page.section(
        "Energy absorption",
        "What a photon leaves per path, the table of the [track-length estimator](../physics/track_length.md), over\n"
        "the mass energy-absorption coefficients of NIST. Ours holds the bremsstrahlung of the electrons.",
    )
    rows = []
    picture = Figure(figsize=(5.5, 3.5), layout="constrained")
    axes = picture.subplots()
    for (name, published), colour in zip(NIST_ABSORBED.items(), COLOURS, strict=False):
        ours = absorbed()[name]
        rows.append(worst(WORDS[name], NIST_MEV, ours, published, 0.3))
        axes.plot(NIST_MEV, 100 * (ours / published - 1), "o-", markersize=4, color=colour, label=WORDS[name])
    axes.set(xscale="log", xlabel="Energy (MeV)", ylabel="kerma, ours - NIST (%)", ylim=(-0.5, 0.5))
    band(axes, 0.3)
    plain(axes.xaxis, (0.01, 0.03, 0.1, 0.3, 1))
    page.table(WORST, rows)
    page.picture(picture, "kerma", "Kerma of photons in water and air over energy absorption of NIST")


@kernel
def electron_angles(kinetic, out):
    """Fill cosines of photoelectrons to the photon."""
    for n in range(out.size):
        out[n], _ = sauter_cosine(kinetic, start_stream(4, n))


def sauter(kinetic: float, cosine: np.ndarray) -> np.ndarray:
    """Return Sauter's distribution (Ann. Phys. 403, 454 (1931)), up to a factor."""
    gamma = 1 + kinetic / ELECTRON_MASS_MEV
    beta = np.sqrt(1 - 1 / gamma**2)
    along = 1 - beta * cosine
    return (1 - cosine**2) / along**4 * (1 + 0.5 * gamma * (gamma - 1) * (gamma - 2) * along)


def photoelectric(page: Page) -> None:
    """Angles of photoelectrons, and the lines that follow in tungsten."""
    page.section(
        "Photoelectric absorption and relaxation",
        "K yields against Krause (1979), lines against Bearden (1967), angles of photoelectrons against Sauter\n"
        "(1931). The spectrum: what follows the absorption of 100 keV photons in tungsten, bins of 0.1 keV\n"
        "([photoelectric absorption](../physics/photoelectric.md)).",
    )
    yields = [sum(t.probability for t in transitions(z, 0) if t.radiative) for z in KRAUSE_K]
    heavy = [z >= 42 for z in KRAUSE_K]
    rows = []
    for words, kept, bound in (("K yields, Z 20 and 29", False, 4.0), ("K yields, Z 42 to 82", True, 1.0)):
        chosen = [(z, y, k) for z, y, k, h in zip(KRAUSE_K, yields, KRAUSE_K.values(), heavy, strict=True) if h == kept]
        edges = [max(t.energy for t in transitions(z, 0)) for z, _, _ in chosen]
        rows.append(worst(words, edges, [y for _, y, _ in chosen], [k for _, _, k in chosen], bound))
    ours, published = [], []
    for z, lines in BEARDEN.items():
        of_k = {t.left[0]: t.energy for t in transitions(z, 0) if t.radiative}
        l3m5 = max((t for t in transitions(z, 3) if t.radiative), key=lambda t: t.probability)
        ours += [of_k[3], of_k[2], l3m5.energy]
        published += [line * 1e-3 for line in lines]
    rows.append(worst("energies of K-L3, K-L2, L3-M5 (Cu, Mo, W, Pb)", published, ours, published, 0.2))
    page.table(WORST, rows)

    picture = Figure(figsize=(11, 3.8), layout="constrained")
    angles, lines = picture.subplots(1, 2)
    rows = []
    for kinetic, colour in zip((0.01, 0.1, 1.0), COLOURS, strict=False):
        out = np.zeros(300_000)
        electron_angles(kinetic, out)
        degrees = np.linspace(0, 180, 91)
        fine = np.linspace(0, 180, 20_001)
        density = sauter(kinetic, np.cos(np.radians(fine))) * np.sin(np.radians(fine))
        counts, _ = np.histogram(np.degrees(np.arccos(out)), degrees)
        expected = in_bins(degrees, fine, density, out.size)
        rows.append(spread(f"electron's angle, {1000 * kinetic:g} keV", *merged(counts, expected)))
        bars(angles, degrees, counts, expected, colour, f"{1000 * kinetic:g} keV electrons")
    angles.set(xlabel="Angle to the photon (degrees)", ylabel="per degree")
    angles.legend(frameon=False, fontsize=8)
    found, _ = test_photoelectric.events(test_photoelectric.TUNGSTEN, 0.1, 0.001, 0.02)
    expected = first_lines(0.1)
    keV = (np.arange(found.shape[1]) + 0.5) / 10
    seen = found[0] > 0
    lines.vlines(keV[seen], 1e-5, found[0, seen], color=COLOURS[0], linewidth=1.2, label="sampled")
    strong = expected > 1e-3
    lines.plot(keV[strong], expected[strong], "o", color=COLOURS[1], markersize=3, label="K share x yield x rate")
    lines.set(xlabel="Photon energy (keV)", ylabel="photons per absorption", yscale="log", xlim=(0, 75), ylim=(1e-5, 1))
    lines.legend(frameon=False, fontsize=8)
    page.table(SPREAD, rows)
    page.picture(picture, "photoelectric", "Angles of photoelectrons, and lines of tungsten")


def first_lines(energy: float) -> np.ndarray:
    """Return K photons per absorption in tungsten by bin of 0.1 keV."""
    attenuated, packed = test_photoelectric.tables()
    i, _ = position(attenuated, energy)
    share = packed.share[9 * packed.row_of_z[74], i]
    expected = np.zeros(2000)
    for t in transitions(74, 0):
        expected[int(t.energy * 1e4)] += t.radiative * share * t.probability
    return expected


def merged(counts: np.ndarray, expected: np.ndarray, least: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a histogram without its bins of few events, put together into one."""
    few = expected < least
    sums = [np.append(x[~few], x[few].sum()) for x in (counts.astype(float), expected)]
    return sums[0], sums[1]


def compton(page: Page) -> None:
    """Angles over Klein-Nishina with S, and energies at given angles over the impulse approximation."""
    page.section(
        "Compton scattering",
        "Angles against Klein and Nishina times the incoherent scattering function, energies between 85 and 95\n"
        "degrees against the impulse approximation ([Compton scattering](../physics/compton.md)). The first of the\n"
        "256 quantiles of the angle is one bin: within it, 0.4 % of all scatterings, angles are even in the energy\n"
        "lost, so that too many of these few go nearly straight on.",
    )
    rows = []
    picture = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    cases = [("water", 0.003), ("water", 0.03), ("G4_Pb", 0.1), ("water", 1.0), ("water", 20.0)]
    edges = np.linspace(0, 180, 91)
    fine = np.linspace(1e-4, 180, 40_001)
    for (name, energy), colour in zip(cases, COLOURS, strict=False):
        out = test_compton.sampled(name, energy, events=400_000)
        density = angular_density(name, energy, 1 - np.cos(np.radians(fine))) * np.sin(np.radians(fine))
        counts, _ = np.histogram(np.degrees(np.arccos(out[:, COSINE])), edges)
        expected = in_bins(edges, fine, density, len(out))
        first = max(int(np.searchsorted(np.cumsum(expected), len(out) / INTERVALS)) + 1, 1)
        behind = [np.append(x[:first].sum(), x[first:]) for x in (counts, expected)]
        rows.append(spread(f"angle, {words(name, energy)}", *merged(*behind)))
        bars(left, edges, counts, expected, colour, words(name, energy))
    left.set(xlabel="Scattering angle (degrees)", ylabel="per degree", ylim=(0, 0.03))
    left.legend(frameon=False, fontsize=8)
    for (name, z, energy), colour in zip(
        (("G4_C", 6, 0.03), ("G4_Cu", 29, 0.06), ("G4_Pb", 82, 0.14)), COLOURS, strict=False
    ):
        counts, expected, bins = sideways(name, z, energy)
        rows.append(spread(f"energy at 90 degrees, {named(name).name.removeprefix('G4_')}, {1000 * energy:g} keV",
                           *merged(counts, expected)))  # fmt: skip
        bars(right, bins / energy, counts, expected, colour, f"{name.removeprefix('G4_')}, {1000 * energy:g} keV")
    right.set(xlabel="Energy after scattering by 85 to 95 degrees, over the energy before", ylabel="density",
              xlim=(0.6, 1.0))  # fmt: skip
    right.legend(frameon=False, fontsize=8)
    page.table(SPREAD, rows)
    page.picture(picture, "compton", "Angles of Compton scattering, and energies at a right angle")


def sideways(name: str, z: int, energy: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return counts, expectation and bins of the energy after scattering by 85 to 95 degrees."""
    out = test_compton.sampled(name, energy, events=2_000_000)
    turn = 1 - out[:, COSINE]
    low, high = 1 - np.cos(np.radians([85, 95]))
    after = out[(turn > low) & (turn < high), AFTER]
    bins = np.linspace(0.55, 1.0, 91) * energy
    turns = low + (high - low) * (np.arange(10) + 0.5) / 10
    along = np.linspace(-0.999, 0.999, 40_001)
    expected = np.zeros(bins.size - 1)
    for t, weight in zip(turns, angular_density(name, energy, turns), strict=True):
        here = np.zeros(bins.size - 1)
        for one in shells(z):
            energies, density = impulse(one, energy, t, along)
            known = np.isfinite(energies)
            here += np.histogram(energies[known], bins, weights=one.electrons * density[known])[0]
        expected += weight * here / here.sum()
    counts, _ = np.histogram(after, bins)
    return counts, expected / expected.sum() * counts.sum(), bins


def words(name: str, energy: float) -> str:
    """Return a medium and an energy as words."""
    return f"{WORDS[name]}, {1000 * energy:g} keV" if energy < 1 else f"{WORDS[name]}, {energy:g} MeV"


def rayleigh(page: Page) -> None:
    """Angles over Thomson's with form factors."""
    page.section(
        "Rayleigh scattering",
        "Angles against Thomson's cross section times squared form factors\n"
        "([Rayleigh scattering](../physics/rayleigh.md)).",
    )
    rows = []
    picture = Figure(figsize=(5.5, 3.8), layout="constrained")
    axes = picture.subplots()
    for (name, energy), colour in zip(
        (("water", 0.003), ("water", 0.03), ("G4_Pb", 0.03), ("G4_Pb", 0.1)), COLOURS, strict=False
    ):
        out = np.zeros(500_000)
        test_rayleigh.scatter(rayleigh_tables([named("G4_AIR"), named(name)]), 1, energy, out)
        edges, fine = np.linspace(0, 180, 121), np.linspace(0, 180, 20_001)
        cosine = np.cos(np.radians(fine))
        x = energy / HC_MEV_ANGSTROM * np.sqrt(0.5 * (1 - cosine))
        density = squared_form_factor(named(name), x) * (1 + cosine**2) * np.sin(np.radians(fine))
        counts, _ = np.histogram(np.degrees(np.arccos(1 - out)), edges)
        expected = in_bins(edges, fine, density, out.size)
        rows.append(spread(f"angle, {words(name, energy)}", *merged(counts, expected)))
        bars(axes, edges, counts, expected, colour, words(name, energy))
    axes.set(xlabel="Scattering angle (degrees)", ylabel="per degree", yscale="log", ylim=(1e-6, 0.2))
    axes.legend(frameon=False, fontsize=8)
    page.table(SPREAD, rows)
    page.picture(picture, "rayleigh", "Angles of Rayleigh scattering")


def pair(page: Page) -> None:
    """Shares of the positron, and angles."""
    page.section(
        "Pair production",
        "The positron's share of the kinetic energy against Bethe and Heitler with screening, and the angle of both\n"
        "particles against its leading term, as its cumulative probability, which must be even\n"
        "([pair production](../physics/pair.md)).",
    )
    rows = []
    picture = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    for (name, energy), colour in zip(
        (("water", 1.1), ("water", 3.0), ("G4_Pb", 8.0), ("water", 47.0)), COLOURS, strict=False
    ):
        out = test_pair.sampled(name, energy)
        edges, fine = np.linspace(0, 1, 51), 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 4001))
        counts, _ = np.histogram(out[:, 3] / (energy - 2 * ELECTRON_MASS_MEV), edges)
        expected = in_bins(edges, fine, sharing(named(name), energy / ELECTRON_MASS_MEV, fine), len(out))
        rows.append(spread(f"share, {words(name, energy)}", counts, expected))
        bars(left, edges, counts, expected, colour, words(name, energy))
    out = test_pair.sampled("water", 6.0)
    cosine = np.concatenate((out[:, 5], out[:, 6]))
    total_energy = 1 + np.concatenate((out[:, 2], out[:, 3])) / ELECTRON_MASS_MEV
    for (low, high), colour in zip(((1.5, 3), (5, 7), (9, 11)), COLOURS, strict=False):
        chosen = (total_energy > low) & (total_energy < high)
        edges, fine = np.linspace(0, 90, 61), np.linspace(0, 90, 4001)
        beta = np.sqrt(1 - total_energy[chosen] ** -2.0)
        fewer = np.quantile(beta, np.linspace(0.005, 0.995, 100))[:, None]
        density = (((1 - fewer**2) / (1 - fewer * np.cos(np.radians(fine))) ** 2) * np.sin(np.radians(fine))).mean(0)
        even = (1 / (1 - beta * cosine[chosen]) - 1 / (1 + beta)) * (1 - beta**2) / (2 * beta)
        counts, _ = np.histogram(even, 40, (0.0, 1.0))
        rows.append(spread(f"angle, {low:g} to {high:g} mc2, water, 6 MeV", counts, np.full(40, even.size / 40)))
        counts, _ = np.histogram(np.degrees(np.arccos(cosine[chosen])), edges)
        bars(right, edges, counts, in_bins(edges, fine, density, counts.sum()), colour, f"{low:g} to {high:g} mc2")
    left.set(xlabel="Share of the positron", ylabel="density", ylim=(0, 1.8))
    left.legend(frameon=False, fontsize=8)
    right.set(xlabel="Angle to a photon of 6 MeV (degrees)", ylabel="per degree")
    right.legend(frameon=False, fontsize=8)
    page.table(SPREAD, rows)
    page.picture(picture, "pair", "Shares of the positron, and angles of both particles")


def main() -> None:
    """Compare all processes and write the page."""
    page = Page("photon_processes", "Processes of photons, measured", INTRODUCTION)
    attenuation(page)
    energy_absorption(page)
    photoelectric(page)
    compton(page)
    rayleigh(page)
    pair(page)
    page.write()


if __name__ == "__main__":
    main()
