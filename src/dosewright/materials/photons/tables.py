"""All that photons need to know of matter, packed for the kernels."""

from collections.abc import Sequence
from typing import NamedTuple

from dosewright.core.matter import Material
from dosewright.materials.photons.atoms import Atoms, atoms
from dosewright.materials.photons.attenuation import attenuation
from dosewright.materials.photons.compton import ComptonTables, compton_tables
from dosewright.materials.photons.lookup import Attenuation
from dosewright.materials.photons.pair import PairTables, pair_tables
from dosewright.materials.photons.rayleigh import RayleighTables, rayleigh_tables


class PhotonTables(NamedTuple):
    """Tables of attenuation, and of what happens at an interaction."""

    attenuation: Attenuation
    rayleigh: RayleighTables
    compton: ComptonTables
    pair: PairTables
    atoms: Atoms


def photon_tables(
    materials: Sequence[Material], largest_densities_g_cm3: Sequence[float], processes_off: Sequence[str] = ()
) -> PhotonTables:
    """Return the packed tables of some materials, which reach the largest densities given."""
    attenuated = attenuation(materials, largest_densities_g_cm3, processes_off)
    return PhotonTables(
        attenuation=attenuated,
        rayleigh=rayleigh_tables(materials),
        compton=compton_tables(materials, processes_off),
        pair=pair_tables(materials),
        atoms=atoms(materials, attenuated, processes_off),
    )
