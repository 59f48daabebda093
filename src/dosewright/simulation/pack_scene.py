"""A scene around the voxels, packed with its media numbered in the common list of a problem."""

from collections.abc import Sequence

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.geometry.scene.pack import PackedScene, pack_scene
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.pack import index_of

VACUUM = (0, 0.0)  # the number of a medium, and its density


def packed_scene(
    parts: Sequence[Part], fill: Material | None, voxels: Voxels | None, to_box: Rigid, materials: list[Material]
) -> PackedScene:
    """Pack parts around voxels.

    Parameters
    ----------
    parts
        Those of modules included.
    fill
        What lies between them, and what parts without a material are made of; None: nothing.
    voxels
        The phantom, one more part of the scene, which cuts all others; None where there is none.
    to_box
        From the axes of the parts to those of the voxels (mm).
    materials
        Those of the problem; new ones are appended.
    """
    between = VACUUM if fill is None else (index_of(fill, materials), fill.density_g_cm3)
    media = {}
    for part in parts:
        if part.material is None:
            media[part.name] = between
        else:
            density = part.material.density_g_cm3 if part.density_g_cm3 is None else part.density_g_cm3
            media[part.name] = (index_of(part.material, materials), density)
    box = None
    if voxels is not None:
        low, high = (np.array([float(edges[end]) for edges in voxels.edges_mm]) for end in (0, -1))
        box = (low, high)
    return pack_scene(parts, between, media, box, to_box)
