"""The style sheet of the report, with the plan's name in the margin of every printed page."""

import re
from importlib.resources import files

PAGE_TITLE = "PAGE_TITLE"
LONGEST_TITLE = 90


def style(title: str) -> str:
    """Return the style sheet, with a page title in which only harmless characters of the given one are left."""
    harmless = re.sub(r"[^\w .,:()+-]", " ", title, flags=re.ASCII)
    sheet = files("dosewright.workflow.report").joinpath("report.css").read_text(encoding="utf-8")
    return sheet.replace(PAGE_TITLE, " ".join(harmless.split())[:LONGEST_TITLE])
