"""Does the tracking see what the shapes say: rays followed through the packed scene, and by formula part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.scene import Part
from dosewright.geometry.scene.pack import pack_scene
from dosewright.geometry.scene.rays import OUTSIDE_WORLD, boundaries_along
from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.placed import Placed
from dosewright.geometry.scene_check.rays import even_numbers, isotropic

SAME_MM = 1.0e-4  # boundaries farther apart are not the same; each crossing puts a ray 1e-7 mm ahead
THIN_MM = 1.0e-6  # stretches that are thinner count for nothing
MOST = 20_000  # boundaries on one ray before it is lost


@dataclass(frozen=True)
class LostRay:
    """A ray on which the tracking and the shapes do not agree: start (mm), direction, phase, and how they differ."""

    start_mm: tuple[float, float, float]
    direction: tuple[float, float, float]
    phase_deg: float
    says: str

    def words(self) -> str:
        """Say it in a sentence."""
        start = ", ".join(f"{x:.6g}" for x in self.start_mm)
        way = ", ".join(f"{x:.6g}" for x in self.direction)
        return f"The ray from ({start}) mm along ({way}) gets lost: {self.says}."


def lost_rays(parts: Sequence[Part], placed: Sequence[Placed], rays: int) -> list[LostRay]:
    """Follow rays from all sides through a scene and return those on which tracking and shapes disagree."""
    if not placed or not rays:
        return []
    tables = pack_scene(parts, (0, 0.0), {}, None, Rigid.identity()).tables
    bundle, phase = _from_all_sides(placed, rays)
    expected = _stretches(placed, bundle, phase)
    names = [part.name for part in parts] + ["what fills the scene"]
    lost = []
    for n in range(rays):
        start, way = bundle.origin[n], bundle.direction[n]
        seen = boundaries_along(tables, start / 10, way, most=MOST, phase=float(phase[n]))
        traced = _without_thin(list(zip(seen.distances_cm * 10, seen.parts[1:].tolist(), strict=True)), len(placed))
        says = (
            "it never leaves the scene" if len(seen.distances_cm) >= MOST else _difference(expected[n], traced, names)
        )
        if says:
            sx, sy, sz, dx, dy, dz = (float(x) for x in (*start, *way))
            lost.append(LostRay((sx, sy, sz), (dx, dy, dz), float(np.rad2deg(phase[n])), says))
    return lost


def _from_all_sides(placed: Sequence[Placed], rays: int) -> tuple[Rays, Floats]:
    """Return rays that begin outside of all parts and go through places in their boxes, one part after another."""
    numbers = even_numbers(rays)
    which = np.arange(rays) % len(placed)
    low, high = np.array([p.low for p in placed]), np.array([p.high for p in placed])
    through = low[which] + numbers[:, :3] * (high - low)[which]
    direction = isotropic(numbers[:, 3:])
    back = float(np.linalg.norm(high.max(axis=0) - low.min(axis=0))) + 1.0
    phase = 2 * np.pi * numbers[:, 2] if any(p.turns for p in placed) else np.zeros(rays)
    return Rays(through - back * direction, direction), phase


def _stretches(placed: Sequence[Placed], rays: Rays, phase: Floats) -> list[list[tuple[float, int]]]:
    """Return for each ray where it comes into which part, by formula; number of parts: what fills the scene."""
    bounds = [part.chords(rays, phase) for part in placed]
    whole = np.concatenate(bounds, axis=1)
    owner = np.concatenate([np.full(b.shape[1], n) for n, b in enumerate(bounds)])
    order = np.argsort(whole, axis=1, kind="stable")
    depth = [part.depth for part in placed]
    found = []
    for row, ordered in zip(whole, order, strict=True):
        inside: set[int] = set()
        entered = []
        for column in ordered[: int((row < np.inf).sum())].tolist():
            inside ^= {int(owner[column])}
            entered.append((float(row[column]), max(inside, key=lambda n: depth[n], default=len(placed))))
        found.append(_without_thin(entered, len(placed)))
    return found


def _without_thin(entered: list[tuple[float, int]], fill: int) -> list[tuple[float, int]]:
    """Return the boundaries between stretches that count, one for each change of part."""
    kept: list[tuple[float, int]] = []
    for (at, part), (end, _) in pairwise([*entered, (np.inf, fill)]):
        last = kept[-1][1] if kept else fill
        if end - at > THIN_MM and part not in (last, OUTSIDE_WORLD):
            kept.append((at, part))
    return kept


def _difference(expected: list[tuple[float, int]], traced: list[tuple[float, int]], names: list[str]) -> str:
    """Return in words where two lists of boundaries first differ; empty where they do not."""
    for one, other in zip(expected, traced, strict=False):
        if one[1] != other[1] or abs(one[0] - other[0]) > SAME_MM:
            return (f"after {one[0]:.6f} mm its shapes have {names[one[1]]!r}, "
                    f"the tracking {names[other[1]]!r} after {other[0]:.6f} mm")  # fmt: skip
    if len(expected) != len(traced):
        return f"its shapes have {len(expected)} boundaries, the tracking {len(traced)}"
    return ""
