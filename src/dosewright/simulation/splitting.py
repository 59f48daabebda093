"""Photons that interact at many places at once, which needs a uniform phantom."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.grid import Grid
from dosewright.geometry.trace import PATIENT, Geometry
from dosewright.geometry.voxels import Voxels
from dosewright.materials.electrons import lookup
from dosewright.scoring.leaving import Leaving, leaving_bins
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.repeated_loop import RepeatedProblem

KEY = "variance_reduction.photon_splitting"
RANGES = 2.0  # straggling lets no electron come twice as far as its range
MARGIN = 1.001


def refuse_splitting(voxels: Voxels, particle: str, score_grid: Grid | None, leaving: Leaving) -> None:
    """Refuse what is not the dose of photons in the own voxels of a phantom of one medium and one density."""
    if particle != "photon":
        raise refuse("Only photons are split", given=f"a source of {particle}s", allowed="photons", where=KEY)
    if score_grid is not None or leaving_bins(leaving):
        given = "a grid of its own" if score_grid is not None else "what leaves the phantom"
        raise refuse("Split photons are scored in the phantom's own voxels alone", given=given, where=KEY)
    densities = [voxels.density_g_cm3[voxels.material == number] for number in range(len(voxels.materials))]
    if len(densities) > 1 or densities[0].min() != densities[0].max():
        media = zip(voxels.materials, densities, strict=True)
        given = ", ".join(f"{material.name} of {_range(density)} g/cm3" for material, density in media)
        allowed = "one medium of one density, with the same cuts everywhere"
        raise refuse("Photons are split in a uniform phantom alone", given=given, allowed=allowed, where=KEY)


def _range(values: NDArray[np.float32]) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def repeated_problem(phantom: CoupledProblem, copies: int, highest_MeV: float) -> RepeatedProblem:
    """Return the problem in which each flight of a photon interacts at so many places.

    Tracks are followed in one voxel, which reaches as far around its middle as an electron of the highest energy (MeV)
    comes, or the phantom from end to end. Range rejection is off there: it looks at the faces of voxels.
    """
    geometry = phantom.geometry
    density = float((geometry.voxels[0] & np.int32(-256)).view(np.float32))
    ranges = phantom.electrons.values.reshape(-1, lookup.NODES, lookup.COLUMNS)[0, :, lookup.RANGE]
    range_cm = float(np.interp(highest_MeV, lookup.node_energies_MeV(), ranges)) / density
    reach = min(RANGES * range_cm, _largest_extent_cm(geometry)) * MARGIN
    edges = np.tile([-reach, reach], 3)
    one_voxel = geometry._replace(
        edges=edges,
        faces=edges.astype(np.float32),
        sizes=np.append(np.diff(edges), 0.0).astype(np.float32),
        first=np.array([[0, 0, 0], [0, 2, 4]], np.int32),
        cells=np.array([[0, 0, 0], [1, 1, 1]], np.int32),
        voxel_first=np.array([1, 0], np.int32),
        voxels=geometry.voxels[:1].copy(),
    )
    cuts = phantom.cuts._replace(rejection=np.zeros_like(phantom.cuts.rejection))
    return RepeatedProblem(phantom, phantom._replace(geometry=one_voxel, cuts=cuts), copies)


def _largest_extent_cm(geometry: Geometry) -> float:
    """Return the length of the longest side of the patient box."""
    begins, cells = geometry.first[PATIENT], geometry.cells[PATIENT]
    return float(max(geometry.edges[b + n] - geometry.edges[b] for b, n in zip(begins, cells, strict=True)))
