"""What one run delivers: a beam of a plan, or pencil beams of a field of a script; both become a problem here."""

from dataclasses import dataclass

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.scene import Part
from dosewright.core.solids import Device
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.goal import DEFAULT_BATCH, FEWEST_BATCHES, VOXELS_PER_HISTORY
from dosewright.simulation.problem import Problem, TransportSettings, proton_problem
from dosewright.sources import emit
from dosewright.sources.pencil_beams import PencilBeams
from dosewright.workflow.treatment.beams import BeamGroup


@dataclass(frozen=True)
class Around:
    """What is around the voxels that are scored: devices in front of them, or parts on all sides.

    Parameters
    ----------
    devices
        What stands between the start of the beams and the voxels, in the axes of the beams.
    medium
        ``"air"`` or ``"vacuum"``: what lies between them, where there are no parts.
    parts
        All that is around the voxels, in room axes; then there are no devices.
    """

    devices: tuple[Device, ...] = ()
    medium: str = "vacuum"
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Portion:
    """What one run delivers: pencil beams of a field in a step, and what one region receives from them.

    Parameters
    ----------
    step, field, region
        Number of the step, names of field and region.
    beams
        Pencil beams with axes in common.
    voxels, around
        The region, its frame in the room, and what is around it.
    settings
        Of the transport.
    seed
        Its own.
    score_grid
        Where the dose is wanted; None: in the voxels themselves.
    """

    step: int
    field: str
    region: str
    beams: BeamGroup
    voxels: Voxels
    around: Around
    settings: TransportSettings
    seed: int
    score_grid: Grid | None = None

    @property
    def particles(self) -> float:
        """Particles it stands for."""
        return float(self.beams.particles.sum())

    @property
    def pencils(self) -> PencilBeams:
        """Its pencil beams as a source takes them; they start above all that stands in them."""
        return pencils_of(self.beams, self.around.medium)

    @property
    def batch(self) -> int:
        """Histories in a batch: at most a twentieth of those asked for, and large enough for its voxels."""
        usual = max(DEFAULT_BATCH, self.voxels.material.size // VOXELS_PER_HISTORY)
        return max(1, min(usual, -(-self.beams.histories // FEWEST_BATCHES)))

    def whole(self, histories: int) -> int:
        """Return a number of histories, rounded up to whole batches: then more of them go on where fewer ended."""
        return -(-histories // self.batch) * self.batch

    def problem(self) -> Problem:
        """Pack it."""
        around = self.around
        return proton_problem(
            voxels=self.voxels,
            pencil_beams=self.pencils,
            beamline=around.devices,
            to_patient=self.beams.to_room,
            score_grid=self.score_grid,
            settings=self.settings,
            parts=around.parts,
            scene_to_box=self.voxels.frame.inverse() if around.parts else Rigid.identity(),
        )


def pencils_of(beams: BeamGroup, medium: str) -> PencilBeams:
    """Return a group of pencil beams as a source takes them."""
    start_mm = float(beams.rows[:, emit.START_Z].max()) * MM_PER_CM
    return PencilBeams(beams.rows, beams.particles, start_mm, medium, None, ())
