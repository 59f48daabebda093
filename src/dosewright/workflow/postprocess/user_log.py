"""The user log: settings, results, performance and files of a calculation as plain text, as IDEAL's users know it."""

from collections.abc import Iterable, Mapping
from typing import Any

from dosewright.workflow.goals import duration_text

LABEL_WIDTH = 34
RULE = "#" * 78


def user_log(summary: Mapping[str, Any]) -> str:
    """Return the text of a summary (values of ``summary.json``); it names no patient."""
    parts = [
        section("Independent dose calculation", general(summary)),
        section("Settings", settings(summary)),
        section("Models", models(summary)),
        *(section(f"Beam {beam['number']}: {beam['name']}", beam_lines(beam)) for beam in summary["beams"]),
        section("Plan dose", [("highest dose [Gy]", number(summary["plan_dose_Gy"].get("maximum_Gy"))),
                              ("mean of the highest voxels [Gy]",
                               number(summary["plan_dose_Gy"].get("highest_100_voxels_mean_Gy"))),
                              ("mean uncertainty [%]",
                               number(summary["plan_dose_Gy"].get("mean_uncertainty_percent"))),
                              *error_lines(summary["plan_dose_Gy"].get("dose_errors"))]),
        section("Comparison with the planning system", comparison(summary)),
        section("Performance", performance(summary["beams"])),
        section("Warnings", said(summary["warnings"])),
        section("Assumptions", said(summary["assumptions"])),
        section("Files", [(name, hashed[:12]) for name, hashed in summary["files_sha256"].items()]),
    ]  # fmt: skip
    return "\n".join(parts) + f"\n{summary['note']}\n"


Row = tuple[str, Any]


def section(title: str, rows: Iterable[Row]) -> str:
    """Return a section: its title between rules, then a line per label and value."""
    lines = [f"{label:<{LABEL_WIDTH}} : {value}" if label else f"- {value}" for label, value in rows]
    return "\n".join([RULE, f"# {title}", RULE, *(lines or ["none"]), ""])


def number(value: float | None, form: str = ".4g") -> str:
    """Return a number as text, or a dash for what does not exist."""
    return "-" if value is None else format(value, form)


def said(sentences: Iterable[str]) -> list[Row]:
    """Return sentences as rows without a label."""
    return [("", sentence) for sentence in sentences]


def general(summary: Mapping[str, Any]) -> list[Row]:
    """Return who calculated what, when, and how it ended."""
    return [
        ("Dosewright", summary["dosewright"]),
        ("finished", summary["created"]),
        ("user", f"{summary['acronym']}, {summary['user']}"),
        ("role", summary["role"]),
        ("plan (SOP Instance UID)", summary["plan_uid"]),
        ("fractions", summary["fractions"]),
        ("goal", summary["goal"]),
        ("what must reach it", f"the {summary['goal_scope'] or 'beam'}"),
        ("goal reached", "yes" if summary["goal_reached"] else "NO"),
    ]


def settings(summary: Mapping[str, Any]) -> list[Row]:
    """Return every setting that shapes the result."""
    chosen, grid = summary["settings"], summary["dose_grid"]
    overrides = ", ".join(f"{roi}: {material}" for roi, material in chosen["overrides"]) or "none"
    rows: list[Row] = [
        ("library", chosen["library"]),
        ("settings file", chosen["file"] or "none"),
        ("patient", f"phantom {chosen['phantom']}" if chosen["phantom"] else "CT or EXTERNAL"),
        ("phantom shift [mm]", chosen["phantom_shift_mm"] or "none"),
        ("CT protocol", summary["ct_protocol"] or "none"),
        ("material overrides", overrides),
        ("dose", summary["dose"]),
        ("dose outside EXTERNAL removed", "yes" if summary["outside_removed"] else "no"),
        ("dose grid [voxels]", " ".join(str(n) for n in grid["voxels"])),
        ("dose grid resolution [mm]", " ".join(f"{s:.4g}" for s in grid["spacing_mm"])),
        ("seed", summary["seed"]),
        ("threads", chosen["threads"] or "all cores"),
        ("outputs", ", ".join(chosen["outputs"])),
    ]
    for group in ("goals", "calculation", "memory"):
        rows += [(f"{group}.{key}", plain_text(value)) for key, value in chosen[group].items()]
    return rows


def plain_text(value: Any) -> str:
    """Return a setting in a line; a group as key and value."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain_text(one)}" for key, one in value.items())
    if isinstance(value, list):
        return "; ".join(plain_text(one) for one in value) or "none"
    return "none" if value is None else str(value)


def models(summary: Mapping[str, Any]) -> list[Row]:
    """Return the models by content, and who approved them."""
    rows = []
    for one in summary["models"]:
        record = one["approval"]
        approved = f"approved by {record['who']}, {record['when']}" if record else one["not_approved"] or ""
        rows.append((f"{one['kind']} {one['name']}", f"{one['sha256']} {approved}".rstrip()))
    return rows


def beam_lines(beam: Mapping[str, Any]) -> list[Row]:
    """Return the figures of one beam."""
    correction = beam["correction"]
    low, high = beam["weight_factors"]
    return [
        ("treatment machine", beam["machine"]),
        ("beam model", beam["beam_model"]),
        ("spots, layers", f"{beam['spots']}, {len(beam['layers'])}"),
        (f"meterset per fraction [{beam['meterset_unit']}]", number(beam["meterset"], ".6g")),
        ("planned particles per fraction", number(beam["particles_per_fraction"], ".6g")),
        ("dose correction factor", f"{correction['dose_factor']:g}"),
        ("spot weight factors", f"{low:.6g} to {high:.6g}"),
        ("simulated primaries", beam["histories"]),
        ("mean uncertainty [%]", number(beam["mean_uncertainty_percent"])),
        *error_lines(beam.get("dose_errors")),
        ("goal reached", "yes" if beam["goal_reached"] else "NO"),
        ("time", duration_text(beam["wall_seconds"])),
    ]


def error_lines(errors: Mapping[str, Any] | None) -> list[Row]:
    """Return the largest and mean error of the dose, and how many voxels fail."""
    if not errors:
        return []
    failing = "no goal" if errors["failing"] is None else errors["failing"]
    return [
        ("largest, mean dose error [%]", f"{number(errors['largest_percent'])}, {number(errors['mean_percent'])}"),
        ("dose error of", errors["of"]),
        ("voxels counting, failing", f"{errors['voxels']}, {failing}"),
    ]


def comparison(summary: Mapping[str, Any]) -> list[Row]:
    """Return pass rates of whole doses, and the ratios that nothing normalises."""
    rows: list[Row] = []
    for gamma in summary["gamma"]:
        region, percent = next(iter(gamma["pass_percent"].items()), ("", None))
        rows.append((f"{gamma['dose']}, gamma {gamma['criterion']}", f"{number(percent)} % passing, {region}"))
    for ratio in summary["high_dose_ratios"]:
        rows.append((f"{ratio['dose']}, mean high dose ratio", number(ratio["ratio"], ".5g")))
    return rows


def performance(beams: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return primaries per second and times, by beam."""
    rows: list[Row] = []
    for beam in beams:
        per_second = beam["histories"] / beam["cpu_seconds"] if beam["cpu_seconds"] else None
        rows += [
            (f"beam {beam['number']} wall time [s]", number(beam["wall_seconds"], ".1f")),
            (f"beam {beam['number']} transport [CPU s]", number(beam["cpu_seconds"], ".1f")),
            (f"beam {beam['number']} primaries per CPU s", number(per_second, ".4g")),
        ]
    return rows
