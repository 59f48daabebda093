"""A measured page of processes: rows of figures against what is published or follows from a formula, and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullFormatter
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured"
COLOURS = ("#0b5563", "#c1440e", "#7a5195", "#E69F00", "#5F6B73", "#2f8f5b", "#a05195")
CHANCE = 0.001  # that a right sampling misses the bound of its chi-square

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One comparison: what, the largest difference with its place, the bound of it."""

    cells: tuple[str, ...]
    met: bool


@dataclass
class Page:
    """A page in the making."""

    name: str
    title: str
    text: str
    parts: list[str] = field(default_factory=list)
    missed: int = 0

    def section(self, title: str, text: str) -> None:
        """Begin a section."""
        self.parts += [f"## {title}", text]

    def table(self, head: Sequence[str], rows: Sequence[Row]) -> None:
        """Add a table of comparisons, the verdict last."""
        lines = ["| " + " | ".join([*head, "verdict"]) + " |", "|---" * (len(head) + 1) + "|"]
        for row in rows:
            lines.append("| " + " | ".join([*row.cells, "met" if row.met else "**MISSED**"]) + " |")
        self.missed += sum(not row.met for row in rows)
        self.parts.append("\n".join(lines))

    def picture(self, figure: Figure, name: str, words: str) -> None:
        """Write a picture beside the page and show it."""
        MEASURED.mkdir(parents=True, exist_ok=True)
        figure.savefig(MEASURED / f"{self.name}_{name}.png", dpi=100)
        self.parts.append(f"![{words}]({self.name}_{name}.png)")

    def write(self) -> None:
        """Write the page."""
        verdict = "No bound is missed." if not self.missed else f"**{self.missed} bounds are missed.**"
        text = "\n\n".join([f"# {self.title}", self.text, verdict, *self.parts]) + "\n"
        (MEASURED / f"{self.name}.md").write_text(text, encoding="utf-8")
        print(f"docs/measured/{self.name}.md: {verdict}")


WORST = ("", "values", "largest difference", "at", "bound")
SPREAD = ("", "events", "bins", "chi-square", "bound")


def worst(name: str, at: ArrayLike, ours: ArrayLike, theirs: ArrayLike, bound: float, unit: str = "%") -> Row:
    """Compare a series, in percent unless another unit says that differences themselves are bounded."""
    here, expected, places = (np.asarray(x, float) for x in (ours, theirs, at))
    difference = 100 * (here / expected - 1) if unit == "%" else here - expected
    k = int(np.argmax(np.abs(difference)))
    words = f"{difference[k]:+.2g} {unit}".strip()
    cells = (name, f"{here.size}", words, f"{places[k]:.4g} MeV", f"{bound:g} {unit}".strip())
    return Row(cells, bool(abs(difference[k]) <= bound))


def spread(name: str, counts: Floats, expected: Floats) -> Row:
    """Compare a histogram of sampled events with the numbers expected in each bin."""
    kept = expected > 0
    found = float(np.sum((counts[kept] - expected[kept]) ** 2 / expected[kept]))
    bound = float(chi2.ppf(1 - CHANCE, kept.sum() - 1))
    cells = (name, f"{int(counts.sum()):,}", f"{kept.sum()}", f"{found:.0f}", f"{bound:.0f}")
    return Row(cells, found <= bound)


def in_bins(edges: Floats, x: Floats, density: Floats, events: int) -> Floats:
    """Return how many of the events a density on points x puts into each bin."""
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(x))))
    return np.asarray(events * np.diff(np.interp(edges, x, below / below[-1])), float)


def bars(axes: Axes, edges: Floats, counts: Floats, expected: Floats, colour: str, label: str) -> None:
    """Draw a density: the formula as a line, what was sampled as points."""
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    axes.plot(middle, expected / width / expected.sum(), "-", color=colour, linewidth=1, label=label)
    axes.plot(middle, counts / width / counts.sum(), ".", color=colour, markersize=4)


def plain(axis: Axis, ticks: Sequence[float]) -> None:
    """Put plain numbers on a logarithmic axis."""
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())


def band(axes: Axes, half: float) -> None:
    """Mark the bound of a comparison."""
    axes.axhspan(-half, half, color="0.92", zorder=0)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.legend(frameon=False, fontsize=8)
