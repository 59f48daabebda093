"""Decks of FRED carried out beside doses of FRED and MCsquare; ``python -m benchmarks.fred_decks`` writes the page.

The decks (matRad and pyRadPlan, BSD-3-Clause) have fields, energy layers and spots; the text that delivers them is our
own. Statistics of the references come from deliveries of ours with as many histories as theirs.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.delivery.steps import read_delivery
from dosewright.formats.dose.mhd import read_mhd
from dosewright.simulation.result import KEV_PER_UM
from dosewright.workflow.report.palette import INK, MC, TPS
from dosewright.workflow.treatment.deliver import deliver_all
from dosewright.workflow.treatment.sums import RegionSums
from dosewright.workflow.treatment.treatment import treatment_of

Floats = NDArray[np.float64]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measured" / "fred_decks.md"
DATA = ROOT.parent / "shared" / "data" / "fred-decks"
INSIDE = (slice(1, -1),) * 3  # the water, without the air around it
PARTICLES = 1e6  # of FRED's dose per unit of weight: matRad and pyRadPlan count protons in millions
HISTORIES = 50_000  # of ours, per pencil beam
NOISY, REPEATED = 7, 60  # histories per pencil beam of the noisy references, see the page; drawings of their noise
AXES = ("left", "up", "front")
DELIVERY = """
include: {plan}
def: sad = plan.get('SAD')
for(one in plan.get('Fields'))<
  field: ${{one['fieldNumber']}} ; O = [0,$sad,0] ; L = ${{one['dim']}} ; l = [0,0,-1] ; u = [1,0,0]
  deactivate: field_${{one['fieldNumber']}}
  for(layer in one.get('Layers'))<
    for(spot in layer.get('beamlets'))<
      pb: ${{spot['beamletID']}} ${{one['fieldNumber']}} ; T = ${{layer['Energy']}} ; EFWHM = ${{layer['Espread']}} ; Xsec = gauss ; FWHM = ${{layer['FWHM']}} ; P = ${{spot['P']}} ; v = ${{spot['v']}} ; N = ${{spot['w']}}
    for>
  for>
for>
save_regions: 0
for(one in plan.get('Fields'))<
  activate: field_${{one['fieldNumber']}}
  transform: Phantom move_to ${{one['ISO'].item(0)}} ${{one['ISO'].item(1)}} ${{one['ISO'].item(2)}} room
  transform: Phantom rotate y ${{one['CA']}} room
  transform: Phantom rotate z ${{one['GA']}} room
  deliver: field_${{one['fieldNumber']}}
  restore: 0
