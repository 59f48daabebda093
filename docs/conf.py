"""How the documentation is built: `make docs`."""

import os

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner

from dosewright import __version__
from dosewright.cli.main import app
from dosewright.formats.dicom.conformance_table import Line, lines_read, lines_written
from dosewright.formats.dicom.sop_classes import NAMES

project = "Dosewright"
author = "The Dosewright contributors"
copyright = "The Dosewright contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
smartquotes = False  # messages are quoted as they are
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"Dosewright {version}"
html_show_sourcelink = False
html_theme_options = {
    "announcement": "Not for clinical use: a quality-assurance and research tool, no medical device.",
}

os.environ["COLUMNS"] = "100"  # the width of the help texts below


class CommandHelp(SphinxDirective):
    """The help text of a command, asked from the command itself: ``{command-help} calc``."""

    optional_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Return the help as a block of text."""
        shown = CliRunner().invoke(app, [*self.arguments, "--help"], prog_name="dosewright")
        if shown.exit_code != 0:
            raise self.error(f"dosewright {' '.join(self.arguments)} --help failed")
        return [nodes.literal_block(shown.output, shown.output, language="text")]


class DicomAttributes(SphinxDirective):
    """What is declared of a kind of object by the code that reads or writes it: ``{dicom-attributes} read RT Dose``."""

    required_arguments = 2
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        doing, name = self.arguments
        (kind,) = (uid for uid, known in NAMES.items() if known == name)
        if doing == "written":
            return [table(("tag", "VR", "attribute", "value"), (12, 4, 44, 40), lines_written(kind))]
        titles = ("tag", "VR", "attribute", "use", "where it is missing", "test")
        return [table(titles, (10, 3, 25, 30, 12, 20), lines_read(kind))]


def table(titles: tuple[str, ...], widths: tuple[int, ...], lines: tuple[Line, ...]) -> nodes.table:
    """Return attributes as a table; ``>`` before a keyword stands for each sequence around it, as in the standard."""
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=width) for width in widths]
    head, body = nodes.thead(), nodes.tbody()
    head += table_row(*(nodes.Text(title) for title in titles))
    for line in lines:
        keyword = nodes.inline("", ">" * line.depth)
        keyword += nodes.literal(line.keyword, line.keyword)
        cells: list[nodes.Node] = [
            nodes.literal(line.tag, line.tag),
            nodes.Text(line.vr),
            keyword,
            nodes.Text(line.use),
        ]
        if len(titles) > len(cells):
            cells += [nodes.Text(line.assumes), tests_of(line)]
        body += table_row(*cells)
    group += [head, body]
    whole = nodes.table(classes=["dicom-attributes"])
    whole += group
    return whole


def table_row(*cells: nodes.Node) -> nodes.row:
    """Return a row of a table."""
    row = nodes.row()
    for cell in cells:
        entry, paragraph = nodes.entry(), nodes.paragraph()
        paragraph += cell
        entry += paragraph
        row += entry
    return row


def tests_of(line: Line) -> nodes.inline:
    """Return the names of the tests of an attribute."""
    shown = nodes.inline()
    for number, test in enumerate(line.tests):
        shown += nodes.Text(", " if number else "")
        shown += nodes.literal(test, test.rpartition("::")[2])
    return shown


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    sphinx.add_directive("command-help", CommandHelp)
    sphinx.add_directive("dicom-attributes", DicomAttributes)
    return {"parallel_read_safe": True}
