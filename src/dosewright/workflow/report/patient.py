"""What the particles travelled through: voxels, Hounsfield numbers, materials, overrides."""

from dosewright.geometry.overrides import OverrideUse
from dosewright.geometry.patient_report import PatientReport
from dosewright.workflow.report.html import Markup, Table, definitions, element, section

TITLE = "Patient as calculated"


def patient_section(report: PatientReport | None) -> Markup:
    """Return the facts of the voxels, the materials in use and the account of the overrides."""
    if report is None:
        return section("patient", TITLE, element("p", "Nothing was recorded."))
    overrides = _overrides(report.overrides) if report.overrides else element("p", "No materials were overridden.")
    return section("patient", TITLE, definitions(facts(report)), overrides, _materials(report))


def facts(report: PatientReport) -> dict[str, str]:
    """Return size of the voxels and use of the Hounsfield table, in words."""
    size = " x ".join(str(n) for n in report.grid.shape)
    spacing = " x ".join(f"{s:.4g}" for s in report.grid.spacing_mm)
    found = {"Voxels": f"{size} of {spacing} mm"}
    if report.hu_range is None:
        return {**found, "Hounsfield numbers": "none were used"}
    low, high = report.hu_range
    beyond = f"{report.clamped_below:,} voxels below the table, {report.clamped_above:,} above; given its end values"
    return {**found, "Hounsfield numbers": f"{low:g} to {high:g} were used", "Clamped": beyond}


def _overrides(uses: tuple[OverrideUse, ...]) -> Markup:
    rows = [
        [
            use.structure,
            use.material,
            f"{use.density_g_cm3:g}",
            f"{use.voxels:,}",
            "; ".join(f"{count:,} to {later}" for later, count in use.lost.items()) or "none",
            f"{use.outside:,}",
        ]
        for use in uses
    ]
    heads = ["Structure", "Material", "Density (g/cm³)", "Voxels filled", "Voxels lost to later ones", "Filled outside"]
    caption = "Overrides in the order of application; outside counts filled voxels outside EXTERNAL, SUPPORT and BOLUS."
    return Table(caption, heads, rows, (), (0, 1, 4)).html()


def _materials(report: PatientReport) -> Markup:
    whole = sum(use.voxels for use in report.materials) or 1
    rows = [
        [use.name, f"{use.voxels:,}", f"{100 * use.voxels / whole:.2f}", f"{use.mean_density_g_cm3:.4g}"]
        for use in report.materials
    ]
    heads = ["Material", "Voxels", "Share (%)", "Mean density (g/cm³)"]
    return Table("Materials of all voxels, the air around the patient included.", heads, rows, css="fine").html()
