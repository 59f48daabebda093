"""Tables of the attenuation of photons in the materials of a problem."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.materials.photons.cross_sections import (
    compton_barn,
    jumps_MeV,
    klein_nishina_barn,
    per_gram,
    photoelectric_barn,
    rayleigh_barn,
)
from dosewright.materials.photons.lookup import PARTIALS, Attenuation, step_energies_MeV
from dosewright.materials.photons.pair_total import (
    PAIR_THRESHOLD_MEV,
    TRIPLET_THRESHOLD_MEV,
    pair_barn,
    triplet_barn,
)

Array = NDArray[np.float64]

# Below 10 keV the data have kinks, and in tungsten a cusp at 2 keV, where XCOM's own table has its nodes.
XCOM_NODES_MEV = (1.0e-3, 1.5e-3, 2.0e-3, 3.0e-3, 4.0e-3, 5.0e-3, 6.0e-3, 8.0e-3, 10.0e-3)
BELOW_EDGE = 1.0 - 1.0e-9  # the node below an edge, over the edge


def attenuation(
    materials: Sequence[Material],
    largest_densities_g_cm3: Sequence[float],
    processes_off: Collection[str] = (),
) -> Attenuation:
    """Return the attenuation coefficients of some materials.

    Parameters
    ----------
    materials
        In the order of their numbers in the kernels.
    largest_densities_g_cm3
        The largest density of each anywhere, for Woodcock's majorant.
    processes_off
        "rayleigh" and "pair" leave these out; "bound_compton" takes free electrons.

    Returns
    -------
    Attenuation
        On 64 nodes in an octave, the edges of all elements twice, the nodes of XCOM
        below 10 keV, and the thresholds of pair and triplet production.
        Linear interpolation between nodes adds at most 0.1 %.
    """
    energies = node_energies_MeV({z for material in materials for z in material.mass_fractions})
    total = np.empty((len(materials), len(energies)))
    cumulated = np.empty((len(materials), len(energies), PARTIALS))
    for m, material in enumerate(materials):
        rayleigh, compton, pair, photoelectric = partial_coefficients(material, energies, processes_off)
        cumulated[m] = np.cumsum([rayleigh, compton, pair], axis=0).T
        total[m] = cumulated[m, :, -1] + photoelectric
    largest = np.max(total * np.asarray(largest_densities_g_cm3, float)[:, None], axis=0)
    begin = np.searchsorted(energies, step_energies_MeV()[:-1], side="right") - 1
    return Attenuation(energies, begin.astype(np.int32), total, cumulated, largest)


def node_energies_MeV(atomic_numbers: Collection[int]) -> Array:
    """Return the nodes for materials of these elements, MeV, ascending."""
    steps = step_energies_MeV()
    edges = np.array([edge for z in atomic_numbers for edge, _ in jumps_MeV(z) if edge > steps[0]])
    thresholds = [PAIR_THRESHOLD_MEV, TRIPLET_THRESHOLD_MEV]
    return np.unique(np.concatenate([steps, XCOM_NODES_MEV, edges, edges * BELOW_EDGE, thresholds]))


def partial_coefficients(
    material: Material, energies_MeV: Array, processes_off: Collection[str] = ()
) -> tuple[Array, Array, Array, Array]:
    """Return Rayleigh, Compton, pair with triplet, and photoelectric coefficients (cm2/g) of a material."""
    parts = np.zeros((4, len(energies_MeV)))
    for z, weight in material.mass_fractions.items():
        of_element = np.zeros_like(parts)
        if "rayleigh" not in processes_off:
            of_element[0] = rayleigh_barn(z, energies_MeV)
        free = "bound_compton" in processes_off
        of_element[1] = z * klein_nishina_barn(energies_MeV) if free else compton_barn(z, energies_MeV)
        if "pair" not in processes_off:
            of_element[2] = pair_barn(z, energies_MeV) + triplet_barn(z, energies_MeV)
        of_element[3] = photoelectric_barn(z, energies_MeV)
        parts += weight * per_gram(z, of_element)
    return parts[0], parts[1], parts[2], parts[3]
