"""Apertures and shielding blocks of an ion beam (DICOM PS3.3 C.8.8.25, Ion Block Sequence)."""

from typing import Final

import numpy as np

from dosewright.core.plan import Block
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

SIDES: Final = ("PATIENT_SIDE", "SOURCE_SIDE")
KINDS: Final = ("APERTURE", "SHIELDING")
LEAST_POINTS: Final = 3
TRAY_MM: Final = 0.1  # of water: what a tray may have and still be virtual

UNCLEAR: Final = "test_ion_devices.py::test_what_is_unclear_is_refused"
SAID: Final = "test_ion_plan_attributes.py::test_what_a_block_says"
READS: Final = (
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read("NumberOfBlocks", "fits the blocks described", SAID, assumes="0"),
            Read("TotalBlockTrayWaterEquivalentThickness", "more than 0.1 mm is refused", UNCLEAR, assumes="0"),
        ],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read(f"IonBlockSequence/{path}", use, test, assumes=assumes)
            for path, use, test, assumes in (
                ("BlockNumber", "tells blocks apart", SAID, "its place in the list"),
                ("BlockName", "names it", SAID, ""),
                ("BlockType", "needed: APERTURE blocks outside the outline, SHIELDING inside", UNCLEAR, ""),
                ("BlockThickness", "needed, positive: along the beam, mm", UNCLEAR, ""),
                ("BlockNumberOfPoints", "fits the outline", UNCLEAR, "the points there are"),
                ("BlockData", "needed: outline projected to the isocentre plane, mm", UNCLEAR, ""),
                ("MaterialID", "needed: a material that the library knows", UNCLEAR, ""),
                ("IsocenterToBlockTrayDistance", "needed: place of its face at the tray, mm", UNCLEAR, ""),
                ("BlockMountingPosition", "needed: PATIENT_SIDE, SOURCE_SIDE of the tray", UNCLEAR, ""),
                ("BlockDivergence", "needed: PRESENT, walls follow the rays; ABSENT", UNCLEAR, ""),
            )
        ],
    ),
)


def read_blocks(beam: Attributes) -> tuple[Block, ...]:
    """Return the blocks of a beam; what is missing becomes a problem of the beam."""
    items = beam.items("IonBlockSequence")
    if (beam.integer("NumberOfBlocks") or 0) != len(items):
        beam.problem(
            "NumberOfBlocks does not fit the blocks described",
            given=beam.integer("NumberOfBlocks"),
            allowed=len(items),
        )
    refuse_tray(beam, "TotalBlockTrayWaterEquivalentThickness", "block tray")
    found = [_block(item, k) for k, item in enumerate(items, 1)]
    return tuple(block for block in found if block is not None)


def refuse_tray(beam: Attributes, keyword: str, what: str) -> None:
    """Add a problem where a tray has a thickness of its own: neither its place nor its material are known."""
    thickness = beam.number(keyword)
    if thickness is not None and abs(thickness) > TRAY_MM:
        beam.problem(
            f"The {what} takes range from the beam ({keyword}), but the plan does not say what it is made of; describe "
            "it as a device of the beam model",
            given=f"{thickness:g} mm of water",
        )


def mounting(item: Attributes, keyword: str, allowed: tuple[str, ...]) -> str:
    """Return on which side of its tray a device is mounted; without it, its place is not known."""
    side = item.text(keyword).upper()
    if side not in allowed:
        item.problem(f"The side of the tray ({keyword}) must be known", given=side or None, allowed=", ".join(allowed))
    return side


def divergence(item: Attributes, keyword: str) -> bool:
    """Say whether walls follow the rays; a problem where the plan does not say."""
    word = item.text(keyword).upper()
    if word not in ("PRESENT", "ABSENT"):
        item.problem(f"{keyword} must be known", given=word or None, allowed="PRESENT, ABSENT")
    return word == "PRESENT"


def needed(item: Attributes, keyword: str) -> float:
    """Return a number that a device cannot be without."""
    value = item.number(keyword)
    if value is None:
        item.problem(f"{keyword} is missing")
    return value or 0.0


def material_word(item: Attributes) -> str:
    """Return the plan's word for a material; a problem where it has none."""
    word = item.text("MaterialID")
    if not word:
        item.problem("The plan does not say what it is made of (MaterialID)")
    return word


def _block(item: Attributes, place: int) -> Block | None:
    number = item.integer("BlockNumber")
    number = place if number is None else number
    name = item.text("BlockName")
    at = item.at(f"block {name or number}")
    before = len(at.problems)
    kind = at.text("BlockType").upper()
    if kind not in KINDS:
        at.problem("Unknown type of block (BlockType)", given=kind or None, allowed=", ".join(KINDS))
    thickness = needed(at, "BlockThickness")
    if len(at.problems) == before and not thickness > 0:
        at.problem("BlockThickness must be positive", given=thickness)
    data, count = at.numbers("BlockData"), at.integer("BlockNumberOfPoints")
    if data is None or data.size % 2 or data.size < 2 * LEAST_POINTS:
        at.problem("BlockData must hold x and y of three or more points", given=0 if data is None else data.size)
    elif count not in (None, data.size // 2):
        at.problem("BlockNumberOfPoints does not fit BlockData", given=count, allowed=data.size // 2)
    block = Block(
        name=name,
        number=number,
        kind=kind,
        material=material_word(at),
        thickness_mm=thickness,
        tray_mm=needed(at, "IsocenterToBlockTrayDistance"),
        mounting=mounting(at, "BlockMountingPosition", SIDES),
        divergent=divergence(at, "BlockDivergence"),
        outline_mm=np.zeros((0, 2)) if data is None or data.size % 2 else _open(data.reshape(-1, 2)),
    )
    return block if len(at.problems) == before else None


def _open(outline: np.ndarray) -> np.ndarray:
    """Return an outline without a last point that repeats the first."""
    return outline[:-1] if len(outline) > LEAST_POINTS and np.allclose(outline[0], outline[-1]) else outline
