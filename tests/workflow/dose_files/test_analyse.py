"""A dose analysed: files written, read back; what is asked for wrongly."""

from pathlib import Path

import numpy as np
import pytest
import uproot
from matplotlib import image

from dosewright.core.dose_file import DoseFile
from dosewright.core.errors import InputError
from dosewright.workflow.dose_files.analyse import UNEVEN, Asked, analyse_dose

EDGES = (np.arange(5.0), np.arange(4.0), np.arange(6.0))
DOSE = np.random.default_rng(8).random((5, 3, 4))
FILE = DoseFile(EDGES, DOSE, DOSE / 10, 100.0, assumed=("Something was assumed.",))


def test_files(tmp_path: Path) -> None:
    analysis = analyse_dose(FILE, tmp_path / "a", Asked())
    assert [path.name for path in analysis.files] == ["a.csv", "a.root", "a.png", "a_2.png"]
    with uproot.open(tmp_path / "a.root") as root:
        assert len(root.keys()) == 14
        np.testing.assert_allclose(root["RTPSPDoseHistos:Dose XY_merged"].values(), DOSE.sum(0).T)
    assert image.imread(tmp_path / "a.png").shape[2] == 4
    assert (tmp_path / "a.csv").read_text().startswith("# histories: 100.0; unit: Gy per history\n")
    assert analysis.said == ("Something was assumed.",)


def test_what_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "h.txt").write_text('1Z "along z" 0 0 0 0 0 NVoxelZ\n')
    asked = Asked(cuts=tmp_path / "h.txt", planes=("YZ",), kinds=("root",))
    analysis = analyse_dose(FILE, tmp_path / "a", asked)
    with uproot.open(tmp_path / "a.root") as root:
        names = [key.split(";")[0] for key in root]
        np.testing.assert_array_equal(root["along z"].values(), DOSE[:, 0, 0])
        np.testing.assert_array_equal(root["RTPSPDoseHistos:Dose YZ X 3 (3.5 mm)"].values(), DOSE[:, :, 3].T)
    assert len(names) == 1 + 4 + 8
    assert any("were cut to 0 to 4" in said for said in analysis.said)
    assert [path.name for path in analysis.files] == ["a.root"]
    assert analyse_dose(FILE, None, Asked()).files == ()


def test_the_first_voxels_only() -> None:
    analysis = analyse_dose(FILE, None, Asked(voxels=7))
    assert analysis.summary.total == pytest.approx(DOSE.ravel()[:7].sum())
    assert analysis.summary.scored_voxels == 7
    assert any("first 7 voxels" in said for said in analysis.said)


def test_uneven_voxels() -> None:
    uneven = DoseFile((np.array([0.0, 1.0, 2.0, 3.0, 9.0]), *EDGES[1:]), DOSE, DOSE / 10)
    assert UNEVEN in analyse_dose(uneven, None, Asked()).said


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Unknown plane.*Allowed: XY, XZ, YZ"):
        Asked(planes=("YX",))
    with pytest.raises(InputError, match="Did you mean 'root'"):
        Asked(kinds=("rot",))
    with pytest.raises(InputError, match="do not ascend"):
        Asked(log_low=2.0, log_high=1.0)
    with pytest.raises(InputError, match="At least one voxel"):
        analyse_dose(FILE, None, Asked(voxels=0))
    with pytest.raises(InputError, match="folder of the output"):
        analyse_dose(FILE, tmp_path / "missing" / "a", Asked())
