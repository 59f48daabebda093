"""Phase spaces made up in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dosewright.core.particles import Particles, PhaseSpaceInfo


@dataclass
class InMemory:
    """A reader of particles that are there already."""

    particles: Particles
    histories: float | None = None
    path: Path = Path("in memory")

    @property
    def info(self) -> PhaseSpaceInfo:
        return PhaseSpaceInfo("native", len(self.particles), self.histories)

    def batches(self, first: int = 0, count: int | None = None, size: int = 1 << 17) -> Iterator[Particles]:
        end = len(self.particles) if count is None else min(first + count, len(self.particles))
        for start in range(first, end, size):
            yield self.particles[start : min(start + size, end)]


def made(histories: int, seed: int = 1, each: float = 3.0, z_cm: float = -89.9, shift_cm: float = 0.0) -> InMemory:
    """Make histories that send one particle or more, alike in energy and place, with empty ones between."""
    random = np.random.default_rng(seed)
    size = random.geometric(1 / each, histories)
    of = np.repeat(np.arange(histories), size)
    count = len(of)
    marks = np.zeros(count, np.int64)
    marks[np.cumsum(size) - size] = 1 + random.poisson(1.0, histories)
    u, v = random.normal(0, 0.1, (2, histories))[:, of] + random.normal(0, 0.03, (2, count))
    particles = Particles(
        species=np.where(random.random(histories) < 0.8, 1, 2).astype(np.int8)[of],
        energy_MeV=(random.gamma(2, 1, histories)[of] * random.uniform(0.8, 1, count)).astype(np.float32),
        x_cm=(random.normal(shift_cm, 5, histories)[of] + random.normal(0, 1, count)).astype(np.float32),
        y_cm=random.normal(0, 5, count).astype(np.float32),
        z_cm=np.full(count, z_cm, np.float32),
        u=u.astype(np.float32),
        v=v.astype(np.float32),
        w=np.sqrt(1 - u**2 - v**2).astype(np.float32),
        weight=np.where(random.random(histories) < 0.5, 1, 0.25).astype(np.float32)[of],
        histories=marks,
        extra={"latch": np.arange(count, dtype=np.int32)},
    )
    return InMemory(particles, float(marks.sum()))


def joined(batches: list[Particles]) -> Particles:
    """Put batches together."""
    first = batches[0]
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches])
               for name in vars(first) if name != "extra"}  # fmt: skip
    extra = {name: np.concatenate([batch.extra[name] for batch in batches]) for name in first.extra}
    return Particles(**columns, extra=extra)
