"""From attributes to the plane of an image."""

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.orientation import plane_of


def image() -> Dataset:
    """A sagittal image whose values are all different."""
    made = Dataset()
    made.ImagePositionPatient = [-12.5, 33.0, -140.5]
    made.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    made.PixelSpacing, made.Rows, made.Columns = [2.5, 1.25], 7, 5
    return made


def test_every_attribute_places_the_plane() -> None:
    """ImagePositionPatient, ImageOrientationPatient, PixelSpacing (rows first), Rows and Columns."""
    plane = plane_of(Attributes(image(), "image", []))
    assert plane is not None
    assert plane.origin_mm.tolist() == [-12.5, 33.0, -140.5]
    assert plane.direction.T.tolist() == [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]
    assert plane.spacing_mm == (1.25, 2.5)
    assert (plane.rows, plane.columns) == (7, 5)
    assert plane.along_normal_mm == pytest.approx(12.5)


@pytest.mark.parametrize(
    "keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"]
)
def test_what_is_missing_is_named(keyword: str) -> None:
    made, problems = image(), []
    delattr(made, keyword)
    assert plane_of(Attributes(made, "image", problems)) is None
    assert problems == [f"{keyword} is missing. Where: image."]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: setattr(d, "PixelSpacing", [0, 1]), "must be positive"),
        (lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 0.1, 1, 0]), "two perpendicular unit vectors"),
        (lambda d: setattr(d, "ImageOrientationPatient", [2, 0, 0, 0, 1, 0]), "two perpendicular unit vectors"),
        (lambda d: setattr(d, "ImagePositionPatient", [1, 2]), "wrong number of values"),
    ],
)
def test_what_is_no_plane(edit: Callable[[Dataset], None], said: str) -> None:
    made, problems = image(), []
    edit(made)
    assert plane_of(Attributes(made, "image", problems)) is None
    assert said in problems[0]


def test_cosines_of_four_digits_are_made_perpendicular() -> None:
    made = image()
    made.ImageOrientationPatient = [0.9848, 0.1736, 0.0, -0.1736, 0.9848, 0.0]
    plane = plane_of(Attributes(made, "image", []))
    assert plane is not None
    np.testing.assert_allclose(plane.direction.T @ plane.direction, np.eye(3), atol=1e-12)
