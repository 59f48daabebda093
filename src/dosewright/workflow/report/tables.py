"""The tables of the report: histograms, gamma, beams, meterset audit, settings."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from dosewright.workflow.report.data import (
    BeamRow,
    DvhCurve,
    DvhRow,
    DvhWithoutNoise,
    GammaRate,
    GammaResult,
    ReportData,
)
from dosewright.workflow.report.findings import disagreements, number, scientific
from dosewright.workflow.report.html import Markup, Table, bullets, definitions, element, join, section, swatch
from dosewright.workflow.report.palette import Mark


def legend(marks: Mapping[str, Mark]) -> Markup:
    """Return the structures with their marks."""
    return element("ul", *(element("li", swatch(m.number, m.colour), name) for name, m in marks.items()), css="legend")


def dvh_table(rows: tuple[DvhRow, ...], marks: Mapping[str, Mark]) -> Markup:
    """Return lines per structure and dose, with mean, extremes and the asked Dx and Vx; then those without noise."""
    labels = list(dict.fromkeys(label for r in rows for c in (r.mc, r.tps) if c is not None for label in c.metrics))
    heads = ["Structure", "Volume (cm³)", "Dose", "Mean (Gy)", "Min (Gy)", "Max (Gy)", *labels]
    lines: list[list[object]] = []
    for row in rows:
        lines.append([_named(row, marks), _volume(row.volume_cm3), "MC", *_dvh_numbers(row.mc, labels)])
        if row.mc.without_noise is not None:
            lines += _lines_without_noise(row.mc, row.mc.without_noise, labels)
        if row.tps is not None:
            lines.append(["", "", "TPS", *_dvh_numbers(row.tps, labels)])
    caption = "Dose-volume figures; MC is Monte Carlo, TPS the planning system."
    if any(row.mc.without_noise is not None for row in rows):
        caption += (
            " Noise spreads the doses of a structure: D2 comes out too high and D98 too low. Noise-free: with the "
            "noise taken out, and the uncertainty of these figures. Least and highest dose hold the noise."
        )
    return Table(caption, heads, lines, (), (0, 2), css="compact").html()


def _named(row: DvhRow, marks: Mapping[str, Mark]) -> Markup:
    mark = marks[row.structure]
    return join((swatch(mark.number, mark.colour), row.structure))


def _volume(cm3: float | None) -> str:
    return number(cm3, ".0f" if cm3 is not None and cm3 >= 100 else ".3g")


def _dvh_numbers(curve: DvhCurve, labels: list[str]) -> list[object]:
    return [
        *(number(v) for v in (curve.mean_Gy, curve.minimum_Gy, curve.maximum_Gy)),
        *(number(curve.metrics.get(label)) for label in labels),
    ]


def _lines_without_noise(curve: DvhCurve, found: DvhWithoutNoise, labels: list[str]) -> list[list[object]]:
    pairs = [found.metrics.get(label, (None, None)) for label in labels]
    return [
        ["", "", "noise-free", number(curve.mean_Gy), "", "", *(number(value) for value, _ in pairs)],
        ["", "", "± 1 σ", number(found.mean_sigma_Gy), "", "", *(number(sigma) for _, sigma in pairs)],
    ]


def target_table(rows: tuple[DvhRow, ...], marks: Mapping[str, Mark]) -> Markup:
    """Return homogeneity and conformity of the targets; nothing where there is none."""
    labels = list(dict.fromkeys(label for row in rows for label in row.mc.indices))
    if not labels:
        return Markup("")
    lines: list[list[object]] = []
    for row in rows:
        for name, curve in (("MC", row.mc), ("TPS", row.tps)):
            if curve is not None and curve.indices:
                first = _named(row, marks) if name == "MC" else ""
                lines.append([first, name, *(number(curve.indices.get(label), ".3f") for label in labels)])
    caption = "Targets: homogeneity (ICRU Report 83) and conformity (Paddick, 2000), of the doses with their noise."
    return Table(caption, ["Structure", "Dose", *labels], lines, (), (0, 1)).html()


def gamma_tables(gammas: tuple[GammaResult, ...]) -> Markup:
    """Return one table per comparison: regions down, criteria across, each rate plain and without noise."""
    tables = []
    for comparison, group in groupby(gammas, key=lambda g: g.comparison):
        results = list(group)
        regions = list(dict.fromkeys(rate.region for g in results for rate in g.rates))
        heads: list[object] = ["Region", "Voxels"]
        for g in results:
            heads += [f"{g.criterion}, above {g.threshold}: plain (%)", "without noise (%)"]
        found = [{rate.region: rate for rate in g.rates} for g in results]
        rows: list[list[object]] = []
        for region in regions:
            rates = [f.get(region) for f in found]
            voxels = next((r.voxels for r in rates if r is not None), 0)
            cells = [cell for rate in rates for cell in _rate_cells(rate)]
            rows.append([region, f"{voxels:,}", *cells])
        table = Table("", heads, rows, css="compact").html()
        tables.append(element("div", element("h3", comparison), table, css="together"))
    return join((_gamma_notes(gammas), *tables))


def _rate_cells(rate: GammaRate | None) -> list[object]:
    if rate is None:
        return ["–", "–"]
    corrected = number(rate.without_noise)
    return [number(rate.pass_percent), corrected if rate.sigma is None else f"{corrected} ± {number(rate.sigma)}"]


def _gamma_notes(results: tuple[GammaResult, ...]) -> Markup:
    thresholds = list(dict.fromkeys(g.threshold for g in results))
    remarks = list(dict.fromkeys(g.note for g in results if g.note))
    sentence = f"Share of voxels with gamma of at most 1; voxels below {', '.join(thresholds)} are left out."
    dash = "A dash: nothing was compared, or there are too few voxels or too much noise for a correction."
    return element("p", " ".join([sentence, *remarks, dash]), css="soft")


def beam_table(beams: tuple[BeamRow, ...]) -> Markup:
    """Return the statistics of every beam."""
    heads = ["Beam", "Name", "Primaries", "Batches", "Mean uncertainty (%)", "Dose error, largest / mean (%)",
             "Failing", "Goal", "Reached", "Time (s)"]  # fmt: skip
    rows = [
        [
            b.number,
            b.name,
            f"{b.primaries:,}",
            "–" if b.batches is None else b.batches,
            number(b.mean_uncertainty_percent),
            *error_cells(b.dose_errors),
            b.goal,
            "yes" if b.goal_reached else element("strong", "no"),
            number(b.wall_seconds, ".1f"),
        ]
        for b in beams
    ]
    voxels = "; ".join(dict.fromkeys(b.uncertainty_voxels for b in beams))
    errors = "; ".join(dict.fromkeys(str(b.dose_errors["of"]) for b in beams if b.dose_errors))
    caption = f"Mean uncertainty: {voxels}, 1 sigma." + (f" Dose error: {errors}, 1 sigma." if errors else "")
    return Table(caption, heads, rows, (), (0, 1, 7, 8)).html()


def plan_sentence(figures: Mapping[str, Any]) -> str:
    """Return the mean uncertainty and the dose errors of the plan in a sentence, nothing where they are not known."""
    errors = figures.get("dose_errors") or {}
    if not errors.get("voxels"):
        return ""
    largest, failing = error_cells(errors)
    return (
        f"Plan: mean uncertainty {number(figures['mean_uncertainty_percent'])} %; dose error, largest / mean, "
        f"{largest} {errors['of']}; failing {failing} voxels."
    )


def error_cells(errors: Mapping[str, Any]) -> list[str]:
    """Return the largest and the mean error of the dose, and how many of how many voxels fail."""
    if not errors.get("voxels"):
        return ["–", "–"]
    failing = errors["failing"]
    both = f"{number(errors['largest_percent'])} / {number(errors['mean_percent'])}"
    return [both, f"– of {errors['voxels']:,}" if failing is None else f"{failing:,} of {errors['voxels']:,}"]


def audit(beams: tuple[BeamRow, ...]) -> Markup:
    """Return the meterset audit: the beams in one table, then every layer of every beam."""
    heads = [
        "Beam",
        "Name",
        "Unit",
        "Meterset",
        "Final weight",
        "Sum of weights",
        "Particles",
        "Gantry (°)",
        "Couch (°)",
    ]
    rows = [
        [
            b.number,
            b.name,
            b.meterset_unit or "none",
            number(b.meterset, ".6g"),
            number(b.final_cumulative_weight, ".6g"),
            number(b.sum_of_weights, ".6g"),
            scientific(b.particles),
            number(b.gantry_deg, "g"),
            number(b.couch_deg, "g"),
        ]
        for b in beams
    ]
    caption = (
        "Per fraction. Meterset of a spot = its weight × meterset / final weight; "
        "particles = meterset × particles per unit of the beam model."
    )
    overview = Table(caption, heads, rows, (), (0, 1, 2)).html()
    return section("audit", "Meterset audit", overview, *(_beam_audit(b) for b in beams), css="newpage")


def _beam_audit(beam: BeamRow) -> Markup:
    iso = ", ".join(f"{x:.1f}" for x in beam.gantry_to_patient.translation)
    facts = {
        "Machine, radiation": f"{beam.machine or 'not named'}, {beam.radiation or 'not named'}",
        "Isocentre (x, y, z in mm)": iso,
        "In the beam": "; ".join(beam.devices) or "nothing",
    }
    factors = ""
    if beam.factors:
        rows = [[f.name, number(f.value, ".6g"), f.basis or "–"] for f in beam.factors]
        factors = Table("Factors the dose was multiplied by", ["Factor", "Value", "Basis"], rows, (), (0, 2)).html()
    doubts = bullets(disagreements(beam))
    title = element("h3", f"Beam {beam.number}: {beam.name}")
    return join((element("div", title, definitions(facts), doubts, factors, css="together"), _layers(beam)))


def _layers(beam: BeamRow) -> Markup:
    if not beam.layers:
        return element("p", "No layers were recorded.", css="soft")
    unit = beam.meterset_unit or "no unit"
    heads = [
        "Control point",
        "Energy (MeV)",
        "Spots",
        "Sum of weights",
        f"Meterset ({unit})",
        "Particles per unit",
        "Particles",
    ]
    rows = [
        [
            layer.control_point,
            number(layer.energy_MeV),
            layer.spots,
            number(layer.sum_of_weights, ".6g"),
            number(layer.meterset, ".6g"),
            scientific(layer.particles_per_unit),
            scientific(layer.particles),
        ]
        for layer in beam.layers
    ]
    totals = (
        "Sum",
        "",
        sum(layer.spots for layer in beam.layers),
        number(sum(layer.sum_of_weights for layer in beam.layers), ".6g"),
        number(sum(layer.meterset for layer in beam.layers), ".6g"),
        "",
        scientific(sum(layer.particles for layer in beam.layers)),
    )
    return Table(f"{len(beam.layers)} energy layers, per fraction", heads, rows, totals, css="fine").html()


def provenance(data: ReportData) -> Markup:
    """Return settings, timings, versions and hashes."""
    groups = (
        ("Settings", data.settings, "pairs"),
        ("Timings", data.timings, "pairs"),
        ("Versions", data.versions, "pairs"),
        ("SHA-256 of inputs and outputs", data.hashes, "pairs hashes"),
    )
    parts = [
        join((element("h3", title), definitions(values, css) or element("p", "None were recorded.", css="soft")))
        for title, values, css in groups
    ]
    return section("provenance", "Settings, versions and hashes", *parts)
