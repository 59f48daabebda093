"""A text phantom of another code (egsphant, g4dcm) as voxels: its media become ours, its densities are kept."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.voxel_phantom import VACUUM, VoxelPhantom
from dosewright.formats.dose.egsphant import read_egsphant
from dosewright.formats.text.gamos.g4dcm import read_g4dcm
from dosewright.geometry.media import MOST
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.materials.pegs_names import media_of
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.values import HEAVIEST_G_CM3
from dosewright.simulation.setup.resolvers import Resolvers

GAS_G_CM3 = 0.01  # lighter media are gases, in which a density of 0 is a rounded one
NOTHING = "G4_Galactic"


def read_text_phantom(phantom: Phantom) -> VoxelPhantom:
    """Read the file that `phantom.egsphant` or `phantom.g4dcm` names."""
    if phantom.egsphant is not None:
        return read_egsphant(Path(phantom.egsphant), alphabet=phantom.alphabet)
    return read_g4dcm(Path(phantom.g4dcm or ""), densities=phantom.densities != "media")


def media_in(phantom: Phantom, read: VoxelPhantom, resolvers: Resolvers) -> tuple[tuple[Material, ...], list[str]]:
    """Return the medium of ours for each medium of the file, and what was assumed; unknown ones are refused."""
    media, said = media_of(read.media, phantom.media, resolvers.material)
    return media, list(said)


def text_phantom_voxels(phantom: Phantom, read: VoxelPhantom, resolvers: Resolvers) -> tuple[Voxels, tuple[str, ...]]:
    """Return the voxels of a text phantom in the axes of the run, and what was assumed of it."""
    media, said = media_in(phantom, read, resolvers)
    if len(media) + 1 > MOST:
        raise refuse("The phantom has too many media", given=len(media), allowed=f"at most {MOST - 1}")
    materials = (*media, named(NOTHING))
    number = np.where(read.numbers == VACUUM, len(media), read.numbers - 1).astype(np.uint8)
    occurring = [n for n in range(len(materials)) if np.any(number == n)]
    voids = len(media) in occurring
    if voids:
        said.append(f"Medium number 0 of the phantom, vacuum, was taken as {NOTHING}.")
    density = _densities(phantom, read, number, materials, said)
    place = np.zeros(len(materials), np.uint8)
    place[occurring] = np.arange(len(occurring))
    kept = tuple(materials[n] for n in occurring)
    voxels = Voxels(read.edges_mm, Rigid.identity(), place[number], density, kept)
    return voxels, (*read.problems, *read.assumed, *said)


def _densities(
    phantom: Phantom, read: VoxelPhantom, number: NDArray[np.uint8], materials: tuple[Material, ...], said: list[str]
) -> NDArray[np.float32]:
    """Return the densities of the file, or where they are said to be or have to be, those of the media."""
    of_media = np.array([material.density_g_cm3 for material in materials], np.float32)
    own = of_media[number]
    void = number == len(materials) - 1
    if phantom.densities == "media":
        said.append("Every voxel of the phantom has the density of its medium, not that of the file.")
        return own
    density = read.density_g_cm3.astype(np.float32)
    heaviest = float(density.max())
    if heaviest > HEAVIEST_G_CM3:
        raise refuse("The phantom has a density that no matter has; is the unit g/cm3?", given=f"{heaviest:g}",
                     allowed=f"up to {HEAVIEST_G_CM3:g} g/cm3")  # fmt: skip
    without = (density <= 0) & ~void
    wrong = [materials[n].name for n in np.unique(number[without]) if of_media[n] > GAS_G_CM3]
    if wrong:
        raise InputError(str(refuse(
            "Voxels of the phantom have no density", given=f"0 in {', '.join(wrong)}",
            allowed='densities above 0; or densities = "media" in [phantom], for those of the media',
        )))  # fmt: skip
    if without.any():
        said.append(f"{int(without.sum()):,} voxels of gas with density 0 were given the density of their medium.")
    return np.where(without | void, own, density)
