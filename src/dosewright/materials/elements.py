"""The elements: symbols, standard atomic weights, densities, mean excitation energies."""

import csv
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dosewright.core.errors import DosewrightError, nearest, refuse

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Element:
    """One chemical element.

    `mean_excitation_eV` is that of the element itself, `compound_mean_excitation_eV` the value for Bragg's rule in
    liquids and solids (ICRU Report 37, table 5.1). `density_g_cm3` is at 20 degrees Celsius and 101.325 kPa.
    """

    Z: int
    symbol: str
    name: str
    atomic_weight: float
    density_g_cm3: float
    mean_excitation_eV: float
    compound_mean_excitation_eV: float


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a packaged table, once its SHA-256 agrees with the index."""
    data = (TABLES / name).read_bytes()
    expected = json.loads((TABLES / "index.json").read_text(encoding="utf-8"))[name]["sha256"]
    if hashlib.sha256(data).hexdigest() != expected:
        raise DosewrightError(f"The packaged table {name} differs from its index; the installation is damaged.")
    return list(csv.DictReader(data.decode("utf-8").splitlines()))


@cache
def elements() -> dict[int, Element]:
    """Return every known element by atomic number, hydrogen to uranium."""
    return {
        int(row["Z"]): Element(
            int(row["Z"]),
            row["symbol"],
            row["name"],
            float(row["atomic_weight"]),
            float(row["density_g_cm3"]),
            float(row["mean_excitation_eV"]),
            float(row["compound_mean_excitation_eV"]),
        )
        for row in read_table("elements.csv")
    }


# Spellings that occur in files of other programs.
_OTHER_SPELLINGS = {"phosphor": 15, "sulphur": 16, "aluminum": 13, "cesium": 55}


@cache
def _by_word() -> dict[str, int]:
    words = dict(_OTHER_SPELLINGS)
    for z, one in elements().items():
        words[one.symbol.casefold()] = words[one.name.casefold()] = z
    return words


def element(key: int | str) -> Element:
    """Return an element by atomic number, symbol or English name."""
    z = key if isinstance(key, int) else _by_word().get(key.strip().casefold(), 0)
    if z not in elements():
        hint = nearest(str(key), [one.name for one in elements().values()])
        raise refuse(f"Unknown element.{hint}", given=repr(key), allowed="symbols or names from H to U")
    return elements()[z]