for>
"""  # noqa: E501  (a pencil beam is one line)
REGIONS = {"matrad": "inp/regions/regions.inp", "pyradplan": "inp/regions/regions.inp"}
PLANS = {"matrad": "inp/plan/plan.inp", "pyradplan": "inp/plan/plan.inp"}
FOLDERS = {"matrad": ".", "pyradplan": "inp"}  # in which the names of its files begin
CT_FOLDER = {"matrad": "inp/regions", "pyradplan": "regions"}


@dataclass(frozen=True)
class Deck:
    """A deck carried out: what its phantom received, the same with as many histories as a noisy reference, and of
    primary protons alone.
    """

    name: str
    sums: RegionSums
    noise: tuple[RegionSums, ...]
    primaries: RegionSums

    @property
    def dose_Gy(self) -> Floats:
        """The dose of a million protons per unit of weight."""
        return PARTICLES * self.sums.medium.dose_Gy


def delivered(name: str, histories: int, seeds: Sequence[int], off: tuple[str, ...] = ()) -> list[RegionSums]:
    """Carry a deck out with each seed; return what its phantom received per unit of weight. `off`: processes."""
    folder = DATA / name
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "fred.inp"
        inside = (folder / FOLDERS[name]).resolve()
        regions, plan = (os.path.relpath(folder / part[name], inside) for part in (REGIONS, PLANS))
        path.write_text(f"include: {regions}\n" + DELIVERY.format(plan=plan), encoding="utf-8")
        delivery = read_delivery(path, inside, histories)
        found = []
        for seed in seeds:
            portions = [
                replace(one, settings=replace(one.settings, processes_off=off))
                for one in treatment_of(delivery, seed).portions
            ]
            found.append(deliver_all(portions, Path(temporary) / str(seed))["Phantom"])
        return found


def along(values: Floats, axis: int) -> Floats:
    """Return what the water received along an axis (left, up, front), summed across."""
    summed: Floats = values[INSIDE].sum(axis=tuple(k for k in range(3) if k != 2 - axis))
    return summed


@dataclass(frozen=True)
class Compared:
    """A reference beside ours: ratio of the sums over the water; per axis the mean ratio of planes and chi-squared."""

    ratio: float
    ratio_sigma: float
    planes: tuple[tuple[float, float, float], ...]  # root mean square difference of planes, percent; chi2; planes


def compare(deck: Deck, reference: Floats, *, noisy: bool) -> Compared:
    """Compare with a reference; the noise of a noisy one is that of our drawings."""
    ours = deck.dose_Gy
    drawn = [PARTICLES * one.medium.dose_Gy for one in deck.noise]
    total = float(reference[INSIDE].sum())
    sigma = float(np.std([one[INSIDE].sum() for one in drawn], ddof=1)) / total if noisy else 0.0
    planes = []
    for axis in range(3):
        a, b = along(ours, axis), along(reference, axis)
        high = a > 0.1 * a.max()
        spread = np.std([along(one, axis) for one in drawn], axis=0, ddof=1)
        chi2 = float((((b - a) / spread)[high] ** 2).sum()) if noisy else float("nan")
        planes.append((100 * float(np.sqrt(np.mean((b / a - 1)[high] ** 2))), chi2, float(high.sum())))
    return Compared(float(ours[INSIDE].sum()) / total, sigma, tuple(planes))


def mcsquare_dose() -> Floats:
    """Return MCsquare's dose in the axes of FRED's phantom, Gy for a million protons per spot.

    MCsquare writes eV/g per proton, the mean over all spots, and flips y. One spot in fourteen has each proton.
    """
    image = read_mhd(DATA / "mcsquare-output" / "Dose.mhd").values.astype(float)
    spots = 14
    dose: Floats = image[:, ::-1] * 1e-6 * MEV_PER_G_IN_GY * PARTICLES * spots
    return dose


def row(name: str, found: Compared) -> str:
    """Return a row of the table."""
    ratio = f"{found.ratio:.4f}" + (f" ± {found.ratio_sigma:.4f}" if found.ratio_sigma else "")
    cells = [f"{rms:.1f} %" + ("" if np.isnan(chi2) else f" ({chi2:.1f} of {n:.0f})") for rms, chi2, n in found.planes]
    return f"| {name} | {ratio} | " + " | ".join(cells) + " |"


def balance(deck: Deck, reference: Floats, energies_MeV: float) -> str:
    """Return the share of the energy of all particles that a reference has left in the water."""
    grams = 1.0  # of a voxel of water of 1 cm3
    share = float(reference[INSIDE].sum()) * grams / MEV_PER_G_IN_GY / PARTICLES / energies_MeV
    mine = float(deck.dose_Gy[INSIDE].sum()) * grams / MEV_PER_G_IN_GY / PARTICLES / energies_MeV
    return f"{100 * share:.1f} % (ours {100 * mine:.1f} %)"


def draw(path: Path, decks: Sequence[Deck], references: dict[str, dict[str, Floats]]) -> None:
    """Draw the planes along up and left of all doses."""
    figure = Figure(figsize=(11.0, 3.6 * len(decks)), layout="constrained")
    for place, deck in enumerate(decks):
        for column, axis in enumerate((1, 0)):
            axes = figure.add_subplot(len(decks), 2, 2 * place + column + 1)
            middles = np.arange(1, along(deck.dose_Gy, axis).size + 1) + 0.5
            axes.plot(middles, along(deck.dose_Gy, axis), color=MC, label="Dosewright")
            for mark, (name, values) in zip("ox", references[deck.name].items(), strict=False):
                axes.plot(middles, along(values, axis), mark, color=TPS if mark == "o" else INK, label=name, ms=4)
            axes.set(
                title=f"{deck.name}: along {AXES[axis]}", xlabel="cm", ylabel="Gy, summed across", ylim=(0.0, None)
            )
            axes.legend(fontsize=7)
    figure.savefig(path, dpi=110)


def page(decks: Sequence[Deck], references: dict[str, dict[str, Floats]]) -> str:
    """Return the page."""
    rows = [
        row(f"{deck.name}: {name}", compare(deck, values, noisy=not name.endswith("(quiet)")))
        for deck in decks
        for name, values in references[deck.name].items()
    ]
    balances = [
        f"| {deck.name}: {name} | {balance(deck, values, ENERGY_MEV[deck.name])} |"
        for deck in decks
        for name, values in references[deck.name].items()
    ]
    let = let_rows(decks[0])
    return "\n".join([*TOP, "", *TABLE, *rows, "", *BALANCE, *balances, "", *LET, *let, "", PICTURE, ""])


# Sum over the pencil beams of the mean energies that the decks give, each of weight 1.
ENERGY_MEV = {
    "matrad": 10 * 106.0783 + 2 * 112.3394 + 2 * 118.357,
    "pyradplan": 10 * 106.30447592769909 + 2 * 112.52418091932932,
}
TOP = (
    "# Decks of FRED",
    "",
    "Written by `python -m benchmarks.fred_decks`. Two decks (matRad and pyRadPlan, BSD-3-Clause): two opposed proton",
    "fields of 5 to 7 spots, about 106 to 118 MeV, on 8 x 18 x 8 cm of water in air, voxels of 1 cm. FRED's doses lie",
    f"beside them. Ours are from {HISTORIES:,} histories per pencil beam. The text that delivers the decks is our own:",
    "the field 100 cm above the isocentre, the patient moved and turned under it.",
    "",
    "**Normalisation** is not fitted. FRED's doses are those of a million protons per unit of weight, as both",
    "planning systems count protons in millions; the balance of energy below shows it. MCsquare writes eV/g per",
    "proton, the mean over its 14 spots, with y reversed.",
    "",
    "**Noise.** The inputs say 100 and 200 histories per pencil beam; the doses say otherwise. FRED's dose of the deck",
    "of matRad, and MCsquare's, vanish in planes that every fiftieth proton reaches: after 1400 histories that would",
    "not happen, after a hundred in all it does. Their noise is taken as that: the spread of "
    f"{REPEATED} deliveries of ours",
    f"with {NOISY} histories per pencil beam, stated behind ± (one sigma). Ours share histories evenly; where a code",
    "draws its spots at random, as MCsquare does, the noise along the beams is larger. FRED's dose of the deck of",
    "pyRadPlan is symmetric to 0.1 % and is taken as quiet.",
)
TABLE = (
    "## Dose in the water",
    "",
    "*Sum*: ours over theirs. *Planes*: root mean square difference of planes across an axis with more than a tenth of",
    "the highest; in brackets chi-squared of so many planes. Beams run along up.",
    "",
    "| deck, reference | sum | planes along left | along up | along front |",
    "|---|--:|--:|--:|--:|",
)
BALANCE = (
    "## Balance of energy",
    "",
    "Dose times mass of the water, over the kinetic energy of a million protons per spot.",
    "",
    "| deck, reference | left in the water |",
    "|---|--:|",
)
LET = (
    "## LET",
    "",
    "Dose-averaged, keV/um, in the middle of the deck of matRad along up, in the water: of all protons, primary and",
    "secondary, unrestricted and in water. *Primaries* is the same without nuclear interactions. *As few* are ours",
    f"with as few histories as the references: the median of {REPEATED} deliveries, and where nine of ten lie. So few",
    "hardly ever meet a secondary proton: most voxels show the primaries alone, a few the double and more. FRED's",
    "manual names equation 14 of Polster et al., Phys. Med. Biol. 60 (2015) 5053, and does not say which protons it",
    "takes; these doses cannot tell.",
    "",
    "| voxel | Dosewright | primaries | as few | nine of ten | FRED | MCsquare |",
    "|---|--:|--:|--:|--:|--:|--:|",
)
PICTURE = "![Planes across up and left, summed](fred_decks.png)"


def let_rows(deck: Deck) -> list[str]:
    """Return LET on the four middle rows along up, averaged, and how many of the references are as ours with as few."""
    fred = read_mhd(DATA / deck.name / "out" / "score" / "Phantom.LETd.mhd").values * KEV_PER_UM
    mcsquare = read_mhd(DATA / "mcsquare-output" / "LET.mhd").values[:, ::-1]
    ours, primaries = let_along(deck.sums), let_along(deck.primaries)
    low, middle, high = np.percentile([let_along(one) for one in deck.noise], [5, 50, 95], axis=0)
    references = [values[4:6, :, 4:6].mean(axis=(0, 2)) for values in (fred, mcsquare)]
    inside = [int(((low <= one) & (one <= high))[1:19].sum()) for one in references]
    rows = [
        f"| {n} | {ours[n]:.2f} | {primaries[n]:.2f} | {middle[n]:.2f} | {low[n]:.2f} to {high[n]:.2f} | "
        + " | ".join(f"{one[n]:.2f}" for one in references)
        + " |"
        for n in range(1, 19)
    ]
    return [
        *rows,
        "",
        f"Of 18 voxels {inside[0]} of FRED's and {inside[1]} of MCsquare's lie where nine of ten of ours do.",
    ]


def let_along(sums: RegionSums) -> Floats:
    """Return LETd on the four middle rows along up, averaged (keV/um)."""
    if sums.let_d is None:
        raise AssertionError("a deck without LETd")
    along_up: Floats = sums.let_d.average_keV_um()[4:6, :, 4:6].mean(axis=(0, 2))
    return along_up


def main() -> None:
    """Carry the decks out and write page and picture."""
    decks = [
        Deck(
            name,
            delivered(name, HISTORIES, [1])[0],
            tuple(delivered(name, NOISY, range(2, 2 + REPEATED))),
            delivered(name, HISTORIES, [1], off=("nuclear",))[0],
        )
        for name in ("matrad", "pyradplan")
    ]
    fred = {name: read_mhd(DATA / name / "out" / "score" / "Phantom.Dose.mhd").values.astype(float)
            for name in ("matrad", "pyradplan")}  # fmt: skip
    references = {
        "matrad": {"FRED": fred["matrad"], "MCsquare": mcsquare_dose()},
        "pyradplan": {"FRED (quiet)": fred["pyradplan"]},
    }
    PAGE.write_text(page(decks, references), encoding="utf-8")
    draw(PAGE.with_suffix(".png"), decks, references)
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main()
