"""Photons, electrons and positrons in slabs, in batches: means and their standard errors.

Lengths are in cm here. A phantom is its layers along z, uniform across; beams fly along +z from z = 0. There a narrow
beam scored over the area of a field is, on the axis, that field: so `narrow_beam` is what most cases use.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import (
    BEFORE_PATIENT,
    BINDING,
    CAPPED_HISTORIES,
    DEPOSITED,
    ESCAPED,
    LEAVING_KINDS,
    NEUTRAL,
    STARTED,
    empty_tally,
)
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving, leaving_bins
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room

Array = NDArray[np.float64]
Layer = tuple[float, float, str, float]  # from, to (cm), material, density (g/cm3); 0: the material's own

MM = 10.0
HALF_WIDTH_CM = 15.0
PHOTONS, ELECTRONS, POSITRONS = range(LEAVING_KINDS)
NOTHING = np.zeros(0)
FORWARD = np.diag([1.0, -1.0, -1.0])  # beams fly along -z of their axes, +z of the phantom's


@dataclass(frozen=True)
class CoupledRun:
    """What batches of equal size gave per primary.

    ``energy`` is MeV [batch, z, y, x] in `voxels`, ``account`` the rows of `scoring.deposit` [batch, row], ``leaving``
    counts [batch, kind, energy, angle], the last energy bin being beyond the highest.
    """

    voxels: Voxels
    energy: Array
    account: Array
    leaving: Array
    leaving_energy: Array
    problem: CoupledProblem
    histories: int

    @property
    def z_edges_cm(self) -> Array:
        """Faces of the voxels along the depth."""
        return np.asarray(self.voxels.edges_mm[2], float) / MM

    @property
    def dz_cm(self) -> Array:
        """Thickness of the voxels along the depth."""
        return np.diff(self.z_edges_cm)

    @property
    def mass_g(self) -> Array:
        """Mass of the voxels [z, y, x]."""
        x, y, z = (np.diff(edges) / MM for edges in self.voxels.edges_mm)
        return np.asarray(z[:, None, None] * y[None, :, None] * x * self.voxels.density_g_cm3, float)

    @property
    def residual(self) -> float:
        """Energy that the account does not explain, as a share of what started."""
        total = self.account.sum(0)
        explained = total[[DEPOSITED, BEFORE_PATIENT, ESCAPED, NEUTRAL, BINDING]].sum()
        return float(abs(total[STARTED] - explained) / total[STARTED])

    @property
    def capped(self) -> float:
        """Histories that were given up."""
        return float(self.account[:, CAPPED_HISTORIES].sum())

    def layer_energy(self) -> Array:
        """Energy per primary by depth, whatever the place across, MeV [batch, z]."""
        return np.asarray(self.energy.sum(axis=(2, 3)), float)

    def axis_dose(self, x: int, y: int) -> Array:
        """Dose in a column of voxels, Gy per primary [batch, z]."""
        return np.asarray(self.energy[:, :, y, x] / self.mass_g[:, y, x] * MEV_PER_G_IN_GY, float)


def mean_and_error(batches: Array) -> tuple[Array, Array]:
    """Return the mean over the batches (first axis) and its standard error."""
    return batches.mean(0), batches.std(0, ddof=1) / np.sqrt(len(batches))


def slabs(
    z_edges_cm: Sequence[float] | Array,
    layers: Sequence[Layer] = ((0.0, 1.0e9, "G4_WATER", 0.0),),
    *,
    x_edges_cm: Sequence[float] | Array = (-HALF_WIDTH_CM, HALF_WIDTH_CM),
    y_edges_cm: Sequence[float] | Array = (-HALF_WIDTH_CM, HALF_WIDTH_CM),
) -> Voxels:
    """Return layers as voxels; every voxel has the layer its middle lies in, later layers before earlier ones."""
    edges = tuple(np.asarray(e, float) * MM for e in (x_edges_cm, y_edges_cm, z_edges_cm))
    shape = tuple(e.size - 1 for e in reversed(edges))
    material, density = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
    names = list(dict.fromkeys(name for _, _, name, _ in layers))
    middle = 0.5 * (edges[2][1:] + edges[2][:-1]) / MM
    for low, high, name, own in layers:
        inside = (middle > low) & (middle < high)
        material[inside] = names.index(name)
        density[inside] = own or named(name).density_g_cm3
    return Voxels(edges, Rigid.identity(), material, density, tuple(named(name) for name in names))  # type: ignore[arg-type]


def narrow_beam(energy_MeV: float, x_cm: float = 0.0, y_cm: float = 0.0) -> Source:
    """Return a parallel beam on a rectangle of full widths."""
    extent = np.array([x_cm, y_cm, 0.0])
    return Source(emit.RECTANGLE, _no_pencils(), extent, np.array([energy_MeV, 0.0]), NOTHING, NOTHING, NOTHING)


def point_source(
    energies_MeV: Sequence[float], weights: Sequence[float], distance_cm: float, field_cm: float
) -> Source:
    """Return a point in front of the phantom that fills a square field on its surface with lines of energy."""
    lines = np.asarray(energies_MeV, float)
    return Source(emit.POINT, _no_pencils(), np.array([field_cm, field_cm, distance_cm]), np.array([lines[0], 0.0]),
                  lines, lines, np.cumsum(np.asarray(weights, float)))  # fmt: skip


def glowing_box(energy_MeV: float, x_cm: float, y_cm: float, z_cm: float) -> Source:
    """Return a box that sends particles out evenly from everywhere in it and to all sides."""
    return Source(emit.BOX, _no_pencils(), np.array([x_cm, y_cm, z_cm]), np.array([energy_MeV, 0.0]), NOTHING, NOTHING,
                  NOTHING)  # fmt: skip


def _no_pencils() -> Array:
    return np.zeros((1, emit.PENCIL_COLUMNS))


def run(
    voxels: Voxels,
    source: Source,
    particle: str,
    settings: CoupledSettings,
    histories: int,
    *,
    batches: int = 10,
    seed: int = 1,
    middle_cm: float = 0.0,
    tilt_deg: float = 0.0,
    leaving: Leaving = NOTHING_LEAVING,
) -> CoupledRun:
    """Run histories in batches.

    Parameters
    ----------
    voxels, source, particle, settings
        The problem; `particle` is ``photon``, ``electron`` or ``positron``.
    histories, batches, seed
        How many in all, in how many batches, and the seed.
    middle_cm
        Depth of the origin of the source.
    tilt_deg
        Angle of the beam to the normal of the surface, towards +x.
    leaving
        Bins of what leaves.
    """
    angle = np.radians(tilt_deg)
    turned = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]) @ FORWARD
    problem = coupled_problem(
        voxels=voxels,
        source=source,
        particle=particle,
        weights=np.ones(1),
        to_patient=Rigid(turned, np.array([0.0, 0.0, middle_cm * MM])),
        settings=replace(settings, dose_to_water=False),
        leaving=leaving,
    )
    return run_packed(problem.packed, voxels, histories, batches=batches, seed=seed)


def run_packed(
    problem: CoupledProblem, voxels: Voxels, histories: int, *, batches: int = 10, seed: int = 1
) -> CoupledRun:
    """Run a packed problem; see `run`."""
    size, room = max(histories // batches, 1), empty_room()
    shape, bins = tuple(reversed(voxels.shape)), leaving_bins(problem.leaving)
    of_leaving = (LEAVING_KINDS, problem.leaving.energy_bins + 1, problem.leaving.angle_bins) if bins else (0,)
    energy, account, left, left_energy = [], [], [], []
    for batch in range(batches):
        tally = empty_tally(problem.scoring, int(np.prod(shape)), bins)
        first, pencils = np.uint64(batch * size), np.zeros(size, np.int64)
        run_coupled_histories(problem, first, pencils, np.uint64(seed), tally, room)
        energy.append(tally.energy.reshape(shape) / size)
        account.append(tally.account / size)
        left.append(tally.leaving.reshape(of_leaving) / size)
        left_energy.append(tally.leaving_energy / size)
    return CoupledRun(
        voxels, np.array(energy), np.array(account), np.array(left), np.array(left_energy), problem, size * batches
    )
