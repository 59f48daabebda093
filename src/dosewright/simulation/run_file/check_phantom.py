"""Mistakes in a phantom and in the grids of scores that its keys alone do not show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError
from dosewright.simulation.run_file.axes import MOST_VOXELS, phantom_edges, score_edges
from dosewright.simulation.run_file.faults import Fault, faults_from, key_text
from dosewright.simulation.run_file.lines import Place
from dosewright.simulation.run_file.phantom_tables import Box, Phantom, Slab
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.simulation.setup.text_phantom import read_text_phantom, text_phantom_voxels

Array = NDArray[np.float64]
OF_A_BOX = ("size_mm", "voxel_mm", "origin_mm", "material", "density_g_cm3")
FILES = ("image", "egsphant", "g4dcm")
OF_TEXT = ("media", "densities", "alphabet")


def phantom_text_faults(table: Any, resolvers: Resolvers) -> list[Fault]:
    """Return the mistakes that show although other keys of the phantom are wrong: unknown media, bounds swapped."""
    if not isinstance(table, dict):
        return []
    places: list[tuple[Place, Any]] = [(("phantom",), table)]
    for key in ("slab", "box"):
        entries = table.get(key)
        places += [(("phantom", key, n), e) for n, e in enumerate(entries if isinstance(entries, list) else [])]
    faults = []
    for place, entry in places:
        for key, value in entry.items() if isinstance(entry, dict) else ():
            if key == "material" and isinstance(value, str):
                faults += _medium_faults(value, (*place, key), resolvers)
            pair = isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
            if key in ("x_mm", "y_mm", "z_mm") and pair and not value[0] < value[1]:
                faults.append(Fault((*place, key), f"{key_text((*place, key))} must ascend", value))
    return faults


def phantom_faults(phantom: Phantom, resolvers: Resolvers) -> list[Fault]:
    """Return all mistakes of the phantom: contradictions, unknown media, inserts that lie outside."""
    edges: list[Array] = []
    files = [key for key in FILES if getattr(phantom, key) is not None]
    if len(files) > 1:
        faults = [Fault(("phantom", files[-1]), "A phantom comes from one file", ", ".join(files), "one of them")]
    elif files == ["image"]:
        faults = _image_faults(phantom, resolvers)
    elif files:
        edges, faults = _text_faults(phantom, files[0], resolvers)
    else:
        edges, faults = phantom_edges(phantom)
        faults += _medium_faults(phantom.material, ("phantom", "material"), resolvers)
    if "image" not in files and phantom.hlut is not None:
        faults.append(Fault(("phantom", "hlut"), "phantom.hlut belongs to an image, and there is none"))
    if not {"egsphant", "g4dcm"} & set(files):
        faults += [
            Fault(
                ("phantom", key), f"phantom.{key} belongs to a text phantom, and there is none", None, "egsphant, g4dcm"
            )
            for key in OF_TEXT
            if getattr(phantom, key)
        ]
    for number, slab in enumerate(phantom.slab):
        faults += _insert_faults(slab, ("phantom", "slab", number), edges, resolvers)
    for number, box in enumerate(phantom.box):
        faults += _insert_faults(box, ("phantom", "box", number), edges, resolvers)
    return faults


def _text_faults(phantom: Phantom, key: str, resolvers: Resolvers) -> tuple[list[Array], list[Fault]]:
    """Return the edges of a text phantom and its mistakes: a file that cannot be read, media without a meaning."""
    faults = _own_faults(phantom, key)
    place: Place = ("phantom", key)
    try:
        read = read_text_phantom(phantom)
    except InputError as error:
        return [], faults + faults_from(error, place)
    if read.numbers.size > MOST_VOXELS:
        faults.append(Fault(place, "The phantom has too many voxels", f"{read.numbers.size:,}", f"{MOST_VOXELS:,}"))
    try:
        text_phantom_voxels(phantom, read, resolvers)
    except InputError as error:
        faults += faults_from(error, ("phantom", "media") if phantom.media else place)
    return list(read.edges_mm), faults


def _own_faults(phantom: Phantom, key: str) -> list[Fault]:
    """Return keys of a box that contradict a file."""
    faults = [
        Fault(("phantom", of_box), f"phantom.{of_box} contradicts phantom.{key}: the file has its own")
        for of_box in OF_A_BOX
        if getattr(phantom, of_box) is not None
    ]
    if phantom.edges_mm != type(phantom.edges_mm)():
        faults.append(Fault(("phantom", "edges_mm"), f"phantom.edges_mm contradicts phantom.{key}"))
    return faults


def _image_faults(phantom: Phantom, resolvers: Resolvers) -> list[Fault]:
    faults = _own_faults(phantom, "image")
    if phantom.hlut is None:
        what = "The key 'phantom.hlut' is missing: an image of Hounsfield numbers needs an HU table"
        return [*faults, Fault(("phantom",), what, allowed="the path of a CT protocol, or a name of the library")]
    try:
        resolvers.ct_protocol(phantom.hlut)
    except InputError as error:
        faults += faults_from(error, ("phantom", "hlut"))
    return faults


def _medium_faults(name: str | None, place: Place, resolvers: Resolvers) -> list[Fault]:
    if name is None:
        return [Fault(place[:-1], f"The key {key_text(place)!r} is missing", allowed="a material, such as G4_WATER")]
    try:
        resolvers.material(name)
    except InputError as error:
        return faults_from(error, place)
    return []


def _insert_faults(insert: Slab | Box, place: Place, edges: Sequence[Array], resolvers: Resolvers) -> list[Fault]:
    faults = _medium_faults(insert.material, (*place, "material"), resolvers)
    spans = {2: insert.z_mm} if isinstance(insert, Slab) else dict(enumerate((insert.x_mm, insert.y_mm, insert.z_mm)))
    for axis, (low, high) in spans.items():
        key = (*place, f"{'xyz'[axis]}_mm")
        if not low < high:
            faults.append(Fault(key, f"{key_text(key)} must ascend", [low, high]))
        elif edges and edges[axis].size and not _chosen(edges[axis], low, high).any():
            extent = f"centres of voxels from {edges[axis][0]:g} to {edges[axis][-1]:g} mm"
            faults.append(Fault(key, f"{key_text(key)} holds no voxel centre", [low, high], extent))
    return faults


def _chosen(edges: Array, low: float, high: float) -> NDArray[np.bool_]:
    centres = (edges[1:] + edges[:-1]) / 2
    return np.asarray((centres >= low) & (centres < high))


def score_faults(scores: Sequence[Score], phantom: Phantom | None) -> list[Fault]:
    """Return all mistakes of the scores: names twice, grids that differ or miss the phantom."""
    faults: list[Fault] = []
    names: dict[str, int] = {}
    for number, score in enumerate(scores):
        for name in (score.file_name.casefold(), f"{score.file_name}_uncertainty".casefold()):
            if name in names:
                what = f"Scores {names[name] + 1} and {number + 1} would write the same files"
                faults.append(Fault(("score", number), what, score.file_name, "a name of its own for each"))
            names[name] = number
        edges, wrong = score_edges(score, number)
        faults += wrong
        if edges and not wrong and phantom is not None and not any(getattr(phantom, key) for key in FILES):
            faults += _beside_faults(edges, phantom, number)
    if len({(s.size_mm, s.voxel_mm, s.origin_mm) for s in scores if s.has_voxels}) > 1:
        what = "The scores of a run share one grid"
        faults.append(Fault(("score", len(scores) - 1), what, "different grids", "the same grid for all; or two runs"))
    return faults


def _beside_faults(edges: Sequence[Array], phantom: Phantom, number: int) -> list[Fault]:
    of_phantom, wrong = phantom_edges(phantom)
    if wrong:
        return []
    beside = [
        "xyz"[axis]
        for axis, (own, box) in enumerate(zip(edges, of_phantom, strict=True))
        if own[-1] <= box[0] or own[0] >= box[-1]
    ]
    return [Fault(("score", number), f"The grid of the score lies outside the phantom along {a}") for a in beside]
