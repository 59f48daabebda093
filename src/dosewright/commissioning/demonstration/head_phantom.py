"""A head made of analytic solids: CT and structures for the demonstration, different along every axis and side.

Coordinates are the patient's (x left, y posterior, z superior), mm. Hounsfield numbers and sizes are typical of adult
heads; they describe nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from dosewright.commissioning.demonstration.shapes import (
    Column,
    Ellipsoid,
    FrontArch,
    Inside,
    Rod,
    Triple,
    Union,
    contours,
)
from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure, StructureSet

AIR_HU, METAL_HU, HIGHEST_HU = -1000, 9000, 3071  # a 12-bit CT ends at 3071
NOISE_HU = 8.0
BLUR_MM = 0.9  # 1 sigma of the point spread of a CT
SEED = 2  # of the noise: every run makes the same head

GRID = Grid((110, 120, 80), (2.0, 2.0, 2.5), (-104.0, -126.0, -103.0))

SCALP = Union(
    (
        Ellipsoid((0.0, 0.0, 0.0), (74.0, 93.0, 86.0), turn_deg=4.0),
        Column((-1.0, 14.0), (54.0, 60.0), -120.0, -30.0),  # neck
        Ellipsoid((-4.0, -38.0, -60.0), (47.0, 50.0, 56.0)),  # face and chin
        Ellipsoid((-8.0, -92.0, -34.0), (12.0, 17.0, 20.0)),  # nose
    )
)
PTV = Ellipsoid((17.0, 4.0, 16.0), (19.0, 24.0, 16.0), turn_deg=-20.0)
BRAINSTEM = Ellipsoid((-1.0, 22.0, -26.0), (10.0, 11.0, 22.0))
LEFT_EYE = Ellipsoid((28.0, -69.0, -18.0), (12.5, 12.5, 12.5))
RIGHT_EYE = Ellipsoid((-33.0, -64.0, -18.0), (12.0, 12.0, 12.0))

# (solid, Hounsfield number), painted in this order: later ones lie on top.
ANATOMY: tuple[tuple[Inside, int], ...] = (
    (SCALP, 35),
    (Ellipsoid((0.0, 0.0, 0.0), (70.5, 89.5, 82.5), turn_deg=4.0), -60),  # fat under the skin
    (Column((-1.0, 14.0), (50.0, 56.0), -120.0, -40.0), 45),  # muscles of the neck
    (Ellipsoid((-4.0, -38.0, -60.0), (44.0, 47.0, 53.0)), 40),  # muscles of the face
    (Ellipsoid((0.0, 3.0, 13.0), (68.0, 85.0, 67.0), turn_deg=4.0), 1050),  # outer table of the skull
    (Ellipsoid((0.0, 3.0, 13.0), (65.8, 82.8, 64.8), turn_deg=4.0), 450),  # diploe
    (Ellipsoid((0.0, 3.5, 13.0), (62.5, 79.0, 61.5), turn_deg=4.0), 1050),  # inner table
    (Ellipsoid((0.0, 3.5, 13.0), (60.5, 77.0, 59.5), turn_deg=4.0), 36),  # brain
    (Ellipsoid((10.0, 6.0, 24.0), (6.0, 24.0, 8.0), turn_deg=-8.0), 8),  # left ventricle
    (Ellipsoid((-11.0, 5.0, 25.0), (5.0, 21.0, 7.0), turn_deg=10.0), 8),  # right ventricle
    (BRAINSTEM, 42),
    (Rod((-34.0, 26.0, -44.0), (-58.0, 20.0, -34.0), 10.0), 900),  # petrous bone, right
    (Rod((33.0, 28.0, -44.0), (58.0, 23.0, -36.0), 9.0), 900),  # petrous bone, left
    (Rod((-60.0, 24.0, -40.0), (-72.0, 24.0, -38.0), 4.0), AIR_HU),  # ear canal, right
    (Ellipsoid((-3.0, -62.0, -38.0), (10.0, 24.0, 20.0)), AIR_HU),  # nasal cavity
    (Rod((-3.0, -82.0, -38.0), (-1.0, -40.0, -36.0), 1.5), 60),  # nasal septum
    (Ellipsoid((-25.0, -60.0, -40.0), (11.0, 14.0, 13.0)), AIR_HU),  # maxillary sinus, right: the larger
    (Ellipsoid((19.0, -59.0, -43.0), (8.0, 11.0, 10.0)), AIR_HU),  # maxillary sinus, left
    (Ellipsoid((5.0, -77.0, 12.0), (14.0, 6.0, 11.0)), AIR_HU),  # frontal sinus, off the middle
    (Ellipsoid((-2.0, -24.0, -30.0), (9.0, 10.0, 8.0)), AIR_HU),  # sphenoid sinus
    (Column((-2.0, -20.0), (10.0, 8.0), -120.0, -55.0), AIR_HU),  # throat
    (FrontArch((-4.0, -40.0), (33.0, 36.0), 8.0, -94.0, -80.0), 1150),  # lower jaw
    (FrontArch((-4.0, -42.0), (28.0, 36.0), 8.0, -77.0, -62.0), 1700),  # teeth
    (Rod((16.5, -60.0, -74.0), (17.5, -59.0, -66.0), 3.0), METAL_HU),  # filling, left
    (Ellipsoid((28.0, -67.0, -18.0), (15.5, 19.0, 15.5)), -40),  # orbital fat, left
    (Ellipsoid((-33.0, -62.0, -18.0), (15.0, 19.0, 15.0)), -40),  # right
    (LEFT_EYE, 15),
    (RIGHT_EYE, 15),
    (Rod((27.0, -57.0, -18.0), (6.0, -24.0, -16.0), 2.5), 38),  # optic nerve, left
    (Rod((-32.0, -52.0, -18.0), (-8.0, -24.0, -16.0), 2.5), 38),
    (Column((0.0, 34.0), (15.0, 13.0), -120.0, -56.0), 650),  # spine
    (Rod((0.0, 42.0, -120.0), (0.0, 58.0, -62.0), 8.0), 500),  # spinous processes
    (Column((0.0, 37.0), (7.0, 7.0), -120.0, -50.0), 38),  # cord
)


@dataclass(frozen=True)
class HeadPhantom:
    """A CT in Hounsfield numbers (int16) and the structures drawn on it."""

    ct: Image
    structures: Sequence[Structure]

    def structure_set(self, uid: str, frame_of_reference_uid: str) -> StructureSet:
        """Return the structures as a set."""
        return StructureSet(uid, frame_of_reference_uid, tuple(self.structures))


def head_phantom() -> HeadPhantom:
    """Make the head: the same bits on every run."""
    return HeadPhantom(Image(GRID, _hounsfield(GRID)), _structures())


def _hounsfield(grid: Grid) -> NDArray[np.int16]:
    x, y, z = grid.centres_mm(0)[None, None, :], grid.centres_mm(1)[None, :, None], grid.centres_mm(2)[:, None, None]
    hu = np.full(grid.array_shape, float(AIR_HU), np.float32)
    body = np.broadcast_to(SCALP(x, y, z), hu.shape)
    for solid, value in ANATOMY:
        hu[np.broadcast_to(solid(x, y, z), hu.shape) & body] = value
    hu = gaussian_filter(hu, [BLUR_MM / s for s in reversed(grid.spacing_mm)])
    hu += np.random.default_rng(SEED).normal(0.0, NOISE_HU, hu.shape).astype(np.float32)
    return np.asarray(np.rint(np.clip(hu, AIR_HU, HIGHEST_HU)), np.int16)


def _structures() -> tuple[Structure, ...]:
    planes = [float(z) for z in GRID.centres_mm(2)]
    drawn: tuple[tuple[str, str, Inside, Triple], ...] = (
        ("EXTERNAL", "EXTERNAL", SCALP, (-2.0, -8.0, 0.0)),
        ("PTV", "PTV", PTV, PTV.centre_mm),
        ("BrainStem", "ORGAN", BRAINSTEM, BRAINSTEM.centre_mm),
        ("Eye_L", "ORGAN", LEFT_EYE, LEFT_EYE.centre_mm),
    )
    return tuple(
        Structure(number, name, kind, contours(solid, (axis[0], axis[1]), planes))
        for number, (name, kind, solid, axis) in enumerate(drawn, start=1)
    )
