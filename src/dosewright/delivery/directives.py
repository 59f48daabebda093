"""What a delivery is made of: each directive as a value, its names resolved. Lengths in mm, angles in degrees."""

from dataclasses import dataclass

Triple = tuple[float, float, float]
ROOM, SELF = "room", "self"  # frames of reference beside those of regions
SLOTS = 10


@dataclass(frozen=True)
class Shift:
    """By so much along the axes of the frame."""

    by_mm: Triple


@dataclass(frozen=True)
class Place:
    """With the origin to a point of the frame."""

    at_mm: Triple


@dataclass(frozen=True)
class Turn:
    """About an axis (of length 1) through the origin of the frame, right-handed."""

    axis: Triple
    degrees: float


@dataclass(frozen=True)
class Transform:
    """Regions moved; `frame` is ``"room"``, ``"self"`` (each its own) or a region."""

    regions: tuple[str, ...]
    motion: Shift | Place | Turn
    frame: str
    where: str


@dataclass(frozen=True)
class SetParent:
    """Daughters that move with a mother from now on; with the room as mother, alone."""

    mother: str
    daughters: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Activate:
    """Regions that are there from now on, or not there."""

    regions: tuple[str, ...]
    active: bool
    where: str


@dataclass(frozen=True)
class Save:
    """Placement and activity of all regions kept in a slot."""

    slot: int
    where: str


@dataclass(frozen=True)
class Restore:
    """Placement and activity of all regions taken from a slot."""

    slot: int
    where: str


@dataclass(frozen=True)
class Deliver:
    """Pencil beams by field, as (name of the field, IDs of its pencil beams), in the order of delivery."""

    beams: tuple[tuple[str, tuple[str, ...]], ...]
    where: str


@dataclass(frozen=True)
class ScriptCall:
    """A script to run: its name, and the folders to look for it after the working folder, in their order."""

    name: str
    folders: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class RunScripts:
    """Scripts after the step just delivered, or after all steps."""

    scripts: tuple[ScriptCall, ...]
    at_end: bool
    where: str


Order = Transform | SetParent | Activate | Save | Restore | Deliver | RunScripts
