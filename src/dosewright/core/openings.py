"""Where jaws and leaves of a beam stand, free of DICOM; positions at the isocentre plane, mm."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dosewright.core.module_checks import number_problems, raise_all

KIND: Final = re.compile(r"(?:(MLC)|(?:ASYM)?)([XY])\d*")  # numbered layers are a vendor's
KINDS: Final = "X, Y, ASYMX, ASYMY, MLCX, MLCY; with a number where there are several layers"


@dataclass(frozen=True)
class DeviceOpening:
    """Where the two sides of a collimating device stand.

    Parameters
    ----------
    kind
        DICOM's word for it: one of ``X``, ``ASYMX``, ``MLCX`` and those for y, with a number where there are several.
    negative_mm, positive_mm
        Edges of the jaw or of each leaf on the negative and on the positive side, from the most negative pair across.
    boundaries_mm
        Where leaves begin and end across, one more than there are pairs; empty for jaws.
    """

    kind: str
    negative_mm: tuple[float, ...]
    positive_mm: tuple[float, ...]
    boundaries_mm: tuple[float, ...] = ()
    where: str = ""

    def __post_init__(self) -> None:
        raise_all(self._problems(), f"The opening of {self.kind!r}", self.where)

    def _problems(self) -> Iterator[str]:
        yield from number_problems(self)
        if not KIND.fullmatch(self.kind):
            yield f"the kind of device is unknown; it must be one of {KINDS}"
            return
        pairs = len(self.negative_mm)
        if pairs != len(self.positive_mm) or not pairs:
            yield f"there are {pairs} positions on the negative side and {len(self.positive_mm)} on the positive one"
        if self.leaves and len(self.boundaries_mm) != pairs + 1:
            yield f"{pairs} pairs of leaves have {pairs + 1} boundaries, and {len(self.boundaries_mm)} are given"
        if not self.leaves and pairs != 1:
            yield f"jaws are one pair, and {pairs} are given"
        for low, high in pairwise(self.boundaries_mm):
            if not high > low:
                yield f"boundaries of leaves must ascend, and go from {low:g} to {high:g} mm"
        for number, (low, high) in enumerate(zip(self.negative_mm, self.positive_mm, strict=False), 1):
            if not low <= high:
                yield f"pair {number}: openings cross: the negative edge is at {low:g} mm, the positive at {high:g} mm"

    @property
    def leaves(self) -> bool:
        """Whether these are leaves."""
        return self.kind.startswith("MLC")

    @property
    def orientation(self) -> str:
        """Along which axis it moves, ``X`` or ``Y``."""
        return "X" if "X" in self.kind else "Y"


@dataclass(frozen=True)
class ControlPoint:
    """Openings at one moment of a beam; `cumulative_weight` is the share of the meterset given before, as in the plan.

    The weight is None where a plan says none, as for setup beams; so are the angles of the gantry, of the collimator
    (IEC beam limiting device) and of the patient support.
    """

    cumulative_weight: float | None
    devices: tuple[DeviceOpening, ...]
    gantry_deg: float | None = None
    collimator_deg: float | None = None
    couch_deg: float | None = None


@dataclass(frozen=True)
class BeamOpenings:
    """The openings of a beam at all its control points; in between, positions change in proportion to meterset.

    `in_beam` names what else the plan puts into the beam: wedges, blocks, compensators, boli, applicators.
    """

    number: int
    name: str
    machine: str
    in_beam: tuple[str, ...]
    control_points: tuple[ControlPoint, ...]
