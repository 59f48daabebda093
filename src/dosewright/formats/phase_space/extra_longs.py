"""GAMOS's extra information: the extra longs of a record as one stream of bits, shared out to providers.

Bit 0 of the first long is bit 0 of the stream, bit 0 of the second is bit 32, and so on; of a long stored in 64 bits
the lower 32 count. Providers take their bits in the order they were declared. Source: GAMOS user guide, "Adding extra
information to a phase space".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import nearest, refuse
from dosewright.core.whole_file import write_whole_text

WORD_BITS = 32
DEFAULT_BITS = 32  # NBits where none is set
# One bit for each region: crossed, interacted in, created in.
LONG_PROVIDERS = ("RTExtraInfoProviderCrossings", "RTExtraInfoProviderInteractions", "RTExtraInfoProviderOrigin")
# One float each, in mm: where the track began, where it last interacted, the same but for some materials.
FLOAT_PROVIDERS = ("RTExtraInfoProviderZOrigin", "RTExtraInfoProviderZLast", "RTExtraInfoProviderZLastNoMaterial")
LARGEST_SUMMARY_BYTES = 1 << 22


@dataclass(frozen=True)
class BitGroup:
    """The bits of one provider.

    Parameters
    ----------
    bits
        How many it takes, ``NBits``.
    regions
        Names by index within the group; an index at or above `bits` is refused.
    """

    provider: str
    bits: int = DEFAULT_BITS
    regions: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 1 << 16:
            raise refuse(f"A provider needs bits: {self.provider}", given=self.bits, allowed="1 to 65536")
        over = {index: name for index, name in self.regions.items() if not 0 <= index < self.bits}
        if over:
            raise refuse(
                f"Regions do not fit into the bits of {self.provider}", given=over, allowed=f"{self.bits} bits"
            )


def first_bits(groups: Sequence[BitGroup]) -> tuple[int, ...]:
    """Return where in the stream each group begins."""
    return tuple(sum(group.bits for group in groups[:at]) for at in range(len(groups)))


def words_needed(groups: Sequence[BitGroup]) -> int:
    """Return how many extra longs hold all groups."""
    return -(-sum(group.bits for group in groups) // WORD_BITS)


def bits_of(longs: Sequence[NDArray[np.integer]]) -> NDArray[np.bool_]:
    """Return the stream of each record, shape (records, 32 x longs), bit 0 first."""
    if not longs:
        raise refuse("The records hold no extra longs")
    words = np.stack([long.astype(np.uint64).astype("<u4") for long in longs], axis=1)
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little").astype(np.bool_)


def has_bits(longs: Sequence[NDArray[np.integer]], indices: Sequence[int]) -> NDArray[np.bool_]:
    """Return which records have every one of these bits of the stream set, as GAMOS's ``RTEILongFilter`` asks."""
    over = [index for index in indices if not 0 <= index < WORD_BITS * len(longs)]
    if over:
        raise refuse("The extra longs have no such bit", given=over, allowed=f"0 to {WORD_BITS * len(longs) - 1}")
    wanted = [0] * len(longs)
    for index in indices:
        wanted[index // WORD_BITS] |= 1 << index % WORD_BITS
    found = np.ones(len(longs[0]) if longs else 0, np.bool_)
    for long, mask in zip(longs, wanted, strict=True):
        found &= long.astype(np.uint64) & np.uint64(mask) == np.uint64(mask)
    return found


def unpack(groups: Sequence[BitGroup], longs: Sequence[NDArray[np.integer]]) -> dict[str, NDArray[np.bool_]]:
    """Return the bits of each provider, shape (records, bits)."""
    _check(groups, len(longs))
    stream = bits_of(longs)
    return {
        group.provider: stream[:, first : first + group.bits]
        for group, first in zip(groups, first_bits(groups), strict=True)
    }


def pack(groups: Sequence[BitGroup], bits: Mapping[str, NDArray[np.bool_]], longs: int) -> list[NDArray[np.int32]]:
    """Return the extra longs, each a column, that hold the bits of all providers."""
    _check(groups, longs)
    wrong = {group.provider for group in groups} ^ set(bits)
    if wrong:
        raise refuse("Bits and providers are not the same", given=sorted(wrong))
    records = len(next(iter(bits.values()))) if bits else 0
    stream = np.zeros((records, WORD_BITS * longs), np.bool_)
    for group, first in zip(groups, first_bits(groups), strict=True):
        if bits[group.provider].shape != (records, group.bits):
            raise refuse(f"The bits of {group.provider} have the wrong shape", given=bits[group.provider].shape,
                         allowed=(records, group.bits))  # fmt: skip
        stream[:, first : first + group.bits] = bits[group.provider]
    words = np.packbits(stream, axis=1, bitorder="little").view("<u4")
    return [np.ascontiguousarray(words[:, at]).astype(np.uint32).view(np.int32) for at in range(longs)]


def _check(groups: Sequence[BitGroup], longs: int) -> None:
    total = sum(group.bits for group in groups)
    if total > WORD_BITS * longs:
        raise refuse(
            "The providers ask for more bits than the extra longs have", given=total, allowed=WORD_BITS * longs
        )
    names = [group.provider for group in groups]
    if len(set(names)) < len(names):
        raise refuse("A provider is declared twice", given=names)


@dataclass(frozen=True)
class ExtraInformation:
    """What a summary file says: the providers of bits in order, and those of the extra floats in order."""

    longs: tuple[BitGroup, ...] = ()
    floats: tuple[str, ...] = ()


ROW_OF_BITS = re.compile(r"(\S+)\s+(?:LONG\s+INDEX|INDEX/REGION)\s+(\d{1,5})\s+(?:(?:REGION)?=\s*)?(\S.*?)\s*")
ROW_OF_FLOAT = re.compile(r"(\S+)\s+FLOAT\s+INDEX\s+(\d{1,5})\s*")


def read_summary(path: Path, bits: Mapping[str, int] | None = None) -> ExtraInformation:
    """Read a summary file, ``RTExtraInfoProvider.summ``, in the form of the user guide or that of the code.

    Parameters
    ----------
    bits
        ``NBits`` by provider. Needed where several providers all count from 0; where later ones count on from those
        before, as GAMOS writes, the numbers themselves tell.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_SUMMARY_BYTES + 1).decode("utf-8")
    except (OSError, ValueError) as error:
        raise refuse(
            "The summary of extra information cannot be read", given=type(error).__name__, where=path
        ) from error
    regions: dict[str, dict[int, str]] = {}
    floats: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if found := ROW_OF_FLOAT.fullmatch(line.strip()):
            floats[found[1]] = int(found[2])
        elif found := ROW_OF_BITS.fullmatch(line.strip()):
            regions.setdefault(found[1], {})[int(found[2])] = found[3]
        elif line.strip():
            raise refuse("A row of the summary is neither PROVIDER INDEX/REGION NUMBER REGION nor PROVIDER FLOAT INDEX "
                         "NUMBER", given=line[:80], where=f"{path.name}, line {number}")  # fmt: skip
    given = dict(bits or {})
    for name in given:
        if name not in regions:
            raise refuse(f"The summary has no such provider.{nearest(name, regions)}", given=name, where=path.name)
    return ExtraInformation(_groups(regions, given, path), tuple(sorted(floats, key=lambda name: floats[name])))


def _groups(regions: dict[str, dict[int, str]], given: dict[str, int], path: Path) -> tuple[BitGroup, ...]:
    firsts = [min(rows) for rows in regions.values()]
    counts_on = any(firsts[1:])
    if counts_on and (firsts[0] or firsts != sorted(set(firsts))):
        raise refuse("The providers of the summary do not count on from each other", given=firsts, where=path.name)
    groups = []
    for at, (provider, rows) in enumerate(regions.items()):
        first = firsts[at] if counts_on else 0
        last = at == len(firsts) - 1
        if not last and not counts_on and provider not in given:
            raise refuse("The summary does not tell how many bits a provider has: say its NBits", given=provider,
                         where=path.name)  # fmt: skip
        told = DEFAULT_BITS if last else firsts[at + 1] - first
        number = given.get(provider, max(told, max(rows) - first + 1) if last else told)
        if counts_on and not last and number != told:
            raise refuse(f"The summary gives {provider} other bits", given=number, allowed=told, where=path.name)
        groups.append(BitGroup(provider, number, {index - first: name for index, name in rows.items()}))
    return tuple(groups)


def write_summary(path: Path, information: ExtraInformation) -> None:
    """Write a summary file; indices count on from provider to provider, so that it tells their bits."""
    rows = [
        f"{group.provider} INDEX/REGION {first + index} {region}"
        for group, first in zip(information.longs, first_bits(information.longs), strict=True)
        for index, region in sorted(group.regions.items())
    ]
    rows += [f"{provider} FLOAT INDEX {at}" for at, provider in enumerate(information.floats)]
    write_whole_text(path, "".join(f"{row}\n" for row in rows))
