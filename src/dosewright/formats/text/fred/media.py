"""Materials of FRED input: named ones, and the table from Hounsfield numbers.

Source: FRED manual, material definition and HU calibration.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dosewright.core.errors import refuse
from dosewright.core.looks import tried
from dosewright.formats.text.fred.directives import Directive
from dosewright.formats.text.fred.taking import Taking, as_list, as_number, as_word

BUILT_IN = ("vacuum", "blackhole", "water", "air", "pmma", "al", "ti", "cu", "ni", "si", "lexan")
HOUNSFIELD = re.compile(r"HU\s*([+-]?\s*\d+(?:\.\d+)?)\Z", re.IGNORECASE)
SYMBOL = re.compile(r"[A-Z][a-z]?\Z")
PROPERTIES = ("HU", "rho", "RSP", "Ipot", "Lrad")
PERCENT_OFF = 1.0  # by which the shares of a row may miss 100 before it is told


@dataclass(frozen=True)
class FredMaterial:
    """A named medium; what is None comes from the one it is based on.

    Parameters
    ----------
    id, based_on
        Its name; the medium whose values it changes, or None.
    density_g_cm3, mean_excitation_eV, radiation_length_g_cm2
        Its own values.
    elements, shares, by_number
        Symbols of the elements with their shares, of the number of atoms or of the mass.
    """

    id: str
    based_on: str | None
    density_g_cm3: float | None
    mean_excitation_eV: float | None
    radiation_length_g_cm2: float | None
    elements: tuple[str, ...]
    shares: tuple[float, ...]
    by_number: bool
    where: str


@dataclass(frozen=True)
class HuRow:
    """One row of the HU table; shares of the mass by symbol, in percent."""

    hounsfield: float
    density_g_cm3: float
    relative_stopping_power: float | None
    mean_excitation_eV: float | None
    radiation_length_g_cm2: float | None
    mass_percent: dict[str, float] = field(hash=False)
    where: str = ""


def medium_of(text: str, where: str) -> tuple[str | None, float | None]:
    """Return a medium by name, or by the Hounsfield number of ``HU-400``, ``HU+1250``."""
    if found := HOUNSFIELD.match(text.strip()):
        return None, as_number(found[1].replace(" ", ""), where)
    return as_word(text, where), None


def read_material(directive: Directive, taking: Taking, name: str) -> FredMaterial:
    """Read a named medium."""
    taking.what = f"material {name}"
    based_on = taking.word("basedOn")
    density = taking.number("rho", least=1e-12, most=100.0)
    excitation = taking.number("Ipot", least=1.0, most=2000.0)
    length = taking.number("Lrad", least=1e-3)
    elements = tuple(taking.read(["composition"], as_list) or ())
    fractions, weights = (taking.read([key], _shares) for key in ("fractions", "weights"))
    taking.word("longName") if taking.given("longName") else None
    shares = fractions or weights or ((1.0,) if len(elements) == 1 else ())
    if fractions and weights:
        taking.problem(f"{taking.what}: shares are fractions or weights", given="both", allowed="one of them")
    if elements and based_on:
        taking.problem(f"{taking.what}: a medium based on another keeps its composition", given="composition")
    if not based_on and (density is None or excitation is None or not elements):
        taking.problem(f"{taking.what} is not complete", allowed="basedOn, or rho, Ipot, composition and shares")
    if len(elements) != len(shares) or any(not SYMBOL.match(one) for one in elements):
        taking.problem(f"{taking.what}: elements and shares do not fit", given=f"{len(elements)} elements, "
                       f"{len(shares)} shares", allowed="symbols such as [H,O], and one share of each")  # fmt: skip
    taking.refuse_rest()
    return FredMaterial(name, based_on, density, excitation, length, elements, tuple(shares), bool(fractions),
                        directive.where)  # fmt: skip


def _shares(text: str, where: str) -> tuple[float, ...]:
    found = tuple(as_number(word, where, least=0.0) for word in as_list(text, where))
    if not sum(found) > 0:
        raise refuse("Shares must add up to more than nothing", given=text[:60], where=where)
    return found


def read_hu_table(directives: Sequence[Directive], problems: list[str], notes: list[str]) -> tuple[HuRow, ...]:
    """Read ``matColumns:`` and the rows ``mat:`` that follow it, in ascending order of their Hounsfield numbers."""
    columns: tuple[str, ...] = ()
    rows: list[HuRow] = []
    for one in directives:
        if one.settings:
            problems += refuse(f"{one.name}: has no keys", given=one.settings[0].key, where=one.where).problems
        if one.name == "matColumns":
            columns = tried(lambda one=one: _columns(one), problems) or ()  # type: ignore[misc]
        elif not columns:
            problems += refuse("mat: needs the names of its columns", allowed="matColumns: HU rho ... before it",
                               where=one.where).problems  # fmt: skip
        else:
            row = tried(lambda one=one, columns=columns: _row(one, columns), problems)  # type: ignore[misc]
            rows += [row] if row else []
    rows.sort(key=lambda row: row.hounsfield)
    for before, row in pairwise(rows):
        if before.hounsfield == row.hounsfield:
            problems += refuse(
                "A Hounsfield number stands twice", given=f"{row.hounsfield:g}", where=row.where
            ).problems
    odd = [row for row in rows if abs(sum(row.mass_percent.values()) - 100.0) > PERCENT_OFF]
    if odd:
        numbers = ", ".join(f"{row.hounsfield:g}" for row in odd[:5])
        notes.append(f"{odd[0].where}: the shares of {len(odd)} rows of the HU table do not add up to 100 % "
                     f"(HU {numbers}); they are taken relative to their sum.")  # fmt: skip
    return tuple(rows)


def _columns(directive: Directive) -> tuple[str, ...]:
    names = directive.words
    strange = [name for name in names if name not in PROPERTIES and not SYMBOL.match(name)]
    if strange or len(set(names)) < len(names) or not {"HU", "rho"} <= set(names):
        raise refuse("The columns of the HU table cannot be used", given=" ".join(strange or names)[:80],
                     allowed="HU and rho, then RSP, Ipot, Lrad, and symbols of elements, each once",
                     where=directive.where)  # fmt: skip
    return names


def _row(directive: Directive, columns: tuple[str, ...]) -> HuRow:
    if len(directive.words) != len(columns):
        raise refuse("A row of the HU table has another number of columns", given=len(directive.words),
                     allowed=f"{len(columns)}: {' '.join(columns)}", where=directive.where)  # fmt: skip
    values = {name: as_number(word, directive.where, least=-1e5 if name == "HU" else 0.0)
              for name, word in zip(columns, directive.words, strict=True)}  # fmt: skip
    shares = {name: value for name, value in values.items() if name not in PROPERTIES}
    if not sum(shares.values()) > 0:
        raise refuse("A row of the HU table has no elements", where=directive.where)
    return HuRow(values["HU"], values["rho"], values.get("RSP"), values.get("Ipot"), values.get("Lrad"), shares,
                 directive.where)  # fmt: skip
