"""bindos and pardose: from their descriptions alone, with DOSXYZnrc's last block one voxel short."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.dose_file import DoseFile, mean_squares
from dosewright.core.errors import InputError
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dose.bindos import BINDOS, read_bindos
from dosewright.formats.dose.open import open_dose, write_dose
from dosewright.formats.dose.pardose import PARDOSE, read_pardose

EDGES = (np.array([-10.0, 0.0, 15.0, 20.0]), np.array([0.0, 10.0, 20.0]), np.array([5.0, 6.0, 8.0]))
FLAT = np.array([0, 1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 6.0])
ERROR = np.where(FLAT > 0, FLAT / 20, 1.0)
BLOCKS = [(1, 3), (5, 6), (9, 12)]
PHANTOM = VoxelPhantom(EDGES, ("WATER",), np.ones((2, 2, 3), np.int16), np.linspace(0.5, 2.0, 12).reshape(2, 2, 3))


def packed(blocks: list[tuple[int, int]], filled: int, values: int | None = None) -> bytes:
    at = np.concatenate([np.arange(a, b) for a, b in blocks])
    at = np.append(at, 11) if values and values > len(at) else at
    parts = [struct.pack("<3i", 3, 2, 2), (np.concatenate(EDGES) / 10).astype("<f4").tobytes()]
    parts += [struct.pack("<2i", filled, len(blocks)), np.array(blocks, "<i4").tobytes()]
    parts += [FLAT[at].astype("<f4").tobytes(), ERROR[at].astype("<f4").tobytes()]
    return b"".join(parts)


def opened(folder: Path, content: bytes, name: str = "x.bindos") -> DoseFile:
    (folder / name).write_bytes(content)
    return open_dose(folder / name, phantom=PHANTOM)


def test_blocks(tmp_path: Path) -> None:
    dose = opened(tmp_path, packed(BLOCKS, 6), "x")
    assert (dose.format, dose.shape, dose.problems) == (BINDOS, (3, 2, 2), ())
    np.testing.assert_array_equal(dose.dose.ravel(), FLAT)
    np.testing.assert_allclose(dose.uncertainty.ravel(), ERROR, rtol=1e-7)
    np.testing.assert_allclose(dose.edges_mm[2], EDGES[2], rtol=1e-6)


def test_the_last_block_may_be_one_short(tmp_path: Path) -> None:  # trap 41
    short = [*BLOCKS[:-1], (9, 11)]
    dose = opened(tmp_path, packed(short, 6))
    np.testing.assert_array_equal(dose.dose.ravel(), [*FLAT[:-1], 0.0])
    assert "very last voxel is missing" in dose.problems[0]
    dose = opened(tmp_path, packed(short, 6, values=6))
    np.testing.assert_array_equal(dose.dose.ravel(), FLAT)
    assert "given to the very last voxel" in dose.problems[0]


def test_what_we_write(tmp_path: Path) -> None:
    dose = DoseFile(EDGES, FLAT.reshape(2, 2, 3), ERROR.reshape(2, 2, 3))
    write_dose(tmp_path / "a.bindos", dose)
    assert (tmp_path / "a.bindos").read_bytes() == packed(BLOCKS, 6)
    write_dose(tmp_path / "b.bindos", DoseFile(EDGES, np.zeros((2, 2, 3)), np.ones((2, 2, 3))))
    assert not open_dose(tmp_path / "b.bindos").dose.any()
    with pytest.raises(InputError, match="needs uncertainties"):
        write_dose(tmp_path / "c.bindos", DoseFile(EDGES, FLAT.reshape(2, 2, 3)))


def energies(histories: float = 50.0) -> bytes:
    return (
        struct.pack("<d3i", histories, 3, 2, 2) + FLAT.astype("<f4").tobytes() + (FLAT**2 / 2).astype("<f4").tobytes()
    )


def test_energies_of_a_part(tmp_path: Path) -> None:
    dose = opened(tmp_path, energies(), "x")
    assert (dose.format, dose.histories) == (PARDOSE, 50.0)
    # 1 MeV in 1 g is 1.602176634e-10 Gy; the first filled voxel has 1.5 cm x 1 cm x 0.1 cm and density 0.636 g/cm3.
    mass = 1.5 * 1.0 * 0.1 * float(PHANTOM.density_g_cm3[0, 0, 1])
    assert dose.dose[0, 0, 1] == pytest.approx(1.0 / mass * 1.602176634e-10 / 50.0, rel=1e-6)
    # (sum x^2 / N - mean^2) / (N - 1), with sum x = 1 and sum x^2 = 1/2.
    assert dose.uncertainty[0, 0, 1] == pytest.approx(np.sqrt((0.5 / 50 - 1 / 50**2) / 49) * 50, rel=1e-6)
    write_dose(tmp_path / "y.pardose", dose, phantom=PHANTOM)
    back = np.frombuffer((tmp_path / "y.pardose").read_bytes(), "<f4", offset=20)
    np.testing.assert_allclose(back, np.concatenate([FLAT, FLAT**2 / 2]), rtol=1e-6)
    squares = (FLAT * MEV_PER_G_IN_GY / PHANTOM.mass_g.ravel()) ** 2 / 2
    np.testing.assert_allclose(mean_squares(dose).ravel() * 2500, squares, rtol=1e-6)


def test_a_part_needs_its_phantom(tmp_path: Path) -> None:
    (tmp_path / "x.pardose").write_bytes(energies())
    with pytest.raises(InputError, match="phantom of the run is needed"):
        open_dose(tmp_path / "x.pardose")
    small = VoxelPhantom((*EDGES[:2], EDGES[2][:2]), ("W",), np.ones((1, 2, 3), np.int16), np.ones((1, 2, 3)))
    with pytest.raises(InputError, match="other voxels"):
        open_dose(tmp_path / "x.pardose", phantom=small)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packed(BLOCKS, 6)[:-1], "blocks hold|do not fill"),
        (packed(BLOCKS, 6)[:-4], "do not fill"),
        (packed(BLOCKS, 6)[:40], "cut off"),
        (packed(BLOCKS, 9), "says 9 filled"),
        (packed([(1, 3), (2, 6)], 6), "do not ascend"),
        (packed(BLOCKS, 6)[: -6 * 8 - 4] + struct.pack("<i", 13) + packed(BLOCKS, 6)[-48:], "do not ascend"),
        (packed(BLOCKS, 6)[:52] + struct.pack("<2i", 6, 1 << 30) + packed(BLOCKS, 6)[60:], "beyond its end"),
        (struct.pack("<3i", -3, 2, 2) + bytes(90), "counts of voxels"),
        (struct.pack(">3i", 3, 2, 2) + bytes(90), "counts of voxels"),
        (struct.pack("<3i", 90000, 9000, 2) + bytes(90), "cut off"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        opened(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (energies()[:-1], "do not fill"),
        (energies(0.0), "at least one history"),
        (energies(float("nan")), "at least one history"),
        (energies(1e200), "at least one history"),
        (b"short", "no pardose"),
        (struct.pack("<d3i", 5.0, 90000, 90000, 90000) + bytes(99), "counts of voxels"),
    ],
)
def test_what_is_refused_of_a_part(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        opened(tmp_path, content, "x.pardose")


@given(body=st.binary(max_size=60), cut=st.integers(0, 140), flip=st.integers(0, 83), change=st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, body: bytes, cut: int, flip: int, change: int) -> None:
    for whole, read in ((packed(BLOCKS, 6), read_bindos), (energies(), lambda p: read_pardose(p, PHANTOM))):
        damaged = bytearray(whole)
        damaged[flip] ^= change
        path = tmp_path_factory.getbasetemp() / "fuzz.bin"
        path.write_bytes(bytes(damaged)[:cut] + body)
        try:
            dose = read(path)
        except InputError:
            continue
        assert np.isfinite(dose.dose).all()
