"""What of a scene a picture shows, and which planes it is cut on where nobody says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dosewright.commissioning.scenes.cuts import Plane
from dosewright.core.errors import nearest, refuse
from dosewright.core.modules import Jaws, Mlc
from dosewright.core.scene import Module
from dosewright.core.solids import Triple
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.placed import Placed

MARGIN = 0.04  # of the longest side, around all that is shown


@dataclass(frozen=True)
class Window:
    """A box along the axes of the scene, mm."""

    low: Floats
    high: Floats

    def on(self, plane: Plane, narrowest: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return its corners on a plane, widened where one side is less than `narrowest` of the other."""
        axes = list(plane.across)
        middle, half = (self.low + self.high)[axes] / 2, (self.high - self.low)[axes] / 2
        half = np.maximum(half, narrowest * half.max())
        (a, b), (c, d) = (middle - half).tolist(), (middle + half).tolist()
        return (a, b), (c, d)


def whole_scene(placed: Sequence[Placed], modules: Sequence[Module], rays: bool) -> Window:
    """Return the box around all parts; with rays of the field edges, around focus and isocentre plane too."""
    corners = [p.low for p in placed] + [p.high for p in placed]
    for module in modules if rays else ():
        if isinstance(module, Jaws | Mlc) and module.parent is None:
            corners += [np.array([0.0, 0.0, z]) for z in (module.focus_z_mm, module.isocentre_z_mm)]
    return _grown(np.min(corners, axis=0), np.max(corners, axis=0))


def part_window(placed: Sequence[Placed], name: str) -> Window:
    """Return the box around a part, or around all parts whose names begin so."""
    chosen = [p for p in placed if p.name == name] or [p for p in placed if p.name.startswith(name)]
    if not chosen:
        raise refuse(f"The scene has no part {name!r}.{nearest(name, [p.name for p in placed])}", given=name)
    return _grown(np.min([p.low for p in chosen], axis=0), np.max([p.high for p in chosen], axis=0))


def box_window(low: Triple, high: Triple) -> Window:
    """Return the box between two corners."""
    if not (np.isfinite([*low, *high]).all() and all(b > a for a, b in zip(low, high, strict=True))):
        raise refuse("A box goes from its lower to its higher corner", given=f"from {low} to {high} mm")
    return Window(np.array(low), np.array(high))


def usual_planes(placed: Sequence[Placed], modules: Sequence[Module], window: Window) -> list[Plane]:
    """Return the planes x = 0, y = 0 and one across each collimator that lie in the window, else through its middle."""
    middle = (window.low + window.high) / 2
    planes = [
        Plane(axis, 0.0 if window.low[k] < 0 < window.high[k] else float(middle[k])) for k, axis in enumerate("xy")
    ]
    heights = []
    for module in modules:
        own = [p for p in placed if p.name.startswith(f"{module.name}_")] if isinstance(module, Jaws | Mlc) else []
        if own:
            heights.append(float(np.mean([(p.low + p.high)[2] / 2 for p in own])))
    inside = [round(z, 1) for z in heights if window.low[2] < z < window.high[2]]
    return planes + [Plane("z", z) for z in dict.fromkeys(sorted(inside, reverse=True) or [round(float(middle[2]), 1)])]


def _grown(low: Floats, high: Floats) -> Window:
    margin = MARGIN * max(float((high - low).max()), 1.0)
    return Window(low - margin, high + margin)
