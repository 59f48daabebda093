"""A phase space on one page: fluence, profiles, spectra, angles."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from dosewright.phase_space.histograms import Histogram
from dosewright.phase_space.quantities import UNITS, labelled

# After Okabe and Ito, Color Universal Design (2008).
COLOURS = {"ALL": "#22303a", "gamma": "#0072B2", "e-": "#D55E00", "e+": "#009E73", "neutron": "#CC79A7",
           "proton": "#E69F00"}  # fmt: skip
DECADES = 6  # of a logarithmic axis, at most


def picture(histograms: Sequence[Histogram], original_histories: float, title: str) -> Figure:
    """Draw the fluence, the profiles, spectra and angles per particle class, and the energy over the radius."""
    figure = Figure(figsize=(13, 8), layout="constrained")
    found = {(histogram.name.split(": ")[-1].removesuffix(" at Zstop"), histogram.particles): histogram
             for histogram in histograms}  # fmt: skip
    present = [name for name in COLOURS if ("X", name) in found and found["X", name].sums.any()]
    if len(present) == 2:
        present.remove("ALL")  # the same as the only class there is
    (fluence, profiles, spectra), (angles, radius, energies) = figure.subplots(2, 3)
    _map(figure, fluence, found["XY", "ALL"], original_histories, "particles per cm² and original history")
    for direction, dash in (("X", "solid"), ("Y", "dashed")):
        _curves(profiles, [found[direction, name] for name in present], original_histories, dash)
    profiles.set_xlabel("X (solid), Y (dashed) (cm)")
    _curves(spectra, [found["Energy", name] for name in present], original_histories)
    _curves(angles, [found["Direction Theta", name] for name in present], original_histories)
    _curves(radius, [found["R", name] for name in present], original_histories, per_area=True)
    _map(
        figure, energies, found["R vs Energy", "ALL"], original_histories, "particles per cm, MeV and original history"
    )
    if present:
        spectra.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=11)
    return figure


def _curves(
    axes: Axes, histograms: Sequence[Histogram], original_histories: float, dash: str = "solid", per_area: bool = False
) -> None:
    top = 0.0
    for histogram in histograms:
        (axis,) = histogram.axes
        edges = axis.edges()
        width = np.pi * np.diff(edges**2) if per_area else np.diff(edges)
        value = histogram.sums[1:-1] / width / original_histories
        error = histogram.errors[1:-1] / width / original_histories
        colour = COLOURS[histogram.particles]
        axes.stairs(value, edges, color=colour, lw=1.0, ls=dash, label=histogram.particles)
        low, high = (np.append(bound, bound[-1]) for bound in (np.maximum(value - error, 0.0), value + error))
        axes.fill_between(edges, low, high, step="post", color=colour, alpha=0.25, lw=0)
        top = max(top, float(value.max()))
    quantity = histograms[0].axes[0].quantity if histograms else ""
    if top > 0:
        axes.set_yscale("log")
        lowest = min(float(v[v > 0].min()) for h in histograms if (v := _densities(h, per_area)).any())
        axes.set_ylim(max(lowest / original_histories / 2, top * 10.0**-DECADES), top * 2)
    axes.set_xlabel(labelled(quantity))
    axes.set_ylabel(f"particles per {'cm²' if per_area else UNITS.get(quantity, quantity)} and original history")
    axes.tick_params(labelsize=8)


def _densities(histogram: Histogram, per_area: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    edges = histogram.axes[0].edges()
    return histogram.sums[1:-1] / (np.pi * np.diff(edges**2) if per_area else np.diff(edges))


def _map(figure: Figure, axes: Axes, histogram: Histogram, original_histories: float, label: str) -> None:
    first, second = histogram.axes
    area = np.outer(np.diff(first.edges()), np.diff(second.edges())) * original_histories
    value = np.ma.masked_less_equal(histogram.sums[1:-1, 1:-1] / area, 0.0)
    if value.count():
        top = float(value.max())
        norm = LogNorm(max(float(value.min()), top * 10.0 ** -(DECADES - 2)), top)
        drawn = axes.pcolormesh(first.edges(), second.edges(), value.T, norm=norm, cmap="viridis", rasterized=True)
        figure.colorbar(drawn, ax=axes, shrink=0.85).set_label(label, fontsize=8)
    axes.set_xlabel(labelled(first.quantity))
    axes.set_ylabel(labelled(second.quantity))
    axes.tick_params(labelsize=8)
    if first.quantity == "X":
        axes.set_aspect("equal")
