"""Fit the bremsstrahlung cross sections anew: ``python -m benchmarks.bremsstrahlung_fit [FILE]``.

Reads the evaluation of Seltzer and Berger (NBS, 1984), writes ``materials/tables/bremsstrahlung.csv`` with its hash in
the index, and prints how far the fit lies from the evaluation.
"""

import csv
import io
import json
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from dosewright.materials.electrons import radiation
from dosewright.materials.elements import TABLES

EVALUATION = Path(__file__).resolve().parents[2] / "shared" / "data" / "nbs-bremsstrahlung" / "nist_brems.data"
NAME = "bremsstrahlung.csv"
DIGITS = 5  # of the coefficients, which add up to a logarithm
BEYOND_TIP = 0.9995  # shares above are left out: there the printed values scatter
TIP, TIP_WEIGHT = 0.96, 0.3  # the last few per cent of the spectrum weigh less

Array = NDArray[np.float64]


def read_evaluation(path: Path) -> tuple[Array, Array, Array]:
    """Return energies (MeV), shares k/T and (beta^2/Z^2) k dsigma/dk in mb [element from hydrogen, energy, share]."""
    lines = path.read_text(encoding="ascii").splitlines()
    energies, shares = (int(word) for word in lines[1].split())
    axes: list[float] = []
    here = 2
    while len(axes) < energies + shares:
        axes += [float(word) for word in lines[here].split()]
        here += 1
    values = np.array(" ".join(lines[here + 1 :]).split(), float)
    table = values.reshape(-1, shares, energies).transpose(0, 2, 1)
    return np.array(axes[:energies]), np.array(axes[energies:]), table


def fit(energy: Array, share: Array, table: Array) -> Array:
    """Return the coefficients [in Z, in T, in the share] that come nearest to ln of the table, by least squares.

    Shares halfway between those of the table, by monotone cubics, keep the polynomials from swinging.
    """
    dense = np.unique(np.concatenate((share, (share[1:] + share[:-1]) / 2, [0.0125, 0.0375])))
    wanted = PchipInterpolator(share, np.log(table), axis=-1)(dense)
    z = np.arange(1.0, table.shape[0] + 1)
    grid = np.broadcast_to(dense, (energy.size, dense.size))
    of_z, of_energy, of_share = radiation.basis(z, energy, grid)
    products = (of_energy[:, None, :, None] * of_share[:, :, None, :]).reshape(grid.size, -1)
    weight = np.where(grid > TIP, TIP_WEIGHT, 1.0).ravel()
    rows = np.linalg.lstsq(products * weight[:, None], (wanted.reshape(z.size, -1) * weight).T, rcond=1e-12)[0]
    found: Array = np.linalg.lstsq(of_z, rows.T, rcond=None)[0]
    return found.reshape([d + 1 for d in radiation.DEGREES])


def written(coefficients: Array) -> bytes:
    """Return the packaged table: one row per degree in Z and in T."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["z", "energy", *(f"share_{k}" for k in range(coefficients.shape[2]))])
    for i, j in np.ndindex(*coefficients.shape[:2]):
        out.writerow([i, j, *(f"{c:.{DIGITS}f}" for c in coefficients[i, j])])
    return text.getvalue().encode("ascii")


def deviations(energy: Array, share: Array, table: Array) -> tuple[Array, Array]:
    """Return the relative deviation of the packaged fit, of the cross section and of its integral over k/T."""
    grid = np.broadcast_to(share, (energy.size, share.size))
    ours = np.array([radiation.scaled_cross_section(z, energy, grid) for z in range(1, table.shape[0] + 1)])
    return ours / table - 1, np.trapezoid(ours, share) / np.trapezoid(table, share) - 1


def main(path: Path) -> None:
    """Fit, write, compare."""
    energy, share, table = read_evaluation(path)
    used = energy <= radiation.HIGHEST_MEV
    energy, table = energy[used], table[: radiation.HEAVIEST, used]
    inner = share <= BEYOND_TIP
    data = written(fit(energy, share[inner], table[..., inner]))
    (TABLES / NAME).write_bytes(data)
    index = json.loads((TABLES / "index.json").read_text(encoding="utf-8"))
    index[NAME] = {
        "content": "Coefficients of Chebyshev polynomials in ln Z, ln T and k/T of the logarithm of the scaled "
        "bremsstrahlung cross section (mb), Z = 1 to 92, 1 keV to 100 MeV",
        "origin": "Least squares fit for this project; python -m benchmarks.bremsstrahlung_fit",
        "citation": "Seltzer and Berger, NIM B 12, 95 (1985) and At. Data Nucl. Data Tables 35, 345 (1986)",
        "licence": "facts",
        "sha256": sha256(data).hexdigest(),
    }
    (TABLES / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    cross_section, stopping = deviations(energy, share, table)
    body = share <= 0.95
    for name, rows in (("H to U", slice(0, 92)), ("Be to Pb", slice(3, 82))):
        part, loss = 100 * cross_section[rows][..., body], 100 * stopping[rows]
        print(f"{name}: k/T <= 0.95 rms {part.std():.2f} %, worst {np.abs(part).max():.1f} %; ", end="")
        print(f"radiative stopping rms {loss.std():.2f} %, worst {np.abs(loss).max():.2f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EVALUATION)
