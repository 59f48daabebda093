"""Whole histories in a random order, in constant memory: dealt out to piles on disk, each shuffled by itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import COLUMNS, Particles
from dosewright.phase_space.histories import Numbering, begun

PILE_BYTES = 32 << 20  # of a pile on average; shuffling one takes a few times as much memory
PILES = 250  # open files at once, at most
LARGEST = 3  # times the mean size: a pile beyond it holds a history too long to be kept in memory
BATCH = 1 << 17
ORDER = 3  # stream of random numbers, apart from those of sampling
COMMON = (("species", "i1"), *((name, "f4") for name in COLUMNS[1:9]), ("histories", "i8"))


@dataclass(frozen=True)
class Shuffle:
    """Shuffles whole histories; every order is as likely as any other.

    Parameters
    ----------
    records
        Number of records, from which the number of piles follows.
    folder
        Where the piles lie meanwhile; they are removed one by one.
    """

    records: int
    folder: Path
    seed: int = 1

    def over(
        self, batches: Iterable[Particles], dealt: Callable[[int], object] = lambda _: None
    ) -> Iterator[Particles]:
        """Yield all records, history by history in random order; `dealt` is told of records put on a pile."""
        counted = begun(batches)
        first = next(counted, None)
        if first is None:
            return
        random, kind = np.random.default_rng((self.seed, ORDER)), packed(first).dtype
        size = self.records * kind.itemsize
        piles = [self.folder / f"pile-{number}" for number in range(min(1 + size // PILE_BYTES, PILES))]
        _deal(chain([first], counted), piles, random, dealt)
        largest = LARGEST * max(PILE_BYTES, size // len(piles))
        for pile in piles:
            if pile.stat().st_size > largest:
                raise refuse(
                    "Histories are too long to be shuffled in memory; are they marked in this file?",
                    given=f"{pile.stat().st_size >> 20} MB on one of {len(piles)} piles",
                    allowed=f"{largest >> 20} MB",
                )
            yield from _shuffled(np.fromfile(pile, kind), random)
            pile.unlink()


def packed(particles: Particles) -> NDArray[np.void]:
    """Return particles as records."""
    kind = np.dtype([*COMMON, *((f"extra {name}", column.dtype) for name, column in particles.extra.items())])
    records = np.empty(len(particles), kind)
    for name in COLUMNS:
        records[name] = getattr(particles, name)
    for name, column in particles.extra.items():
        records[f"extra {name}"] = column
    return records


def unpacked(records: NDArray[np.void]) -> Particles:
    """Return the particles of records."""
    columns = {name: np.ascontiguousarray(records[name]) for name in records.dtype.names or ()}
    extra = {name.removeprefix("extra "): columns.pop(name) for name in list(columns) if name.startswith("extra ")}
    return Particles(**columns, extra=extra)


def _deal(
    batches: Iterable[Particles], piles: list[Path], random: np.random.Generator, dealt: Callable[[int], object]
) -> None:
    """Put each history on a pile drawn for it."""
    files = [pile.open("wb") for pile in piles]
    numbering, left_open = Numbering(), 0
    try:
        for particles in batches:
            before = numbering.seen
            numbers = numbering.of(particles) - before + 1  # 0: of the history that the batch before left open
            drawn = random.integers(len(piles), size=numbering.seen - before)
            chosen = np.concatenate(([left_open], drawn)).astype(np.int16)[numbers]
            left_open = int(chosen[-1])
            records = packed(particles)[np.argsort(chosen, kind="stable")]
            ends = np.cumsum(np.bincount(chosen, minlength=len(piles)))
            for file, start, end in zip(files, [0, *ends], ends, strict=False):
                file.write(records[start:end].tobytes())
            dealt(len(particles))
    finally:
        for file in files:
            file.close()


def _shuffled(records: NDArray[np.void], random: np.random.Generator) -> Iterator[Particles]:
    """Yield the histories of a pile, whose records lie together, in random order."""
    starts = np.flatnonzero(records["histories"] > 0)
    lengths = np.diff(starts, append=len(records))
    order = random.permutation(len(starts))
    lengths = lengths[order]
    # Where each record comes from: the start of its history, and its place in it.
    source = np.repeat(starts[order] - (np.cumsum(lengths) - lengths), lengths) + np.arange(len(records))
    for at in range(0, len(source), BATCH):
        yield unpacked(records[source[at : at + BATCH]])
