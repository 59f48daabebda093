"""One record of an IAEA phase space: which quantities it stores, its bytes, and columns made of it and back.

A record is one signed byte, the species, negative where w is; a float32, the kinetic energy, negative where an
original history begins; then those of x, y, z, u, v and weight that are stored; float32 extras; integer extras. w is
never stored. Source: R. Capote et al., Phase-space database for external beam radiotherapy, INDC(NDS)-0484, 2006.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import Layout, Particles
from dosewright.formats.phase_space.raw import w_of

# In the order of the header's flags and of its constants.
QUANTITIES = ("x_cm", "y_cm", "z_cm", "u", "v", "w", "weight")
# Types of extra values, IAEA INDC(NDS)-0484 and its library; 0 is the user's own.
FLOAT_TYPES = {1: "xlast_cm", 2: "ylast_cm", 3: "zlast_cm"}
LONG_TYPES = {1: "incremental_history", 2: "latch", 3: "ilb5", 4: "ilb4", 5: "ilb3", 6: "ilb2", 7: "ilb1"}
INCREMENT = LONG_TYPES[1]
SIGN_BIT = np.uint32(31)  # of a float32; an energy of 0 has it too where a history begins
UNIT_TOLERANCE = 1e-3  # constants are printed with four or five digits


@dataclass(frozen=True)
class IaeaRecord:
    """What a record stores.

    Parameters
    ----------
    constants
        Those of `QUANTITIES` that are the same for all records and are not stored.
    floats, longs
        Names of the extra columns with the type that the header gives them.
    long_bits
        32 by the format; GAMOS on 64-bit machines wrote 64.
    """

    constants: dict[str, float] = field(default_factory=dict)
    floats: dict[str, int] = field(default_factory=dict)
    longs: dict[str, int] = field(default_factory=dict)
    long_bits: int = 32
    big_endian: bool = False

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The packed numpy type of a record."""
        order = ">" if self.big_endian else "<"
        stored = [name for name in QUANTITIES if name != "w" and name not in self.constants]
        floats = ["energy", *stored, *(f"extra {name}" for name in self.floats)]
        return np.dtype(
            [("type", "i1"), *((name, f"{order}f4") for name in floats)]
            + [(f"extra {name}", f"{order}i{self.long_bits // 8}") for name in self.longs]
        )

    @property
    def extra(self) -> dict[str, str]:
        """The extra columns with their numpy type, in the order of a record."""
        return {**dict.fromkeys(self.floats, "f4"), **dict.fromkeys(self.longs, f"i{self.long_bits // 8}")}

    def decode(self, run: NDArray[np.void]) -> Particles:
        """Return the columns of some records, all of them copies."""
        code, energy = run["type"], run["energy"].astype(np.float32)
        begins = np.signbit(energy)
        columns = {name: self._column(run, name) for name in QUANTITIES if name != "w"}
        if "w" in self.constants:
            w = np.full(len(run), self.constants["w"], np.float32)
            _check_unit(columns["u"], columns["v"], w)
        else:
            w = w_of(columns["u"], columns["v"], code < 0)
        extra = {name: run[f"extra {name}"].astype(kind) for name, kind in self.extra.items()}
        histories = begins.astype(np.int64)
        if INCREMENT in extra:
            np.maximum(histories, extra[INCREMENT], out=histories)
            if len(run) and extra[INCREMENT].min() < 0:
                raise refuse("The incremental history number of a record is negative", given=extra[INCREMENT].min())
        return Particles(
            species=np.abs(code), energy_MeV=np.abs(energy), w=w, histories=histories, extra=extra, **columns
        )

    def _column(self, run: NDArray[np.void], name: str) -> NDArray[np.float32]:
        if name in self.constants:
            return np.full(len(run), self.constants[name], np.float32)
        column: NDArray[np.float32] = run[name].astype(np.float32)
        return column

    def encode(self, particles: Particles) -> NDArray[np.void]:
        """Return the records of some particles; what the record cannot hold as asked for is refused."""
        run = np.empty(len(particles), self.dtype)
        run["type"] = np.where(np.signbit(particles.w), -particles.species, particles.species)
        energy = np.ascontiguousarray(particles.energy_MeV, np.float32).view(np.uint32)
        run["energy"] = (energy | (particles.histories > 0).astype(np.uint32) << SIGN_BIT).view(np.float32)
        for name in QUANTITIES:
            column = getattr(particles, name)
            if name in self.constants:
                if not np.all(column == np.float32(self.constants[name])):
                    given, allowed = f"{column.min():g} to {column.max():g}", self.constants[name]
                    raise refuse(
                        f"{name} is not the same for all, as the file was to say", given=given, allowed=allowed
                    )
            elif name != "w":
                run[name] = column
        for name, kind in self.extra.items():
            run[f"extra {name}"] = _fitting(particles, name, np.dtype(kind))
        return run


