"""The first page of the report: what was found, and what it rests on; facts, no verdict."""

import math

from dosewright.workflow.report.data import BeamRow, GammaResult, HighDoseRatio, ReportData
from dosewright.workflow.report.html import Markup, bullets, definitions, element, join, section, text

RATIO_TO_EXPLAIN = 0.03
SUM_TOLERANCE = 1e-3
NOT_CLINICAL = "Not for clinical use: quality-assurance and research tool, not a medical device."


def number(value: float | None, pattern: str = ".2f") -> str:
    """Return a number in a format, or a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else format(value, pattern)


def scientific(value: float) -> Markup:
    """Return a large number with its power of ten, and a plain one below a hundred thousand."""
    if not math.isfinite(value) or abs(value) < 1e5:
        return text(number(value, ".5g"))
    mantissa, exponent = f"{value:.4e}".split("e")
    return join((f"{mantissa} × 10", element("sup", int(exponent))))


def disagreements(beam: BeamRow) -> list[str]:
    """Return what does not add up between a beam and its layers, one sentence each."""
    if not beam.layers:
        return []
    sums = (
        ("weights", sum(layer.sum_of_weights for layer in beam.layers), beam.sum_of_weights),
        ("meterset", sum(layer.meterset for layer in beam.layers), beam.meterset),
        ("particles", sum(layer.particles for layer in beam.layers), beam.particles),
    )
    sentences = [
        f"Beam {beam.number} {beam.name}: the {name} of the layers add up to {found:.6g}, the beam has {stated:.6g}."
        for name, found, stated in sums
        if stated is not None and not abs(found - stated) <= SUM_TOLERANCE * abs(stated)
    ]
    if not abs(beam.sum_of_weights - beam.final_cumulative_weight) <= SUM_TOLERANCE * abs(beam.final_cumulative_weight):
        sentences.append(
            f"Beam {beam.number} {beam.name}: the weights add up to {beam.sum_of_weights:.6g}, "
            f"the final cumulative weight is {beam.final_cumulative_weight:.6g}."
        )
    return sentences


def head(data: ReportData) -> Markup:
    """Return banner, title and the identity of plan, calculation and user."""
    facts = {
        **data.patient,
        "Made": data.created,
        "User": f"{data.user} ({data.role})",
        "Fractions": data.fractions,
        "Beams": len(data.beams),
        "Dose": data.dose_label,
        "Seed": data.seed,
        "Plan UID": data.plan_uid,
    }
    return element(
        "header",
        element("p", NOT_CLINICAL, css="banner"),
        element("p", "Dosewright · independent Monte Carlo dose", css="kicker"),
        element("h1", data.plan_label or "Plan without a label"),
        definitions(facts, css="head"),
    )


def findings(data: ReportData) -> Markup:
    """Return the box with the facts that matter most."""
    ratio = (_ratio_card(data.ratios[0]),) if data.ratios else ()
    first = [g for g in data.gammas if g.comparison == data.gammas[0].comparison]
    cards = [*ratio, *(_gamma_card(g) for g in first if g.rates), _uncertainty_card(data.beams)]
    sentences: list[object] = []
    if data.plan.tps is None and data.gammas:
        sentences.append("The planning system's dose of the whole plan was not compared; doses of beams were.")
    elif data.plan.tps is None:
        sentences.append("There was no planned dose to compare with; gamma is left out.")
    sentences += [_ratio_sentence(r) for r in data.ratios]
    missed = [b for b in data.beams if not b.goal_reached]
    doubts = [f"Beam {b.number} {b.name} stopped before its goal ({b.goal})." for b in missed]
    doubts += [sentence for beam in data.beams for sentence in disagreements(beam)]
    sentences += [element("strong", doubt) for doubt in doubts]
    if data.warnings:
        count = f"{len(data.warnings)} warning" + ("s" if len(data.warnings) > 1 else "")
        sentences.append(join((Markup(f'<a href="#notes">{count}</a>'), " to read before using these numbers.")))
    claim = element(
        "p",
        "These are facts about one calculation. Whether they are acceptable is a decision of the reader.",
        css="soft",
    )
    return section(
        "findings", "What was found", element("div", *cards, css="cards"), bullets(sentences), claim, css="findings"
    )


def notes(data: ReportData) -> Markup:
    """Return warnings and assumptions, all of them."""
    warnings = bullets(data.warnings) if data.warnings else element("p", "None.")
    assumptions = bullets(data.assumptions) if data.assumptions else element("p", "None were recorded.")
    return section(
        "notes",
        "Warnings and assumptions",
        element("div", element("h3", f"Warnings ({len(data.warnings)})"), warnings, css="notes warnings"),
        element("div", element("h3", f"Assumptions ({len(data.assumptions)})"), assumptions, css="notes"),
    )


def _card(name: str, figure: object, more: str, *, look: bool = False) -> Markup:
    parts = (element("div", name, css="name"), element("div", figure, css="figure"), element("div", more, css="more"))
    return element("div", *parts, css="card look" if look else "card")


def _ratio_card(ratio: HighDoseRatio) -> Markup:
    sigma = "" if ratio.uncertainty is None else element("small", f" ± {number(ratio.uncertainty, '.4f')}")
    look = not abs(ratio.ratio - 1) <= RATIO_TO_EXPLAIN
    return _card("Mean high dose, MC / TPS", join((number(ratio.ratio, ".4f"), sigma)), ratio.region, look=look)


def _gamma_card(result: GammaResult) -> Markup:
    whole = result.rates[0]
    figure = join((number(whole.pass_percent, ".2f"), element("small", " %")))
    more = f"{result.comparison}, {whole.region}, above {result.threshold}, {whole.voxels:,} voxels"
    if whole.without_noise is not None:
        more += f"; without noise {number(whole.without_noise)} ± {number(whole.sigma)} %"
    return _card(f"Gamma {result.criterion}", figure, more)


def _uncertainty_card(beams: tuple[BeamRow, ...]) -> Markup:
    values = [b.mean_uncertainty_percent for b in beams if math.isfinite(b.mean_uncertainty_percent)]
    figure = join((number(max(values, default=math.nan)), element("small", " %")))
    reached = sum(b.goal_reached for b in beams)
    more = f"largest beam mean, 1 σ; {reached} of {len(beams)} beams reached the goal"
    return _card("Statistical uncertainty", figure, more, look=reached < len(beams))


def _ratio_sentence(ratio: HighDoseRatio) -> Markup:
    if not math.isfinite(ratio.ratio):
        return element("strong", f"{ratio.comparison}: no ratio of the high doses could be formed.")
    excess = f"{100 * (ratio.ratio - 1):+.2f} %".replace("-", "−")
    sigma = "" if ratio.uncertainty is None else f" (1 σ {100 * ratio.uncertainty:.2f} %)"
    sentence = f"{ratio.comparison}: the Monte Carlo dose differs from the planned dose by {excess}{sigma}."
    if abs(ratio.ratio - 1) <= RATIO_TO_EXPLAIN:
        return text(sentence)
    beyond = f" This is beyond {100 * RATIO_TO_EXPLAIN:.0f} % and needs an explanation."
    return element("strong", sentence, beyond)
