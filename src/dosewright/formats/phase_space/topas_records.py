"""Records of TOPAS phase spaces and particles, one made into the other.

In the binary and ASCII formats a record of weight below zero and code 0 is none of a particle: it stands for as many
histories that sent nothing (OpenTOPAS 4, IncludeEmptyHistories). They are counted with the next record that is one.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import Particles
from dosewright.formats.phase_space.raw import w_of
from dosewright.formats.phase_space.topas_header import LIMITED, LIMITED_RECORD, PDG, STANDARD, Column

# TOPAS counts such a weight up by ones, in single precision.
MOST_EMPTY: Final = 1 << 24
MOST_EMPTY_RECORDS: Final = 1 << 20


def record_type(columns: tuple[Column, ...], length: int | None = None) -> np.dtype[np.void]:
    """Return the type of a binary record; bytes beyond its columns are passed over."""
    packed = np.dtype([(column.field, "<" + column.type) for column in columns])
    if length is None or length == packed.itemsize:
        return packed
    offsets = [0, *np.cumsum([np.dtype(column.type).itemsize for column in columns])[:-1].tolist()]
    return np.dtype({"names": [column.field for column in columns], "formats": ["<" + c.type for c in columns],
                     "offsets": offsets, "itemsize": length})  # fmt: skip


def particles_of(run: NDArray[np.void], columns: tuple[Column, ...], form: str) -> tuple[Particles, NDArray[np.bool_]]:
    """Return records as particles, and which of them are.

    The others, empty histories and particles of other kinds, have species 0 and the histories they stand for.

    Raises
    ------
    InputError
        A flag is neither 0 nor 1, or an empty history cannot be one.
    """
    columns_of = {name: run[name].astype(np.float32) for name in ("x_cm", "y_cm", "u", "v")}
    ones = np.ones(len(run), np.float32)
    names = run.dtype.names or ()
    columns_of["z_cm"] = run["z_cm"].astype(np.float32) if "z_cm" in names else ones * 0
    weight = run["weight"].astype(np.float32) if "weight" in names else ones
    if form == LIMITED:
        kind, energy = run["type"].astype(np.int8), run["energy"].astype(np.float32)
        # Of -128 there is no absolute value in 8 bits; it stays what it is, and is refused as unknown.
        species, negative, first = np.abs(kind), kind < 0, np.signbit(energy)
        energy, histories = np.abs(energy), first.astype(np.int64)
        is_one = np.ones(len(run), np.bool_)
    else:
        energy = run["energy_MeV"].astype(np.float32)
        negative, first = (_flags(run[name]) for name in ("w_negative", "first"))
        species = species_of(run["pdg"])
        is_one = species != 0
        histories = first.astype(np.int64)
        if not is_one.all():
            _count_empty(histories, first, weight, run["pdg"])
    extra: dict[str, NDArray[np.generic]] = {
        column.name: run[column.field].astype(column.kept_as) for column in columns if column.kept_as
    }
    w = w_of(columns_of["u"], columns_of["v"], negative)
    return Particles(species, energy, **columns_of, w=w, weight=weight, histories=histories, extra=extra), is_one


def _flags(column: NDArray[np.uint8]) -> NDArray[np.bool_]:
    if column.max(initial=0) > 1:
        raise refuse("A flag of a record is neither 0 nor 1", given=int(column.max()))
    return column.astype(np.bool_)


def species_of(pdg: NDArray[np.int32]) -> NDArray[np.int8]:
    """Return species codes for codes of the Particle Data Group, 0 for particles of other kinds and for none."""
    species = np.zeros(len(pdg), np.int8)
    for code, theirs in PDG.items():
        species |= (pdg == theirs).view(np.int8) * np.int8(code)
    return species


def _count_empty(
    histories: NDArray[np.int64], first: NDArray[np.bool_], weight: NDArray[np.float32], pdg: NDArray[np.int32]
) -> None:
    """Put the number of empty histories into the records that stand for them."""
    empty = (pdg == 0) & (weight < 0)
    numbers = -weight[empty].astype(np.float64)
    if not ((numbers >= 1) & (numbers < 2**63) & (numbers == np.floor(numbers))).all() or not first[empty].all():
        raise refuse("A record of empty histories cannot be one", given=f"weights {weight[empty].min()} and up",
                     allowed="minus a whole number, and the flag of a new history")  # fmt: skip
    if (empty[:-1] & ~first[1:] & ~empty[1:]).any():
        raise refuse("A record after an empty history does not begin one")
    histories[empty] = numbers.astype(np.int64)


def records_of(particles: Particles, columns: tuple[Column, ...]) -> NDArray[np.void]:
    """Return particles as records of the binary or ASCII format; empty histories become some of their own."""
    records = np.empty(len(particles), record_type(columns))
    for name in ("x_cm", "y_cm", "z_cm", "u", "v", "energy_MeV", "weight"):
        records[name] = getattr(particles, name)
    records["pdg"] = np.array([0, *PDG.values()], np.int32).take(particles.species)
    records["w_negative"] = np.signbit(particles.w)
    records["first"] = particles.histories > 0
    for column in columns:
        if column.name:
            records[column.field] = particles.extra[column.name]
    if particles.histories.max(initial=0) <= 1:
        return records
    return _with_empty(records, np.maximum(particles.histories - 1, 0))


def _with_empty(records: NDArray[np.void], empty: NDArray[np.int64]) -> NDArray[np.void]:
    """Put records for empty histories before those records that have some before them."""
    added = -(-empty // MOST_EMPTY)
    if added.sum() > MOST_EMPTY_RECORDS:
        raise refuse("Too many histories that sent nothing between two records", given=int(empty.max()))
    places = np.arange(len(records)) + np.cumsum(added)
    together = np.zeros(len(records) + int(added.sum()), records.dtype)
    together["first"], together["weight"] = 1, -MOST_EMPTY
    whole = np.dtype((np.void, records.itemsize))  # records moved as bytes, not field by field
    together.view(whole)[places] = records.view(whole)
    some = added > 0
    together["weight"][places[some] - 1] = -(empty[some] - (added[some] - 1) * MOST_EMPTY)
    return together


def empty_records(histories: int, columns: tuple[Column, ...]) -> NDArray[np.void]:
    """Return records that stand for histories that sent nothing."""
    none = np.zeros(1, record_type(columns))
    return _with_empty(none, np.array([histories]))[:-1]


def limited_records_of(particles: Particles) -> NDArray[np.void]:
    """Return particles as records of the limited format."""
    records = np.empty(len(particles), np.dtype([(name, "<" + kind) for name, kind in LIMITED_RECORD]))
    records["type"] = np.where(np.signbit(particles.w), -particles.species, particles.species)
    records["energy"] = np.where(particles.histories > 0, -particles.energy_MeV, particles.energy_MeV)
    for name in ("x_cm", "y_cm", "z_cm", "u", "v", "weight"):
        records[name] = getattr(particles, name)
    return records


def columns_with(extra: dict[str, str]) -> tuple[Column, ...]:
    """Return the columns of a record with these extra ones."""
    standard = tuple(Column(key, kind) for key, kind, _ in STANDARD)
    return standard + tuple(Column(f"extra{n}", kind, name) for n, (name, kind) in enumerate(extra.items()))
