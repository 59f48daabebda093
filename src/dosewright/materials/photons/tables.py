"""All that photons need to know of matter, packed for the kernels."""

from typing import NamedTuple

from dosewright.materials.photons.atoms import Atoms
from dosewright.materials.photons.compton import ComptonTables
from dosewright.materials.photons.lookup import Attenuation
from dosewright.materials.photons.pair import PairTables
from dosewright.materials.photons.rayleigh import RayleighTables


class PhotonTables(NamedTuple):
    """Tables of attenuation, and of what happens at an interaction."""

    attenuation: Attenuation
    rayleigh: RayleighTables
    compton: ComptonTables
    pair: PairTables
    atoms: Atoms
