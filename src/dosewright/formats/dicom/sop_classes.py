"""The DICOM object kinds that a radiotherapy study holds (DICOM PS3.6, UID registry)."""

import re
from typing import Final

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2.1"
RT_DOSE: Final = "1.2.840.10008.5.1.4.1.1.481.2"
RT_STRUCTURE_SET: Final = "1.2.840.10008.5.1.4.1.1.481.3"
RT_PLAN: Final = "1.2.840.10008.5.1.4.1.1.481.5"
RT_ION_PLAN: Final = "1.2.840.10008.5.1.4.1.1.481.8"

NAMES: Final = {
    CT_IMAGE: "CT Image",
    ENHANCED_CT_IMAGE: "Enhanced CT Image",
    "1.2.840.10008.5.1.4.1.1.4": "MR Image",
    "1.2.840.10008.5.1.4.1.1.128": "PET Image",
    RT_DOSE: "RT Dose",
    RT_STRUCTURE_SET: "RT Structure Set",
    "1.2.840.10008.5.1.4.1.1.481.4": "RT Beams Treatment Record",
    RT_PLAN: "RT Plan (photons or electrons)",
    RT_ION_PLAN: "RT Ion Plan",
    "1.2.840.10008.5.1.4.1.1.481.9": "RT Ion Beams Treatment Record",
}


def name_of(sop_class_uid: str) -> str:
    """Return the plain name of an object kind; what is no UID is not repeated, it may be anything."""
    if not re.fullmatch(r"[0-9.]{1,64}", sop_class_uid):
        return "an object whose SOP class is no UID"
    return NAMES.get(sop_class_uid, f"object of SOP class {sop_class_uid}")
