"""Two heads of BEAMnrc's examples built again, and what goes through their last plane beside BEAMnrc's own files.

``python -m benchmarks.beamnrc_heads [--share 1]`` needs ``shared/data/phsp-egsnrc`` beside the repository and writes
docs/measured/beamnrc_heads.md with a picture. EX16MVp is a photon beam (target, primary collimator, flattening filter,
chamber, mirror, jaws), EX10MeVe an electron beam (foils, chamber, mirror, jaws, applicator), EXslabs 1 m of air. Sizes
are those of the input files distributed with EGSnrc (D. W. O. Rogers et al., NRC report PIRS-509).
"""

import argparse
import itertools
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.process_page import COLOURS
from dosewright.core.particles import COLUMNS, ELECTRON, PHOTON, SPECIES, Particles, PhaseSpaceReader
from dosewright.formats.phase_space.open import open_phase_space
from dosewright.simulation.run_file.read import read_run_file
from dosewright.simulation.run_folder import run_in_folder

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT.parent / "shared" / "data" / "phsp-egsnrc"
PAGE = ROOT / "docs" / "measured" / "beamnrc_heads.md"
FIELD_CM, BESIDE_CM = 5.0, 8.0  # halves of the field and of what is looked at: BEAMnrc drops what leaves its modules
MOST_SIGMAS = 3.0
FEWEST = 100.0  # particles of equal weight that would say as much: with fewer a standard error says little
Array = NDArray[np.float64]
TOP = """# Heads of BEAMnrc, built again

Made by `python -m benchmarks.beamnrc_heads`: two heads of BEAMnrc's examples and 1 m of air, built as scenes from their
input files, and what goes through their last plane beside the phase spaces that BEAMnrc wrote. The field is 10 cm x
10 cm; beside it means up to 8 cm off the axis. Errors are one standard deviation over histories. BEAMnrc ran with
other cross sections of bremsstrahlung (Bethe-Heitler) and without Rayleigh scattering.
"""

MATERIALS = """
[[material]]
name = "W-Ni-Cu"
density_g_cm3 = 17.0
elements = { W = 0.90, Ni = 0.06, Cu = 0.04 }

[[material]]
name = "mild steel"
density_g_cm3 = 7.86
elements = { Fe = 0.99, Mn = 0.007, C = 0.003 }

[[material]]
name = "mica"                              # muscovite, KAl3Si3O10(OH)2
density_g_cm3 = 2.80
elements = { K = 0.0982, Al = 0.2032, Si = 0.2116, O = 0.4819, H = 0.0051 }
"""
AIR, W, FE, AL, PB, CU, NI, AG = "G4_AIR", "G4_W", "G4_Fe", "G4_Al", "G4_Pb", "G4_Cu", "G4_Ni", "G4_Ag"
MYLAR, PMMA, STEEL, MICA, ALLOY = "G4_MYLAR", "G4_PLEXIGLASS", "mild steel", "mica", "W-Ni-Cu"


@dataclass(frozen=True)
class Part:
    """A part of a scene; cm in BEAMnrc's axes, z along the beam from the front."""

    name: str
    shape: str
    material: str
    centre_cm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def text(self) -> str:
        """Return it as a scene file has it."""
        centre = [round(10.0 * c, 9) for c in self.centre_cm]
        return (f'[[part]]\nname = "{self.name}"\n{self.shape}\nmaterial = "{self.material}"\n'
                f"centre_mm = {centre}\nrotation_deg = {list(self.rotation_deg)}\n")  # fmt: skip


def slab(name: str, material: str, front: float, thick: float, half: float) -> Part:
    """Return a square slab from `front` on (CM SLABS)."""
    size = [20.0 * half, 20.0 * half, round(10.0 * thick, 9)]
    return Part(name, f"box = {{ size_mm = {size} }}", material, (0, 0, front + thick / 2))


def disc(name: str, material: str, front: float, thick: float, outer: float, inner: float = 0.0) -> Part:
    """Return a disc or a ring from `front` on."""
    keys = f"radius_mm = {10 * outer:.9g}, length_mm = {10 * thick:.9g}, inner_radius_mm = {10 * inner:.9g}"
    return Part(name, f"tube = {{ {keys} }}", material, (0, 0, front + thick / 2))