def _fitting(particles: Particles, name: str, kind: np.dtype[Any]) -> NDArray[np.generic]:
    """Return an extra column that fits the type it is stored as; increments come from the histories themselves."""
    if name == INCREMENT:
        column: NDArray[np.generic] = particles.histories
    elif name in particles.extra:
        column = particles.extra[name]
    else:
        raise refuse("An extra column of the phase space is missing", given=name, allowed=", ".join(particles.extra))
    if column.dtype.kind != kind.kind:
        raise refuse(f"The extra column {name!r} does not fit its type", given=column.dtype, allowed=kind)
    if kind.kind == "i" and column.dtype.itemsize > kind.itemsize and len(column):
        limits = np.iinfo(kind)
        if column.min() < limits.min or column.max() > limits.max:
            raise refuse(f"The extra column {name!r} does not fit its type", given=f"{column.min()} to {column.max()}",
                         allowed=f"{limits.min} to {limits.max}")  # fmt: skip
    return column


def _check_unit(u: NDArray[np.float32], v: NDArray[np.float32], w: NDArray[np.float32]) -> None:
    off = np.abs(u.astype(np.float64) ** 2 + v.astype(np.float64) ** 2 + w.astype(np.float64) ** 2 - 1)
    if len(off) and not off.max() < UNIT_TOLERANCE:
        given = f"w {w[0]:g}, off by {off.max():.2g}"
        raise refuse(
            "The constant w makes no unit vectors with u and v", given=given, allowed=f"up to {UNIT_TOLERANCE}"
        )


def record_for(layout: Layout) -> IaeaRecord:
    """Return the record that holds what is asked for; what no IAEA record can hold is refused."""
    unknown = [name for name in layout.constants if name not in QUANTITIES]
    if unknown:
        raise refuse("An IAEA file cannot hold this once for all records", given=unknown, allowed=", ".join(QUANTITIES))
    wrong = {name: kind for name, kind in layout.extra.items() if np.dtype(kind).str[1:] not in ("f4", "i4", "i8")}
    if wrong:
        raise refuse("An IAEA file cannot hold extra columns of this type", given=wrong, allowed="f4, i4, i8")
    kinds = {name: np.dtype(kind) for name, kind in layout.extra.items()}
    floats, longs = ([n for n, kind in kinds.items() if kind.kind == letter] for letter in "fi")
    return IaeaRecord(
        constants={name: float(layout.constants[name]) for name in QUANTITIES if name in layout.constants},
        floats=dict(zip(floats, _codes(floats, FLOAT_TYPES), strict=True)),
        longs=dict(zip(longs, _codes(longs, LONG_TYPES), strict=True)),
        long_bits=64 if any(kind.itemsize == 8 for kind in kinds.values()) else 32,
        big_endian=layout.big_endian,
    )


def _codes(names: list[str], types: dict[int, str]) -> Iterator[int]:
    by_name = {name: code for code, name in types.items()}
    return (by_name.get(name, 0) for name in names)
