"""What the bytes of records look like: whether a layout makes sense, and which one of IAEA does if no header says."""

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
MOST_EXTRAS = 3  # floats, and longs of 64 bits or twice as many of 32, where no header says how many
FEW = 0.1  # share of damaged records that a layout may leave; a wrong one leaves nearly all
# Bytes in the wrong order, or of something else, are mostly no number, huge, or tiny; true zeros are common.
TINY, HUGE = 1e-30, 1e7
ENERGY_MEV = (1e-15, 1e6)


def sample(path: Path, dtype: np.dtype[np.void], particles: int, *, offset: int = 0) -> NDArray[np.void]:
    """Return records from the beginning, the middle and the end of a file that has as many."""
    number = min(SAMPLED, particles)
    starts = sorted({0, (particles - number) // 2, particles - number})
    # Joining runs would turn their bytes into this machine's order.
    taken = np.empty(number * len(starts), dtype)
    for at, start in enumerate(starts):
        for run in runs(path, dtype, start, number, SAMPLED, offset=offset):
            taken[at * number : (at + 1) * number] = run
    return taken


def implausible_share(run: NDArray[np.void]) -> float:
    """Return the share of records that no particle would write; 0 for none at all."""
    return float(np.mean(implausible(run))) if len(run) else 0.0


def implausible(run: NDArray[np.void], *, tiny: bool = False) -> NDArray[np.bool_]:
    """Return which records no particle would write, by species, energy, direction and all other floats.

    Parameters
    ----------
    tiny
        Take numbers next to 0 for true; else for bytes of something else.
    """
    bad, squared = np.zeros(len(run), np.bool_), np.zeros(len(run))
    with np.errstate(over="ignore", invalid="ignore"):
        for name in run.dtype.names or ():
            size = np.abs(run[name].astype(np.float64))
            if name == "type":
                bad |= (size < min(SPECIES)) | (size > max(SPECIES))
            elif run.dtype[name].kind == "f":
                low, high = ENERGY_MEV if name == "energy" else (TINY, HUGE)
                bad |= ~((size == 0) | ((size >= (0.0 if tiny else low)) & (size <= high)))
                if name in ("u", "v"):
                    squared += size**2
        return bad | ~(squared <= LARGEST_DIRECTION_SQUARED)


def turned(record: IaeaRecord) -> IaeaRecord:
    """Return the record with its bytes in the other order."""
    return replace(record, big_endian=not record.big_endian)


def guessed_record(path: Path) -> IaeaRecord | None:
    """Return the simplest layout that makes sense of a file of records, of whole ones if possible; None if none does.

    x, y, u and v are taken for stored; z, weight, extra floats and extra longs are tried, the commonest first. What is
    constant then is unknown: z is set to 0 and the weight to 1.
    """
    whole = size_of(path)
    candidates = [record for record in _candidates() if record.dtype.itemsize <= whole]
    candidates.sort(key=lambda record: whole % record.dtype.itemsize != 0)
    for record in candidates:
        run = sample(path, record.dtype, whole // record.dtype.itemsize)
        bad = implausible(run)
        if "weight" not in record.constants:
            bad |= run["weight"] < 0
        # A column of nothing but zero bits may as well belong to a long.
        empty = any(not run[f"extra {name}"].tobytes().strip(b"\0") for name in record.floats)
        if bad.mean() <= FEW and not empty:
            return _with_wide_longs(record, run)
    return None


def _with_wide_longs(record: IaeaRecord, run: NDArray[np.void]) -> IaeaRecord:
    """Return the record with half as many longs of 64 bits, if every second one of 32 is but its neighbour's sign."""
    number = len(record.longs) // 2
    if not number or len(record.longs) % 2:
        return record
    wide = replace(record, longs=_user_longs(number), long_bits=64)
    values = [run.view(wide.dtype)[f"extra {name}"] for name in wide.longs]
    return wide if all((value == value.astype(np.int32)).all() for value in values) else record


def _candidates() -> Iterator[IaeaRecord]:
    """Yield layouts, short records first, with weights before without, with few longs before many.

    Longs come last since any four bytes are a long, but those of a long are rarely a float.
    """
    found = []
    numbers = range(MOST_EXTRAS + 1)
    for z, weight, floats, longs in product((False, True), (True, False), numbers, range(2 * MOST_EXTRAS + 1)):
        constants = ({} if z else {"z_cm": 0.0}) | ({} if weight else {"weight": 1.0})
        extra_floats = {f"extra_float_{at + 1}": 0 for at in range(floats)}
        found.append(IaeaRecord(constants, extra_floats, _user_longs(longs)))
    found.sort(key=lambda record: (record.dtype.itemsize, "weight" in record.constants, len(record.longs)))
    for record in found:
        yield record
        yield turned(record)


def _user_longs(number: int) -> dict[str, int]:
    return {f"extra_long_{at + 1}": 0 for at in range(number)}