def turned_body(name: str, material: str, z: list[float], outer: list[float], inner: list[float]) -> Part:
    """Return a body of revolution (CM CONS3R, FLATFILT)."""
    lists = [[round(10 * value, 9) for value in values] for values in (z, outer, inner)]
    return Part(name, f"polycone = {{ z_mm = {lists[0]}, radius_mm = {lists[1]}, inner_mm = {lists[2]} }}", material)


def jaws(name: str, material: str, axis: str, front: tuple[float, float], back: tuple[float, float]) -> list[Part]:
    """Return a pair of jaws that open along `axis`: (z, opening) of their front and back (CM JAWS)."""
    found = []
    for sign in (-1, 1):
        outline = [(sign * front[1], front[0]), (sign * 10.0, front[0]), (sign * 10.0, back[0]),
                   (sign * back[1], back[0])]  # fmt: skip
        points = [[10 * a, 10 * b] for a, b in outline]
        shape = f"prism = {{ outline_mm = {points}, length_mm = 200.0 }}"
        found.append(Part(f"{name} {sign}", shape, material, (0, 0, 0), (90, 0, 90 if axis == "y" else 0)))
    return found


def mirror(front: float, thick: float, half: float, layers: list[tuple[str, float]]) -> list[Part]:
    """Return layers of a mirror whose edge at +`half` lies in front (CM MIRROR)."""
    angle = np.arctan2(thick, 2 * half)
    length, depth = float(np.hypot(thick, 2 * half)), -sum(t for _, t in layers) / 2
    found = []
    for number, (material, t) in enumerate(layers):
        way = depth + t / 2
        centre = (float(way * np.sin(angle)), 0.0, float(front + thick / 2 + way * np.cos(angle)))
        shape = f"box = {{ size_mm = [{10 * length - 2:.9g}, 150.0, {10 * t:.9g}] }}"
        found.append(Part(f"mirror {number}", shape, material, centre, (0, round(float(np.degrees(angle)), 9), 0)))
        depth += t
    return found


def stack(name: str, front: float, radius: float, layers: list[tuple[str, float]]) -> list[Part]:
    """Return discs one behind another, those of air left out."""
    found = []
    for number, (material, thick) in enumerate(layers):
        if material != AIR:
            found.append(disc(f"{name} {number}", material, front, thick, radius))
        front += thick
    return found


def photon_head() -> list[Part]:
    """Return EX16MVp: 16 MeV electrons on tungsten, a 10 x 10 field at 100 cm."""
    foil, gold = (MYLAR, 0.004), (AL, 2e-5)
    chamber = [foil, gold, (AIR, 0.25), gold, foil, gold, (AIR, 0.25), gold, foil, (AIR, 0.1),
               foil, gold, (AIR, 0.25), gold, foil, gold, (AIR, 0.25), gold, foil]  # fmt: skip
    return [
        slab("target", W, 0.0, 0.5, 2.5),
        turned_body("primary collimator", FE, [0.9, 5.9], [6, 6], [0.5, 3.0]),
        turned_body("filter tip", FE, [8.0, 8.3, 9.0], [0.0, 0.5, 0.8], [0, 0, 0]),
        turned_body("filter core 1", W, [9.0, 10.0], [0.0, 0.4], [0, 0]),
        turned_body("filter cone 1", FE, [9.0, 10.0], [0.8, 1.7], [0.0, 0.4]),
        turned_body("filter core 2", W, [10.0, 11.2], [0.4, 1.2], [0, 0]),
        turned_body("filter cone 2", FE, [10.0, 11.2], [1.7, 3.0], [0.4, 1.2]),
        *stack("chamber", 13.0, 9.9, chamber),
        *mirror(21.0, 2.0, 3.0, [(AL, 0.0001), (PMMA, 0.0065)]),
        *jaws("jaw x", W, "x", (29.0, 1.45), (38.0, 1.9)),
        *jaws("jaw y", W, "y", (38.5, 1.925), (47.3, 2.365)),
        slab("reticle", PMMA, 51.0, 0.03, 30.0),
    ]


