"""The sections with pictures: doses on three planes, histograms, profiles, statistics."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Image
from dosewright.core.structures import Structure
from dosewright.workflow.report.curves import beam_profiles, dvh_figure, uncertainty_figure
from dosewright.workflow.report.data import ReportData
from dosewright.workflow.report.findings import number
from dosewright.workflow.report.html import Markup, element, figure, join, section
from dosewright.workflow.report.palette import DIFFERENCE, DOSE, GAMMA, UNCERTAINTY, Mark, marks
from dosewright.workflow.report.pictures import CT_WINDOW_HU, Scene, Wash, plane_row, sampled
from dosewright.workflow.report.planes import can_be_drawn, high_dose_centre, mean_of_highest, three_planes
from dosewright.workflow.report.tables import beam_table, dvh_table, gamma_tables, legend, plan_sentence, target_table

LEAST_SHOWN = 0.05
DIFFERENCE_RANGES = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
MOST_GAMMA_MAPS = 2

Planes = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Views:
    """What the pictures share: the planes with CT and outlines, both doses on them, and the reference dose (Gy).

    `body` is positive in the patient, where no air is; None where that is not known.
    """

    scene: Scene
    mc: Planes
    tps: Planes | None
    reference_Gy: float
    not_drawn: tuple[str, ...]
    body: Planes | None = None


def views(data: ReportData) -> Views:
    """Cut the planes and sample the doses of the plan once."""
    tps, in_body = data.plan.tps, data.plan.mc_in_body
    focus = np.array(data.focus_mm, float) if data.focus_mm is not None else high_dose_centre(in_body)
    planes = three_planes(in_body, focus, None if data.ct is None else data.ct.grid)
    ct = None if data.ct is None else sampled(data.ct, planes)
    drawn: tuple[Structure, ...] = tuple(s for s in data.structures if can_be_drawn(s))
    planned = 0.0 if tps is None else float(np.nanmax(tps.values, initial=0.0))
    body = None if data.plan.body is None else Image(data.plan.mc.grid, data.plan.body.astype(np.float32))
    return Views(
        Scene(planes, ct, drawn, structure_marks(data)),
        sampled(data.plan.mc, planes),
        None if tps is None else sampled(tps, planes),
        planned or mean_of_highest(in_body),
        tuple(s.name for s in data.structures if s not in drawn),
        None if body is None else sampled(body, planes, linear=False),
    )


def structure_marks(data: ReportData) -> dict[str, Mark]:
    """Return one mark per structure, histograms first."""
    return marks([*(row.structure for row in data.dvh), *(s.name for s in data.structures)])


def planes_section(data: ReportData, shown: Views) -> Markup:
    """Return doses, difference and gamma over the CT."""
    if not shown.reference_Gy > 0:
        nothing = element("p", "The dose is zero everywhere; there is nothing to show.")
        return section("planes", "Dose on three planes", nothing, css="newpage")
    rows = [_dose_row(shown.mc, shown, "Monte Carlo dose")]
    if shown.tps is not None:
        rows += [_dose_row(shown.tps, shown, "Dose of the planning system"), _difference_row(shown.tps, shown)]
    rows += _gamma_rows(data, shown)
    return section("planes", "Dose on three planes", _planes_text(data, shown), *rows, css="newpage")


def _planes_text(data: ReportData, shown: Views) -> Markup:
    focus = "the given point" if data.focus_mm is not None else "the centre of the high dose"
    low, high = CT_WINDOW_HU
    backdrop = "Without CT." if data.ct is None else f"CT window {low:g} to {high:g} HU.".replace("-", "−")
    sentence = f"All planes at one scale, cut through {focus}; the gold ticks show where they meet. {backdrop}"
    kind = (
        "the mean of the 100 highest voxels in the patient"
        if shown.tps is None
        else "the maximum of the planning system's dose"
    )
    sentence += f" The reference dose is {shown.reference_Gy:.4g} Gy, {kind}."
    if shown.not_drawn:
        sentence += f" Not drawn, for want of axial contours: {', '.join(shown.not_drawn)}."
    names = {s.name for s in shown.scene.structures}
    drawn = {name: mark for name, mark in shown.scene.marks.items() if name in names}
    return join((element("p", sentence, css="soft"), legend(drawn) if drawn else ""))


def _dose_row(values: Planes, shown: Views, name: str) -> Markup:
    clear = LEAST_SHOWN * shown.reference_Gy
    visible = [np.where(v >= clear, v, np.float32(np.nan)) for v in values]
    wash = Wash(visible, DOSE, 0.0, 1.07 * shown.reference_Gy, "Dose (Gy)")
    alt = f"{name} as a colour wash on axial, coronal and sagittal planes; reference dose {shown.reference_Gy:.3g} Gy."
    caption = f"{name}. Below {100 * LEAST_SHOWN:.0f} % of the reference dose the wash is clear."
    return figure(plane_row(shown.scene, wash), alt=alt, caption=caption)


def _difference_row(tps: Planes, shown: Views) -> Markup:
    difference = []
    for i, (a, b) in enumerate(zip(shown.mc, tps, strict=True)):
        some = np.fmax(a, b) >= LEAST_SHOWN * shown.reference_Gy
        if shown.body is not None:
            some &= shown.body[i] > 0
        difference.append(np.where(some, 100 * (a - b) / np.float32(shown.reference_Gy), np.float32(np.nan)))
    found = np.concatenate([np.abs(d[np.isfinite(d)]) for d in difference])
    typical = float(np.percentile(found, 98)) if found.size else 0.0
    reach = next((r for r in DIFFERENCE_RANGES if r >= typical), 100.0)
    wash = Wash(difference, DIFFERENCE, -reach, reach, "MC − TPS (% of ref.)", pale_ct=True, opacity=0.92)
    largest = float(found.max()) if found.size else 0.0
    alt = f"Difference of the doses on three planes: 98 % is within {typical:.1f} %, the largest is {largest:.1f} %."
    caption = (
        f"Monte Carlo minus planning system, percent of the reference dose, {shown.reference_Gy:.4g} Gy. "
        f"Orange: Monte Carlo is higher; blue: lower. On these planes the largest difference in the patient is "
        f"{largest:.1f} %."
    )
    return figure(plane_row(shown.scene, wash), alt=alt, caption=caption)


def _gamma_rows(data: ReportData, shown: Views) -> list[Markup]:
    rows: list[Markup] = []
    for result in data.gammas:
        if result.image is None or result.comparison != data.gammas[0].comparison or len(rows) == MOST_GAMMA_MAPS:
            continue
        values = sampled(result.image, shown.scene.planes, linear=False)
        wash = Wash(values, GAMMA, 0.0, 2.0, "Gamma", pale_ct=True, opacity=0.92)
        whole = number(result.rates[0].pass_percent) if result.rates else "–"
        alt = f"Gamma {result.criterion} on three planes; pass rate of the whole {whole} %."
        caption = f"Gamma {result.criterion}, {result.comparison}. Pale: at most 1; orange to dark red: above 1."
        rows.append(figure(plane_row(shown.scene, wash), alt=alt, caption=caption))
    return rows


def dvh_section(data: ReportData, marks_of: Mapping[str, Mark]) -> Markup:
    """Return the histograms and their figures."""
    title = "Dose-volume histograms"
    if not data.dvh:
        return section("dvh", title, element("p", "No structure was given; there are no histograms."))
    compared = any(row.tps is not None for row in data.dvh)
    alt = f"Cumulative dose-volume histograms of {len(data.dvh)} structures; the table below holds their figures."
    banded = any(row.mc.without_noise is not None for row in data.dvh)
    caption = (
        "Solid: Monte Carlo."
        + (" Dashed: planning system." if compared else "")
        + (" Band: where the Monte Carlo curve would lie without its noise (2 σ)." if banded else "")
        + " Numbers as in the table."
    )
    picture = figure(dvh_figure(data.dvh, marks_of), alt=alt, caption=caption)
    return section("dvh", title, picture, dvh_table(data.dvh, marks_of), target_table(data.dvh, marks_of))


def gamma_section(data: ReportData) -> Markup:
    """Return the pass rates of all comparisons."""
    if not data.gammas:
        reason = "there was no planned dose to compare with" if data.plan.tps is None else "none was asked for"
        return section("gamma", "Gamma", element("p", f"Gamma is left out: {reason}."))
    return section("gamma", "Gamma", gamma_tables(data.gammas))


def profiles_section(data: ReportData) -> Markup:
    """Return depth and lateral profiles of every beam."""
    pictures = []
    for beam in data.beams:
        dose = data.plan if beam.dose is None else beam.dose
        found = beam_profiles(dose, beam.gantry_to_patient)
        where = ", ".join(f"{x:.1f}" for x in found.through_mm)
        point = (
            "the isocentre" if found.through_isocentre else "the centre of the high dose (little dose at the isocentre)"
        )
        which = "its own dose" if beam.dose is not None else "the dose of the whole plan"
        title = element("strong", f"Beam {beam.number}: {beam.name}.")
        rest = f" Lines through {point} ({where} mm), {which}; 0 mm is that point, depth grows along the beam."
        alt = f"Depth profile and two lateral profiles of beam {beam.number}, Monte Carlo with bands of 1 and 2 sigma."
        pictures.append(figure(found.picture, alt=alt, caption=join((title, rest))))
    return section("profiles", "Depth and lateral profiles", *pictures)


def statistics_section(data: ReportData, shown: Views) -> Markup:
    """Return primaries and uncertainty of the beams, and where in the plan the uncertainty lies."""
    title = "Statistics"
    table = join((beam_table(data.beams), element("p", plan_sentence(data.plan_figures))))
    uncertainty = data.plan.uncertainty
    if uncertainty is None or not shown.reference_Gy > 0:
        return section("statistics", title, table, element("p", "No uncertainty of the plan was given.", css="soft"))
    visible = []
    for dose, values in zip(shown.mc, sampled(uncertainty, shown.scene.planes, linear=False), strict=True):
        visible.append(np.where(dose >= LEAST_SHOWN * shown.reference_Gy, 100 * values, np.float32(np.nan)))
    found = np.concatenate([v[np.isfinite(v)] for v in visible])
    top = float(np.percentile(found, 98)) if found.size else 1.0
    wash = Wash(visible, UNCERTAINTY, 0.0, top or 1.0, "1 σ (%)", pale_ct=True, opacity=0.92)
    map_ = figure(
        plane_row(shown.scene, wash),
        alt=f"Relative uncertainty of the plan dose on three planes, up to {top:.1f} %.",
        caption="Relative statistical uncertainty of the plan dose (1 σ), above 5 % of the reference dose.",
    )
    spread = figure(
        uncertainty_figure(data.plan.mc_in_body, uncertainty),
        alt="Distribution of the relative uncertainty over voxels of high and of lower dose.",
        caption="How the relative uncertainty is distributed over the voxels.",
    )
    return section("statistics", title, table, map_, spread)
