"""A scene around the voxels, packed with its media numbered in the common list of a problem."""

from collections.abc import Callable, Sequence

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.geometry.scene.pack import NO_SCENE, PackedScene, pack_scene
from dosewright.geometry.voxels import Voxels

VACUUM = (0, 0.0)  # the number of a medium, and its density


def packed_scene(
    parts: Sequence[Part],
    fill: Material | None,
    voxels: Voxels | None,
    to_box: Rigid,
    number_of: Callable[[Material, float, str], int],
) -> PackedScene:
    """Pack parts around voxels; no parts: no scene.

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
    number_of
        The number in the problem of a material at a density (g/cm3) in a part; the fill has no name.
    """
    if not parts:
        return PackedScene(NO_SCENE, ())

    def medium(material: Material | None, density_g_cm3: float | None, name: str) -> tuple[int, float]:
        if material is None:
            return VACUUM
        density = material.density_g_cm3 if density_g_cm3 is None else density_g_cm3
        return number_of(material, density, name), density

    between = medium(fill, None, "")
    media = {part.name: medium(part.material or fill, part.density_g_cm3, part.name) for part in parts}
    box = None
    if voxels is not None:
        low, high = (np.array([float(edges[end]) for edges in voxels.edges_mm]) for end in (0, -1))
        box = (low, high)
    return pack_scene(parts, between, media, box, to_box)
