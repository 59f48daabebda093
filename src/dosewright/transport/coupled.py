"""What never changes during a run of photons, electrons and positrons."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.geometry.scene.trace import SceneTables
from dosewright.geometry.trace import Geometry
from dosewright.materials.electrons.lookup import ElectronTables
from dosewright.materials.photons.tables import PhotonTables
from dosewright.scoring.carried import NO_TAGS
from dosewright.scoring.deposit import Scoring
from dosewright.scoring.leaving import Leaving
from dosewright.scoring.planes import NO_PLANES
from dosewright.sources.emit import Source
from dosewright.transport.reduction import NO_REDUCTION, Reduction
from dosewright.transport.reuse import NO_REUSE, Reuse


class Cuts(NamedTuple):
    """Kinetic energies (MeV) by material below which a particle is absorbed where it is.

    They are also the energies above which secondary particles are made. Below ``rejection`` an electron that cannot
    reach the nearest face of its voxel is absorbed at once.
    """

    photon: NDArray[np.float32]
    electron: NDArray[np.float32]
    rejection: NDArray[np.float32]


class CoupledProblem(NamedTuple):
    """All that never changes during a run; `species` is that of the source.

    ``kerma`` [material, node of the attenuation] is the energy that a photon leaves where it is per unit of path
    (MeV cm2/g), the estimator of dose where electrons do not travel; empty for dose from energy deposited. ``uniform``
    says that all voxels are alike, in medium and size. ``scene`` are the solids around the box of voxels, in its axes;
    ``reduction`` says how variance is reduced in them. ``planes`` record what goes through them, see
    `scoring.planes`; none cuts the box of voxels. At one of them particles may go on as several, as ``reuse`` says.
    With ``lineage`` 1 the runner keeps a log of what happens to particles, see `scoring.lineage`. ``tag_below`` are the
    cuts that tag particles, see `scoring.carried`; no columns: none does.
    """

    geometry: Geometry
    photons: PhotonTables
    electrons: ElectronTables
    source: Source
    species: int
    scoring: Scoring
    leaving: Leaving
    cuts: Cuts
    max_step_cm: float
    kerma: NDArray[np.float64]
    uniform: bool
    scene: SceneTables
    reduction: Reduction = NO_REDUCTION
    planes: NDArray[np.float64] = NO_PLANES
    reuse: Reuse = NO_REUSE
    lineage: int = 0
    tag_below: NDArray[np.float64] = NO_TAGS


NO_KERMA = np.zeros((0, 0))
