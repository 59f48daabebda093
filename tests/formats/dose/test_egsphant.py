"""egsphant: media by one character, above nine too, and densities."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dose.egsphant import EGS_BRACHY, EGSNRC, read_egsphant, write_egsphant
from dosewright.formats.dose.open import open_dose

EDGES = (np.array([-10.0, 0.0, 15.0, 20.0]), np.array([0.0, 10.0, 20.0]), np.array([5.0, 6.0, 8.0]))
NUMBERS = np.array([1, 2, 0, 1, 1, 2, 2, 2, 1, 0, 0, 1], np.int16).reshape(2, 2, 3)


def text(media: int, characters: str, width: int = 3) -> str:
    """A phantom of 3 x 2 x 2 voxels, from the description of the format."""
    rows = [characters[i : i + width] for i in range(0, 4 * width, width)]
    head = f"{media}\n" + "".join(f"M{i}\n" for i in range(1, media + 1)) + " .25" * media
    bounds = "\n".join(" ".join(f"{e / 10:g}" for e in edges) for edges in EDGES)
    slices = "\n".join(rows[:2]) + "\n\n" + "\n".join(rows[2:]) + "\n\n"
    return f"{head}\n 3 2 2\n{bounds}\n{slices}" + "1 2 3\n4 5 6\n\n1 1 1\n2 2 .001205\n"


def opened(folder: Path, content: str, **options: str) -> VoxelPhantom:
    path = folder / "p.egsphant"
    path.write_text(content, encoding="latin-1", newline="")
    return read_egsphant(path, **options)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_phantom(tmp_path: Path, end: str) -> None:
    phantom = opened(tmp_path, text(2, "120112221001").replace("\n", end))
    assert (phantom.media, phantom.shape) == (("M1", "M2"), (3, 2, 2))
    np.testing.assert_array_equal(phantom.numbers, NUMBERS)
    np.testing.assert_array_equal(phantom.density_g_cm3[1], [[1, 1, 1], [2, 2, 0.001205]])
    np.testing.assert_allclose(phantom.edges_mm[0], EDGES[0])
    assert phantom.mass_g[0, 0, 1] == pytest.approx(1.5 * 1.0 * 0.1 * 2.0)


def test_the_alphabets() -> None:
    """EGSnrc, pull request 633: character 32 + (i + 16) % 95."""
    assert EGSNRC[:20] == "0123456789:;<=>?@ABC"
    assert EGSNRC[78:81] == "~ !"
    assert len(EGSNRC) == len(set(EGSNRC)) == 95
    assert EGS_BRACHY[:12] == "0123456789AB"


def test_more_than_nine_media(tmp_path: Path) -> None:
    np.testing.assert_array_equal(opened(tmp_path, text(12, "123456789:;<")).numbers.ravel(), range(1, 13))
    phantom = opened(tmp_path, text(12, "123456789ABC"))
    np.testing.assert_array_equal(phantom.numbers.ravel(), range(1, 13))
    assert any("egs_brachy" in said for said in phantom.assumed)
    digits = "".join(f"{i:2d}" for i in range(1, 13))
    np.testing.assert_array_equal(opened(tmp_path, text(12, digits, 6)).numbers.ravel(), range(1, 13))
    np.testing.assert_array_equal(opened(tmp_path, text(30, "123456789121")).numbers.ravel(), [*range(1, 10), 1, 2, 1])


def test_characters_that_can_be_of_either_alphabet(tmp_path: Path) -> None:
    both = text(30, "123A56789AB1")
    with pytest.raises(InputError, match="EGSnrc or of egs_brachy"):
        opened(tmp_path, both)
    assert opened(tmp_path, both, alphabet="egsnrc").numbers[0, 1, 0] == 17
    assert opened(tmp_path, both, alphabet="egs_brachy").numbers[0, 1, 0] == 10
    with pytest.raises(InputError, match="Did you mean 'egsnrc'"):
        opened(tmp_path, both, alphabet="egs")


def test_a_blank_is_medium_79(tmp_path: Path) -> None:
    phantom = opened(tmp_path, text(80, "1 ~   !1:   "))
    np.testing.assert_array_equal(phantom.numbers.ravel(), [1, 79, 78, 79, 79, 79, 80, 1, 10, 79, 79, 79])


def test_a_phantom_of_egsnrc(shared_data: Path) -> None:
    phantom = read_egsphant(shared_data / "phsp-egsnrc" / "ndgeom_egsphant.egsphant")
    assert (phantom.media, phantom.shape) == (("MEDIUM_1", "MEDIUM_2"), (53, 53, 53))
    assert phantom.edges_mm[0][:3].tolist() == [-150.0, -51.0, -49.0]
    np.testing.assert_array_equal(phantom.density_g_cm3, np.where(phantom.numbers == 1, 0.998, 0.0012))
    assert np.count_nonzero(phantom.numbers == 2) == 75843  # as counted by `tr -cd 2` over the lines of media


def test_what_we_write(tmp_path: Path) -> None:
    media = tuple(f"MEDIUM_{i}" for i in range(94))
    numbers = np.arange(94 * 2).reshape(2, 2, 47).astype(np.int16) % 95
    edges = (np.linspace(0, 47, 48), EDGES[1], EDGES[2])
    density = np.random.default_rng(1).random((2, 2, 47)).round(6)
    path = tmp_path / "p.egsphant"
    write_egsphant(path, VoxelPhantom(edges, media, numbers, density))
    lines = path.read_text().split("\n")
    assert lines[0] == "94"
    assert lines[1:95] == list(media)
    assert lines[100] == "".join(chr((i + 16) % 95 + 32) for i in range(47))
    back = read_egsphant(path)
    np.testing.assert_array_equal(back.numbers, numbers)
    np.testing.assert_allclose(back.density_g_cm3, density, rtol=1e-6)


def test_a_phantom_is_no_dose(tmp_path: Path) -> None:
    opened(tmp_path, text(2, "120112221001"))
    with pytest.raises(InputError, match="is a phantom"):
        open_dose(tmp_path / "p.egsphant")


GOOD = text(2, "120112221001")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "number of media"),
        ("99\n", "number of media"),
        (GOOD[:8], "cut off"),
        (GOOD[:60], "cut off|line of media"),
        (GOOD[:-9], "densities do not fill"),
        (GOOD.replace("M2\n", "\n"), "no name"),
        (GOOD.replace(" 3 2 2", " 3 2 2000"), "counts of voxels"),
        (GOOD.replace("120\n", "130\n"), "does not name"),
        (GOOD.replace("120\n", "12\n"), "does not fit"),
        (GOOD.replace("1 2 3\n", "1 nan 3\n"), "finite"),
        (GOOD.replace("1 2 3\n", "1 -2 3\n"), "finite"),
        (GOOD.replace("-1 0 1.5 2", "-1 0 1.5 1.5"), "ascend"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        opened(tmp_path, content)


@given(junk=st.text("0123456789 .\nA:~-", max_size=60), cut=st.integers(0, 140), skip=st.integers(0, 20))
@settings(max_examples=150, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, junk: str, cut: int, skip: int) -> None:
    try:
        phantom = opened(tmp_path_factory.getbasetemp(), GOOD[:cut] + junk + GOOD[cut + skip :])
    except InputError:
        return
    assert np.isfinite(phantom.density_g_cm3).all()
