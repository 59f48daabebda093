"""Doses of independent parts as one: histories added, squares of single histories added exactly.

With N_i histories, means d_i and squares s_i (the sum of the squares of what each history gave, over N_i^2):
N = sum N_i, d = sum N_i d_i / N, s = sum N_i^2 s_i / N^2, and the variance of the mean is (s N - d^2) / (N - 1).
"""

import hashlib
from collections.abc import Iterable

import numpy as np

from dosewright.core.dose_file import DoseFile, mean_squares, same_voxels, uncertainty_of
from dosewright.core.errors import refuse


def merge_doses(parts: Iterable[tuple[str, DoseFile]], *, tolerance_mm: float = 1e-3) -> DoseFile:
    """Return the mean of doses, each weighted with its histories; no more than two are held at a time.

    Parameters
    ----------
    parts
        Names (for messages) and doses. All must have the same voxels, unit and axes, an uncertainty and a number of
        histories. The same dose twice is refused: its uncertainty would come out too small.
    tolerance_mm
        How far edges may differ.
    """
    first: DoseFile | None = None
    seen: dict[bytes, str] = {}
    said: dict[str, None] = {}
    wrong: dict[str, None] = {}
    for name, dose in parts:
        squares = mean_squares(dose)
        if squares is None or dose.histories is None:
            lacks = "number of histories" if dose.histories is None else "uncertainty"
            raise refuse(f"A dose without {lacks} cannot be merged", where=name)
        digest = hashlib.sha256(np.ascontiguousarray(dose.dose).tobytes()).digest()
        if dose.dose.any() and digest in seen:
            raise refuse("The same dose is there twice: equal seeds, or one file under two names", given=name,
                         allowed=f"independent parts; it equals {seen[digest]}")  # fmt: skip
        seen[digest] = name
        said |= dict.fromkeys(dose.assumed)
        wrong |= dict.fromkeys(f"{name}: {problem}" for problem in dose.problems)
        n = dose.histories
        if first is None:
            first, start = dose, name
            histories, total, squared = n, n * dose.dose, n**2 * squares
            continue
        _check_same(first, start, dose, name, tolerance_mm)
        histories += n
        total += n * dose.dose
        squared += n**2 * squares
    if first is None:
        raise refuse("There is nothing to merge")
    mean, squares = total / histories, squared / histories**2
    return DoseFile(
        edges_mm=first.edges_mm,
        dose=mean,
        uncertainty=uncertainty_of(mean, squares, histories),
        histories=histories,
        squares=squares,
        unit=first.unit,
        direction=first.direction,
        assumed=tuple(said),
        problems=tuple(wrong),
    )


def _check_same(first: DoseFile, start: str, dose: DoseFile, name: str, tolerance_mm: float) -> None:
    different = same_voxels(first, dose, tolerance_mm=tolerance_mm)
    if different is not None:
        raise refuse(f"The doses have different voxels: {different}", given=name, allowed=f"those of {start}")
    if dose.unit != first.unit:
        raise refuse("The doses have different units", given=f"{name}: {dose.unit}", allowed=f"{start}: {first.unit}")
