"""A phase space of EGSnrc whose header is wrong or of another length than its records, written anew."""

from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import ELECTRON, PHOTON, PhaseSpaceInfo
from dosewright.formats.phase_space.egs import MAX_PARTICLES, MODES, EgsReader, egs_types
from dosewright.formats.phase_space.iaea_guess import FEW, implausible, sample
from dosewright.formats.phase_space.raw import BATCH, GrowingFile, runs, size_of
from dosewright.formats.phase_space.totals import Totals

SUFFIX = ".egsphsp"
ENERGY_SLACK = 1e-3  # relative, and in MeV: some headers hold total energies in single precision less a rounded mass


def is_egs(path: Path) -> bool:
    """Tell by its first word, or by its name where that is damaged, whether a file is of EGSnrc."""
    try:
        with path.open("rb") as file:
            return file.read(5) in MODES or path.suffix.casefold().startswith(SUFFIX)
    except (OSError, ValueError):
        return False


def repaired_egs(
    path: Path, out: Path, *, original_histories: float | None = None, overwrite: bool = False
) -> tuple[str, ...]:
    """Write an EGSnrc file anew with a header that its records make; return what was wrong.

    The records are copied as they are; a damaged one is refused.
    """
    if not overwrite and path.resolve() == out.resolve():
        raise refuse("A repair would replace the original", given=out, allowed="another name")
    wrong: list[str] = []
    mode, order = _layout(path, wrong)
    header_type, record = egs_types(mode, order)
    with path.open("rb") as file:
        said = np.frombuffer(file.read(record.itemsize), header_type, 1)[0]
    number = _number(path, said, record, mode, wrong)
    totals = _totals(path, record, mode, number)
    header = np.zeros(1, header_type)
    header["mode"], header["particles"], header["photons"] = mode, number, totals.counts[PHOTON]
    header["energy_max_MeV"] = totals.energy_max_MeV
    header["electron_min_MeV"] = totals.energies_MeV.get(ELECTRON, (0.0, 0.0))[0]
    header["histories"] = _histories(said, number, totals, original_histories, wrong)
    _compare(said, header, wrong)
    with GrowingFile(out, header.tobytes().ljust(record.itemsize, b"\0")) as written:
        for run in runs(path, record, 0, number, BATCH, offset=record.itemsize):
            written.write(run)
        written.verify()
        written.finish()
    return tuple(dict.fromkeys(wrong))


def _layout(path: Path, wrong: list[str]) -> tuple[bytes, Literal["<", ">"]]:
    """Return mode and byte order in which the records make sense, those of the first word first."""
    with path.open("rb") as file:
        word = file.read(5)
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    size = size_of(path)
    for mode, order in product(sorted(MODES, key=lambda mode: mode != word), orders):
        record = egs_types(mode, order)[1]
        number = size // record.itemsize - 1
        if number < 1:
            continue
        run = sample(path, record, number, offset=record.itemsize)
        if np.mean(implausible(run) | (run["latch"] >> np.uint32(29) & 3 == 3)) <= FEW:
            if mode != word:
                wrong.append(f"The first word was {word!r}; the records are those of {mode.decode()}.")
            return mode, order
    raise refuse("No layout makes sense of the records", given=f"{size} bytes", where=path)


def _number(path: Path, said: np.void, record: np.dtype[np.void], mode: bytes, wrong: list[str]) -> int:
    """Return how many records are taken: all whole ones, or those of a header that was saved before a kill."""
    held, left = divmod(size_of(path) - record.itemsize, record.itemsize)
    if left:
        wrong.append(f"The file ends inside a record; its last {left} bytes are left out.")
    declared = int(said["particles"])
    if declared < held and _totals(path, record, mode, declared).counts[PHOTON] == int(said["photons"]) and declared:
        wrong.append(f"The file holds {held - declared} records more than the header counts. They are left out: its "
                     "original histories are not theirs.")  # fmt: skip
        return declared
    if held > MAX_PARTICLES:
        raise refuse(
            "The header of EGSnrc cannot count so many particles", given=held, allowed=MAX_PARTICLES, where=path
        )
    return held


def _totals(path: Path, record: np.dtype[np.void], mode: bytes, number: int) -> Totals:
    extra = {"latch": "i4"} | ({"zlast_cm": "f4"} if mode == b"MODE2" else {})
    reader = EgsReader(path, PhaseSpaceInfo(f"egs_{mode.decode().lower()}", number, None, extra=extra), record)
    totals = Totals()
    for particles in reader.batches():
        totals.add(particles)
    return totals


def _histories(said: np.void, number: int, totals: Totals, given: float | None, wrong: list[str]) -> float:
    """Return the original histories: those given, those of the header if they can be true, else 0."""
    if given is not None:
        return given
    histories, declared = float(said["histories"]), int(said["particles"])
    possible = np.isfinite(histories) and 0 < histories < 1e18
    if possible and number < declared < 1 << 31 and int(said["photons"]) <= declared:
        histories = histories * number / declared
        wrong.append(f"{declared - number} records are missing: {histories:.0f} original histories are the share by "
                     "numbers of records, an estimate.")  # fmt: skip
    if possible and histories >= totals.begun:
        return histories
    wrong.append(
        f"The original histories of the header, {said['histories']:g}, cannot be true. The new one has 0 for unknown; "
        f"the records begin {totals.begun}."
    )
    return 0.0


def _compare(said: np.void, new: NDArray[np.void], wrong: list[str]) -> None:
    """Tell what the header says and is not so; energies that are so but for rounding stay as they were."""
    for name in ("particles", "photons"):
        if said[name] != new[name][0]:
            wrong.append(f"The header counts {said[name]} {name}; the new one {new[name][0]}.")
    for name, what in (("energy_max_MeV", "highest"), ("electron_min_MeV", "lowest electron")):
        if np.isclose(said[name], new[name][0], rtol=ENERGY_SLACK, atol=ENERGY_SLACK):
            new[name] = said[name]
        else:
            wrong.append(f"The header's {what} energy was {said[name]:g} MeV; it is {new[name][0]:g} MeV.")
