"""Ramps of ctcreate and egs++: both kinds told apart, ends, mistakes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.ct_ramp import CTCREATE_DEFAULT, CtRamp, DensityRamp, media_by_density, ramped
from dosewright.core.errors import InputError
from dosewright.formats.text.egs_ramp import read_ramp

RAMPS = "2, -1000\nAIR521ICRU\n-500, 0.001, 0.1, 0.25\nH2O521ICRU\n1000 0.2 1.4\n"
INPUT = "DICOM\n/a/list of names\n-15, 15, -15, 15, 0, 4\n0.25, 0.25, 1\n"


def written(folder: Path, content: str) -> Path:
    path = folder / "x.ramp"
    path.write_text(content)
    return path


@pytest.mark.parametrize("before", ["", INPUT])
def test_ramps_of_ctcreate(tmp_path: Path, before: str) -> None:
    ramp = read_ramp(written(tmp_path, before + RAMPS))
    assert isinstance(ramp, CtRamp)
    assert ramp.media == ("AIR521ICRU", "H2O521ICRU")
    found = ramped(np.array([-2000.0, -1000.0, -750.0, -500.0, -499.999, 250.0, 1000.0, 3000.0]), ramp)
    assert found.medium.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]  # an end belongs to the ramp that ends there
    assert found.density_g_cm3 == pytest.approx([0.001, 0.001, 0.0505, 0.1, 0.2, 0.8, 1.4, 1.4], abs=2e-6)
    assert (found.below, found.above) == (1, 1)


def test_without_media_ctcreate_takes_its_own(tmp_path: Path) -> None:
    assert read_ramp(written(tmp_path, INPUT + "0,0\n")) is CTCREATE_DEFAULT
    found = ramped(np.array([-1024.0, 0.0]), CTCREATE_DEFAULT)
    assert found.density_g_cm3 == pytest.approx([0.001, 0.302 + 724 / 825 * 0.799])


def test_ramps_of_egspp(shared_data: Path) -> None:
    ramp = read_ramp(shared_data / "phsp-egsnrc" / "ndgeom_egsphant.ramp")
    assert isinstance(ramp, DensityRamp)
    assert ramp.media == ("MEDIUM_1", "MEDIUM_2")
    assert media_by_density(np.array([0.0, 0.4999, 0.8, 1.0999]), ramp).tolist() == [0, 0, 1, 1]
    with pytest.raises(InputError, match=r"Given: 2 of 0.5 to 1.1 g/cm3. Allowed: MEDIUM_1 from 0 to 0.5"):
        media_by_density(np.array([0.5, 1.1, 0.9]), ramp)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        (INPUT, "ends before its ramps"),
        ("3, -1000\nAIR\n-500 0 1\n", "Given: 1 media. Allowed: 3"),
        ("2.5, -1000\n", "number of media"),
        (RAMPS.replace("-500", "-1200"), "must be finite and ascend"),
        (RAMPS.replace("0.001, 0.1", "0.2, 0.1"), "densities of a ramp must ascend"),
        (RAMPS.replace("1000 0.2", "1000 x"), "Expected a number"),
        ("WATER 1.1 0.8\n", "must be finite and ascend"),
        ("WATER 0.8\n", "Expected a medium and two or three densities"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_ramp(written(tmp_path, content))


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.tuples(st.integers(0, 80), st.text(max_size=5)).map(
    lambda cut: (RAMPS[: cut[0]] + cut[1] + RAMPS[cut[0] :]).encode()
)))  # fmt: skip
def test_garbage_is_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.ramp"
    path.write_bytes(data)
    try:
        ramp = read_ramp(path)
    except InputError:
        return
    assert np.isfinite(ramp.high_g_cm3).all()
