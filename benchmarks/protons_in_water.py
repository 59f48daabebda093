"""Protons in water and titanium against reference codes: ``python -m benchmarks.protons_in_water [CASE ...]``.

Cases: full em titanium others. Reads ../shared/reference (says so where it is missing) and writes
docs/measured/protons_in_water.md with pictures of the depth doses and their differences.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tests.physics.water_runs import Run, core_sigma_mm, distal_mm, merged, pencil_on_slabs

from benchmarks.proton_figures import (
    DEPOSITED,
    DOSE_FRACTIONS,
    FALLOFF,
    HALO,
    MEASURED,
    PEAK,
    R80,
    REFERENCE,
    SIGMA_FRACTIONS,
    Bound,
    Figures,
    Floats,
    Row,
    at,
    depths_mm,
    distal_figures,
    ours,
    reference,
    sigma_at,
    table,
    theirs,
    with_error,
)

SUB_RUNS = 8
CODES = {"Geant4 11.4": "geant4", "MCsquare": "mcsquare"}
COLOURS = {"Geant4 11.4": "#c1440e", "MCsquare": "#7a5195", "TOPAS": "#E69F00"}
OURS = "#0b5563"
BOUNDS = {
    R80: Bound("0.2 mm", absolute=0.2),
    FALLOFF: Bound("0.1 mm", absolute=0.1),
    PEAK: Bound("2 %", relative=0.02),
    DEPOSITED: Bound("1 %", relative=0.01),
    HALO: Bound("inside"),
    **{at(f): Bound("1.5 %", relative=0.015) for f in DOSE_FRACTIONS},
    **{sigma_at(f): Bound("4 %", relative=0.04) for f in SIGMA_FRACTIONS},
}
HALO_BAND = (6.0, 10.0)  # percent at 200 MeV and half range, what reference codes span
WINDOW_MM = {100.0: 2.5, 200.0: 5.0}  # of the depth dose without nuclear interactions
TITANIUM_LAYERS_MM = (0.0, 40.0, 60.0, 140.0)
BEHIND_TITANIUM = {
    "R80": Bound("0.4 mm", absolute=0.4),
    "plateau": Bound("2 %", relative=0.02),
    "sigma": Bound("4 %", relative=0.04),
}
TOP = """# Protons in water, measured

Made by `python -m benchmarks.protons_in_water`: mono-energetic pencils of no width (titanium: sigma 3 mm), water of
1 g/cm3 with a mean excitation energy of 78 eV; Geant4 11.4 (option4-like, ICRU 90, binary cascade) and MCsquare as run
for the reference doses, TOPAS from base data of matRad. All are read with the same code, but TOPAS, whose figures come
as published. Widths are sigmas of the Gaussian core in slabs of 2.5 mm; the halo is the share of the energy beyond
10 mm in one projection at half range. The band is what Geant4 and MCsquare span (TOPAS where it is alone); a figure may
lie outside by the bound. Uncertainties are standard errors of the mean of {sub_runs} runs with seeds of their own.

