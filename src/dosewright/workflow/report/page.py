"""The report: one self-contained HTML file that reads well on screen and prints well on A4."""

from pathlib import Path

from dosewright.core.whole_file import write_whole_text
from dosewright.execution.artifact import private_folder
from dosewright.workflow.report.data import ReportData
from dosewright.workflow.report.findings import NOT_CLINICAL, findings, head, notes
from dosewright.workflow.report.html import Markup, element, join, text
from dosewright.workflow.report.patient import patient_section
from dosewright.workflow.report.style import style
from dosewright.workflow.report.tables import audit, provenance
from dosewright.workflow.report.views import (
    dvh_section,
    gamma_section,
    planes_section,
    profiles_section,
    statistics_section,
    views,
)

# Nothing may be loaded or run, whatever a name from DICOM should hold.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_report(path: Path, data: ReportData) -> None:
    """Write the report of one calculation, readable by its owner only.

    The file needs nothing beside it: pictures are inside, there are no scripts and no links to elsewhere.
    """
    private_folder(path.parent)
    write_whole_text(path, report_page(data))


def report_page(data: ReportData) -> str:
    """Return the report as HTML."""
    shown = views(data)
    body = join(
        (
            head(data),
            element(
                "main",
                findings(data),
                notes(data),
                planes_section(data, shown),
                dvh_section(data, shown.scene.marks),
                gamma_section(data),
                profiles_section(data),
                statistics_section(data, shown),
                patient_section(data.made_from),
                audit(data.beams),
                provenance(data),
            ),
            element("footer", _signature(), element("p", NOT_CLINICAL)),
        )
    )
    title = f"Dosewright report · {data.plan_label} · {data.created}"
    page_title = f"{data.plan_label}, {data.created}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{style(page_title)}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _signature() -> Markup:
    places = ("Name", "Signature", "Date")
    return element("div", *(element("div", place) for place in places), css="signature")
