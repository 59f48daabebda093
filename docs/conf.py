"""How the documentation is built: `make docs`."""

import os

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner

from dosewright import __version__
from dosewright.cli.main import app

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


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    sphinx.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
