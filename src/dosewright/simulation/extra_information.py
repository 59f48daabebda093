"""What a phase space holds of the past of its particles: GAMOS's extra information, or EGSnrc's LATCH and ZLAST."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.formats.phase_space.extra_longs import (
    DEFAULT_BITS,
    FLOAT_PROVIDERS,
    LONG_PROVIDERS,
    BitGroup,
    ExtraInformation,
    pack,
    words_needed,
    write_summary,
)
from dosewright.simulation.past import Past
from dosewright.simulation.regions import Regions

IGNORED = ("G4_AIR",)  # GAMOS's own choice
LONGS = ("crossings", "interactions", "origin")
FLOATS = ("z_origin", "z_last", "z_last_no_material")
PROVIDERS = dict(zip((*LONGS, *FLOATS), (*LONG_PROVIDERS, *FLOAT_PROVIDERS), strict=True))
COLUMNS = {"z_origin": "z_origin_cm", "z_last": "zlast_cm", "z_last_no_material": "z_last_no_material_cm"}
MOST_BITS = 64
MODE2 = "egs_mode2"
OF_MODE2 = {"latch": "i4", "zlast_cm": "f4"}


@dataclass(frozen=True)
class ExtraWish:
    """What is asked for: words of `LONGS` and `FLOATS` in their order, bits of some, materials to be ignored."""

    words: tuple[str, ...] = ()
    bits: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = IGNORED

    @property
    def longs(self) -> tuple[str, ...]:
        """Those that are groups of bits."""
        return tuple(word for word in self.words if word in LONGS)

    @property
    def floats(self) -> tuple[str, ...]:
        """Those that are heights."""
        return tuple(word for word in self.words if word in FLOATS)

    def bits_of(self, word: str) -> int:
        """Return how many bits one takes."""
        return self.bits.get(word, DEFAULT_BITS)

    def groups(self, regions: Regions) -> tuple[BitGroup, ...]:
        """Return the groups of bits; refuses regions that do not fit."""
        names = dict(enumerate(regions.names))
        return tuple(BitGroup(PROVIDERS[word], self.bits_of(word), names) for word in self.longs)

    def columns(self, format: str) -> dict[str, str]:
        """Return the extra columns of a format with their types."""
        if format == MODE2:
            return dict(OF_MODE2)
        many = -(-sum(self.bits_of(word) for word in self.longs) // DEFAULT_BITS)
        return {
            **{_long(at): "i4" for at in range(many)},
            **{COLUMNS[word]: "f4" for word in self.floats},
        }

    def values(self, past: Past, regions: Regions, formats: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
        """Return these columns for all formats at once."""
        found: dict[str, NDArray[np.generic]] = {}
        if MODE2 in formats:
            found |= {"latch": past.latch(), "zlast_cm": past.z_last.astype(np.float32)}
        groups = self.groups(regions)
        bits = {PROVIDERS[word]: _bits(past, word, self.bits_of(word)) for word in self.longs}
        found |= {_long(at): long for at, long in enumerate(pack(groups, bits, words_needed(groups)))}
        heights = {"z_origin": past.z_origin, "z_last": past.z_last, "z_last_no_material": past.z_last_elsewhere}
        return found | {COLUMNS[word]: heights[word].astype(np.float32) for word in self.floats}

    def write_summary(self, path: Path, regions: Regions) -> None:
        """Write what each bit and each height means."""
        write_summary(path, ExtraInformation(self.groups(regions), tuple(PROVIDERS[word] for word in self.floats)))


def _long(at: int) -> str:
    return f"extra_long_{at + 1}"  # as readers name those without a name


def _bits(past: Past, word: str, bits: int) -> NDArray[np.bool_]:
    regions = past.crossed.shape[1]
    origin = np.arange(regions) == past.origin[:, None]
    marks = {"crossings": past.crossed, "interactions": past.interacted, "origin": origin}[word]
    padded = np.zeros((len(marks), bits), np.bool_)
    padded[:, :regions] = marks
    return padded


@dataclass(frozen=True)
class Chosen:
    """Which particles are written: a range of kinetic energies (MeV), and regions by name.

    Parameters
    ----------
    origin
        Made in one of them.
    crossed, interacted
        They or their ancestors were, or interacted, in one of them.
    not_crossed
        Neither they nor their ancestors were in any of them.
    """

    energy_MeV: tuple[float, float] | None = None
    origin: tuple[str, ...] = ()
    crossed: tuple[str, ...] = ()
    not_crossed: tuple[str, ...] = ()
    interacted: tuple[str, ...] = ()

    @property
    def asks_past(self) -> bool:
        """Whether the past of particles must be known."""
        return bool(self.origin or self.crossed or self.not_crossed or self.interacted)

    def by_past(self, past: Past, regions: Regions) -> NDArray[np.bool_]:
        """Say which records have the past that is asked for."""
        kept = np.ones(len(past.origin), np.bool_)
        if self.origin:
            kept &= np.isin(past.origin, _numbers(regions, self.origin))
        if self.crossed:
            kept &= past.crossed[:, _numbers(regions, self.crossed)].any(axis=1)
        if self.not_crossed:
            kept &= ~past.crossed[:, _numbers(regions, self.not_crossed)].any(axis=1)
        if self.interacted:
            kept &= past.interacted[:, _numbers(regions, self.interacted)].any(axis=1)
        return kept


def _numbers(regions: Regions, names: tuple[str, ...]) -> list[int]:
    return [regions.names.index(name) for name in names]
