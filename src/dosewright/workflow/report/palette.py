"""Colours of the report: distinguishable with colour-vision deficiency, ordered in lightness for grey print."""

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.colors import Colormap, LinearSegmentedColormap

INK = "#22303a"
HAIR = "#c9d2d6"
MC = "#0b5f6b"
TPS = "#c8500a"

# After Okabe and Ito, Color Universal Design (2008), without the yellow that white paper swallows.
_STRUCTURES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7B5EA7", "#5F6B73")
_DASHES = ("solid", (0, (4, 1.2)), (0, (1.2, 1.2)))

# Lightness rises with dose, so that the wash stays readable in grey.
DOSE = LinearSegmentedColormap.from_list(
    "dose", ["#1b1464", "#4b2a9b", "#8f3aa3", "#cf4a7a", "#f0743e", "#fbb32f", "#fdf08a"]
)
# Dark blue below, light orange above: the sign survives a grey print.
DIFFERENCE = LinearSegmentedColormap.from_list(
    "difference", ["#0a2f6e", "#3a74b8", "#a9cbe6", "#f8f8f6", "#f9c58d", "#ee8f34", "#cf6a12"]
)
# From 0 to 2 with a jump at 1: pale passes, dark fails.
GAMMA = LinearSegmentedColormap.from_list(
    "gamma", [(0.0, "#f3f8f8"), (0.5, "#8fc0c6"), (0.5, "#f2a03f"), (0.75, "#c4451c"), (1.0, "#5c1008")]
)
UNCERTAINTY = LinearSegmentedColormap.from_list("uncertainty", ["#f4f7ee", "#b7d3a8", "#5f9e86", "#2b6070", "#14264a"])
GREY: Colormap = LinearSegmentedColormap.from_list("grey", ["#000000", "#ffffff"])
PALE_GREY: Colormap = LinearSegmentedColormap.from_list("pale_grey", ["#d8dcde", "#ffffff"])


@dataclass(frozen=True)
class Mark:
    """How one structure is shown everywhere: a number, a colour, a kind of line."""

    number: int
    colour: str
    dash: object


def marks(names: Iterable[str]) -> dict[str, Mark]:
    """Give each structure name its mark, in the order of first appearance."""
    found: dict[str, Mark] = {}
    for name in names:
        i = len(found)
        dash = _DASHES[(i // len(_STRUCTURES)) % len(_DASHES)]
        found.setdefault(name, Mark(i + 1, _STRUCTURES[i % len(_STRUCTURES)], dash))
    return found
