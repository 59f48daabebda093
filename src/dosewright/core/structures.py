"""Structures as the planning system drew them: closed planar contours in patient coordinates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest


@dataclass(frozen=True)
class Structure:
    """A region of interest.

    `kind` is the DICOM RT ROI Interpreted Type (``EXTERNAL``, ``PTV``, ``ORGAN``, ``SUPPORT``, ``BOLUS``, ...).
    `contours` are closed polygons, shape (n, 3), mm; several in one plane combine by exclusive or.
    """

    number: int
    name: str
    kind: str
    contours: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class StructureSet:
    """The structures of one RT Structure Set."""

    uid: str
    frame_of_reference_uid: str
    structures: tuple[Structure, ...]
    warnings: tuple[str, ...] = ()

    def named(self, name: str) -> Structure:
        """Return the structure of that name (exact, else unique ignoring case)."""
        exact = [s for s in self.structures if s.name == name]
        found = exact or [s for s in self.structures if s.name.casefold() == name.casefold()]
        if len(found) != 1:
            names = [s.name for s in self.structures]
            count = f"{len(found)} structures" if found else "no structure"
            raise InputError(
                f"The structure set has {count} named {name!r}.{nearest(name, names)} Known: {', '.join(names)}."
            )
        return found[0]

    def of_kind(self, *kinds: str) -> tuple[Structure, ...]:
        """Return the structures of the given interpreted types that have contours."""
        return tuple(s for s in self.structures if s.kind in kinds and s.contours)
