"""Phantoms: voxels, inserts, place, mistakes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.commissioning.phantom import read_phantom
from dosewright.core.errors import InputError
from dosewright.materials.library import named

FILE = """name = "inserts"
description = "different along all axes"
size_mm = [60.0, 80.0, 100.0]
voxel_mm = [1.0, 2.0, 2.5]
isocenter_mm = [30.0, 0.0, 50.0]
material = "G4_WATER"

[[box]]
material = "G4_BONE_CORTICAL_ICRP"
density_g_cm3 = 1.85
x_mm = [0.0, 30.0]
y_mm = [20.0, 40.0]
z_mm = [0.0, 100.0]

[[cylinder]]
material = "G4_LUNG_ICRP"
density_g_cm3 = 0.26
axis = "z"
center_mm = [30.0, 40.0, 50.0]
radius_mm = 10.0
length_mm = 50.0
"""


def test_inserts_lie_where_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(FILE)
    phantom = read_phantom(tmp_path / "p.toml", named)
    voxels = phantom.voxels((100.0, -20.0, 7.0))
    assert voxels.shape == (60, 40, 40)
    assert [m.name for m in voxels.materials] == ["G4_WATER", "G4_BONE_CORTICAL_ICRP", "G4_LUNG_ICRP"]
    volume = 1.0 * 2.0 * 2.5
    cylinder = np.count_nonzero(voxels.material == 2) * volume
    assert cylinder == pytest.approx(np.pi * 100.0 * 50.0, rel=0.02)
    in_bone = 30 * 20 * 100 - np.pi * 100 * 50 / 4
    assert np.count_nonzero(voxels.material == 1) * volume == pytest.approx(in_bone, rel=0.02)
    assert set(np.unique(voxels.density_g_cm3).tolist()) == {1.0, np.float32(1.85), np.float32(0.26)}
    # The voxel at (10.5, 21, 1.25) mm from the lower corner is bone.
    assert voxels.material[0, 10, 10] == 1


def test_the_named_point_lies_at_the_isocentre(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(FILE)
    phantom = read_phantom(tmp_path / "p.toml", named)
    grid = phantom.grid((100.0, -20.0, 7.0))
    np.testing.assert_allclose(grid.corner_mm, [100 - 30, -20, 7 - 50])
    np.testing.assert_allclose(phantom.voxels((100.0, -20.0, 7.0)).frame.translation, grid.corner_mm)
    (tmp_path / "p.toml").write_text(FILE.replace("isocenter_mm = [30.0, 0.0, 50.0]\n", ""))
    centred = read_phantom(tmp_path / "p.toml", named)
    np.testing.assert_allclose(centred.grid().corner_mm, [-30, -40, -50])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("voxel_mm = [1.0", "voxel_mm = [0.7", "must fill its size"),
        ("voxel_mm = [1.0, 2.0, 2.5]", "voxel_mm = [0.01, 0.01, 0.01]", "too many voxels"),
        ("size_mm = [60.0", "size_mm = [-60.0", "positive sizes"),
        ("[0.0, 30.0]", "[30.0, 0.0]", "ascending"),
        ('axis = "z"', 'axis = "w"', "x, y, z"),
        ("radius_mm", "raduis_mm", "Did you mean 'radius_mm'.*line 20"),
        ("G4_LUNG_ICRP", "G4_LUNGS", "Unknown material"),
        ("density_g_cm3 = 0.26", "density_g_cm3 = 0.0", "positive densities"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FILE
    (tmp_path / "p.toml").write_text(FILE.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_phantom(tmp_path / "p.toml", named)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 600), st.integers(0, 40))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "p.toml"
    for data in (noise, FILE.encode()[:start] + noise[:10] + FILE.encode()[start + cut :]):
        path.write_bytes(data)
        try:
            read_phantom(path, named)
        except InputError:
            continue
