"""Phase spaces in memory, made by numpy, for tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dosewright.core.particles import Particles, PhaseSpaceInfo


class InMemory:
    """A phase space reader of particles that are held."""

    def __init__(self, particles: Particles, original_histories: float | None, **info: Any) -> None:
        self.path = Path("memory")
        self.particles = particles
        counts = {code: int(np.count_nonzero(particles.species == code)) for code in range(1, 6)}
        highest = float(particles.energy_MeV.max()) if len(particles) else None
        extra = {name: column.dtype.str[1:] for name, column in particles.extra.items()}
        self.info = PhaseSpaceInfo(
            **{"format": "native", "particles": len(particles), "original_histories": original_histories,
               "counts": counts, "energy_max_MeV": highest, "extra": extra, **info}
        )  # fmt: skip

    def batches(self, first: int = 0, count: int | None = None, size: int = 1 << 17) -> Iterator[Particles]:
        end = len(self.particles) if count is None else min(first + count, len(self.particles))
        for at in range(first, end, size):
            yield self.particles[at : min(at + size, end)]


def particles(n: int, **columns: Any) -> Particles:
    """Return n particles: 1 MeV photons of weight one at the origin along +z, each a history of its own."""
    single = {"species": np.int8(1), "energy_MeV": 1.0, "x_cm": 0.0, "y_cm": 0.0, "z_cm": 0.0, "u": 0.0, "v": 0.0,
              "w": 1.0, "weight": 1.0, "histories": np.int64(1)}  # fmt: skip
    kinds = {"species": np.int8, "histories": np.int64}
    extra = columns.pop("extra", {})
    return Particles(
        **{
            name: np.broadcast_to(np.asarray(columns.get(name, value)), n).astype(kinds.get(name, np.float32))
            for name, value in single.items()
        },
        extra=extra,
    )


def parallel_beam(n: int, side_cm: float, seed: int, z_cm: float = -1.0, **columns: Any) -> Particles:
    """Return particles along +z, uniform over a square on a plane."""
    x, y = np.random.default_rng(seed).uniform(-side_cm / 2, side_cm / 2, (2, n))
    return particles(n, x_cm=x, y_cm=y, z_cm=z_cm, **columns)
