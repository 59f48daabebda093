"""A phase space as the source of a run: how often its particles are used, and its division into batches."""

from dataclasses import dataclass, field
from math import ceil

import numpy as np

from dosewright.core.errors import refuse
from dosewright.core.particles import ELECTRON, PHOTON, POSITRON, PhaseSpaceReader
from dosewright.materials.electrons.lookup import HIGHEST_MEV
from dosewright.simulation.goal import DEFAULT_BATCH, FEWEST_BATCHES, VOXELS_PER_HISTORY, Goal
from dosewright.simulation.work import Work
from dosewright.sources.phase_space import HistoryReader, Packing, Portion, Selection, uses_of
from dosewright.transport import tracks
from dosewright.transport.coupled import CoupledProblem

MOST_USES = 10_000  # all uses of a history are held together
FEWEST_FOR_DOSE_ERRORS = 4 * FEWEST_BATCHES  # there must be room for checks in a row before a file is used up
KERNEL_SPECIES = {PHOTON: tracks.PHOTON, ELECTRON: tracks.ELECTRON, POSITRON: tracks.POSITRON}


@dataclass(frozen=True)
class Recorded:
    """The records of a phase space and what is made of them.

    Parameters
    ----------
    reader
        The open phase space.
    original_histories
        Histories that made all its records.
    reuse
        How often each record is used; None: as often as the histories asked for need.
    passes
        How often the file may be read from its beginning to its end.
    mirror
        ``none``, ``x``, ``y`` or ``xy``: what changes sign from use to use.
    skip
        Records left out at the beginning.
    selection
        Which records are used.
    identity
        What tells these records from others, for the fingerprint of a problem.
    """

    reader: PhaseSpaceReader
    original_histories: float
    reuse: int | None = None
    passes: int = 1
    mirror: str = "none"
    skip: int = 0
    selection: Selection = field(default_factory=Selection)
    identity: str = ""

    @property
    def particles(self) -> int:
        """Records of one pass."""
        return self.reader.info.particles - self.skip

    @property
    def per_history(self) -> float:
        """Records per original history."""
        return self.reader.info.particles / self.original_histories

    def uses(self, histories: int | None) -> int:
        """Return how often each record is used where so many histories are asked for; refuses more than can be."""
        if self.reuse is not None:
            return self.reuse
        in_file = self.particles / self.per_history
        needed = 1 if histories is None else max(1, ceil(histories / in_file))
        if needed > MOST_USES:
            raise refuse(
                "The phase space is too small for the histories asked for",
                given=f"{histories} histories of {in_file:.6g} in the file: each particle {needed} times",
                allowed=f"up to {MOST_USES} times",
                where="source.reuse",
            )
        return needed

    def described(self) -> tuple[object, ...]:
        """Return all that shapes a result, for the fingerprint of a problem."""
        info, selection = self.reader.info, self.selection
        return (
            self.identity, info.particles, self.original_histories, self.reuse, self.passes, self.mirror, self.skip,
            selection.species, selection.energy_MeV,
            tuple((bits.column, bits.all, bits.any, bits.none) for bits in selection.bits),
        )  # fmt: skip


class RecordedBatches:
    """Batches of whole original histories, in the order of the file; the same on every machine.

    A batch has at least `size` records, and ends where the next history begins. Where histories are the only goal, it
    is over with the record that stands for the last of them, else when the file was read as often as allowed.
    """

    def __init__(self, recorded: Recorded, packed: CoupledProblem, goal: Goal, voxels: int) -> None:
        self.recorded, self.packed = recorded, packed
        self.uses = recorded.uses(goal.histories)
        self.packing = Packing(KERNEL_SPECIES, recorded.selection, HIGHEST_MEV)
        by_histories = goal.histories is not None and goal.by_histories_alone
        asked = ceil((goal.histories or 0) / self.uses)
        self.wanted = ceil(asked * recorded.per_history) if by_histories else None
        there = recorded.particles * recorded.passes
        size = max(DEFAULT_BATCH, voxels // VOXELS_PER_HISTORY)
        most = there if goal.histories is None else min(there, ceil(asked * recorded.per_history))
        if goal.batch_histories is not None:
            self.size = max(1, round(goal.batch_histories * recorded.per_history / self.uses))
        else:
            fewest = FEWEST_BATCHES if goal.dose_error is None else FEWEST_FOR_DOSE_ERRORS
            self.size = max(1, min(size // self.uses, -(-most // fewest)))
        self._next, self._done, self._pass = 0, 0, 0
        self._kept: Work | None = None
        self._histories = self._from_begin()

    @property
    def key(self) -> str:
        """Size of the batches in records, and where the last one ends."""
        return f"{self.size}-{self.wanted or 0}-{self.uses}"

    def work(self, number: int) -> Work | None:
        """Return a batch by its number, None beyond the last; going back reads the file from its beginning."""
        if number < self._next - 1:
            self._rewind()
        while self._next <= number:
            self._kept = self._read()
            self._next += 1
        return self._kept

    def _rewind(self) -> None:
        """Begin again with the first batch."""
        self._next, self._done, self._pass, self._kept = 0, 0, 0, None
        self._histories = self._from_begin()

    def _from_begin(self) -> HistoryReader:
        return HistoryReader(self.recorded.reader, self.packing, self.recorded.skip)

    def _read(self) -> Work | None:
        if self.wanted is not None and self._done >= self.wanted:
            return None
        least = self.size if self.wanted is None else min(self.size, self.wanted - self._done)
        portion = self._histories.take(least)
        if portion is None:
            if self._pass + 1 >= self.recorded.passes or self._done == 0:
                return None
            self._pass += 1
            self._histories = self._from_begin()
            portion = self._histories.take(least)
            if portion is None:
                return None
        return self._work(portion)

    def _work(self, portion: Portion) -> Work:
        """Return a batch; original histories are those that as many records stand for, rounded where batches meet."""
        before = self._done
        self._done += portion.end - portion.first
        per = self.recorded.per_history
        rows = portion.rows
        packed = self.packed._replace(source=self.packed.source._replace(records=rows))
        enough = self.wanted is not None and self._done >= self.wanted
        used_up = portion.at_end and self._pass + 1 >= self.recorded.passes and not enough
        return Work(
            packed,
            before * self.uses,
            len(rows) * self.uses,
            round(self._done / per) - round(before / per),
            portion.begun,
            pencils=uses_of(len(rows), self.uses, self.recorded.mirror),
            read=portion.counts,
            history=np.repeat(portion.history, self.uses),
            weight=1.0 / self.uses,
            last=enough or used_up,
            used_up=used_up,
        )
