"""From ImageOrientationPatient, ImagePositionPatient and PixelSpacing to the axes of a grid."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_DOSE

Vector = NDArray[np.float64]

READS: Final = declared(
    (CT_IMAGE, RT_DOSE),
    "",
    [
        Read(
            "ImagePositionPatient",
            "needed: centre of the first pixel, mm",
            "test_orientation.py::test_every_attribute_places_the_plane",
        ),
        Read(
            "ImageOrientationPatient",
            "needed: two perpendicular unit vectors, any orientation",
            "test_orientation.py::test_every_attribute_places_the_plane",
        ),
        Read(
            "PixelSpacing",
            "needed, positive: distance between rows first, then between columns, mm",
            "test_orientation.py::test_every_attribute_places_the_plane",
        ),
        Read("Rows", "needed: pixels down a column", "test_orientation.py::test_every_attribute_places_the_plane"),
        Read("Columns", "needed: pixels along a row", "test_orientation.py::test_every_attribute_places_the_plane"),
    ],
)


@dataclass(frozen=True)
class Plane:
    """Where one image plane lies in patient coordinates.

    `direction` holds as columns: along a row (x index), down a column (y index), and their cross product, which is
    the slice normal; it is right-handed for all patient positions. `spacing_mm` is (x, y): the distance between
    columns, then between rows, the other way round than DICOM writes it.
    """

    origin_mm: Vector
    direction: Vector
    spacing_mm: tuple[float, float]
    rows: int
    columns: int

    @property
    def along_normal_mm(self) -> float:
        """Distance of the plane from the patient origin along its normal, mm."""
        return float(self.direction[:, 2] @ self.origin_mm)


def plane_of(image: Attributes) -> Plane | None:
    """Return the plane of an image; None, with problems added, if it cannot be known."""
    before = len(image.problems)
    position, cosines, spacing = (
        image.numbers("ImagePositionPatient", 3),
        image.numbers("ImageOrientationPatient", 6),
        image.numbers("PixelSpacing", 2),
    )
    rows, columns = image.integer("Rows"), image.integer("Columns")
    for name, found in (
        ("ImagePositionPatient", position),
        ("ImageOrientationPatient", cosines),
        ("PixelSpacing", spacing),
        ("Rows", rows),
        ("Columns", columns),
    ):
        if found is None and len(image.problems) == before:
            image.problem(f"{name} is missing")
    if position is None or cosines is None or spacing is None or not rows or not columns:
        return None
    if spacing.min() <= 0 or min(rows, columns) < 1:
        image.problem("PixelSpacing, Rows and Columns must be positive", given=(*spacing, rows, columns))
        return None
    direction = _axes(cosines)
    if direction is None:
        image.problem("ImageOrientationPatient must hold two perpendicular unit vectors", given=cosines.tolist())
        return None
    return Plane(position, direction, (float(spacing[1]), float(spacing[0])), rows, columns)


def _axes(cosines: Vector) -> Vector | None:
    row, column = cosines[:3], cosines[3:]
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    if (
        max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(float(row @ column))) > 1e-3
    ):  # exporters round to 4 digits or more
        return None
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return np.column_stack([row, column, np.cross(row, column)])