The reference doses have statistics too, at half range in a bin of 0.5 mm: {statistics}.
"""


@dataclass(frozen=True)
class Case:
    """A problem of the reference codes: its settings here, and the names of the reference files."""

    energy_MeV: float
    histories: int
    depth_mm: float
    codes: dict[str, str]
    dx_mm: float = 0.5
    dz_mm: float = 0.5
    off: tuple[str, ...] = ()
    slabs: tuple[tuple[float, float, str, float], ...] = ()
    sigma_mm: float = 0.0

    def run(self, share: float) -> list[Run]:
        """Run it in equal parts with different seeds, a share of the histories."""
        each = max(int(self.histories * share / SUB_RUNS), 200)
        return [
            pencil_on_slabs(
                self.energy_MeV,
                each,
                self.depth_mm,
                self.dz_mm,
                slabs=self.slabs,
                off=self.off,
                sigma_mm=self.sigma_mm,
                dx_mm=self.dx_mm,
                seed=seed,
            )
            for seed in range(1, SUB_RUNS + 1)
        ]

    def references(self) -> dict[str, dict[str, Any]]:
        """Read the reference doses that are there."""
        return {name: reference(file) for name, file in self.codes.items()}


def files(ending: str, codes: Sequence[str] = tuple(CODES)) -> dict[str, str]:
    """Name the reference file of each code."""
    return {code: f"{CODES[code]}{ending}" for code in codes}


FULL = {
    100.0: Case(100.0, 800_000, 90.0, files("_p100"), dx_mm=0.25),
    200.0: Case(200.0, 500_000, 290.0, files("_p200")),
}
EM_ONLY = {
    100.0: Case(100.0, 400_000, 90.0, files("-emonly_p100"), off=("nuclear",)),
    200.0: Case(200.0, 300_000, 290.0, files("-emonly_p200", ["Geant4 11.4"]), off=("nuclear",)),
}
TITANIUM = Case(150.0, 500_000, 140.0, files("_ti150"), slabs=((40.0, 60.0, "G4_Ti", 4.54),), sigma_mm=3.0)
OTHERS = {
    energy: Case(energy, 200_000, depth, {}, dx_mm=1.0, dz_mm=dz)
    for energy, depth, dz in (
        (60.0, 40.0, 0.1),
        (70.6, 50.0, 0.1),
        (150.0, 180.0, 0.25),
        (230.0, 370.0, 0.5),
        (250.0, 420.0, 0.5),
    )
}


def rows(found: Figures, error: Figures, codes: dict[str, Figures], shown: dict[str, Figures], halo: bool) -> list[Row]:
    """Compare with the band of `codes`; `shown` are columns that do not widen it."""
    made = []
    for name, value in found.items():
        each = {code: f[name] for code, f in codes.items() if name in f}
        more = {code: f[name] for code, f in shown.items() if name in f}
        band = (min(each.values()), max(each.values())) if each else None
        if name == HALO:
            band = HALO_BAND if halo else None
        made.append(Row(name, value, error[name], each | more, band, BOUNDS.get(name)))
    return made


def topas() -> dict[float, Figures]:
    """Return the figures of TOPAS by nominal energy, range and energy moved from the tabulated to the nominal one."""
    entries = reference("matrad_basedata_facts")["machines"]["protons_generic_TOPAS"]["entries"]
    found = {}
    for entry in entries:
        m = entry["metrics"]
        doses = {at(f): m["idd_at_fraction_of_R80"][f"{f:g}"] for f in DOSE_FRACTIONS}
        found[float(entry["nominal_E"])] = {
            R80: entry["R80_shifted_to_nominal_mm"],
            FALLOFF: m["falloff80_20_mm"],
            PEAK: m["peak_value"],
            **doses,
        }
    return found


def full_rows(energy: float, runs: Sequence[Run]) -> list[Row]:
    """Compare runs with all processes."""
    found, error = with_error(runs, ours)
    codes = {name: theirs(code) for name, code in FULL[energy].references().items()}
    return rows(found, error, codes, {"TOPAS": topas()[energy]}, energy == 200.0)


def full(share: float) -> list[str]:
    """100 and 200 MeV with all processes."""
    page, drawn = [], []
    for energy, case in FULL.items():
        runs = case.run(share)
        page += [f"## {energy:g} MeV, {case.histories * share:,.0f} primaries\n", *table(full_rows(energy, runs)), ""]
        drawn.append((f"{energy:g} MeV", merged(runs), case.references()))
    draw(drawn, "protons_in_water.png")
    return [*page, "![Depth doses of three codes and their differences](protons_in_water.png)\n"]


def em_rows(energy: float, runs: Sequence[Run]) -> list[Row]:
    """Compare runs without nuclear interactions: range, falloff, peak, and the largest difference in any window.

    Windows end 2 mm before the R80 of the code. Where the codes' own ranges differ, no dose meets all of them near the
    peak, so the difference from the band of all codes is there too.
    """
    codes = EM_ONLY[energy].references()
    found, error = with_error(runs, lambda run: distal_figures(run.depth_dose, run.z_mm))
    same = {name: distal_figures(np.array(code["idd"]), depths_mm(code)) for name, code in codes.items()}
    made = rows(found, error, same, {}, False)
    by_code: dict[str, list[dict[str, Any]]] = {name: [code] for name, code in codes.items()}
    if len(codes) > 1:
        by_code["the band"] = list(codes.values())
    for name, group in by_code.items():
        depth, difference = differences(merged(runs), group, WINDOW_MM[energy])
        i = int(np.argmax(abs(difference)))
        each = [differences(run, group, WINDOW_MM[energy])[1][i] for run in runs]
        said = f"largest difference from {name} (%), at {depth[i]:.4g} mm"
        by_chance = float(np.std(each, ddof=1) / np.sqrt(len(runs)))
        made.append(Row(said, float(difference[i]), by_chance, {}, (0.0, 0.0), Bound("1 %", absolute=1.0)))
    return [*made, *(shape_row(name, code, runs, WINDOW_MM[energy]) for name, code in codes.items())]


def shape_row(name: str, code: dict[str, Any], runs: Sequence[Run], width_mm: float) -> Row:
    """Return the largest difference from a code whose depths are scaled so that both have the same R80."""
    scale = distal_mm(np.array(code["idd"]), depths_mm(code), 0.8)
    scale /= distal_mm(merged(runs).depth_dose, runs[0].z_mm, 0.8)
    drawn = [replace(run, z_mm=run.z_mm * scale, dz_mm=run.dz_mm * scale) for run in runs]
    depth, difference = differences(merged(drawn), [code], width_mm)
    i = int(np.argmax(abs(difference)))
    each = [differences(run, [code], width_mm)[1][i] for run in drawn]
    said = f"the same from {name} with R80 set equal (%), at {depth[i]:.4g} mm"
    by_chance = float(np.std(each, ddof=1) / np.sqrt(len(runs)))
    return Row(said, float(difference[i]), by_chance, {}, (0.0, 0.0), Bound("1 %", absolute=1.0))


def em_only(share: float) -> list[str]:
    """100 and 200 MeV without nuclear interactions, depth by depth."""
    page, drawn = [], []
    for energy, case in EM_ONLY.items():
        runs, codes, width = case.run(share), case.references(), WINDOW_MM[energy]
        page.append(f"## {energy:g} MeV without nuclear interactions, {case.histories * share:,.0f} primaries\n")
        page += table(em_rows(energy, runs))
        page.append(
            f"\nDifferences in windows of {width:g} mm up to 2 mm before R80. Near the peak they are differences of"
            " range; where the codes' own ranges differ, no dose is within 1 % of each there, but of their band.\n"
        )
        page += [*difference_table(merged(runs), codes, width), ""]
        drawn.append((f"{energy:g} MeV, nuclear off", merged(runs), codes))
    draw(drawn, "protons_em_only.png")
    return [*page, "![Depth doses without nuclear interactions and their differences](protons_em_only.png)\n"]


def in_windows(depth_dose: Floats, z_mm: Floats, edges: Floats) -> Floats:
    """Return the mean depth dose between edges, bins shared between windows by length."""
    dz = z_mm[1] - z_mm[0]
    cumulated = np.concatenate([[0.0], np.cumsum(depth_dose) * dz])
    at_edges = np.interp(edges, np.concatenate([[0.0], z_mm + dz / 2]), cumulated)
    return np.asarray(np.diff(at_edges) / np.diff(edges), float)


def differences(run: Run, codes: Sequence[dict[str, Any]], width_mm: float) -> tuple[Floats, Floats]:
    """Return the middles of depth windows and by how many percent the run lies above the band of codes or below it."""
    doses = [(np.array(code["idd"]), depths_mm(code)) for code in codes]
    end = min(distal_mm(idd, z, 0.8) for idd, z in doses) - 2.0
    edges = np.arange(end, 0.0, -width_mm)[::-1]
    mine = in_windows(run.depth_dose, run.z_mm, edges)
    band = np.array([in_windows(idd, z, edges) for idd, z in doses])
    low, high = band.min(0), band.max(0)
    return (edges[1:] + edges[:-1]) / 2, 100 * (mine / np.clip(mine, low, high) - 1)


def difference_table(run: Run, codes: dict[str, dict[str, Any]], width_mm: float) -> list[str]:
    """Return the differences of about a dozen windows, the last four among them."""
    columns = {name: differences(run, [code], width_mm) for name, code in codes.items()}
    count = min(len(d) for _, d in columns.values())
    chosen = sorted({*np.linspace(-count, -5, 9).astype(int).tolist(), -4, -3, -2, -1})
    first = next(iter(columns.values()))[0]
    head = "| before R80 by (mm) | " + " | ".join(columns) + " |"
    lines = [head, "|---" * (len(columns) + 1) + "|"]
    end = first[-1] + width_mm / 2 + 2.0
    for i in chosen:
        lines.append(f"| {end - first[i]:.1f} | " + " | ".join(f"{d[i]:+.2f} %" for _, d in columns.values()) + " |")
    return lines


def titanium_rows(runs: Sequence[Run]) -> list[Row]:
    """Compare runs through titanium: distal figures behind it, plateaus, widths."""
    codes = TITANIUM.references()
    first = next(iter(codes.values()))

    def read(run: Run) -> Figures:
        behind = run.z_mm > TITANIUM_LAYERS_MM[2]
        kept = distal_figures(run.depth_dose[behind], run.z_mm[behind]) | {DEPOSITED: float(run.energy.sum())}
        for zone in first["zones"]:
            inside = (run.z_mm > zone["from_mm"]) & (run.z_mm < zone["to_mm"])
            kept[f"plateau, {zone['zone']} (MeV/cm)"] = float(run.depth_dose[inside].mean())
        return kept | {f"sigma at {d} mm (mm)": sigma_by_line(run, float(d)) for d in first["sigma_at_mm"]}

    def same(code: dict[str, Any]) -> Figures:
        behind = depths_mm(code) > TITANIUM_LAYERS_MM[2]
        kept = distal_figures(np.array(code["idd"])[behind], depths_mm(code)[behind])
        kept[DEPOSITED] = code["energy_deposited_MeV_per_primary"]
        kept |= {f"plateau, {zone['zone']} (MeV/cm)": zone["mean_idd"] for zone in code["zones"]}
        return kept | {f"sigma at {d} mm (mm)": s for d, s in code["sigma_at_mm"].items()}

    found, error = with_error(runs, read)
    compared = rows(found, error, {name: same(code) for name, code in codes.items()}, {}, False)
    return [replace(row, bound=BEHIND_TITANIUM.get(row.name.split()[0].rstrip(","), row.bound)) for row in compared]


def titanium(share: float) -> list[str]:
    """20 mm of titanium at 40 mm of water, 150 MeV."""
    runs = TITANIUM.run(share)
    draw([("titanium, 150 MeV", merged(runs), TITANIUM.references())], "protons_titanium.png")
    title = f"## 150 MeV, 20 mm of titanium behind 40 mm of water, {TITANIUM.histories * share:,.0f} primaries\n"
    return [title, *table(titanium_rows(runs)), "", "![Depth dose behind titanium](protons_titanium.png)\n"]


def sigma_by_line(run: Run, depth_mm: float) -> float:
    """Return the core sigma of a straight line through slabs of 2.5 mm within 6 mm in the same medium."""
    medium = int(np.searchsorted(TITANIUM_LAYERS_MM, depth_mm)) - 1
    top, bottom = TITANIUM_LAYERS_MM[medium : medium + 2]
    low, high = max(top, depth_mm - 6.0) + 1.25, min(bottom, depth_mm + 6.0) - 1.25
    depths = np.linspace(low, high, 5)
    return float(np.polyval(np.polyfit(depths, [core_sigma_mm(run, d) for d in depths], 1), depth_mm))


def others(share: float) -> list[str]:
    """Energies for which there is no reference dose: CSDA ranges, and TOPAS where it has the energy."""
    csda = {row["E_MeV"]: row["csda_icru90_I78_cm"] for row in reference("analytic_ranges")["protons"]}
    facts = topas()
    page = ["## Other energies\n"]
    page.append(
        "CSDA: the range of ICRU 90 stopping powers times 0.9989 for the detours, which meets R80 to 0.1 % (reference"
        " note); its bound is 0.2 mm + 0.1 %.\n"
    )
    for energy, case in OTHERS.items():
        found, error = with_error(case.run(share), lambda run: ours(run, lateral=False))
        codes = {"TOPAS": facts[energy]} if energy in facts else {}
        compared = rows(found, error, codes, {}, False)
        by_csda, r80 = 9.989 * csda[energy], found[R80]
        bound = Bound("0.2 mm + 0.1 %", absolute=0.2, relative=0.001)
        compared.insert(0, Row("R80 by CSDA (mm)", r80, error[R80], {"CSDA": by_csda}, (by_csda, by_csda), bound))
        page += [f"### {energy:g} MeV, {case.histories * share:,.0f} primaries\n", *table(compared), ""]
    return page


def draw(cases: Sequence[tuple[str, Run, dict[str, dict[str, Any]]]], name: str) -> None:
    """Overlay depth doses and show the differences from each code beneath."""
    picture = Figure(figsize=(4.5 * max(len(cases), 1.4), 5), layout="constrained")
    axes = picture.subplots(2, len(cases), sharex="col", height_ratios=(3, 1.3), squeeze=False)
    for column, (title, run, codes) in enumerate(cases):
        above, below = axes[0, column], axes[1, column]
        above.set_title(title)
        above.plot(run.z_mm, run.depth_dose, color=OURS, label="Dosewright")
        for code_name, code in codes.items():
            above.plot(depths_mm(code), code["idd"], "--", color=COLOURS[code_name], linewidth=1, label=code_name)
            where, difference = differences(run, [code], 2.5)
            below.plot(where, difference, color=COLOURS[code_name], linewidth=1)
        frame(above, below)
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / name, dpi=100)


def frame(above: Axes, below: Axes) -> None:
    """Label a pair of axes."""
    below.axhline(0, color="0.6", linewidth=0.8)
    below.axhspan(-1, 1, color="0.92", zorder=0)
    below.set(ylim=(-5, 5), xlabel="Depth (mm)", ylabel="difference (%)")
    above.set_ylabel("MeV/cm per proton")
    above.set_ylim(bottom=0)
    above.legend(frameon=False)


SECTIONS: dict[str, Callable[[float], list[str]]] = {
    "full": full,
    "em": em_only,
    "titanium": titanium,
    "others": others,
}


def statistics() -> str:
    """Say the standard errors that the reference files give at half range."""
    said = []
    for code, file in CODES.items():
        for ending, words in (("_p100", "100 MeV"), ("_p200", "200 MeV"), ("-emonly_p100", "100 MeV without nuclear")):
            error = reference(file + ending)["relative_standard_error"]["at_half_R80"]
            said.append(f"{code} {100 * error:.2g} % ({words})")
    return ", ".join(said)


def main(arguments: list[str] | None = None) -> None:
    """Run the cases and write the page and the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*SECTIONS, []], help="default: all, which also writes the page")
    parser.add_argument("--share", type=float, default=1.0, help="share of the histories, for a quick look")
    chosen = parser.parse_args(arguments)
    if not REFERENCE.is_dir():
        print("The folder shared/reference beside the repository is missing: nothing to compare with.")
        return
    page = [TOP.format(sub_runs=SUB_RUNS, statistics=statistics())]
    for case in chosen.cases or SECTIONS:
        section = SECTIONS[case](chosen.share)
        print("\n".join(section), flush=True)
        page += section
    if not chosen.cases:
        missed = sum("MISSED" in line for line in page)
        page.insert(1, f"**{missed} bounds are missed.**\n" if missed else "All bounds are met.\n")
        (MEASURED / "protons_in_water.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
