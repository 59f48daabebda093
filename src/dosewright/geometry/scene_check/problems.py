"""What is wrong with the parts of a scene, before a particle flies through it."""

from collections.abc import Callable, Sequence

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box, Triple
from dosewright.geometry.scene_check.families import RAYS, Conflict, overlaps, protrusions, reaching_into
from dosewright.geometry.scene_check.placed import place

MOST = 20  # conflicts of one kind told one by one


def scene_problems(
    parts: Sequence[Part],
    voxel_box: tuple[Triple, Triple] | None = None,
    to_box: Rigid | None = None,
    *,
    rays: int = RAYS,
) -> tuple[str, ...]:
    """Return what is wrong with the parts of a scene: overlaps, protrusions, missing parents; empty where nothing is.

    The same at every call. Overlaps of bodies with flat faces are found for certain where they are thicker than
    0.002 mm, those of round ones by rays. Touching is no overlap (up to 0.0001 mm).

    Parameters
    ----------
    parts
        All parts, those of modules too.
    voxel_box
        Corners of the box of voxels in its own axes, mm: a part holds all of it or nothing.
    to_box
        From the scene's axes to those of the box; None: the same.
    rays
        Through each pair of parts whose boxes meet, beside the lines along their edges.
    """
    placed, problems = place(parts)
    told = list(problems)
    told += in_words(overlaps(placed, rays), overlap_words)
    told += in_words(protrusions(placed, rays), protrusion_words)
    if voxel_box is not None:
        voxels = _as_part(voxel_box, to_box or Rigid.identity())
        told += in_words(reaching_into(placed, place([voxels])[0][0], rays), voxel_words)
    return tuple(told)


def in_words(conflicts: Sequence[Conflict], words: Callable[[Conflict], str], most: int = MOST) -> list[str]:
    """Return conflicts as sentences, the thickest first; only the number of those beyond `most`."""
    ordered = sorted(conflicts, key=lambda one: -one.thickness_mm)
    told = [words(one) for one in ordered[:most]]
    if len(ordered) > most:
        told.append(f"... and {len(ordered) - most} more like the last, less thick.")
    return told


def overlap_words(found: Conflict) -> str:
    """Name both parts and a point inside both."""
    return (f"The parts {found.first!r} and {found.second!r} overlap: both hold the point {found.place}; "
            f"the overlap is {_thick(found)} mm thick there.{_where(found)}")  # fmt: skip


def protrusion_words(found: Conflict) -> str:
    """Name the part, its parent and a point in the one and not in the other."""
    return (f"The part {found.first!r} reaches out of {found.second!r}, in which it lies: the point {found.place} "
            f"is in {found.first!r} only, {_thick(found)} mm of it in thickness.{_where(found)}")  # fmt: skip


def voxel_words(found: Conflict) -> str:
    """Name the part and a point in it and in the voxels."""
    return (f"The part {found.first!r} reaches into the box of voxels: both hold the point {found.place} (axes of the "
            f"scene). A part holds all voxels or none of them.{_where(found)}")  # fmt: skip


def _thick(found: Conflict) -> str:
    return f"{found.thickness_mm:.3g}"


def _where(found: Conflict) -> str:
    return f" Where: {'; '.join(dict.fromkeys(found.where))}." if found.where else ""


def _as_part(corners: tuple[Triple, Triple], to_box: Rigid) -> Part:
    """Return the box of voxels as a part of the scene."""
    low, high = np.array(corners[0]), np.array(corners[1])
    to_scene = to_box.inverse()
    x, y, z = to_scene.points((low + high) / 2).tolist()
    size = high - low
    shape = Box((float(size[0]), float(size[1]), float(size[2])))
    return Part("the voxels", shape, None, Placement((x, y, z), to_scene.rotation))
