"""Voxel edges along an axis, from size, voxel and origin or from a list."""

import numpy as np
from numpy.typing import NDArray

from dosewright.simulation.run_file.faults import Fault
from dosewright.simulation.run_file.lines import Place
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.score_tables import Score

TOLERANCE_MM = 1e-6
MOST_VOXELS = 200_000_000  # the sums of that many need about 12 GB on two threads
MOST_ALONG = 100_000

Array = NDArray[np.float64]


def phantom_edges(phantom: Phantom) -> tuple[list[Array], list[Fault]]:
    """Return the edges along x, y, z, or faults; a list of edges wins over `voxel_mm` of its axis.

    Where there are faults, the edges along an axis may be an empty array.
    """
    uneven = [phantom.edges_mm.x, phantom.edges_mm.y, phantom.edges_mm.z]
    whole = phantom.size_mm is not None and phantom.voxel_mm is not None and phantom.origin_mm is not None
    if not whole and not all(uneven):
        lacking = [k for k in ("size_mm", "voxel_mm", "origin_mm") if getattr(phantom, k) is None]
        what = "The keys " + ", ".join(repr(f"phantom.{k}") for k in lacking) + " are missing"
        return [], [Fault(("phantom",), what, allowed="size_mm, voxel_mm and origin_mm, or edges_mm for all axes")]
    edges, faults = [], []
    for axis, listed in enumerate(uneven):
        name = "xyz"[axis]
        if listed is None:
            found, wrong = _regular(phantom, axis, ("phantom", "voxel_mm"))
        else:
            found, wrong = np.array(listed, float), _listed_faults(phantom, axis, name)
        edges.append(found)
        faults += wrong
    count = int(np.prod([max(len(e) - 1, 0) for e in edges], dtype=float))
    if not faults and count > MOST_VOXELS:
        faults.append(
            Fault(("phantom", "voxel_mm"), "The phantom has too many voxels", f"{count:,}", f"{MOST_VOXELS:,}")
        )
    return edges, faults


def score_edges(score: Score, number: int) -> tuple[list[Array], list[Fault]]:
    """Return the edges of a grid of its own, no edges for the phantom's voxels, or faults."""
    keys = ("size_mm", "voxel_mm", "origin_mm")
    lacking = [k for k in keys if getattr(score, k) is None]
    if len(lacking) == len(keys):
        return [], []
    if lacking:
        what = f"The keys {', '.join(lacking)} of score {score.file_name!r} are missing"
        return [], [Fault(("score", number), what, allowed="size_mm, voxel_mm and origin_mm together, or none")]
    found = [_regular(score, axis, ("score", number, "voxel_mm")) for axis in range(3)]
    edges = [edges for edges, _ in found]
    faults = [fault for _, wrong in found for fault in wrong]
    return edges, faults or _too_many(edges, ("score", number, "voxel_mm"))


def _too_many(edges: list[Array], place: Place) -> list[Fault]:
    count = int(np.prod([len(e) - 1 for e in edges], dtype=float))
    if count <= MOST_VOXELS:
        return []
    return [Fault(place, "There are too many voxels", f"{count:,}", f"{MOST_VOXELS:,}")]


def is_even(edges: Array) -> bool:
    """Say whether all voxels of an axis have one size."""
    widths = np.diff(edges)
    return bool(np.ptp(widths) <= TOLERANCE_MM)


def _regular(table: Phantom | Score, axis: int, place: Place) -> tuple[Array, list[Fault]]:
    if table.size_mm is None or table.voxel_mm is None or table.origin_mm is None:
        return np.zeros(0), []
    size, voxel, start = table.size_mm[axis], table.voxel_mm[axis], table.origin_mm[axis]
    count = round(size / voxel)
    if count < 1 or abs(count * voxel - size) > TOLERANCE_MM * max(count, 1):
        what = f"The voxels do not fill the size along {'xyz'[axis]}"
        return np.zeros(0), [Fault(place, what, f"{voxel:g} mm in {size:g} mm", "a whole number of voxels")]
    if count > MOST_ALONG:
        what = f"There are too many voxels along {'xyz'[axis]}"
        return np.zeros(0), [Fault(place, what, f"{count:,}", f"{MOST_ALONG:,}")]
    return start + size * np.arange(count + 1) / count, []


def _listed_faults(phantom: Phantom, axis: int, name: str) -> list[Fault]:
    """Return what is wrong with a list of edges, or contradicts size and origin."""
    edges = np.array(getattr(phantom.edges_mm, name), float)
    place: Place = ("phantom", "edges_mm", name)
    if np.any(np.diff(edges) <= TOLERANCE_MM):
        return [Fault(place, f"phantom.edges_mm.{name} must ascend")]
    faults = []
    extent = float(edges[-1] - edges[0])
    if phantom.size_mm is not None and abs(phantom.size_mm[axis] - extent) > TOLERANCE_MM:
        given = f"size_mm {phantom.size_mm[axis]:g}, edges from {edges[0]:g} to {edges[-1]:g}"
        faults.append(Fault(place, f"phantom.edges_mm.{name} contradicts size_mm", given, "one extent"))
    if phantom.origin_mm is not None and abs(phantom.origin_mm[axis] - float(edges[0])) > TOLERANCE_MM:
        given = f"origin_mm {phantom.origin_mm[axis]:g}, first edge {edges[0]:g}"
        faults.append(Fault(place, f"phantom.edges_mm.{name} contradicts origin_mm", given, "one origin"))
    return faults
