"""GAMOS's file of histograms: the example of its manual, arithmetic, and what is wrong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.histogram import DoseCut
from dosewright.formats.text.gamos.dose_cuts import read_dose_cuts

SHAPE = (101, 101, 100)
# GAMOS user's guide, radiotherapy, "Saving scores in histograms", for 101 x 101 x 100 voxels.
EXAMPLE = """
// recovering the 1D merged histograms
1X "RTPSPDoseHistos:Dose Profile X_merged" 0 NVoxelX-1 0 NVoxelY-1 0 NVoxelZ-1
// Y profiles at several depths
1Y "RTPSPDoseHistos:Dose Profile Y 1.400 cm" 50 50 0 NVoxelY-1 6 6  // here too
2XZ "plane" (NVoxelX-1)/2 (NVoxelX-1)/2+2*3 0 0 NVoxelZ/4 NVoxelZ/2-1
"""


def read(folder: Path, text: str) -> tuple[tuple[DoseCut, ...], tuple[str, ...]]:
    path = folder / "histos.txt"
    path.write_text(text, encoding="utf-8")
    return read_dose_cuts(path, SHAPE)


def test_the_example(tmp_path: Path) -> None:
    cuts, said = read(tmp_path, EXAMPLE)
    assert said == ()
    assert cuts == (
        DoseCut("1X", "RTPSPDoseHistos:Dose Profile X_merged", ((0, 100), (0, 100), (0, 99))),
        DoseCut("1Y", "RTPSPDoseHistos:Dose Profile Y 1.400 cm", ((50, 50), (0, 100), (6, 6))),
        DoseCut("2XZ", "plane", ((50, 56), (0, 0), (25, 49))),
    )


def test_ranges_are_cut_aloud(tmp_path: Path) -> None:
    (cut,), said = read(tmp_path, '1Z "a" 0 NVoxelX -3 4 0 99')
    assert cut.voxels == ((0, 100), (0, 4), (0, 99))
    assert said == (
        "Voxels 0 to 101 along X were cut to 0 to 100 (histos.txt, line 1).",
        "Voxels -3 to 4 along Y were cut to 0 to 4 (histos.txt, line 1).",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("// nothing\n", "asks for no histogram"),
        ('2ZX "a" 0 1 0 1 0 1', "Did you mean '2"),
        ('1X "a" 0 1 0 1 0', "six numbers"),
        ('1X "a" 0 1 0 1 0 1 0.5', "six numbers"),
        ('1X "a" 5 1 0 1 0 1', "along X are none"),
        ('1X "a" 0 1 0 1 100 120', "along Z are none"),
        ('1X "a" 0 1.5 0 1 0 1', "whole number"),
        ('1X "a" 0 1*mm 0 1 0 1', "whole number"),
        ('1X "a" 0 NVoxel 0 1 0 1', "Did you mean 'NVoxel"),
        ('1X "a" 0 1 0 NVoxely-1 0 1', "Did you mean 'NVoxelY'"),
        ('1X "a" 0 VoxelX 0 1 0 1', "Neither a unit"),
        ('1X "a" 0 1/0 0 1 0 1', "Division by zero"),
        ('1X "a 0 1 0 1 0 1', "not closed"),
        ('1X "a" 0 1 0 1 0 1\n1Y "a" 0 1 0 1 0 1', "one name"),
        ('1X "a" 0 __import__("os") 0 1 0 1', "words"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_all_problems_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, '1W "a" 0 1 0 1 0 1\n1X "b"\n')
    assert len(refused.value.problems) == 2


@given(st.text('12XYZ "NVoxel-+*/()0.9\n', max_size=60))
@settings(max_examples=150, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        cuts, _ = read(tmp_path_factory.getbasetemp(), text)
    except InputError:
        return
    for cut in cuts:
        for (low, high), n in zip(cut.voxels, SHAPE, strict=True):
            assert 0 <= low <= high < n
