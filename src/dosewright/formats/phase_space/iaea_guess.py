"""What the bytes of IAEA records look like: whether a layout makes sense, and which one does if no header says."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import SPECIES
from dosewright.formats.phase_space.iaea_record import IaeaRecord
from dosewright.formats.phase_space.raw import LARGEST_DIRECTION_SQUARED, runs, size_of

SAMPLED = 2000  # records at the beginning, in the middle and at the end
MOST_EXTRAS = 3  # of each kind, where no header says how many
FEW = 0.01  # share of damaged records that a layout may leave
# Bytes in the wrong order, or of something else, are mostly no number, huge, or tiny; true zeros are common.
TINY, HUGE = 1e-30, 1e7
ENERGY_MEV = (1e-15, 1e6)


def sample(path: Path, record: IaeaRecord, particles: int) -> NDArray[np.void]:
    """Return records from the beginning, the middle and the end of a file that has as many."""
    number = min(SAMPLED, particles)
    starts = sorted({0, (particles - number) // 2, particles - number})
    taken = np.empty(
        number * len(starts), record.dtype
    )  # joining runs would turn their bytes into this machine's order
    for at, start in enumerate(starts):
        for run in runs(path, record.dtype, start, number, SAMPLED):
            taken[at * number : (at + 1) * number] = run
    return taken


def implausible_share(record: IaeaRecord, run: NDArray[np.void]) -> float:
    """Return the share of records that no particle would write; 0 for none at all."""
    if not len(run):
        return 0.0
    return float(np.mean(implausible(record, run)))


def implausible(record: IaeaRecord, run: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which records no particle would write."""
    species = np.abs(run["type"].astype(np.int16))
    bad = (species < min(SPECIES)) | (species > max(SPECIES))
    squared = np.zeros(len(run))
    with np.errstate(over="ignore", invalid="ignore"):
        for name in record.dtype.names or ():
            if record.dtype[name].kind != "f":
                continue
            size = np.abs(run[name].astype(np.float64))
            low, high = ENERGY_MEV if name == "energy" else (TINY, HUGE)
            bad |= ~((size == 0) | ((size >= low) & (size <= high)))
            if name in ("u", "v"):
                squared += size**2
        return bad | ~(squared <= LARGEST_DIRECTION_SQUARED)


def turned(record: IaeaRecord) -> IaeaRecord:
    """Return the record with its bytes in the other order."""
    return replace(record, big_endian=not record.big_endian)


def guessed_record(path: Path) -> IaeaRecord | None:
    """Return the simplest layout that makes sense of a file of records; None if none does.

    x, y, u and v are taken for stored; z, weight, extra floats and extra longs are tried, the commonest first. What is
    constant then is unknown: z is set to 0 and the weight to 1.
    """
    whole = size_of(path)
    for record in _candidates():
        length = record.dtype.itemsize
        if whole >= length and implausible_share(record, sample(path, record, whole // length)) <= FEW:
            return record
    return None


def _candidates() -> Iterator[IaeaRecord]:
    """Yield layouts, short records first, weights and planes before volumes."""
    found = []
    numbers = range(MOST_EXTRAS + 1)
    for z, weight, floats, longs, bits in product((False, True), (True, False), numbers, numbers, (32, 64)):
        if bits == 64 and not longs:
            continue
        constants = ({} if z else {"z_cm": 0.0}) | ({} if weight else {"weight": 1.0})
        extra_floats = {f"extra_float_{at + 1}": 0 for at in range(floats)}
        extra_longs = {f"extra_long_{at + 1}": 0 for at in range(longs)}
        found.append(IaeaRecord(constants, extra_floats, extra_longs, bits))
    found.sort(key=lambda record: (record.dtype.itemsize, "weight" in record.constants))
    for record in found:
        yield record
        yield turned(record)