def electron_head() -> list[Part]:
    """Return EX10MeVe: 12 MeV electrons through foils and an applicator of 10 x 10."""
    silver, leaf = (AG, 0.00025), (MICA, 0.0254)
    chamber = [(AL, 0.05), (AIR, 0.2), silver, leaf, silver, (AIR, 0.2), (AL, 0.0254), (AIR, 0.2), silver, leaf, silver,
               (AIR, 0.2), (AL, 0.0254), (AIR, 0.2), (AL, 0.05)]  # fmt: skip
    holes = [1.5, 2.5, 2.5, 5.0, 5.0, 7.5, 7.5, 10.0, 10.0, 11.5, 11.5, 13.0, 13.0, 13.5]
    radii = [0.5, 0.5, 1.0, 1.0, 1.25, 1.25, 1.75, 1.75, 2.0, 2.0, 2.01, 2.01, 2.5, 2.5]
    scrapers = [(61.55, 0.15, 7.0, 2.8, AL), (68.6, 0.65, 5.2, 6.75, AL), (83.2, 0.5, 6.05, 4.0, FE),
                (93.9, 1.3, 4.75, 2.8, FE), (96.05, 0.25, 5.1, 4.0, AL)]  # fmt: skip
    return [
        slab("vacuum", "G4_Galactic", 0.0, 0.1, 5.0),
        slab("exit window", NI, 0.1, 0.006, 5.0),
        turned_body("primary collimator", ALLOY, holes, [10.0] * 14, radii),
        disc("foil 1", PB, 15.1619, 0.0152, 0.725),
        disc("foil 2", PB, 15.1771, 0.0127, 1.5),
        disc("foil 3", CU, 15.1898, 0.0102, 2.44),
        disc("foil holder", STEEL, 15.1619, 0.0381, 10.0, 2.45),
        *stack("chamber", 15.6, 5.0, chamber),
        disc("chamber wall", AL, 15.6, 1.0026, 6.0, 5.0),
        disc("ring", STEEL, 18.0, 0.8, 12.0, 3.5),
        *mirror(19.6, 7.0, 3.5, [(MICA, 0.00508), (AL, 0.00508)]),
        *jaws("jaw y", PB, "y", (27.5, 1.925), (37.5, 2.625)),
        *jaws("jaw x", PB, "x", (39.5, 3.16), (49.5, 3.96)),
        *[frame(f"scraper {n}", *values) for n, values in enumerate(scrapers, 1)],
    ]


def frame(name: str, front: float, thick: float, opening: float, width: float, material: str) -> Part:
    """Return a square scraper (CM APPLICAT)."""
    outer, inner, t = 20 * (opening + width), 20 * opening, 10 * thick
    shape = (f"difference = [ {{ box = {{ size_mm = [{outer:.9g}, {outer:.9g}, {t:.9g}] }} }}, "
             f"{{ box = {{ size_mm = [{inner:.9g}, {inner:.9g}, {t + 2:.9g}] }} }} ]")  # fmt: skip
    return Part(name, shape, material, (0, 0, front + thick / 2))


def air() -> list[Part]:
    """Return EXslabs: 1 m of air."""
    return [slab("air", AIR, 0.001, 100.0, 10.0)]


@dataclass(frozen=True)
class Case:
    """A head, its electrons, and how it is run."""

    name: str
    title: str
    parts: list[Part]
    energy_MeV: float
    radius_cm: float
    histories: int
    splitting: int = 0
    fill: str = "air"
    end_cm: float = 100.0


CASES = (
    Case("EXslabs", "20 MeV electrons through 1 m of air", air(), 20.0, 1e-4, 40_000, fill="vacuum", end_cm=100.0011),
    Case("EX10MeVe", "12 MeV electrons, foils and applicator", electron_head(), 12.0, 0.1, 100_000),
    Case("EX16MVp", "16 MeV electrons on tungsten, flattened, 10 x 10", photon_head(), 16.0, 0.001, 60_000, 20),
)


