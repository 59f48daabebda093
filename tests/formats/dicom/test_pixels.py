"""Stored values: every width and sign, and what is no image of grey values."""

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.pixels import stored_values

VALUES = np.arange(35).reshape(7, 5) + 90  # beyond 127, so that signs show in 8 bits


def image(bits: int = 16, signed: int = 1) -> Dataset:
    made = Dataset()
    made.Rows, made.Columns = 7, 5
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = bits
    made.HighBit, made.PixelRepresentation = bits - 1, signed
    made.PixelData = VALUES.astype(f"<u{bits // 8}").tobytes()
    return made


def stored(made: Dataset) -> np.ndarray:
    return stored_values(Attributes(made, "image", []), 1)[0]


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("signed", [0, 1])
def test_every_width_and_sign(bits: int, signed: int) -> None:
    """BitsAllocated and PixelRepresentation say how bytes become numbers."""
    wanted = VALUES.astype(f"u{bits // 8}").view(f"{'i' if signed else 'u'}{bits // 8}")
    np.testing.assert_array_equal(stored(image(bits, signed)), wanted)


def test_what_may_be_left_out() -> None:
    made = image()
    for keyword in ("SamplesPerPixel", "PhotometricInterpretation", "BitsStored", "HighBit"):
        delattr(made, keyword)
    np.testing.assert_array_equal(stored(made), VALUES)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: setattr(d, "Rows", 0), "no possible size"),
        (lambda d: setattr(d, "Columns", None), "no possible size"),
        (lambda d: setattr(d, "Columns", 50000), "cut short"),
        (lambda d: setattr(d, "PixelData", b"\0\0"), "cut short"),
        (lambda d: setattr(d, "BitsAllocated", 12), "8, 16 or 32 bit"),
        (lambda d: setattr(d, "PixelRepresentation", 2), "8, 16 or 32 bit"),
        (lambda d: setattr(d, "BitsStored", 17), "do not fit BitsAllocated"),
        (lambda d: setattr(d, "HighBit", 14), "do not fit BitsAllocated"),
        (lambda d: setattr(d, "SamplesPerPixel", 3), "Only grey values"),
        (lambda d: setattr(d, "PhotometricInterpretation", "MONOCHROME1"), "Only grey values"),
    ],
)
def test_what_is_no_grey_image_is_refused(edit: Callable[[Dataset], None], said: str) -> None:
    made = image()
    edit(made)
    with pytest.raises(InputError, match=said):
        stored(made)
