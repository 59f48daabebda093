"""What else stands in an ion beam: things that change the dose, those that can be calculated and those that cannot."""

from typing import Final

from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

CALCULATED: Final = (  # name, sequence, count, identifier
    ("aperture or block", "IonBlockSequence", "NumberOfBlocks", "BlockName"),
    ("range compensator", "IonRangeCompensatorSequence", "NumberOfCompensators", "CompensatorID"),
    ("range modulator", "RangeModulatorSequence", "NumberOfRangeModulators", "RangeModulatorID"),
)
NOT_CALCULATED: Final = (
    ("wedge", "IonWedgeSequence", "NumberOfWedges", "WedgeID"),
    ("collimator", "IonBeamLimitingDeviceSequence", "", "RTBeamLimitingDeviceType"),
)
REFUSED: Final = "refused, or left out with --ignore-devices"
COUNTED: Final = "test_ion_plan_attributes.py::test_devices_are_counted_where_they_are_left_out"
ALL_REFUSED: Final = (
    "test_ion_plan_attributes.py::test_every_device_that_is_not_calculated_is_refused_or_left_out_aloud"
)
READS: Final = declared(
    (RT_ION_PLAN,),
    "IonBeamSequence",
    [
        *(Read(count, f"said where {name}s are left out", COUNTED) for name, _, count, _ in CALCULATED),
        *(Read(f"{sequence}/{word}", "names it", COUNTED) for _, sequence, _, word in CALCULATED),
        *(Read(count, f"{name}: {REFUSED}", ALL_REFUSED) for name, _, count, _ in NOT_CALCULATED if count),
        *(Read(f"{sequence}/{word}", f"{name}: {REFUSED}", ALL_REFUSED) for name, sequence, _, word in NOT_CALCULATED),
        Read(
            "LateralSpreadingDeviceSequence/LateralSpreadingDeviceType",
            f"SCATTERER: {REFUSED}; magnets count as none",
            ALL_REFUSED,
        ),
        Read("LateralSpreadingDeviceSequence/LateralSpreadingDeviceID", "names it", ALL_REFUSED),
    ],
)
Kinds = tuple[tuple[str, str, str, str], ...]


def devices(beam: Attributes, kinds: Kinds) -> tuple[str, ...]:
    """Return the devices of a beam that are of some kinds, by name."""
    found = []
    for name, sequence, count, identifier in kinds:
        items = beam.items(sequence)
        number = max((beam.integer(count) or 0) if count else 0, len(items))
        names = [n for n in (item.text(identifier) for item in items) if n]
        if number:
            found.append(f"{number} {name}{'s' if number > 1 else ''}" + (f" ({', '.join(names)})" if names else ""))
    return tuple(found)


def scatterers(beam: Attributes) -> tuple[str, ...]:
    """Return the scatterers of a beam, by name; the magnets of a scanned beam are none."""
    return tuple(
        f"1 scatterer ({item.text('LateralSpreadingDeviceID')})"
        for item in beam.items("LateralSpreadingDeviceSequence")
        if item.text("LateralSpreadingDeviceType").upper() == "SCATTERER"
    )
