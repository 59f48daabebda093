"""A study of cuts in words, as a table of numbers, and as tables of a run file."""

import math
from collections.abc import Iterator
from typing import Any

from dosewright.core.units import MM_PER_CM
from dosewright.simulation.run_file.write import to_toml
from dosewright.studies.collected import KINDS, LIMITS, PRODUCTION, RUN
from dosewright.studies.cut_study import CutStudy, WayStudy
from dosewright.studies.target import Share

PERCENT = 100.0
TITLES = {
    PRODUCTION: "PRODUCTION CUTS: WHERE PARTICLES ARE MADE",
    LIMITS: "MINIMUM RANGES: WHEREVER PARTICLES COME",
    RUN: "CUTS OF A RUN FILE: WHERE PARTICLES ARE MADE, AND WHERE THEY END",
}
COLUMNS = (
    "way", "region", "material", "particle", "met_percent", "smallest_MeV", "smallest_mm", "cut_MeV", "cut_mm",
    "lost_percent", "lost_error_percent", "together_MeV",
)  # fmt: skip


def rows_of(study: CutStudy) -> Iterator[dict[str, Any]]:
    """Yield a row of `COLUMNS` for each region and kind of particle; None for a cut: any will do."""
    for way, of in study.ways.items():
        for cut in of.cuts:
            region = study.regions.regions[cut.region]
            numbers = (cut.met.value * PERCENT, cut.smallest_MeV, cut.smallest_cm * MM_PER_CM,
                       finite(cut.energy_MeV), finite(cut.range_cm * MM_PER_CM), *percent(cut.lost),
                       of.together.energies_MeV.get((cut.region, cut.kind)))  # fmt: skip
            words = (way, region.name, ", ".join(region.materials), KINDS[way][cut.kind])
            yield dict(zip(COLUMNS, (*words, *numbers), strict=True))


def finite(value: float) -> float | None:
    """Return a number, None for an infinite one."""
    return value if math.isfinite(value) else None


def percent(share: Share) -> tuple[float, float]:
    """Return a share and its error in percent."""
    return share.value * PERCENT, share.error * PERCENT


def table(study: CutStudy) -> str:
    """Return the study as a table for people."""
    plane = study.plane
    where = f"z = {plane.z_mm:g} mm"
    if plane.half_width_mm is not None:
        where += f", |x| <= {plane.half_width_mm[0]:g} mm, |y| <= {plane.half_width_mm[1]:g} mm"
    lines = [
        f"{len(study.target.weight):,} particles of {study.histories:,} histories came to {where}.",
        f"They tell as much as {study.target.independent:,.0f} independent ones: up to"
        f" {study.target.unseen * PERCENT:.2g} % may be lost by what was never met (95 % confidence).",
        f"Cuts lose less than {study.lose_percent:g} % of them, each alone; the last column: all together.",
    ]
    for way, of in study.ways.items():
        lines += ["", f"%%%%% {TITLES[way]}", *_way_lines(study, way, of)]
    return "\n".join(lines)


def _way_lines(study: CutStudy, way: str, of: WayStudy) -> Iterator[str]:
    rows = [row for row in rows_of(study) if row["way"] == way]
    width = max([len(row["region"]) for row in rows] + [len("region")])
    yield (f"{'region':{width}}  {'particle':8} {'met %':>7} {'nothing lost below':>21} {'cut':>21} {'lost %':>14} "
           f"{'together':>11}")  # fmt: skip
    for row in rows:
        together = "any" if row["together_MeV"] is None else f"{row['together_MeV']:.3g} MeV"
        yield (f"{row['region']:{width}}  {row['particle']:8} {row['met_percent']:7.3g} "
               f"{_cut(row['smallest_MeV'], row['smallest_mm']):>21} {_cut(row['cut_MeV'], row['cut_mm']):>21} "
               f"{row['lost_percent']:6.3f} ± {row['lost_error_percent']:5.3f} {together:>11}")  # fmt: skip
    for common in of.common:
        what = "all" if common.kind is None else KINDS[way][common.kind]
        value, error = percent(common.lost)
        cut = "any range" if math.isinf(common.range_cm) else f"a range of {common.range_cm * MM_PER_CM:.4g} mm"
        yield f"FINAL {cut} everywhere, {what}: {value:.3f} ± {error:.3f} % lost, each particle counted once"
    value, error = percent(of.together.lost)
    yield f"FINAL all cuts together: {value:.3f} ± {error:.3f} % lost, each particle counted once"


def _cut(energy_MeV: float | None, range_mm: float | None) -> str:
    if energy_MeV is None:
        return "any"
    return f"{energy_MeV:.3g} MeV {'' if range_mm is None else f'{range_mm:.3g} mm':>9}"


def csv_text(study: CutStudy) -> str:
    """Return all rows as a table; a cut that is empty may be any."""
    lines = [",".join(COLUMNS)]
    for row in rows_of(study):
        cells = ["" if one is None else one if isinstance(one, str) else f"{one:.9g}" for one in row.values()]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' if set(cell) & set(',"') else cell for cell in cells))
    return "\n".join(lines) + "\n"


def toml_text(study: CutStudy) -> str:
    """Return the cuts that lose less than the share together, as a run file takes them."""
    value, error = percent(study.ways[RUN].together.lost)
    left_out = [study.regions.regions[n].name for n in study.chosen if study.regions.regions[n].run_name is None]
    lines = [
        f"# Cuts that lose {value:.2f} ± {error:.2f} % of what came to z = {study.plane.z_mm:g} mm, all together"
        f" ({study.histories:,} histories, less than {study.lose_percent:g} % asked).",
        f"# {study.any_cut_MeV:g} MeV stands where any cut would do.",
        *([f"# A run file has no name for these alone: {', '.join(left_out)}."] if left_out else []),
    ]
    tables = ["[[transport.region]]\n" + to_toml(cut.model_dump(exclude_none=True)) for cut in study.run_cuts()]
    return "\n".join(["\n".join(lines) + "\n", *tables])
