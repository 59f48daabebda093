"""Invented objects and unpacked real ones for the DICOM tests."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image
from dosewright.core.plan import EnergyLayer, IonBeam, IonPlan, RangeShifterSetting
from dosewright.core.structures import Structure, StructureSet
from dosewright.formats.dicom.identity import Identity

SPACING_MM = (1.25, 2.5, 3.0)  # all different, so that no swap of axes goes unseen
SHAPE = (5, 7, 4)


@pytest.fixture
def identity() -> Identity:
    """An invented patient whose name must not show up anywhere."""
    return Identity.new("Secretname^Jürgen", "SECRET-4711")


@pytest.fixture
def ct_image() -> Image:
    """Hounsfield numbers without any symmetry."""
    grid = Grid(SHAPE, SPACING_MM, (-12.5, 33.0, -140.5))
    values = np.random.default_rng(1).integers(-1000, 3000, grid.array_shape).astype(np.int16)
    return Image(grid, values)


@pytest.fixture
def tilted_grid() -> Grid:
    """A grid turned about all axes."""
    turned = rotation_about("z", 20) @ rotation_about("x", -35) @ rotation_about("y", 50)
    return Grid(SHAPE, SPACING_MM, (10.0, -20.0, 30.0), turned)


def layer(number: int, energy: float, count: int, seed: int) -> EnergyLayer:
    """An energy layer whose values are exact in 32 bit floats, as DICOM holds them."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-400, 400, (2, count)) / 8.0
    return EnergyLayer(number, energy, x, y, rng.integers(1, 200, count) / 16.0, "4.0", (14.0, 13.5))


@pytest.fixture
def ion_plan() -> IonPlan:
    """Two beams of different geometry; one range shifter; meterset and final weight on different scales."""
    one = tuple(layer(2 * k, 150.0 - 10 * k, 3 + k, k) for k in range(4))
    two = tuple(layer(2 * k, 120.5 - 5 * k, 5, 10 + k) for k in range(3))
    total = [float(sum(la.weights.sum() for la in layers)) for layers in (one, two)]
    shifter = RangeShifterSetting("RS_5CM", 1, "BINARY", 275.5, 57.0)
    return IonPlan(
        label="Head",
        uid="1.2.3.4.5",
        frame_of_reference_uid="1.2.3.4.6",
        structure_set_uid="1.2.3.4.7",
        fractions=5,
        beams=(
            IonBeam(1, "Left", "TR3", "PROTON", "MU", 5199.03, total[0], 90.0, 15.0, 1.5, -2.0, "HFS",
                    (1.5, -170.25, -2.125), one, (shifter,), 232.5, (2000.0, 2560.0), "S1"),
            IonBeam(2, "Top", "TR3", "PROTON", "MU", 123.25, total[1], 0.0, 0.0, 0.0, 0.0, "HFS",
                    (1.5, -170.25, -2.125), two, (), 421.0, (2000.0, 2560.0), "S1"),
        ),
        prescription_Gy=2.0,
        approval="APPROVED",
        intent="CURATIVE",
    )  # fmt: skip


@pytest.fixture
def structures() -> StructureSet:
    """A square with a hole, and a target."""

    def square(half: float, z: float) -> np.ndarray:
        return np.array([[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]])

    body = tuple(square(h, z) for z in (-140.5, -137.5) for h in (40.0, 5.0))
    return StructureSet(
        "1.2.3.4.7",
        "",
        (Structure(1, "BODY", "EXTERNAL", body), Structure(7, "PTV 2 Gy", "PTV", (square(10, -137.5),))),
    )


def unpack(archive: Path, into: Path) -> Path:
    """Unpack a tar or zip safely."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as source:
            source.extractall(into)  # noqa: S202 - the collection is our own
    else:
        with tarfile.open(archive) as source:
            source.extractall(into, filter="data")
    return into


@pytest.fixture(scope="session")
def headphantom(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the head phantom study."""
    archive = shared_data / "ion-dcpt-headphantom" / "DCPT_headphantom.tar.xz"
    return unpack(archive, tmp_path_factory.mktemp("headphantom"))


@pytest.fixture(scope="session")
def ct_series(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the CT collection, by the name of the archive."""
    archives = [p for p in (shared_data / "ct-series").iterdir() if p.suffix in (".xz", ".bz2", ".zip")]
    return {p.name.split(".")[0]: unpack(p, tmp_path_factory.mktemp(p.name.split(".")[0])) for p in archives}