def run(case: Case, share: float, folder: Path) -> tuple[PhaseSpaceReader, dict[str, Any]]:
    """Run a head; return the phase space that it wrote, and the summary."""
    end = slab("end", "fill", case.end_cm, 0.1, 30.0)
    text = f'[scene]\nfill = "{case.fill}"\nbeam = 1\n{MATERIALS}\n' + "\n".join(p.text() for p in [*case.parts, end])
    (folder / "scene.toml").write_text(text, encoding="utf-8")
    reduction = f"[variance_reduction]\nbremsstrahlung_splitting = {case.splitting}\n" if case.splitting else ""
    (folder / "run.toml").write_text(
        f"""
[scene]
file = "scene.toml"

[source]
kind = "volume"
shape = "cylinder"
particle = "electron"
energy_MeV = {case.energy_MeV}
extent_mm = [{20 * case.radius_cm}, {20 * case.radius_cm}, 0.001]
position_mm = [0, 0, -0.002]
direction = [0, 0, 1]

[transport]
photon_cut_MeV = 0.01
electron_cut_MeV = 0.189

{reduction}
[[score]]
quantity = "phase_space"
name = "end"
z_mm = {10 * case.end_cm}
kill = true
format = "native"

[goal]
histories = {max(int(case.histories * share), 1000)}
""",
        encoding="utf-8",
    )
    run_in_folder(read_run_file(folder / "run.toml"), folder / "out")
    said: dict[str, Any] = json.loads((folder / "out" / "summary.json").read_text())
    return open_phase_space(folder / "out" / "end.h5"), said


@dataclass(frozen=True)
class Figures:
    """Per incident electron by species, with one standard deviation over histories; effective numbers of records."""

    values: dict[int, dict[str, tuple[float, float]]]
    spectra: dict[int, tuple[Array, Array, Array]]
    effective: dict[int, float]


def figures(reader: PhaseSpaceReader, highest_MeV: float) -> Figures:
    """Return numbers, energies, spreads and spectra of what went through a plane."""
    p = joined(reader)
    histories = float(reader.info.original_histories or 0)
    history = np.cumsum(p.histories > 0)
    weight, energy = p.weight.astype(float), p.energy_MeV.astype(float)
    away = np.maximum(np.abs(p.x_cm), np.abs(p.y_cm))
    within = away < FIELD_CM

    def mean(chosen: NDArray[np.bool_], value: Array) -> tuple[float, float]:
        of = np.bincount(history[chosen], value[chosen], history[-1] + 1)
        m = of.sum() / histories
        return float(m), float(np.sqrt(max((of**2).sum() / histories - m * m, 0.0) / histories))

    def ratio(chosen: NDArray[np.bool_], value: Array) -> tuple[float, float]:
        above = np.bincount(history[chosen], (weight * value)[chosen], history[-1] + 1)
        below = np.bincount(history[chosen], weight[chosen], history[-1] + 1)
        r = above.sum() / below.sum()
        return float(r), float(np.sqrt(((above - r * below) ** 2).sum()) / below.sum())

    values: dict[int, dict[str, tuple[float, float]]] = {}
    spectra, effective = {}, {}
    edges = np.linspace(0.0, highest_MeV, 25)
    for code in (PHOTON, ELECTRON):
        name, near = f"{SPECIES[code]}s", (p.species == code) & (away < BESIDE_CM)
        inside, of = near & within, values.setdefault(code, {})
        effective[code] = float(weight[near].sum() ** 2 / max((weight[near] ** 2).sum(), 1e-300))
        of[f"{name} in the field"] = mean(inside, weight)
        of[f"{name} beside the field"] = mean(near & ~within, weight)
        of[f"energy of {name} in the field (MeV)"] = mean(inside, weight * energy)
        of[f"mean energy of {name} in the field (MeV)"] = ratio(inside, energy)
        of[f"mean energy of {name} beside the field (MeV)"] = ratio(near & ~within, energy)
        of[f"mean radius of {name} (cm)"] = ratio(near, np.hypot(p.x_cm, p.y_cm).astype(float))
        of[f"mean angle of {name} (rad)"] = ratio(near, np.arctan2(np.hypot(p.u, p.v), p.w).astype(float))
        bins = [mean(inside & (energy >= low) & (energy < high), weight)
                for low, high in itertools.pairwise(edges)]  # fmt: skip
        spectra[code] = (edges, np.array([b[0] for b in bins]), np.array([b[1] for b in bins]))
    return Figures(values, spectra, effective)


