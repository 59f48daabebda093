"""Regions and fields of FRED input: boxes with axes of their own in the room.

Both are boxes: the origin O of their frame lies at `pivot`, a fraction of the extent L, and the axes left, up and front
are the columns of their rotation. Source: FRED manual, geometry definition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.looks import tried
from dosewright.core.units import MM_PER_CM
from dosewright.formats.dose.mhd import read_mhd_header
from dosewright.formats.text.fred.directives import Directive
from dosewright.formats.text.fred.media import BUILT_IN, medium_of
from dosewright.formats.text.fred.taking import Taking, Triple

ROOM = "room"
MOST_VOXELS = 1 << 33
PERPENDICULAR = 1e-3  # cosine up to which two axes are as perpendicular as they are typed
SCORES = ("edep", "dose", "dose-to-water", "letd", "spectra", "track", "counts")
WRITES = ("lWriteDensity", "lWriteImat", "lWriteLETd_parts", "lWriteCTHU", "lWriteRSP")
NOT_DONE = {"rescale": True, "scoringMask": False, "alphaBetaX": False}  # whether each may change the dose
# What a room may have and is not done: it has no end here, and nothing is scored in it.
OF_ROOM = dict.fromkeys(("O", "pivot", "f", "u", "l", "L", "voxels", "maxStepSize", "score", "scoreij", *WRITES), False)


@dataclass(frozen=True)
class Box:
    """A region, or the box of a field.

    Parameters
    ----------
    name
        By which directives mean it: the ID of a region, ``field_ID`` of a field.
    frame
        From its own axes (left, up, front; origin at the pivot) to the room, mm.
    size_mm, pivot
        Extent along its axes, and where in it the origin lies, as fractions.
    where
        File and line.
    """

    name: str
    frame: Rigid = field(compare=False)
    size_mm: Triple
    pivot: Triple
    where: str

    @property
    def low_mm(self) -> Triple:
        """The lower corner in its own axes."""
        x, y, z = (-p * size for p, size in zip(self.pivot, self.size_mm, strict=True))
        return x, y, z

    @property
    def high_mm(self) -> Triple:
        """The higher corner in its own axes."""
        x, y, z = (low + size for low, size in zip(self.low_mm, self.size_mm, strict=True))
        return x, y, z


@dataclass(frozen=True)
class Region:
    """A region: a box of one medium or of a CT, and what is scored in it.

    Parameters
    ----------
    box
        Where it is, and how large.
    voxels
        Number of divisions along each axis.
    material, hounsfield
        Its medium by name, or by a number of the HU table; both None where it is a CT.
    ct
        The CT's MetaImage, or None.
    scores, scores_ij
        Quantities scored, and scored for each pencil beam, as written.
    writes
        Maps that are asked for, by their keys.
    max_step_mm
        Longest step.
    adaptive
        Whether it takes the size of what it contains: a frame more than a body.
    """

    box: Box
    voxels: tuple[int, int, int]
    material: str | None
    hounsfield: float | None
    ct: Path | None
    scores: tuple[str, ...]
    scores_ij: tuple[str, ...]
    writes: tuple[str, ...]
    max_step_mm: float
    adaptive: bool


@dataclass(frozen=True)
class Field:
    """A field: where pencil beams start from, and how far they fly in vacuum."""

    id: str
    box: Box
    exit_window_mm: float


def identity_of(directive: Directive, taking: Taking, *keys: str) -> str:
    """Return the ID of a directive: its word, or one of the keys."""
    of_key = taking.word(*keys)
    word = directive.words[0] if directive.words else of_key
    if len(directive.words) > 1 or (directive.words and of_key is not None):
        taking.problem(f"{directive.name}: expected one ID", given=" ".join(directive.words)[:60])
    if not word:
        taking.problem(f"{directive.name}: the ID is missing", allowed=f"{directive.name}: ID ; key = value ; ...")
    return word or ""


def read_field(directive: Directive, taking: Taking, notes: list[str]) -> Field:
    """Read a field."""
    name = identity_of(directive, taking, "ID", "FID")
    taking.what = f"field {name}"
    frame = Rigid(_axes(taking, notes), _mm(taking.vector("O", (0.0, 0.0, 0.0))))
    size = _size(taking, (1.0, 1.0, 1.0))
    pivot = taking.vector("pivot", (0.5, 0.5, 0.5))
    window = taking.number("exitWindowPlane", least=0.0) or 0.0
    taking.refuse_rest()
    return Field(name, Box(f"field_{name}", frame, size, pivot, directive.where), MM_PER_CM * window)


def default_field() -> Field:
    """Return the field that FRED makes where an input has none."""
    frame = Rigid(np.eye(3), np.array([0.0, 0.0, -500.0]))
    return Field("0", Box("field_0", frame, (200.0, 200.0, 500.0), (0.5, 0.5, 0.2), "the default field"), 0.0)


def read_room(taking: Taking) -> str:
    """Return what fills the room; all else of it is named."""
    taking.what = "region Room"
    taking.word("ID")
    material, hounsfield = taking.read(["material"], medium_of) or (None, None)
    if hounsfield is not None:
        taking.problem("The room has a named material", given=f"HU{hounsfield:+g}", allowed=", ".join(BUILT_IN))
    taking.not_supported(OF_ROOM)
    taking.refuse_rest()
    return material or "vacuum"


def read_region(directive: Directive, taking: Taking, folders: Sequence[Path], notes: list[str]) -> Region:
    """Read a region; a CT is looked for in `folders`, and only its header is read."""
    name = identity_of(directive, taking, "ID")
    taking.what = f"region {name}"
    ct = _ct_file(taking, folders)
    if ct is None:
        frame = Rigid(_axes(taking, notes), _mm(taking.vector("O", (0.0, 0.0, 0.0))))
        box = Box(name, frame, _size(taking, (1.0, 1.0, 1.0)), taking.vector("pivot", (0.5, 0.5, 0.5)), directive.where)
        voxels = _voxels(taking)
    else:
        found = tried(lambda: _ct_box(name, ct, taking, notes), taking.problems)
        nowhere = Box(name, Rigid.identity(), (MM_PER_CM,) * 3, (0.5,) * 3, directive.where)
        box, voxels = found or (nowhere, (1, 1, 1))
    material, hounsfield = _medium(taking, ct, notes)
    scores, scores_ij = taking.list("score"), taking.list("scoreij")
    for word in (*scores, *scores_ij):
        if word.casefold() not in SCORES:
            taking.problem(f"{taking.what}: unknown score", given=word, allowed=", ".join(SCORES))
    writes = tuple(key for key in WRITES if taking.flag(key, False))
    step = taking.number("maxStepSize", least=1e-6)
    adaptive = taking.flag("lAdaptiveSize", False)
    taking.not_supported(NOT_DONE)
    taking.refuse_rest()
    return Region(box, voxels, material, hounsfield, ct, scores, scores_ij, writes,
                  MM_PER_CM * (10.0 if step is None else step), adaptive)  # fmt: skip


def _medium(taking: Taking, ct: Path | None, notes: list[str]) -> tuple[str | None, float | None]:
    found = taking.read(["material"], medium_of)
    if ct is not None:
        if found:
            taking.problem(f"{taking.what} has a material and a CT", allowed="one of them")
        return None, None
    if found is None:
        notes.append(f"{taking.where}: {taking.what} has no material: vacuum is taken, FRED's default.")
        return "vacuum", None
    return found


def _ct_file(taking: Taking, folders: Sequence[Path]) -> Path | None:
    name = taking.word("CTscan")
    if name is None:
        return None
    for folder in folders:
        try:
            if (folder / name).is_file():
                return folder / name
        except (OSError, ValueError):
            break
    reason = "; it is built into FRED and not here" if name == "MrHead" else ""
    taking.problem(f"{taking.what}: the CT is not there{reason}", given=name[:200], allowed="a MetaImage (.mhd)")
    return folders[0] / "CT"  # so that no other setting is taken for a mistake


def _ct_box(name: str, ct: Path, taking: Taking, notes: list[str]) -> tuple[Box, tuple[int, int, int]]:
    """Return box and voxels of a CT: sizes from its header, and its place too where the input gives none."""
    placed = any(taking.given(key) for key in ("O", "pivot", "f", "u", "l", "O.x", "O.y", "O.z"))
    axes = _axes(taking, notes)
    origin, pivot = taking.vector("O", (0.0, 0.0, 0.0)), taking.vector("pivot", (0.5, 0.5, 0.5))
    for key in ("L", "voxels"):
        if taking.setting(key):
            taking.problem(f"{taking.what}: {key} comes from the CT", allowed="no such key beside CTscan")
    if not ct.is_file():
        return Box(name, Rigid(axes, _mm(origin)), (MM_PER_CM,) * 3, pivot, taking.where), (1, 1, 1)
    header = read_mhd_header(ct)
    count, spacing, offset, matrix = (_numbers(header, key, ct) for key in
                                      ("DimSize", "ElementSpacing", "Offset", "TransformMatrix"))  # fmt: skip
    size = np.array(count) * np.array(spacing)
    nx, ny, nz = (int(n) for n in count)
    if not placed:
        # FREDtools shifts an unplaced CT by the isocentre of the plan: its frame is that of the image's coordinates.
        axes = np.array(matrix).reshape(3, 3).T
        corner = axes.T @ np.array(offset) - np.array(spacing) / 2
        pivot, origin = tuple(-corner / size), (0.0, 0.0, 0.0)
        notes.append(f"{taking.where}: {taking.what} has neither O nor pivot: the CT lies where its header says, and "
                     "the origin of its frame is that of the image.")  # fmt: skip
    box = Box(name, Rigid(axes, _mm(origin)), tuple(size), pivot, taking.where)
    return box, (nx, ny, nz)


def _numbers(header: dict[str, str], key: str, ct: Path) -> list[float]:
    default = {"Offset": "0 0 0", "TransformMatrix": "1 0 0 0 1 0 0 0 1"}.get(key, "")
    spoken = {"Offset": ("Offset", "Position", "Origin"), "TransformMatrix": ("TransformMatrix", "Rotation")}
    text = next((header[one] for one in spoken.get(key, (key,)) if one in header), default)
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    positive = key in ("DimSize", "ElementSpacing")
    if len(values) != (9 if key == "TransformMatrix" else 3) or not all(
        abs(v) < 1e9 and (v > 0 or not positive) and (key != "DimSize" or v == int(v)) for v in values
    ):
        raise refuse(f"The header of the CT cannot be used: {key}", given=text[:60], where=ct.name)
    return values


def _voxels(taking: Taking) -> tuple[int, int, int]:
    x, y, z = taking.vector("voxels", (1.0, 1.0, 1.0))
    if any(n != int(n) or n < 1 for n in (x, y, z)) or x * y * z > MOST_VOXELS:
        taking.problem(f"{taking.what}: voxels are whole numbers from 1", given=f"[{x:g}, {y:g}, {z:g}]")
        return 1, 1, 1
    return int(x), int(y), int(z)


def _size(taking: Taking, default: Triple) -> Triple:
    x, y, z = taking.vector("L", default)
    if min(x, y, z) <= 0:
        taking.problem(f"{taking.what}: every extent must be positive", given=f"L = [{x:g}, {y:g}, {z:g}]")
        x, y, z = default
    return MM_PER_CM * x, MM_PER_CM * y, MM_PER_CM * z


def _mm(cm: Sequence[float]) -> np.ndarray:
    return MM_PER_CM * np.array(cm, float)


def _axes(taking: Taking, notes: list[str]) -> np.ndarray:
    """Return left, up and front as columns, from two of them; front is kept as it is, then up."""
    given = {key: np.array(taking.vector(key, (0.0, 0.0, 0.0))) for key in "ful" if taking.given(key)}
    taking.known.extend("ful")
    for key, vector in given.items():
        if not np.linalg.norm(vector) > 0:
            taking.problem(f"{taking.what}: the vector {key} has no length", given=f"{key} = [0, 0, 0]")
            return np.eye(3)
    unit = {key: vector / np.linalg.norm(vector) for key, vector in given.items()}
    if set(unit) == {"l"}:
        taking.problem(f"{taking.what}: left alone does not say the axes", allowed="two of f, u and l")
        return np.eye(3)
    if len(unit) == 3 and np.linalg.norm(np.cross(unit["u"], unit["f"]) - unit["l"]) > PERPENDICULAR:
        taking.problem(f"{taking.what}: f, u and l contradict each other", allowed="l = u x f, or two of them")
        return np.eye(3)
    if "l" in unit and "f" not in unit:
        pair = (unit["l"], unit["u"])
    elif "l" in unit and "u" not in unit:
        pair = (unit["f"], unit["l"])
    else:
        unit = {"f": np.array([0.0, 0.0, 1.0]), "u": np.array([0.0, 1.0, 0.0]), **unit}
        pair = (unit["u"], unit["f"])
    if np.linalg.norm(np.cross(*pair)) < 1e-6:
        taking.problem(f"{taking.what}: two of its axes are parallel", allowed="two of f, u and l, perpendicular")
        return np.eye(3)
    if abs(pair[0] @ pair[1]) > PERPENDICULAR:
        notes.append(f"{taking.where}: the axes of {taking.what} are not perpendicular; front is kept, then up.")
    front = unit["f"] if "f" in unit else np.cross(unit["l"], unit["u"])
    front = front / np.linalg.norm(front)
    left = np.cross(unit["u"], front) if "u" in unit else unit["l"] - (unit["l"] @ front) * front
    left = left / np.linalg.norm(left)
    return np.column_stack([left, np.cross(front, left), front])
