"""One phase space written as another, run by run."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dosewright.core.errors import refuse
from dosewright.core.particles import SPECIES, PhaseSpaceInfo, PhaseSpaceReader, PhaseSpaceWriter
from dosewright.formats.phase_space.losses import held_species
from dosewright.formats.phase_space.totals import Totals

SINGLE: Final = 1e-6  # EGSnrc stores the number of original histories in single precision


def converted(
    reader: PhaseSpaceReader,
    writer: PhaseSpaceWriter,
    *,
    original_histories: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PhaseSpaceInfo:
    """Write all records of a phase space to another, finish it, and compare the numbers; return what it is.

    Parameters
    ----------
    original_histories
        None: those of the phase space read; where it does not say, those that its records begin, and a problem says so.
    progress
        Called with the records done and those there are.

    Raises
    ------
    InputError
        The numbers of the file written are not those of the records read.
    """
    totals = Totals()
    with writer:
        for particles in reader.batches():
            totals.add(particles)
            writer.write(particles)
            if progress is not None:
                progress(totals.particles, reader.info.particles)
        if totals.particles != reader.info.particles:
            raise refuse("The phase space did not yield as many records as it says", given=totals.particles,
                         allowed=reader.info.particles, where=reader.path)  # fmt: skip
        known = reader.info.original_histories if original_histories is None else original_histories
        info = writer.finish(totals.histories if known is None else known)
    problems = list(info.problems)
    if known is None:
        problems.append(f"The number of original histories is not known; {totals.histories} were taken, as many as the "
                        "records begin.")  # fmt: skip
    _check(info, totals, totals.histories if known is None else known)
    return replace(info, problems=tuple(problems))


def _check(info: PhaseSpaceInfo, given: Totals, original: float) -> None:
    held = {code: number for code, number in given.counts.items() if code in held_species(info.format)}
    wrong = []
    if info.particles != sum(held.values()):
        wrong.append(f"{info.particles} particles instead of {sum(held.values())}")
    for code in held if info.counts is not None else ():
        if info.counts and info.counts.get(code, 0) != held[code]:
            wrong.append(f"{info.counts.get(code, 0)} {SPECIES[code]}s instead of {held[code]}")
    written = info.original_histories
    slack = SINGLE * original if info.format.startswith("egs") else 0.5
    if written is not None and abs(written - original) > slack:
        wrong.append(f"{written:.17g} original histories instead of {original:.17g}")
    if wrong:
        raise refuse("The phase space written is not the one read", given="; ".join(wrong))
