"""What a run used of a phase space, and what its reader should know of that."""

from dataclasses import asdict, dataclass
from typing import Any

from dosewright.simulation.recorded import Recorded
from dosewright.simulation.sums import RunSums
from dosewright.sources import phase_space as of


@dataclass(frozen=True)
class RecordsUsed:
    """What was used of a phase space.

    Parameters
    ----------
    original_histories
        Original histories that the dose is per.
    histories_with_particles
        Those of them that sent something.
    uses
        How often each particle was used.
    times_read
        How often the file was read; a part counts as such.
    particles
        Records read.
    photons, electrons, positrons
        Those that were followed.
    filtered, without_energy
        Those that the filter left out, and those of no energy or weight.
    neutrons, neutron_MeV_per_history
        Those that cannot be followed, and their energy per original history.
    """

    original_histories: int
    histories_with_particles: int
    uses: int
    times_read: float
    particles: int
    photons: int
    electrons: int
    positrons: int
    filtered: int
    without_energy: int
    neutrons: int
    neutron_MeV_per_history: float

    def account(self) -> dict[str, Any]:
        """Return all figures by name."""
        return asdict(self)

    def warnings(self, *, used_up: bool) -> tuple[str, ...]:
        """Return what a reader of the result should know."""
        said = []
        if used_up:
            often = "once" if self.uses == 1 else f"{self.uses} times"
            said.append(f"The phase space was used up, each particle {often}; source.reuse uses them more often.")
        if self.times_read > 1.0:
            said.append(
                f"The phase space was read {self.times_read:.3g} times: the uncertainties are too small, for they take "
                "the same particles, read again, for new ones."
            )
        if self.neutrons:
            said.append(
                f"{self.neutrons} neutrons of the phase space are not followed: {self.neutron_MeV_per_history:.3g} MeV "
                "per original history."
            )
        if self.histories_with_particles > self.original_histories:
            said.append(
                f"More histories begin in the phase space ({self.histories_with_particles}) than it says it was made "
                f"by ({self.original_histories}): doses per history are too large, or new histories are marked wrongly."
            )
        return tuple(said)


def records_used(recorded: Recorded, sums: RunSums, uses: int) -> RecordsUsed:
    """Return what a run used, from its sums."""
    read = sums.read
    return RecordsUsed(
        original_histories=sums.histories,
        histories_with_particles=sums.sent,
        uses=uses,
        times_read=float(read[of.READ]) / recorded.particles,
        particles=int(read[of.READ]),
        photons=int(read[of.PHOTONS]),
        electrons=int(read[of.ELECTRONS]),
        positrons=int(read[of.POSITRONS]),
        filtered=int(read[of.FILTERED]),
        without_energy=int(read[of.WITHOUT_ENERGY]),
        neutrons=int(read[of.NEUTRONS]),
        neutron_MeV_per_history=float(read[of.NEUTRON_MEV]) / max(sums.histories, 1),
    )
