"""Media of a FRED input as ours: named ones, and the table from Hounsfield numbers.

Rows of the HU table are taken as points of curves: density, relative stopping power (RSP), mean excitation energy and
mass fractions are linear in between. Density follows its curve in every voxel; the composition goes in small steps.

An RSP is taken at its word. Our stopping power comes from density, composition and mean excitation energy; where the
table's RSP is another, the mean excitation energy is set to the value that gives the RSP at 100 MeV. Density, and with
it the mass, scattering and nuclear interactions stay those of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.fred.fred_input import FredInput
from dosewright.formats.text.fred.media import BUILT_IN, FredMaterial, HuRow
from dosewright.materials.elements import element
from dosewright.materials.hlut import density_at, material_at
from dosewright.materials.library import named
from dosewright.materials.stopping import mean_excitation_eV, proton_mass_stopping_power

VACUUM, BLACK_HOLE = "vacuum", "blackhole"
OURS = {"water": "G4_WATER", "air": "G4_AIR", "pmma": "G4_PLEXIGLASS", "al": "G4_Al", "ti": "G4_Ti", "cu": "G4_Cu",
        "ni": "G4_Ni", "si": "G4_Si", "lexan": "G4_POLYCARBONATE"}  # fmt: skip
RSP_AT_MEV = 100.0
RSP_TOLERANCE = 0.01  # above it a table and what is transported are told apart
LEAST_EV, MOST_EV = 15.0, 1000.0  # mean excitation energies lie between hydrogen gas, 19 eV, and lead, 823 eV (ICRU 37)
LEAST_G_CM3 = 1e-6  # what a row without matter gets
GAS_G_CM3 = 0.05  # below it an RSP that cannot be met does not matter: a metre is half a millimetre of water
MOST_INTERVALS = 240  # of composition; a voxel names its medium in one byte, and other media need room
STEPS = 20  # of composition between two rows
SAME = 1e-6

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Medium:
    """A material with its density in g/cm3; None instead of a `Medium` is vacuum."""

    material: Material
    density_g_cm3: float


def named_medium(name: str, of: FredInput, where: str) -> Medium | None:
    """Return a built-in medium or one of the input, None for vacuum; what absorbs everything is refused."""
    own = {one.id.casefold(): one for one in of.materials}
    word = name.casefold()
    if word in own:
        return _own_medium(own[word], of)
    if word == VACUUM:
        return None
    if word not in OURS:
        allowed = ", ".join([*(one for one in BUILT_IN if one != BLACK_HOLE), *(one.id for one in of.materials)])
        raise refuse(f"A medium cannot be transported in.{nearest(name, [*OURS, *own])}", given=name, allowed=allowed,
                     where=where)  # fmt: skip
    material = named(OURS[word])
    return Medium(material, material.density_g_cm3)


def _own_medium(one: FredMaterial, of: FredInput, above: tuple[str, ...] = ()) -> Medium:
    """Return a medium of the input, with what it takes from the one it is based on."""
    if one.id.casefold() in above:
        raise refuse("Materials are based on each other", given=" > ".join((*above, one.id)), where=one.where)
    if one.based_on is None:
        shares = {element(symbol).Z: 0.0 for symbol in one.elements}
        for symbol, share in zip(one.elements, one.shares, strict=True):
            shares[element(symbol).Z] += share * (element(symbol).atomic_weight if one.by_number else 1.0)
        density = one.density_g_cm3 or 0.0
        return Medium(Material(one.id, density, shares, one.mean_excitation_eV), density)
    own = {other.id.casefold(): other for other in of.materials}
    base = own.get(one.based_on.casefold())
    medium = named_medium(one.based_on, of, one.where) if base is None else _own_medium(
        base, of, (*above, one.id.casefold())
    )  # fmt: skip
    if medium is None:
        raise refuse("A material cannot be based on vacuum", given=one.id, where=one.where)
    density = one.density_g_cm3 or medium.density_g_cm3
    material = replace(
        medium.material,
        name=one.id,
        density_g_cm3=density,
        mean_excitation_eV=one.mean_excitation_eV or medium.material.mean_excitation_eV,
    )
    return Medium(material, density)


@dataclass(frozen=True)
class HuTable:
    """The HU table of an input as ours, and what a reader should know of it."""

    table: HounsfieldTable
    said: tuple[str, ...]

    def medium(self, hounsfield: float) -> Medium:
        """Return the medium of one number."""
        at = np.array([hounsfield])
        material = self.table.materials[int(material_at(at, self.table)[0])]
        return Medium(material, float(density_at(at, self.table)[0]))


def hu_table(rows: Sequence[HuRow]) -> HuTable:
    """Return the table of rows in ascending order; refused where an RSP is beyond what matter can have."""
    curves = _Curves.of(rows)
    begins: list[float] = []
    materials: list[Material] = []
    changed: list[_Change] = []
    problems: list[str] = []
    for begin, at in _intervals(curves):
        material, change = curves.material(at)
        if materials and _alike(material, materials[-1]):
            continue
        begins.append(begin)
        materials.append(material)
        if abs(change.table - change.before) > RSP_TOLERANCE * change.table:
            changed.append(change)
        missed = abs(change.after - change.table) > RSP_TOLERANCE * change.table
        if missed and change.density_g_cm3 >= GAS_G_CM3:
            row = rows[min(int(np.searchsorted(curves.hu, at, side="right")) - 1, len(rows) - 1)]
            problems += refuse("The RSP of the HU table is none that matter of this density and composition can have",
                               given=f"{change.table:.4g} near HU {at:.0f}", allowed=f"about {change.before:.4g}",
                               where=row.where).problems  # fmt: skip
    if problems:
        raise InputError(*problems)
    together = -(-len(begins) // MOST_INTERVALS)
    lower, media = np.array(begins[::together]), tuple(materials[::together])
    table = HounsfieldTable("HU table of the input", curves.hu, curves.density, lower, None, media)
    return HuTable(table, (*curves.said(), *_said_of(changed)))


def mass_rsp(material: Material) -> float:
    """Return the mass stopping power of protons relative to water at the reference energy."""
    water = named("G4_WATER")
    stopping, of_water = (float(proton_mass_stopping_power(one, RSP_AT_MEV)) for one in (material, water))
    return stopping / of_water


def with_mass_rsp(material: Material, wanted: float) -> Material:
    """Return a medium with the mean excitation energy that gives a mass RSP, as nearly as there is one.

    The stopping power is linear in the logarithm of the mean excitation energy (Bethe), so that two values tell it.
    """
    if abs(mass_rsp(material) - wanted) <= SAME * wanted:
        return material
    start = mean_excitation_eV(material)
    first, second = (mass_rsp(replace(material, mean_excitation_eV=i)) for i in (start, 1.1 * start))
    slope = (second - first) / np.log(1.1)
    excitation = float(np.clip(start * np.exp((wanted - first) / slope), LEAST_EV, MOST_EV))
    return replace(material, mean_excitation_eV=excitation)


@dataclass(frozen=True)
class _Change:
    """RSP near a Hounsfield number: in the table, by our stopping power before and after, and how it was met."""

    hounsfield: float
    density_g_cm3: float
    table: float
    before: float
    after: float
    excitation_eV: float


@dataclass(frozen=True)
class _Curves:
    """Rows as curves over the Hounsfield number; nan where a column is not there."""

    hu: Array
    density: Array
    rsp: Array
    excitation_eV: Array
    fractions: dict[int, Array]
    lengths: bool

    @classmethod
    def of(cls, rows: Sequence[HuRow]) -> "_Curves":
        """Take the columns of rows; shares are relative to their sum."""
        symbols = sorted({symbol for row in rows for symbol in row.mass_percent})
        totals = [sum(row.mass_percent.values()) for row in rows]
        fractions: dict[int, Array] = {}
        for symbol in symbols:
            shares = [row.mass_percent.get(symbol, 0.0) / total for row, total in zip(rows, totals, strict=True)]
            if any(shares):
                fractions[element(symbol).Z] = np.array(shares)
        nan = float("nan")
        return cls(
            np.array([row.hounsfield for row in rows]),
            np.maximum([row.density_g_cm3 for row in rows], LEAST_G_CM3),
            np.array([nan if row.relative_stopping_power is None else row.relative_stopping_power for row in rows]),
            np.array([nan if row.mean_excitation_eV is None else row.mean_excitation_eV for row in rows]),
            fractions,
            any(row.radiation_length_g_cm2 is not None for row in rows),
        )

    def at(self, hounsfield: float, curve: Array) -> float:
        """Return the value of a curve."""
        return float(np.interp(hounsfield, self.hu, curve))

    def material(self, hounsfield: float) -> tuple[Material, _Change]:
        """Return the medium near a number, its mean excitation energy set to the RSP, and what that changed."""
        density, own = self.at(hounsfield, self.density), self.at(hounsfield, self.excitation_eV)
        fractions = {z: self.at(hounsfield, curve) for z, curve in self.fractions.items()}
        given = Material(f"HU {hounsfield:.0f}", density, fractions, own if own > 0 else None)
        rsp = self.at(hounsfield, self.rsp)
        before = density * mass_rsp(given)
        if not rsp >= 0:
            return given, _Change(hounsfield, density, before, before, before, mean_excitation_eV(given))
        met = with_mass_rsp(given, rsp / density)
        return met, _Change(hounsfield, density, rsp, before, density * mass_rsp(met), mean_excitation_eV(met))

    def said(self) -> tuple[str, ...]:
        """Return what is left open, or not used."""
        if not self.lengths:
            return ()
        return ("Radiation lengths (Lrad) of the HU table are not used: scattering comes from the composition.",)


def _intervals(curves: _Curves) -> list[tuple[float, float]]:
    """Return where each medium begins, and the number for which its composition is taken.

    Between rows that differ in more than density there are small steps. A step stands for the whole numbers in it:
    where rows follow each other by one, each number has the medium of its own row.
    """
    ratio = curves.rsp / curves.density
    varying = [*curves.fractions.values(), curves.excitation_eV, ratio]
    found: list[tuple[float, float]] = []
    for n, (low, high) in enumerate(pairwise(curves.hu)):
        same = all(_same(curve[n], curve[n + 1]) for curve in varying)
        steps = 1 if same else int(np.clip(high - low, 1, STEPS))
        edges = np.linspace(low, high, steps + 1)
        found += [(float(a), _middle(a, b)) for a, b in pairwise(edges)]
    return [*found, (float(curves.hu[-1]), float(curves.hu[-1]))]


def _middle(low: float, high: float) -> float:
    """Return the middle of the whole numbers from `low` to below `high`, or of the two."""
    first, last = np.ceil(low - SAME), np.ceil(high - SAME) - 1
    return float((first + last) / 2 if first <= last else (low + high) / 2)


def _alike(one: Material, other: Material) -> bool:
    """Say whether two media differ in name and density only."""
    a, b = one.mass_fractions, other.mass_fractions
    excitations = [m.mean_excitation_eV or 0.0 for m in (one, other)]
    return _same(*excitations) and all(abs(a.get(z, 0.0) - b.get(z, 0.0)) <= SAME for z in {*a, *b})


def _same(a: float, b: float) -> bool:
    return bool((np.isnan(a) and np.isnan(b)) or abs(a - b) <= SAME * max(abs(a), abs(b)))


def _said_of(changed: Sequence[_Change]) -> tuple[str, ...]:
    """Say where the RSP of the table is another than density, composition and mean excitation energy give."""
    if not changed:
        return ()
    worst = max(changed, key=lambda one: abs(one.table / one.before - 1))
    after = abs(worst.after / worst.table - 1) <= RSP_TOLERANCE
    end = "" if after else f", which gives {worst.after:.4g}: no more could be done for a gas"
    return (
        f"The RSP of the HU table differs from what density, composition and Ipot give by up to "
        f"{100 * (worst.table / worst.before - 1):+.1f} % (near HU {worst.hounsfield:.0f}: {worst.table:.4g} and "
        f"{worst.before:.4g}). The RSP was taken: the mean excitation energy was set to meet it at "
        f"{RSP_AT_MEV:g} MeV, there to {worst.excitation_eV:.0f} eV{end}.",
    )
