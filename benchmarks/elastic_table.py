"""Make the packaged table of elastic scattering: ``python -m benchmarks.elastic_table`` (a quarter of an hour).

Partial waves in the screened field up to 1 MeV. Above, the cross section of the bare nucleus times what screening
makes of it at 1 MeV at the same momentum transfer: its logarithm beyond Born's approximation goes as (Z alpha/beta)^2
where it is the same for both charges (the leading term), and as 1/T at the same angle where it is opposite.
"""

import hashlib
import json
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.atomic_fields import fitted_field
from dosewright.core.units import ELECTRON_MASS_MEV, FINE_STRUCTURE
from dosewright.materials.electrons.elastic_data import TABLE
from dosewright.materials.electrons.lookup import LARGEST_Q
from dosewright.materials.electrons.partial_waves import (
    Field,
    cross_section,
    mott_cross_section,
    nuclear_radius,
    phases,
)
from dosewright.materials.electrons.screening import (
    RATIO_NODES,
    TABLE_MEV,
    UNIT,
    kinematics,
    node_q,
    screening,
)
from dosewright.materials.elements import TABLES

Array = NDArray[np.float64]

HIGHEST_Z = 92
WAVES_TO_MEV = 1.0


def main() -> None:
    """Compute every element and write the table with its entry in the index."""
    logarithms = np.zeros((2, HIGHEST_Z, TABLE_MEV.size, RATIO_NODES))
    for z in range(1, HIGHEST_Z + 1):
        logarithms[:, z - 1] = element_logarithms(z)
        print(z, flush=True)
    whole = np.rint(logarithms / UNIT).astype(np.int64)
    steps = np.diff(whole, axis=-1, prepend=0)
    if np.abs(steps).max() >= 2**15:
        raise OverflowError("a step of the table does not fit into 16 bits")
    weights = np.array([_field(z).weights for z in range(1, HIGHEST_Z + 1)])
    np.savez_compressed(TABLES / TABLE, steps=steps.astype(np.int16), weights=weights)
    _enter_in_index()


def element_logarithms(z: int) -> Array:
    """Return ln of the cross section over the simple formula, [electron or positron, energy, node]."""
    out = np.zeros((2, TABLE_MEV.size, RATIO_NODES))
    for row, energy in enumerate(TABLE_MEV):
        q = node_q(float(energy))
        for charge in (0, 1):
            per_angle = by_waves if energy <= WAVES_TO_MEV else above
            out[charge, row] = np.log(per_angle(z, energy, q, bool(charge)) / simple_per_angle(z, energy, q))
    return out


def simple_per_angle(z: int, energy: float, q: Array) -> Array:
    """Return the simple formula of `screening.simple` per solid angle, (hbar/mc)^2/sr."""
    momentum2, beta2 = (float(v[0]) for v in kinematics(np.array([energy])))
    a = float(screening(z, np.array([energy]))[0])
    return 4 * (z * FINE_STRUCTURE) ** 2 / (momentum2 * beta2) * (1 - beta2 * q / LARGEST_Q) / (q + a) ** 2


def by_waves(z: int, energy: float, q: Array, positron: bool) -> Array:
    """Return the elastic cross section from partial waves, (hbar/mc)^2/sr."""
    kinetic = energy / ELECTRON_MASS_MEV
    up, down = _phases(z, kinetic, positron)
    return cross_section(up, down, float(np.sqrt(kinetic * (kinetic + 2))), 1 - q / 2)


@lru_cache(maxsize=HIGHEST_Z)
def _field(z: int) -> Field:
    return fitted_field(z)


@lru_cache(maxsize=4)
def _phases(z: int, kinetic: float, positron: bool) -> tuple[Array, Array]:
    return phases(_field(z), kinetic, positron)


def above(z: int, energy: float, q: Array, positron: bool) -> Array:
    """Return the elastic cross section beyond the partial waves, (hbar/mc)^2/sr."""
    (p2, b2), (r2, rb2) = ((float(v[0]) for v in kinematics(np.array([e]))) for e in (energy, WAVES_TO_MEV))
    same_transfer = np.minimum(q * p2 / r2, LARGEST_Q)
    even, _ = screened_at_reference(z, same_transfer)
    _, odd = screened_at_reference(z, q)
    log_born = 2 * np.log(1 - _field(z).form_factor(np.sqrt(p2 * q)))
    reference_born = 2 * np.log(1 - _field(z).form_factor(np.sqrt(r2 * same_transfer)))
    beyond = np.where(q * p2 / r2 < LARGEST_Q, even - reference_born, 0.0) * rb2 / b2
    beyond += (-odd if positron else odd) * WAVES_TO_MEV / energy
    return bare(z, energy, q, positron) * np.exp(log_born + beyond)


def bare(z: int, energy: float, q: Array, positron: bool) -> Array:
    """Return the elastic cross section of the nucleus alone, (hbar/mc)^2/sr."""
    return mott_cross_section(z, energy / ELECTRON_MASS_MEV, positron, 1 - q / 2, radius=nuclear_radius(z))


def screened_at_reference(z: int, q: Array) -> tuple[Array, Array]:
    """Return ln of screened over bare at the highest energy of the waves: even and odd in the charge."""
    logs = []
    for positron in (False, True):
        logs.append(np.log(by_waves(z, WAVES_TO_MEV, q, positron) / bare(z, WAVES_TO_MEV, q, positron)))
    return (logs[0] + logs[1]) / 2, (logs[0] - logs[1]) / 2


def _enter_in_index() -> None:
    index = json.loads((TABLES / "index.json").read_text(encoding="utf-8"))
    index[TABLE] = {
        "content": "ln of the elastic cross section of electrons and positrons, H to U, 1 keV to 64 MeV, over "
        "c (1 - beta^2 q/4)/(q + A)^2, as differences along the angle nodes in units of 1/1024; weights of the "
        "Yukawas of the atoms' fields",
        "origin": "Own computation: benchmarks/elastic_table.py, Dirac partial waves with exchange in fields from "
        "the form factors of xraylib made relativistic",
        "citation": "Walker, Adv. Phys. 20, 257 (1971); Furness and McCarthy, J. Phys. B 6, 2280 (1973); Hubbell et "
        "al., J. Phys. Chem. Ref. Data 4, 471 (1975); Kohn and Sham, Phys. Rev. 140, A1133 (1965); Mott, Proc. R. "
        "Soc. A 124, 425 (1929)",
        "licence": "own",
        "sha256": hashlib.sha256((TABLES / TABLE).read_bytes()).hexdigest(),
    }
    (TABLES / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
