"""A study of cuts on one page: shares lost against cuts, entries per particle, and which regions go together."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from dosewright.studies.collected import KINDS
from dosewright.studies.cut_study import CutStudy, WayStudy
from dosewright.studies.cut_text import PERCENT, TITLES

LONG = 20  # names in a column of the legend
LEAST_PERCENT = 1e-3
POINTS = 400  # of a curve


def picture(study: CutStudy, way: str) -> Figure:
    """Draw one way of ending particles."""
    of, kinds = study.ways[way], KINDS[way]
    figure = Figure(figsize=(15, 9), layout="constrained")
    above, below = figure.subplots(2, 3)
    for kind, name in enumerate(kinds):
        _curves(above[kind], study, of, kind)
        above[kind].set_title(name, fontsize=10)
    for kind, axes in enumerate(above):
        axes.set_visible(any(cut.kind == kind for cut in of.cuts))
    _numbers(below[0], of)
    _pairs(figure, below[1], study, of)
    _legend(below[2], study)
    shown = (
        f"less than {study.lose_percent:g} % of {len(study.target.weight):,} particles at z = {study.plane.z_mm:g} mm"
    )
    figure.suptitle(f"{TITLES[way].capitalize()}: {shown}", fontsize=11)
    return figure


def _curves(axes: Axes, study: CutStudy, of: WayStudy, kind: int) -> None:
    """Draw the share lost against the cut in each region; a dot where it is as much as was asked."""
    target = study.target
    for cut in (cut for cut in of.cuts if cut.kind == kind):
        here = of.found.smallest.at(cut.region, kind)
        order = np.argsort(here.energy_MeV)
        lost = np.cumsum(target.weight[here.of[order]]) / target.total * PERCENT
        shown = np.unique(np.linspace(0, len(order) - 1, POINTS).astype(int))
        style = _style(cut.region)
        axes.step(here.energy_MeV[order][shown], lost[shown], where="post", lw=1.0, **style)
        if np.isfinite(cut.energy_MeV):
            axes.plot(cut.energy_MeV, max(cut.lost.value * PERCENT, LEAST_PERCENT), "o", ms=5, color=style["color"])
    axes.axhline(study.lose_percent, color="#22303a", lw=0.8, ls=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(LEAST_PERCENT, 2 * PERCENT)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("cut (MeV)")
    axes.set_ylabel("lost (%)")
    axes.tick_params(labelsize=8)


def _style(region: int) -> dict[str, Any]:
    """Return colour and dash of a region: ten colours, then the same dashed."""
    dashes = ("solid", "dashed", "dotted", "dashdot")
    return {"color": f"C{region % 10}", "linestyle": dashes[region // 10 % len(dashes)]}


def _numbers(axes: Axes, of: WayStudy) -> None:
    """Draw how many entries particles have."""
    last = int(np.flatnonzero(of.found.numbers).max(initial=0)) + 1
    share = of.found.numbers[:last] / max(of.found.numbers.sum(), np.finfo(float).tiny) * PERCENT
    axes.bar(np.arange(last), share, color="#0072B2")
    axes.set_xlabel("entries of a particle and its ancestors")
    axes.set_ylabel("particles (%)")
    axes.tick_params(labelsize=8)


def _pairs(figure: Figure, axes: Axes, study: CutStudy, of: WayStudy) -> None:
    """Draw which regions have entries of the same particle."""
    pairs = np.ma.masked_less_equal(of.found.pairs / study.target.total, 0.0)
    if pairs.count():
        shown = axes.imshow(pairs, norm=LogNorm(float(pairs.min()), float(pairs.max())), cmap="viridis", origin="lower")
        figure.colorbar(shown, ax=axes, shrink=0.85).set_label("pairs per particle", fontsize=8)
    numbers = np.arange(len(pairs))
    axes.set_xticks(numbers)
    axes.set_yticks(numbers)
    axes.set_xlabel("number of the region")
    axes.set_ylabel("number of the region")
    axes.tick_params(labelsize=8)


def _legend(axes: Axes, study: CutStudy) -> None:
    """List the regions with their numbers and lines."""
    axes.set_axis_off()
    for number, name in enumerate(study.regions.names):
        axes.plot([], [], label=f"{number}  {name}", **_style(number))
    axes.legend(loc="center", frameon=False, fontsize=8, ncols=2 if len(study.regions.names) > LONG else 1)
