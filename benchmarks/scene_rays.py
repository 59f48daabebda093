"""What following a photon through a scene costs, with and without 160 leaves; ``python -m benchmarks.scene_rays``."""

import time

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Intersection, Placement
from dosewright.core.solids import Box, Prism, Tube
from dosewright.geometry.scene.pack import pack_scene
from dosewright.geometry.scene.rays import lengths_in_parts
from dosewright.geometry.scene.trace import SceneTables

Array = NDArray[np.float64]

FOCUS_MM = 1000.0
PAIRS, WIDTH_MM, GAP_MM = 80, 5.0, 0.1  # of a made-up collimator, at its middle height
LEAF_MM, TIP_MM, HEIGHT_MM, MIDDLE_MM = 150.0, 80.0, 80.0, 500.0
PHOTONS, REPEATS = 200_000, 5

# Cross and height, 20 points: tongue on the right, groove on the left, a step below.
RIGHT = [(2.45, -40), (2.45, -20), (2.85, -20), (2.85, -10), (2.45, -10), (2.45, 5), (2.45, 12), (2.3, 12), (2.3, 40)]
LEFT = [(-2.45, 40), (-2.45, 12), (-2.6, 12), (-2.6, 5), (-2.45, 5), (-2.45, -9.5), (-2.05, -9.5), (-2.05, -20.5)]
OUTLINE = np.array([*RIGHT, *LEFT, (-2.45, -20.5), (-2.45, -40), (0, -40)], float)
ALONG_X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # the leaf's own axes: cross, height, travel


def leaf(pair: int, side: int, opening_mm: float) -> Part:
    """Return a leaf with a round tip, cut out of its outline by a cylinder as long as it is wide."""
    tip = Placement((0.0, 0.0, -side * (LEAF_MM / 2 - 2 * TIP_MM)), rotation_about("y", 90.0))
    shape = Intersection(Prism(OUTLINE, LEAF_MM), Tube(2 * TIP_MM, 4 * WIDTH_MM), tip)
    cross = (pair - (PAIRS - 1) / 2) * (WIDTH_MM + GAP_MM)
    return Part(
        f"leaf {pair} {side}", shape, None, Placement((side * (opening_mm + LEAF_MM / 2), cross, MIDDLE_MM), ALONG_X)
    )


def head() -> list[Part]:
    """Return what stands in the beam beside the leaves."""
    return [
        Part("filter", Cone(40.0, 0.0, 20.0), None, Placement((0.0, 0.0, 880.0))),
        Part("chamber", Tube(60.0, 2.0), None, Placement((0.0, 0.0, 840.0))),
        Part("water", Box((600.0, 600.0, 400.0)), None, Placement((0.0, 0.0, -200.0))),
    ]


def leaves(open_pairs: int, opening_mm: float) -> list[Part]:
    """Return all leaves; the pairs in the middle are open."""
    openings = [opening_mm if abs(k - (PAIRS - 1) / 2) < open_pairs / 2 else 0.2 for k in range(PAIRS)]
    return [leaf(k, side, openings[k]) for k in range(PAIRS) for side in (1, -1)]


def photons(half_x_mm: float, half_y_mm: float) -> Array:
    """Return rays from the focus to a rectangle at the isocentre."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-half_x_mm, half_x_mm, PHOTONS), rng.uniform(-half_y_mm, half_y_mm, PHOTONS)
    ways = np.column_stack([x, y, np.full(PHOTONS, -FOCUS_MM)])
    starts = np.tile([0.0, 0.0, FOCUS_MM / 10], (PHOTONS, 1))
    return np.hstack([starts, ways / np.linalg.norm(ways, axis=1)[:, None]])


def cost(tables: SceneTables, rays: Array) -> tuple[float, float]:
    """Return processor time per photon (us), the best of several runs, and boundaries per photon."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        _, boundaries = lengths_in_parts(tables, rays)
        times.append(time.process_time() - start)
    return min(times) / len(rays) * 1e6, float(boundaries.mean())


def packed(parts: list[Part]) -> tuple[SceneTables, float]:
    """Pack parts and say how long that took (s)."""
    start = time.process_time()
    tables = pack_scene(parts, (0, 0.0), {}, None, Rigid.identity()).tables
    return tables, time.process_time() - start


def main() -> None:
    """Print the cost of photons in the field and of those that meet leaves, against the same without leaves."""
    packed(head() + leaves(1, 10.0)[:2])  # compiles
    without, _ = packed(head())
    collimated, seconds = packed(head() + leaves(40, 60.0))
    print(f"{2 * PAIRS} leaves: {len(collimated.cells)} cells, packed in {seconds:.1f} s")
    print("| photons | boundaries | us | without leaves: boundaries | us | ratio |\n|---|--:|--:|--:|--:|--:|")
    for name, x, y in (("in the opening", 100.0, 180.0), ("on opening and leaves", 200.0, 200.0)):
        ours, boundaries = cost(collimated, photons(x, y))
        others, fewer = cost(without, photons(x, y))
        print(f"| {name} | {boundaries:.1f} | {ours:.2f} | {fewer:.1f} | {others:.2f} | {ours / others:.2f} |")


if __name__ == "__main__":
    main()
