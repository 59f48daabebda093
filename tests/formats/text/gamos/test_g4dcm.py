"""Text phantoms of GAMOS: order, numbers, edges; cut off, garbled and mis-declared ones are refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.gamos.g4dcm import looks_like_g4dcm, read_g4dcm

MEDIUM = np.arange(24).reshape(4, 3, 2) % 2
DENSITY = 0.5 + np.arange(24).reshape(4, 3, 2) / 100
HEAD = "2\n0 G4_AIR\n1 G4_WATER\n2 3 4\n-10 10\n-15 15.0\n0 4e1\n"


def text(medium: object = MEDIUM, density: object = DENSITY, head: str = HEAD, after: str = "") -> str:
    numbers = " ".join(str(v) for v in np.ravel(medium)) + "\n" + "\n".join(str(v) for v in np.ravel(density))
    return head + numbers + "\n" + after


def written(folder: Path, content: str) -> Path:
    path = folder / "p.g4dcm"
    path.write_text(content)
    return path


def test_a_phantom_is_read_x_first(tmp_path: Path) -> None:
    path = written(tmp_path, text())
    read = read_g4dcm(path)
    assert looks_like_g4dcm(path.read_bytes())
    assert read.shape == (2, 3, 4)
    assert read.media == ("G4_AIR", "G4_WATER")
    assert read.edges_mm[0].tolist() == [-10, 0, 10]
    assert read.edges_mm[1].tolist() == [-15, -5, 5, 15]
    assert read.edges_mm[2].tolist() == [0, 10, 20, 30, 40]
    np.testing.assert_array_equal(read.numbers, MEDIUM + 1)  # 0 would be vacuum
    np.testing.assert_array_equal(read.density_g_cm3, DENSITY)


def test_structures_after_the_densities_are_left_out(tmp_path: Path) -> None:
    read = read_g4dcm(written(tmp_path, text(after='1 "Lung_L"\n2 Heart\n0 0 1 2\n')))
    np.testing.assert_array_equal(read.density_g_cm3, DENSITY)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text(density=DENSITY.ravel()[:-1]), "Given: 23 numbers. Allowed: 24"),
        (text(medium=MEDIUM.ravel()[:7], density=[]), "its voxels do"),
        (text(medium=np.where(MEDIUM == 1, 2, 0)), "number of no medium. Given: 2. Allowed: 0 to 1"),
        (text(medium=MEDIUM + 0.5), "number of no medium"),
        (text(density=np.where(DENSITY > 0.6, np.nan, 1)), "its densities do, or holds a word that is no number"),
        (text(density=-DENSITY), "not negative"),
        (text(head=HEAD.replace("1 G4_WATER", "2 G4_WATER")), "the number of medium 1"),
        (text(head=HEAD.replace("G4_WATER", "G4_AIR")), "one name"),
        (text(head=HEAD.replace("-10 10", "10 -10")), "do not ascend"),
        (text(head=HEAD.replace("2 3 4", "2000 3000 4000")), "its voxels do"),
        (text(head=HEAD.replace("2 3 4", "2 0 4")), "voxels along y"),
        ("", "ends before the number of media"),
        ("2\n0 A", "ends before the number of medium 1"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_g4dcm(written(tmp_path, content))


def test_a_phantom_cut_off_in_its_densities_can_be_read_without_them(shared_data: Path) -> None:
    path = shared_data / "phsp-gamos" / "dose" / "exercise3_64x64x39.g4dcm"
    with pytest.raises(InputError, match=r"Given: 88,292 numbers\. Allowed: 159,744"):
        read_g4dcm(path)
    read = read_g4dcm(path, densities=False)
    assert read.shape == (64, 64, 39)
    assert read.media == ("G4_AIR", "G4_LUNG_ICRP", "G4_TISSUE_SOFT_ICRP", "G4_BONE_CORTICAL_ICRP")
    assert np.bincount(read.numbers.ravel()).tolist() == [0, 90041, 23814, 40487, 5402]
    assert not read.density_g_cm3.any()


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(0, 500), st.binary(max_size=6)).map(
            lambda cut: text().encode()[: cut[0]] + cut[1] + text().encode()[cut[0] :]
        ),
        st.integers(0, 500).map(lambda n: text().encode()[:n]),
    )
)
def test_garbage_is_refused_or_read_as_it_stands(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "p.g4dcm"
    path.write_bytes(data)
    try:
        read = read_g4dcm(path)
    except InputError:
        return
    assert np.isfinite(read.density_g_cm3).all()
    assert read.density_g_cm3.min() >= 0
    assert read.numbers.min() >= 1
