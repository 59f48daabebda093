"""What a scanned-beam machine delivers for a nominal energy: energy, spread, optics, particles per MU.

Optics are covariances of (position, slope) at the model plane, one per axis and Gaussian component, in mm and rad;
a positive x-theta covariance diverges downstream, a negative one converges. The plane lies `plane_mm` upstream of
the isocentre; slopes count along the direction of flight.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.solids import Device


@dataclass(frozen=True)
class Optics:
    """One Gaussian component of a spot: share and 2 x 2 covariances of (x, x') and (y, y') in mm, rad."""

    weight: float
    cov_x: NDArray[np.float64]
    cov_y: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name, c in (("x", self.cov_x), ("y", self.cov_y)):
            if c.shape != (2, 2) or c[0, 0] < 0 or c[1, 1] < 0 or np.linalg.det(c) < -1e-12:
                raise refuse(f"Spot covariance along {name} is not positive", given=np.asarray(c).tolist())


@dataclass(frozen=True)
class BeamAtEnergy:
    """The beam for one nominal energy: mean energy and 1 sigma spread (MeV, total), optics, particles per MU."""

    mean_energy_MeV: float
    energy_sigma_MeV: float
    optics: tuple[Optics, ...]
    particles_per_mu: float | None


@dataclass(frozen=True)
class RangeShifter:
    """A slab of material; `thickness_mm` is geometric, or None to derive it from `wet_mm`."""

    id: str
    material: Material
    thickness_mm: float | None
    wet_mm: float | None


@dataclass(frozen=True)
class BeamModel:
    """A scanned-beam machine.

    Parameters
    ----------
    name, machine, radiation
        Library name; treatment machine name it was made for; ``"PROTON"`` or ``"ION_Z_A_Q"``.
    plane_mm
        Distance from the model plane to the isocentre, upstream positive.
    scanning_mm
        Distances (x, y) from the scanning magnets to the isocentre; infinite for parallel scanning; both nan where the
        model leaves them to the plan (its virtual source-axis distances).
    energy_range_MeV
        Lowest and highest nominal energy the model was made for.
    at
        Nominal energy (MeV per nucleon) to `BeamAtEnergy`.
    medium
        What fills the way from the plane to the patient: ``"air"`` or ``"vacuum"``.
    range_shifters
        By the ID the plan uses.
    source, assumptions
        Provenance and the statements a report must repeat.
    sha256
        Hash of the file or files the model came from.
    nozzle
        What always stands in the beam downstream of the model plane; None for nothing.
    devices
        What a plan may put into the beam, by the ID the plan uses: range shifters and modulators as solids.
    tunes
        Beam models of spot tunes of their own, by the plan's spot tune ID.
    """

    name: str
    machine: str
    radiation: str
    plane_mm: float
    scanning_mm: tuple[float, float]
    energy_range_MeV: tuple[float, float]
    at: Callable[[float], BeamAtEnergy] = field(compare=False)
    medium: str = "air"
    range_shifters: dict[str, RangeShifter] = field(default_factory=dict, hash=False)
    source: str = ""
    assumptions: tuple[str, ...] = ()
    sha256: str = ""
    nozzle: Device | None = None
    devices: dict[str, Device] = field(default_factory=dict, hash=False)
    tunes: dict[str, "BeamModel"] = field(default_factory=dict, hash=False)

    def tuned(self, spot_tune_id: str) -> "BeamModel":
        """Return the model of a spot tune: its own where there is one, else this."""
        return self.tunes.get(spot_tune_id.strip(), self)
