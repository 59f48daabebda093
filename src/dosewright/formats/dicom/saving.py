"""Writing DICOM files: whole or not at all, and readable by their owner only."""

from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from dosewright.core.whole_file import write_whole
from dosewright.formats.dicom.attributes import quietly
from dosewright.formats.dicom.conformance import EVERY_OBJECT, Write, declared

MANUFACTURER: Final = "Dosewright"
IMPLEMENTATION_CLASS_UID: Final = "2.25.302874615917340262150913442097217331507"  # made from a random UUID (PS3.5 B.2)

WRITES: Final = declared(
    EVERY_OBJECT,
    "",
    [
        Write("SOPClassUID", "kind of the object"),
        Write("SOPInstanceUID", "new"),
        Write("SeriesInstanceUID", "new"),
        Write("SeriesNumber", "1"),
        Write("InstanceNumber", "1"),
        Write("Modality", "RTPLAN, CT, RTSTRUCT, RTDOSE"),
        Write("InstanceCreationDate", "today"),
        Write("InstanceCreationTime", "now"),
        Write("SeriesDate", "today"),
        Write("SeriesTime", "now"),
        Write("Manufacturer", "Dosewright"),
        Write("ManufacturerModelName", "Dosewright"),
        Write("SoftwareVersions", "the version"),
        Write("OperatorsName", "empty"),
        Write("MediaStorageSOPClassUID", "as SOPClassUID"),
        Write("MediaStorageSOPInstanceUID", "as SOPInstanceUID"),
        Write("TransferSyntaxUID", "Explicit VR Little Endian; Implicit VR for plans and structure sets"),
        Write("ImplementationClassUID", IMPLEMENTATION_CLASS_UID),
        Write("ImplementationVersionName", "DOSEWRIGHT"),
    ],
)


def new_uid() -> str:
    """Return a new UID made from a random UUID."""
    return str(generate_uid(prefix=None))


def decimal(value: float) -> str:
    """Write a number as a DICOM decimal string: at most 16 characters, as exact as these allow."""
    return str(format_number_as_ds(float(value)))


def new_object(sop_class_uid: str, modality: str, manufacturer: str = MANUFACTURER) -> Dataset:
    """Return an object with its own new UIDs, its time of creation and its maker."""
    now = datetime.now()
    new = Dataset()
    new.SOPClassUID, new.SOPInstanceUID = sop_class_uid, new_uid()
    new.SeriesInstanceUID, new.SeriesNumber, new.InstanceNumber = new_uid(), 1, 1
    new.Modality = modality
    new.InstanceCreationDate, new.InstanceCreationTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    new.SeriesDate, new.SeriesTime = new.InstanceCreationDate, new.InstanceCreationTime
    new.Manufacturer, new.ManufacturerModelName = manufacturer, MANUFACTURER
    new.SoftwareVersions = version("dosewright")
    new.OperatorsName = ""
    return new


@quietly()
def save(path: Path, dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> None:
    """Write an object as a Part 10 file, whole or not at all, readable by its owner only.

    Objects with long lists need Implicit VR: Explicit VR cannot hold more than 64 kB of decimal strings or floats.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = MANUFACTURER.upper()
    dataset.file_meta = meta
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, lambda temporary: pydicom.dcmwrite(temporary, dataset, enforce_file_format=True))