def joined(reader: PhaseSpaceReader) -> Particles:
    """Return all particles of a small phase space."""
    batches = list(reader.batches())
    columns: dict[str, Any] = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in COLUMNS}
    return Particles(**columns)


def table(ours: Figures, theirs: Figures) -> tuple[list[str], int]:
    """Return rows of a table, and how many of them are further apart than `MOST_SIGMAS`."""
    rows = ["| per incident electron | Dosewright | BEAMnrc | difference | in sigmas |", "|---|---|---|---|---|"]
    missed = 0
    for code, figures_of in ours.values.items():
        fewest = min(ours.effective[code], theirs.effective[code])
        if fewest < FEWEST:
            rows.append(f"| {SPECIES[code]}s | | | | too few to compare: as much as {fewest:.0f} of equal weight |")
            continue
        for name, (a, da) in figures_of.items():
            b, db = theirs.values[code][name]
            sigmas = (a - b) / np.hypot(da, db)
            missed += abs(sigmas) > MOST_SIGMAS
            mark = " **missed**" if abs(sigmas) > MOST_SIGMAS else ""
            rows.append(f"| {name} | {a:.4g} ± {100 * da / a:.1f} % | {b:.4g} ± {100 * db / b:.1f} % | "
                        f"{100 * (a / b - 1):+.1f} % | {sigmas:+.1f}{mark} |")  # fmt: skip
    return rows, missed


def picture(found: list[tuple[Case, Figures, Figures]]) -> Figure:
    """Draw the spectra in the field beside each other."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplots(2, len(found))
    for column, (case, ours, theirs) in enumerate(found):
        for row, code in enumerate((PHOTON, ELECTRON)):
            ax = axes[row, column]
            edges, value, error = ours.spectra[code]
            width = np.diff(edges)
            ax.stairs(value / width, edges, color=COLOURS[0], label="Dosewright")
            middle = (edges[1:] + edges[:-1]) / 2
            _, b, db = theirs.spectra[code]
            ax.errorbar(middle, b / width, db / width, fmt=".", color=COLOURS[1], label="BEAMnrc", ms=4, lw=1)
            ax.fill_between(edges, np.append(value - error, 0) / np.append(width, 1),
                            np.append(value + error, 0) / np.append(width, 1), step="post", color=COLOURS[0], alpha=0.3,
                            lw=0)  # fmt: skip
            if b.any():
                ax.set_yscale("log")
                ax.set_ylim(b[b > 0].min() / width[0] / 3)
            ax.set_title(f"{case.name}: {SPECIES[code]}s", fontsize=9)
            ax.set_xlabel("energy (MeV)", fontsize=8)
            ax.set_ylabel("per MeV and electron", fontsize=8)
            ax.tick_params(labelsize=8)
    axes[0, 0].legend(frameon=False, fontsize=8)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Run all heads and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the histories; below 1 no page is written")
    parser.add_argument("--only", help="one case, without a page")
    asked = parser.parse_args(arguments)
    if not FILES.is_dir():
        print(f"The folder {FILES.parent.name}/{FILES.name} of shared data is missing: nothing to compare with.")
        return
    text, found = [TOP], []
    for case in (case for case in CASES if asked.only in (None, case.name)):
        with tempfile.TemporaryDirectory() as name:
            reader, said = run(case, asked.share, Path(name))
            ours = figures(reader, case.energy_MeV)
        theirs = figures(open_phase_space(FILES / f"{case.name}.egsphsp1"), case.energy_MeV)
        rows, missed = table(ours, theirs)
        seconds = said["cpu_seconds"]
        text += [f"## {case.name}: {case.title}", "", *rows, "",
                 f"{said['histories']:,} electrons, {seconds:.0f} s of processor time; {missed} of {len(rows) - 2} "
                 f"further apart than {MOST_SIGMAS:g} sigmas.", ""]  # fmt: skip
        print("\n".join(text[-len(rows) - 4 :]), flush=True)
        found.append((case, ours, theirs))
    if asked.share == 1.0 and asked.only is None:
        picture(found).savefig(PAGE.with_suffix(".png"), dpi=110)
        text.append("![Spectra in the field](beamnrc_heads.png)\n")
        PAGE.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
