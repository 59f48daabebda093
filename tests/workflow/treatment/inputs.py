"""Inputs for treatments: written, read, carried out, and what is read from their doses."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.delivery.steps import read_delivery
from dosewright.workflow.treatment.deliver import deliver_all
from dosewright.workflow.treatment.sums import RegionSums
from dosewright.workflow.treatment.treatment import Treatment, treatment_of

WATER = "region: phantom ; O = [0,0,10] ; L = [12,12,20] ; voxels = [6,6,200] ; material = water ; score = [dose]\n"
FIELD = "field: 1 ; O = [0,0,-30]\n"
BEAM = "pb: 1 1 ; T = 120 ; Espread = 0.01 ; Xsec = gauss ; FWHM = 1 ; N = 1e6\n"


def treatment(folder: Path, text: str, seed: int = 1) -> Treatment:
    """Return what a text describes, ready to be carried out."""
    path = folder / "fred.inp"
    path.write_text(text)
    return treatment_of(read_delivery(path), seed)


def delivered(folder: Path, text: str, histories: int = 20_000, seed: int = 1) -> RegionSums:
    """Return what the only region that scores receives."""
    of = treatment(folder, f"{text}\nnprim = {histories}\n", seed)
    (sums,) = deliver_all(of.portions, folder / "parts", threads=1).values()
    return sums


def depth_dose(sums: RegionSums, axis: int = 2) -> NDArray[np.float64]:
    """Return the dose summed across an axis (x, y, z) of a region."""
    others = tuple(k for k in range(3) if k != 2 - axis)
    summed: NDArray[np.float64] = sums.medium.dose_Gy.sum(axis=others)
    return summed


def range80_mm(dose: NDArray[np.float64], spacing_mm: float) -> float:
    """Return the depth behind the maximum at which the dose has fallen to 80 %."""
    top = int(dose.argmax())
    level = 0.8 * dose[top]
    n = top + int(np.argmax(dose[top:] < level))
    share = (dose[n - 1] - level) / (dose[n - 1] - dose[n])
    return float((n - 0.5 + share) * spacing_mm)
