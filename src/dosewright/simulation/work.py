"""How a run is divided into batches, and what one batch is: histories of a source, or records of a phase space."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring.deposit import CAPPED_HISTORIES, Tally
from dosewright.scoring.lineage import LOG_COLUMNS
from dosewright.simulation.goal import Batches
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.repeated_loop import RepeatedProblem
from dosewright.transport.step import Problem as ProtonProblem

NO_LOG = np.zeros((0, LOG_COLUMNS))
Packed = ProtonProblem | CoupledProblem | RepeatedProblem


class Histories(NamedTuple):
    """A number of original histories, and how many of them sent something (all, but for phase spaces)."""

    all: int
    sent: int


class AtPlanes(NamedTuple):
    """What a batch recorded at planes.

    Attributes
    ----------
    rows
        See `scoring.planes`; histories that sent something are numbered from 0.
    before, batch
        The histories before it, and its own.
    log
        What led to it, see `scoring.lineage`; nothing where the problem has ``lineage`` 0. `simulation.lineage.stories`
        tells it for each row.
    """

    rows: NDArray[np.float64]
    before: Histories
    batch: Histories
    log: NDArray[np.float64] = NO_LOG


@dataclass(frozen=True)
class Work:
    """One batch.

    Parameters
    ----------
    packed
        What the kernels read.
    first
        Number of the first random stream; each primary has its own.
    primaries
        How many the kernels follow.
    histories, sent
        Original histories it stands for, and those of them that sent something.
    pencils
        What each primary comes from; None: drawn by the weights of the pencils.
    read
        What became of the records of a phase space, see `sources.phase_space`.
    history
        Which of the original histories that sent something each primary belongs to, from 0; None: one of its own.
    weight
        What everything scored is multiplied by, where each record is used several times. Particles keep their own
        weights, by which the reductions of variance decide.
    last, used_up
        Nothing comes after it; because the source has no more.
    """

    packed: Packed
    first: int
    primaries: int
    histories: int
    sent: int
    pencils: NDArray[np.int64] | None = None
    read: NDArray[np.float64] | None = field(default=None)
    history: NDArray[np.int64] | None = None
    weight: float = 1.0
    last: bool = False
    used_up: bool = False


class Division(Protocol):
    """A fixed division of a run into batches, the same on every machine.

    `key` tells divisions apart whose sums fit no other; `uses` is how often each original history is used.
    """

    @property
    def key(self) -> str: ...

    @property
    def uses(self) -> int: ...

    def work(self, number: int) -> Work | None:
        """Return a batch by its number, None beyond the last; asked for in ascending order."""
        ...


@dataclass(frozen=True)
class Drawn:
    """Batches of fixed ranges of histories."""

    packed: Packed
    batches: Batches
    uses: int = 1

    @property
    def key(self) -> str:
        """Size of the batches, and of a shorter last one."""
        return f"{self.batches.size}-{self.batches.cut}"

    def work(self, number: int) -> Work | None:
        """Return a batch by its number, None beyond the last."""
        size = self.batches.histories_in(number)
        if size == 0:
            return None
        last = self.batches.histories_in(number + 1) == 0
        return Work(self.packed, number * self.batches.size, size, size, size, last=last)


def weigh(tally: Tally, weight: float) -> None:
    """Multiply all that was scored, but not the number of histories cut short."""
    cut_short = tally.account[CAPPED_HISTORIES]
    for array in (tally.energy, tally.energy_to_water, tally.account, tally.leaving, tally.leaving_energy, tally.parts,
                  tally.carried):  # fmt: skip
        array *= weight
    tally.account[CAPPED_HISTORIES] = cut_short
