"""What a run accumulates, batch after batch, and how it is put down and taken up again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring.deposit import (
    ACCOUNT_ROWS,
    LEAVING_KINDS,
    LET_COLUMNS,
    LET_ENERGY,
    LET_ENERGY_LET,
    LET_PATH,
    LET_PATH_LET,
    Scoring,
    Tally,
)
from dosewright.scoring.ratio_statistics import RatioSums
from dosewright.scoring.statistics import BatchSums
from dosewright.sources.phase_space import COUNTS as COUNTS_OF_RECORDS

Arrays = dict[str, NDArray[np.generic]]
COUNTS = ("histories", "batches", "sent")


@dataclass
class RunSums:
    """Sums over a prefix of batches; None where something is not scored. `account` is the energy account, MeV.

    `leaving` counts what leaves the phantom by bin, `leaving_totals` holds the number and then the energy (MeV) by
    kind of particle. `parts` is the energy (MeV) in each part of a scene, and last in what fills it. `carried` is what
    was carried into voxels (`scoring.carried`), `carried_share` its share of all. `read` is what became of the records
    of a phase space, see `sources.phase_space`.
    """

    medium: BatchSums
    water: BatchSums | None
    let_d: RatioSums | None
    let_t: RatioSums | None
    account: NDArray[np.float64]
    leaving: BatchSums | None = None
    leaving_totals: BatchSums | None = None
    parts: BatchSums | None = None
    carried: BatchSums | None = None
    carried_share: RatioSums | None = None
    read: NDArray[np.float64] = field(default_factory=lambda: np.zeros(COUNTS_OF_RECORDS))
    cpu_seconds: float = 0.0

    @classmethod
    def empty(cls, scoring: Scoring, voxels: int, leaving_bins: int = 0, parts: int = 0, carried: int = 0) -> "RunSums":
        """Return sums over no batch."""
        return cls(
            BatchSums.empty(voxels),
            BatchSums.empty(voxels) if scoring.to_water else None,
            RatioSums.empty(voxels) if scoring.let else None,
            RatioSums.empty(voxels) if scoring.let else None,
            np.zeros(ACCOUNT_ROWS),
            BatchSums.empty(leaving_bins) if leaving_bins else None,
            BatchSums.empty(2 * LEAVING_KINDS) if leaving_bins else None,
            BatchSums.empty(parts) if parts else None,
            BatchSums.empty(carried) if carried else None,
            RatioSums.empty(1) if carried else None,
        )

    @property
    def histories(self) -> int:
        """Histories so far."""
        return self.medium.histories

    @property
    def batches(self) -> int:
        """Batches so far."""
        return self.medium.batches

    @property
    def sent(self) -> int:
        """Histories so far that sent something."""
        return self.medium.sent

    def add(
        self,
        tally: Tally,
        histories: int,
        cpu_seconds: float,
        sent: int | None = None,
        read: NDArray[np.float64] | None = None,
    ) -> None:
        """Add one batch; the tally's doses and counts are used up, its LET columns are clear afterwards.

        Of a phase space, `sent` is the number of histories that sent something, `read` what became of the records.
        """
        if self.carried_share is not None:
            self.carried_share.add(np.array([[tally.carried[1:].sum(), tally.energy.sum()]]), 0, 1)
        self.medium.add(tally.energy, histories, sent)
        if self.water is not None:
            self.water.add(tally.energy_to_water, histories, sent)
        if self.let_d is not None and self.let_t is not None:
            let = tally.let.reshape(-1, LET_COLUMNS)
            self.let_d.add(let, LET_ENERGY_LET, LET_ENERGY)
            self.let_t.add(let, LET_PATH_LET, LET_PATH)
        if self.leaving is not None and self.leaving_totals is not None:
            numbers = tally.leaving.reshape(LEAVING_KINDS, -1).sum(axis=1)
            self.leaving_totals.add(np.concatenate([numbers, tally.leaving_energy]), histories, sent)
            self.leaving.add(tally.leaving, histories, sent)
        if self.parts is not None:
            self.parts.add(tally.parts, histories, sent)
        if self.carried is not None:
            self.carried.add(tally.carried[1:], histories, sent)
        self.account += tally.account
        if read is not None:
            self.read += read
        self.cpu_seconds += cpu_seconds

    def arrays(self) -> Arrays:
        """Return all arrays by name, not copied."""
        parts = {
            f"{name}_{one.name}": getattr(part, one.name)
            for name, part in self._parts().items()
            for one in fields(part)
            if one.name not in COUNTS
        }
        return {"account": self.account, "read": self.read, **parts}

    def take(
        self,
        arrays: Mapping[str, NDArray[np.generic]],
        histories: int,
        batches: int,
        cpu_seconds: float,
        sent: int | None = None,
    ) -> None:
        """Take up what `arrays` returned; raises KeyError where something is missing."""
        sent = histories if sent is None else sent
        for name, kept in self.arrays().items():
            kept[...] = arrays[name]
        for part in (self.medium, self.water, self.leaving, self.leaving_totals, self.parts, self.carried):
            if part is not None:
                part.histories, part.batches, part.sent = histories, batches, sent
        self.cpu_seconds = cpu_seconds

    def _parts(self) -> dict[str, BatchSums | RatioSums]:
        parts = {
            "medium": self.medium, "water": self.water, "let_d": self.let_d, "let_t": self.let_t,
            "leaving": self.leaving, "leaving_totals": self.leaving_totals, "parts": self.parts,
            "carried": self.carried, "carried_share": self.carried_share,
        }  # fmt: skip
        return {name: part for name, part in parts.items() if part is not None}
