"""What batches recorded at planes, as particles of a phase space, history after history."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.particles import ELECTRON, PHOTON, POSITRON, Particles
from dosewright.core.units import MM_PER_CM
from dosewright.scoring.planes import DIRECTION, ENERGY, FIRST_SPECIES, HISTORY, PLACE, PLANE, SPECIES, WEIGHT

Array = NDArray[np.float64]
CODES = np.array([PHOTON, ELECTRON, POSITRON], np.int8)  # of phase spaces, in the order of the transport
KINDS = len(CODES)


def of_plane(rows: Array, plane: int) -> Array:
    """Return the records of one plane, history after history; those of one stay in their order."""
    chosen = rows[rows[:, PLANE] == plane]
    ordered: Array = chosen[np.argsort(chosen[:, HISTORY], kind="stable")]
    return ordered


def particles_of(rows: Array, last: int, box_to_run: Rigid, z_mm: float | None = None) -> Particles:
    """Return records of one plane as particles in the axes of the run.

    Parameters
    ----------
    rows
        In the order of the histories, cm in the axes of the box of voxels.
    last
        Number of the history of the record before; -1 where there is none.
    box_to_run
        From those axes to the run's (mm).
    z_mm
        Height of a plane across z: the place of all.
    """
    x, y, z = (box_to_run.points(rows[:, PLACE : PLACE + 3] * MM_PER_CM) / MM_PER_CM).T.astype(np.float32)
    u, v, w = box_to_run.directions(rows[:, DIRECTION : DIRECTION + 3]).T.astype(np.float32)
    if z_mm is not None:
        z = np.full(len(rows), z_mm / MM_PER_CM, np.float32)
    history = rows[:, HISTORY].astype(np.int64)
    return Particles(
        species=CODES[rows[:, SPECIES].astype(np.int64) - FIRST_SPECIES],
        energy_MeV=rows[:, ENERGY].astype(np.float32),
        x_cm=np.ascontiguousarray(x),
        y_cm=np.ascontiguousarray(y),
        z_cm=np.ascontiguousarray(z),
        u=np.ascontiguousarray(u),
        v=np.ascontiguousarray(v),
        w=np.ascontiguousarray(w),
        weight=rows[:, WEIGHT].astype(np.float32),
        histories=history - np.append(last, history[:-1]),
    )


@dataclass
class PlaneSums:
    """Particles through one plane by kind (photons, electrons, positrons): numbers, weights, energy (MeV).

    ``squares`` are those of the weight that each history brought there, so that errors know what belongs together.
    """

    records: NDArray[np.int64] = field(default_factory=lambda: np.zeros(KINDS, np.int64))
    weight: Array = field(default_factory=lambda: np.zeros(KINDS))
    squares: Array = field(default_factory=lambda: np.zeros(KINDS + 1))
    energy_MeV: Array = field(default_factory=lambda: np.zeros(KINDS))

    def add(self, rows: Array) -> None:
        """Add records of whole histories."""
        kind = rows[:, SPECIES].astype(np.int64) - FIRST_SPECIES
        weight = rows[:, WEIGHT]
        self.records += np.bincount(kind, minlength=KINDS)
        self.weight += np.bincount(kind, weight, KINDS)
        self.energy_MeV += np.bincount(kind, weight * rows[:, ENERGY], KINDS)
        history = np.cumsum(np.diff(rows[:, HISTORY], prepend=rows[:1, HISTORY]) != 0)
        for k in range(KINDS):
            self.squares[k] += float((np.bincount(history[kind == k], weight[kind == k]) ** 2).sum())
        self.squares[KINDS] += float((np.bincount(history, weight) ** 2).sum())

    def plain(self) -> dict[str, list[float]]:
        """Return the sums as values that JSON holds."""
        return {one.name: getattr(self, one.name).tolist() for one in fields(self)}

    @classmethod
    def of(cls, plain: dict[str, list[float]]) -> "PlaneSums":
        """Return the sums that `plain` made values of."""
        empty = cls()
        return cls(**{name: np.array(value, getattr(empty, name).dtype) for name, value in plain.items()})

    def per_history(self, histories: int) -> tuple[Array, Array]:
        """Return particles per original history, of each kind and of all, with their standard errors."""
        sums = np.append(self.weight, self.weight.sum())
        mean = sums / max(histories, 1)
        spread = np.maximum(self.squares / max(histories, 1) - mean**2, 0.0)
        return mean, np.sqrt(spread / max(histories - 1, 1))
