"""A small self-contained page: tables and pictures of a fit beside its measurements."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from matplotlib.figure import Figure

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b2733; }
h1, h2 { line-height: 1.2; } img { max-width: 100%; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; font-size: 0.9em; }
th, td { padding: 0.15rem 0.6rem; text-align: right; border-bottom: 1px solid #d5dce2; }
th:first-child, td:first-child { text-align: left; } dt { font-weight: 600; } dd { overflow-wrap: anywhere; }
.warning { border-left: 4px solid #b3541e; padding-left: 0.8rem; }
"""
MEASURED, FITTED, SECOND = "#b3541e", "#1f5f8b", "#4a7a3a"  # one colour each in every picture
NOT_CLINICAL = "Not for clinical use: a fit is an aid; whoever approves it is responsible."


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; the parts are HTML already."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"{head}<h1>{escape(title)}</h1><p>{NOT_CLINICAL}</p>{''.join(parts)}</html>\n"


def section(title: str, *parts: str) -> str:
    """Return a section with its heading."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str, *, warning: bool = False) -> str:
    """Return a paragraph of plain text."""
    css = ' class="warning"' if warning else ""
    return f"<p{css}>{escape(text)}</p>"


def pairs(rows: Mapping[str, str]) -> str:
    """Return titles with their words."""
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items()) + "</dl>"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of words."""
    head = "".join(f"<th>{escape(one)}</th>" for one in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture(figure: Figure, alt: str) -> str:
    """Return a figure inside the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<figure><img alt="{escape(alt, quote=True)}" src="data:image/png;base64,{data}"></figure>'
