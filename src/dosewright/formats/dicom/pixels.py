"""The stored values of a CT slice or a dose grid, before any rescaling."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dosewright.core.errors import InputError, refuse
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_DOSE

Stored = NDArray[np.integer]

MAX_VALUES: Final = 2**30  # more voxels than any clinical object has; keeps a damaged header from taking all memory
NATIVE: Final = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)

READS: Final = declared(
    (CT_IMAGE, RT_DOSE),
    "",
    [
        Read("Rows", "size of the stored values", "test_pixels.py::test_what_is_no_grey_image_is_refused"),
        Read("Columns", "size of the stored values", "test_pixels.py::test_what_is_no_grey_image_is_refused"),
        Read("BitsAllocated", "8, 16 or 32", "test_pixels.py::test_every_width_and_sign"),
        Read(
            "BitsStored",
            "from 1 to BitsAllocated; values that need more are refused",
            "test_ct.py::test_values_that_overflow_their_bits_are_refused",
            assumes="BitsAllocated",
        ),
        Read(
            "HighBit",
            "BitsStored - 1",
            "test_pixels.py::test_what_is_no_grey_image_is_refused",
            assumes="BitsStored - 1",
        ),
        Read("PixelRepresentation", "0 unsigned, 1 signed", "test_pixels.py::test_every_width_and_sign"),
        Read(
            "SamplesPerPixel",
            "1; colours are refused",
            "test_pixels.py::test_what_is_no_grey_image_is_refused",
            assumes="1",
        ),
        Read(
            "PhotometricInterpretation",
            "MONOCHROME2; others are refused",
            "test_pixels.py::test_what_is_no_grey_image_is_refused",
            assumes="MONOCHROME2",
        ),
        Read(
            "PixelData",
            "the stored values; refused if cut short",
            "test_pixels.py::test_what_is_no_grey_image_is_refused",
        ),
        Read(
            "TransferSyntaxUID",
            "native, or compressed where the installed pydicom can decode it; else refused",
            "test_ct.py::test_big_endian_and_run_length_coded_slices",
            assumes="what the file's first bytes show, where it has no Part 10 header",
        ),
    ],
)


def stored_values(image: Attributes, frames: int) -> Stored:
    """Return the stored integers, shape (frames, rows, columns); `InputError` for anything but plain grey values."""
    before = len(image.problems)
    rows, columns = image.integer("Rows"), image.integer("Columns")
    allocated, stored = image.integer("BitsAllocated"), image.integer("BitsStored")
    signed = image.integer("PixelRepresentation")
    if len(image.problems) > before:
        raise InputError(*image.problems[before:])
    if image.integer("SamplesPerPixel") not in (None, 1) or image.text("PhotometricInterpretation") not in (
        "",
        "MONOCHROME2",
    ):
        raise refuse("Only grey values are read", given=image.text("PhotometricInterpretation"), where=image.where)
    if not rows or not columns or rows < 1 or columns < 1 or not 1 <= frames <= MAX_VALUES // (rows * columns):
        raise refuse("The pixel matrix has no possible size", given=(frames, rows, columns), where=image.where)
    if allocated not in (8, 16, 32) or signed not in (0, 1):
        raise refuse("Pixel values must be 8, 16 or 32 bit integers", given=(allocated, signed), where=image.where)
    stored = allocated if stored is None else stored
    if not 1 <= stored <= allocated or image.integer("HighBit") not in (None, stored - 1):
        raise refuse("BitsStored and HighBit do not fit BitsAllocated", given=stored, where=image.where)
    raw = _decoded(image, (frames, rows, columns), np.dtype(f"{'i' if signed else 'u'}{allocated // 8}"))
    return _only_stored_bits(raw, allocated - stored, image.where)


def _decoded(image: Attributes, shape: tuple[int, int, int], dtype: "np.dtype[np.integer]") -> Stored:
    syntax = getattr(getattr(image.dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and syntax not in NATIVE:
        return _decompressed(image, shape, dtype, str(getattr(syntax, "name", syntax)))
    data = image.value("PixelData")
    needed = shape[0] * shape[1] * shape[2] * dtype.itemsize
    if not isinstance(data, bytes) or len(data) < needed:
        given = f"{len(data) if isinstance(data, bytes) else 0} bytes"
        raise refuse("The pixel data are missing or cut short", given=given, allowed=needed, where=image.where)
    _, little = image.dataset.original_encoding
    stored = dtype.newbyteorder("<" if little or little is None else ">")
    return np.frombuffer(data, stored, shape[0] * shape[1] * shape[2]).reshape(shape).astype(dtype)


def _decompressed(image: Attributes, shape: tuple[int, int, int], dtype: "np.dtype[np.integer]", syntax: str) -> Stored:
    try:
        found = np.asarray(pixel_array(image.dataset, raw=True)).reshape(shape)
    except Exception:  # decoders raise almost any class, and may be absent
        raise refuse(
            "The compressed pixel data cannot be decoded here; export the images uncompressed "
            "(Explicit VR Little Endian)",
            given=syntax,
            where=image.where,
        ) from None
    return found.astype(dtype)


def _only_stored_bits(raw: Stored, unused: int, where: str) -> Stored:
    """Extend the sign where the writer left it out; refuse values that overflow BitsStored."""
    if unused == 0:
        return raw
    extended = np.right_shift(np.left_shift(raw, unused), unused)
    bits = raw.dtype.itemsize * 8
    empty_above = np.right_shift(raw.view(f"u{raw.dtype.itemsize}"), bits - unused) == 0
    if not np.all((extended == raw) | empty_above):
        raise refuse("Pixel values use more bits than BitsStored says", given=bits - unused, where=where)
    return extended
