"""What materials do to electrons and positrons, made once per run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.materials.electrons import lookup
from dosewright.materials.electrons.annihilation import annihilation_rate
from dosewright.materials.electrons.collisions import restricted
from dosewright.materials.electrons.elastic import elastic, transport_coefficients
from dosewright.materials.electrons.lookup import ANGLE_NODES, COARSE_NODES, ElectronTables, node_energies_MeV
from dosewright.materials.electrons.radiation import radiating_z, radiation, radiation_shape
from dosewright.materials.electrons.stopping import collision_stopping
from dosewright.materials.library import named
from dosewright.materials.photons.impact import impact

Array = NDArray[np.float64]
OFF = 1.0e30  # a cut that nothing reaches, MeV
LONGEST_PATHS = 3.0  # a step is at most this many mean paths between large deflections; few would be longer


@dataclass(frozen=True)
class StepLimits:
    """How finely paths are cut (shares of the first transport path and of the energy).

    Between two large deflections the mean cosine falls by ``deflection`` and the energy by ``loss``, on average; what
    falls below is condensed.
    """

    deflection: float = 0.04
    loss: float = 0.08


def electron_tables(
    materials: Sequence[Material],
    electron_cuts_MeV: Sequence[float],
    photon_cuts_MeV: Sequence[float],
    processes_off: Sequence[str] = (),
    limits: StepLimits = StepLimits(),
) -> ElectronTables:
    """Return the packed tables of some materials, each with its own production cuts (MeV)."""
    values, angles, shapes = [], [], []
    for material, electron_cut, photon_cut in zip(materials, electron_cuts_MeV, photon_cuts_MeV, strict=True):
        for positron in (False, True):
            columns, angle = _kind(material, electron_cut, photon_cut, positron, frozenset(processes_off), limits)
            values.append(columns)
            angles.append(angle)
        shapes.append(radiation_shape(material))
    return ElectronTables(
        np.stack(values).astype(np.float32).ravel(),
        np.stack(angles).astype(np.float32).ravel(),
        np.stack(shapes).astype(np.float32).ravel(),
        np.array([radiating_z(material) for material in materials]),
    )


def _kind(
    material: Material, electron_cut: float, photon_cut: float, positron: bool, off: frozenset[str], limits: StepLimits
) -> tuple[Array, Array]:
    """Return the columns [node, column] and the corrections of hard deflections of one material and charge."""
    energy = node_energies_MeV()
    cut = OFF if "delta" in off else electron_cut
    collisions = restricted(material, energy, cut, positron=positron)
    radiated = radiation(material, energy, OFF if "bremsstrahlung" in off else photon_cut, positron=positron)
    shells = impact(material, energy, photon_cut, processes_off=off)
    unrestricted = collision_stopping(material, energy, positron=positron) + radiated.total
    condensed = collisions.stopping + ("bremsstrahlung" not in off) * radiated.stopping - shells.loss
    first_path = 1.0 / transport_coefficients(material, energy, positron, cut)[1]
    hard_path = np.minimum(limits.deflection * first_path, limits.loss * energy / unrestricted)
    scattered = elastic(material, energy, hard_path, positron=positron, cut_MeV=cut)
    columns = np.zeros((energy.size, lookup.COLUMNS))
    columns[:, lookup.STOPPING] = condensed
    if "straggling" not in off:
        columns[:, lookup.STRAGGLING] = collisions.variance
        columns[:, lookup.QUANTUM] = collisions.third / np.maximum(2.0 * collisions.variance, 1e-300)
    if "scattering" not in off:
        columns[:, lookup.SCATTERING] = scattered.soft
        columns[:, lookup.HARD_ELASTIC] = scattered.hard * ("hard_scattering" not in off)
    columns[:, lookup.HARD_COLLISION] = collisions.rate
    columns[:, lookup.RADIATION] = radiated.rate
    columns[:, lookup.IMPACT] = shells.rate
    in_flight = annihilation_rate(material, energy) * positron * ("annihilation" not in off)
    columns[:, lookup.RATE] = (
        columns[:, [lookup.HARD_ELASTIC, lookup.HARD_COLLISION, lookup.RADIATION, lookup.IMPACT]].sum(axis=1)
        + in_flight
    )
    water = collision_stopping(named("G4_WATER"), energy, positron=positron)
    columns[:, lookup.WATER_RATIO] = water / collision_stopping(material, energy, positron=positron)
    columns[:, lookup.LONGEST] = LONGEST_PATHS * hard_path
    columns[:, lookup.SCREENING], columns[:, lookup.HARD_CUT] = scattered.screening, scattered.hard_cut
    columns[:, lookup.RANGE] = csda_range(energy, unrestricted)
    angle = scattered.angle.reshape(COARSE_NODES, ANGLE_NODES)
    return columns, angle


def csda_range(energy: Array, stopping: Array) -> Array:
    """Return the range in the continuous slowing down approximation, g/cm2; below the first node it falls as E."""
    rest = energy[0] / stopping[0]
    steps = np.diff(np.log(energy)) * 0.5 * (energy[1:] / stopping[1:] + energy[:-1] / stopping[:-1])
    return np.concatenate([[rest], rest + np.cumsum(steps)])
