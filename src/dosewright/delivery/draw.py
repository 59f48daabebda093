"""A picture of a step: boxes of regions and fields, lines of pencil beams; from above, the side and the front.

The room's axes are x to the left, y upwards and z to the front, as FRED has them.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.core.whole_file import write_whole
from dosewright.delivery.steps import Delivery, FieldDelivery, Step
from dosewright.formats.text.fred.places import Box

Array = NDArray[np.float64]
NO_DEVICE = "not a medical device; QA and research"
VIEWS = (("from above", 2, 0), ("from the side", 2, 1), ("from the front", 0, 1))  # room axes to the right, upwards
DPI, WIDTH_IN, HEIGHT_IN = 100, 15.0, 5.6
MOST_BEAMS = 400  # lines per field; more cannot be told apart
MARGIN = 0.05  # around all that is drawn, of its size
INK, ABSENT = "#1b2733", "#b8c0c6"
REGION = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#8c6d46", "#56B4E9", "#9467bd", "#b5bd4c")
FIELD, BEAM = "#E69F00", "#c2185b"
EDGES = [(a, b) for a, b in product(range(8), repeat=2) if a < b and bin(a ^ b).count("1") == 1]  # of a box's corners


def draw_step(delivery: Delivery, step: Step, output: Path) -> None:
    """Draw a step into a PNG file: what is there in colour, what is not in grey, pencil beams of the step as lines."""
    boxes = delivery.boxes()
    corners = {name: _corners(box, step.placements[name]) / MM_PER_CM for name, box in boxes.items()}
    shown = [corners[name] for name in boxes if name in step.active] or list(corners.values())
    low, high = np.concatenate(shown).min(axis=0), np.concatenate(shown).max(axis=0)
    reach = float(np.linalg.norm(high - low))
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    title = f"Step {step.number}, {step.where}: {', '.join(one.name for one in step.fields)}. Dosewright, {NO_DEVICE}."
    figure.suptitle(title, fontsize=10, color=INK)
    for n, (view, right, upwards) in enumerate(VIEWS, start=1):
        axes = figure.add_subplot(1, len(VIEWS), n)
        for number, name in sorted(enumerate(boxes), key=lambda one: one[1] in step.active):  # what is there on top
            _draw_box(axes, name, corners[name][:, (right, upwards)], _colour(name, number, delivery, step))
        for one in step.fields:
            lines = _beam_lines(one, step.placements[one.name], reach)[:, :, (right, upwards)]
            axes.add_collection(LineCollection(list(lines), colors=BEAM, linewidths=0.6, alpha=0.6))
        _frame(axes, low[[right, upwards]], high[[right, upwards]])
        axes.set(title=view, xlabel=f"{'xyz'[right]} (cm)", ylabel=f"{'xyz'[upwards]} (cm)")
    figure.subplots_adjust(left=0.05, right=0.98, bottom=0.1, top=0.88, wspace=0.18)
    write_whole(output, lambda file: figure.savefig(file, format="png", dpi=DPI))


def _corners(box: Box, placement: Rigid) -> Array:
    """Return the eight corners of a box in the room, mm."""
    return placement.points(np.array(list(product(*zip(box.low_mm, box.high_mm, strict=True)))))


def _colour(name: str, number: int, delivery: Delivery, step: Step) -> str:
    if name not in step.active:
        return ABSENT
    return FIELD if any(one.box.name == name for one in delivery.input.fields) else REGION[number % len(REGION)]


def _draw_box(axes: Axes, name: str, corners: Array, colour: str) -> None:
    style = "dotted" if colour == ABSENT else "solid"
    lines = [corners[[a, b]] for a, b in EDGES]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.9, linestyles=style))
    right, top = corners.max(axis=0)
    if colour != ABSENT:
        axes.annotate(name, (right, top), color=colour, fontsize=7, xytext=(-3, 2), textcoords="offset points",
                      ha="right", annotation_clip=True)  # fmt: skip


def _beam_lines(one: FieldDelivery, placement: Rigid, reach: float) -> Array:
    """Return the lines of pencil beams from their origins, (beams, 2, 3), cm; of very many an even choice."""
    chosen: Sequence[int] = range(len(one.beams))
    if len(one.beams) > MOST_BEAMS:
        chosen = [int(n) for n in np.linspace(0, len(one.beams) - 1, MOST_BEAMS)]
    starts = placement.points(np.array([one.beams[n].position_mm for n in chosen]).reshape(-1, 3)) / MM_PER_CM
    ways = placement.directions(np.array([one.beams[n].direction for n in chosen]).reshape(-1, 3))
    return np.stack([starts, starts + reach * ways], axis=1)


def _frame(axes: Axes, low: Array, high: Array) -> None:
    """Show all that is there, both axes alike."""
    middle, half = (low + high) / 2, max(float((high - low).max()) / 2, 0.5) * (1 + 2 * MARGIN)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect("equal")
    axes.tick_params(labelsize=7)
    axes.grid(color="#e6eaed", linewidth=0.5)
    axes.set_axisbelow(True)
