"""Rays of the field edges: from the focus of jaws and leaves through their projected edges to the isocentre plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dosewright.commissioning.scenes.cuts import Plane
from dosewright.core.frame import Rigid
from dosewright.core.modules import Jaws, Mlc
from dosewright.core.scene import Module
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.placed import Placed

SAME = 1.0e-6


@dataclass(frozen=True)
class EdgeLine:
    """A line to be drawn on a cut, (n, 2) mm, and what stands at its end."""

    points_mm: Floats
    says: str


def edge_lines(modules: Sequence[Module], placed: Sequence[Placed], plane: Plane) -> list[EdgeLine]:
    """Return the field edges of all jaws and multi-leaf collimators on a plane.

    On planes along the beam: rays from the focus to the isocentre plane. On planes across it, between the focus and the
    isocentre plane: the outline of the field, projected.
    """
    lines: list[EdgeLine] = []
    for module in modules:
        if isinstance(module, Jaws | Mlc):
            to_scene = _axes_of(module.parent, placed)
            for points, says in _of_module(module, plane, to_scene):
                lines.append(EdgeLine(to_scene.points(points)[:, list(plane.across)], says))
    return lines


def _axes_of(parent: str | None, placed: Sequence[Placed]) -> Rigid:
    """Return the way from the axes of a part, at rest, to those of the scene."""
    found = Rigid.identity()
    for part in placed:
        if part.name == parent:
            for placement, _ in reversed(part.steps):
                found = found.then(Rigid(placement.rotation, np.array(placement.centre_mm)))
    return found


def _of_module(module: Jaws | Mlc, plane: Plane, to_scene: Rigid) -> list[tuple[Floats, str]]:
    normal = to_scene.rotation[plane.normal]  # of the plane, in the axes of the module
    travel = "XY".index(module.orientation)
    away = plane.at_mm - to_scene.translation[plane.normal]
    if abs(normal[travel]) < SAME and abs(normal[2]) < SAME:
        at = away * normal[1 - travel]
        return _rays(module, travel, _travel_edges(module, at))
    if isinstance(module, Mlc) and abs(normal[1 - travel]) < SAME and abs(normal[2]) < SAME:
        return _rays(module, 1 - travel, _open_edges(module), module.cross_focus_mm)
    if abs(abs(normal[2]) - 1) < SAME:
        return _outline(module, travel, away * normal[2])
    return []


def _rays(module: Jaws | Mlc, axis: int, edges: Sequence[float], focus_mm: float = 0.0) -> list[tuple[Floats, str]]:
    lines = []
    for edge in edges:
        points = np.zeros((2, 3))
        points[:, 2] = module.focus_z_mm, module.isocentre_z_mm
        points[:, axis] = focus_mm, edge
        lines.append((points, f"{edge:+g}"))
    return lines


def _travel_edges(module: Jaws | Mlc, at_mm: float) -> tuple[float, ...]:
    """Return the opening of jaws; of leaves that of the pair which a plane meets at the height of the gaps."""
    if isinstance(module, Jaws):
        return module.negative_mm, module.positive_mm
    for pair, (low, high) in zip(module.pairs, module.sides_mm(), strict=True):
        if low - module.cross_gap_mm <= at_mm <= high and pair.positive_mm > pair.negative_mm:
            return pair.negative_mm, pair.positive_mm
    return ()


def _open_edges(module: Mlc) -> tuple[float, ...]:
    """Return the outer sides of the outermost leaves that are open."""
    sides = module.boundaries_mm()
    is_open = [n for n, pair in enumerate(module.pairs) if pair.positive_mm > pair.negative_mm]
    return (sides[is_open[0]], sides[is_open[-1] + 1]) if is_open else ()


def _outline(module: Jaws | Mlc, travel: int, z: float) -> list[tuple[Floats, str]]:
    share = (module.focus_z_mm - z) / (module.focus_z_mm - module.isocentre_z_mm)
    if not 0 < share <= 1 + SAME:
        return []
    cross = 1 - travel
    if isinstance(module, Jaws):
        half = module.half_width_mm
        lines = []
        for edge in (module.negative_mm, module.positive_mm):
            points = np.full((2, 3), z)
            points[:, travel], points[:, cross] = edge * share, (-half, half)
            lines.append((points, f"{edge:+g}"))
        return lines
    sides = module.cross_focus_mm + (np.array(module.boundaries_mm()) - module.cross_focus_mm) * share
    lines = []
    for end in ("negative_mm", "positive_mm"):
        points = np.full((2 * len(module.pairs), 3), z)
        points[:, travel] = np.repeat([getattr(pair, end) * share for pair in module.pairs], 2)
        points[0::2, cross], points[1::2, cross] = sides[:-1], sides[1:]
        lines.append((points, ""))
    return lines
