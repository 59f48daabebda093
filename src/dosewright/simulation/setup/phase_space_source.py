"""A phase space of a run file: opened, looked at, moved and turned into the axes of the run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import nearest, refuse
from dosewright.core.frame import Rigid
from dosewright.core.particles import COLUMNS, PROTON, SPECIES, Particles, PhaseSpaceInfo, PhaseSpaceReader
from dosewright.core.units import MM_PER_CM
from dosewright.materials.electrons.lookup import HIGHEST_MEV, LOWEST_MEV
from dosewright.phase_space.transform import Motion, displacement
from dosewright.phase_space.transform_words import WORDS
from dosewright.simulation.recorded import Recorded
from dosewright.simulation.run_file.source_tables import PhaseSpaceSource
from dosewright.simulation.setup.beam_source import NO_PENCILS, NOTHING, BeamSource
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.phase_space import Bits, Selection

LOOKS, LOOK = 8, 1 << 13  # places of the file that are looked at, and records there
CODES = {name: code for code, name in SPECIES.items()}
Missing = tuple[tuple[str | int, ...], str, object, object]


@dataclass(frozen=True)
class PhaseSpaceBeam:
    """A phase space as a source.

    Parameters
    ----------
    beam
        A packed source without records, and the way from the axes of the file to those of the run.
    records
        The records and what is made of them.
    places_mm
        Corners (8, 3) of the box around the places of the records looked at, in the axes of the run.
    warnings
        What a reader should know.
    """

    beam: BeamSource
    records: Recorded
    places_mm: NDArray[np.float64]
    warnings: tuple[str, ...]


def phase_space_source(source: PhaseSpaceSource, resolvers: Resolvers) -> PhaseSpaceBeam:
    """Open the phase space of a checked run file."""
    reader = resolvers.phase_space(Path(source.file), source.long_bits)
    info, chosen = reader.info, source.filter
    histories = source.original_histories or info.original_histories
    if histories is None:
        raise refuse("Nobody says how many original histories made the phase space", where="source.original_histories")
    species = SPECIES.values() if chosen.species is None else chosen.species
    identity, low, high = _looked_at(reader)
    records = Recorded(
        reader,
        histories,
        None if source.reuse == "auto" else source.reuse,
        1 + source.recycle,
        source.mirror,
        source.skip,
        Selection(
            tuple(CODES[name] for name in species),
            chosen.energy_MeV or (0.0, np.inf),
            tuple(Bits(bits.column, bits.all, bits.any, bits.none) for bits in chosen.bits),
        ),
        identity,
    )
    within = np.array([LOWEST_MEV, HIGHEST_MEV])  # more is refused where it is met
    packed = Source(emit.RECORDS, NO_PENCILS, np.zeros(3), within, NOTHING, NOTHING, NOTHING)
    way = way_of(source.transform)
    corners = np.stack(np.meshgrid(*np.stack([low, high], axis=1), indexing="ij"), axis=-1).reshape(-1, 3)
    return PhaseSpaceBeam(
        BeamSource(packed, np.ones(1), way), records, way.points(corners * MM_PER_CM), _warnings(source, info)
    )


def way_of(steps: Sequence[tuple[str, float, float, float]]) -> Rigid:
    """Return the way of places and directions through all steps (mm, degrees), in their order."""
    way = displacement(0.0, 0.0, 0.0)
    for word, *numbers in steps:
        _, make = WORDS[word]
        way = way.then(cast(Motion, make(*numbers)))
    return Rigid(way.turn, way.shift_cm * MM_PER_CM)


def missing(source: PhaseSpaceSource, info: PhaseSpaceInfo) -> list[Missing]:
    """Return what the keys of a source ask of its phase space that this has not: key, what, given, allowed."""
    found: list[Missing] = []
    if info.particles == 0:
        found.append((("file",), "The phase space has no particles", source.file, None))
    elif source.skip >= info.particles:
        found.append((("skip",), "source.skip leaves nothing of the phase space", source.skip,
                      f"less than {info.particles}"))  # fmt: skip
    if source.original_histories is None and not (info.original_histories or 0) > 0:
        what = "Nobody says how many original histories made the phase space, and doses are per history"
        found.append((("file",), what, info.original_histories, "the key source.original_histories"))
    highest = (source.filter.energy_MeV or (0.0, np.inf))[1]
    all_species = source.filter.species is None
    if all_species and info.energy_max_MeV is not None and min(info.energy_max_MeV, highest) > HIGHEST_MEV:
        what = "The phase space has particles beyond the tables"
        found.append((("file",), what, f"{info.energy_max_MeV:g} MeV", f"up to {HIGHEST_MEV:g} MeV"))
    wanted = source.filter.species
    if (wanted is None and (info.counts or {}).get(PROTON)) or (wanted is not None and "proton" in wanted):
        what, given = "Protons of a phase space cannot be followed", (info.counts or {}).get(PROTON)
        found.append((("filter", "species") if wanted else ("file",), what, given,
                      "source.filter.species without proton"))  # fmt: skip
    return found + _missing_of_filter(source, info)


def _missing_of_filter(source: PhaseSpaceSource, info: PhaseSpaceInfo) -> list[Missing]:
    found: list[Missing] = []
    energies = source.filter.energy_MeV
    if energies is not None and not energies[0] < energies[1]:
        found.append((("filter", "energy_MeV"), "source.filter.energy_MeV is no range", list(energies), "low, high"))
    whole = [name for name, kind in info.extra.items() if kind.lstrip("<>=|").startswith("i")]
    for number, bits in enumerate(source.filter.bits):
        place = ("filter", "bits", number)
        if bits.column not in whole:
            what = f"The phase space has no extra whole number {bits.column!r}.{nearest(bits.column, whole)}"
            found.append(((*place, "column"), what, None, ", ".join(whole) or "it has none"))
        if not (bits.all or bits.any or bits.none):
            found.append((place, "A filter of bits names none", None, "all, any or none of some bits"))
    return found


def _warnings(source: PhaseSpaceSource, info: PhaseSpaceInfo) -> tuple[str, ...]:
    """Return the problems of the file, and keys that change nothing or the normalisation."""
    said = [f"The phase space: {problem}" for problem in info.problems]
    if source.original_histories is not None and source.original_histories != info.original_histories:
        of_file = "none" if info.original_histories is None else f"{info.original_histories:.9g}"
        said.append(
            f"Doses are per original history, of which the run file says {source.original_histories:.9g}, the phase "
            f"space {of_file}."
        )
    if source.mirror != "none" and source.reuse == 1:
        said.append(f'source.mirror = "{source.mirror}" changes nothing: each particle is used once.')
    return tuple(said)


def _looked_at(reader: PhaseSpaceReader) -> tuple[str, NDArray[np.float64], NDArray[np.float64]]:
    """Return a hash of some records, and the lowest and highest of their places (cm)."""
    digest = sha256(repr((reader.info.particles, reader.info.original_histories, reader.info.counts)).encode())
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for particles in _some(reader):
        for name in COLUMNS:
            digest.update(np.ascontiguousarray(getattr(particles, name)).data)
        places = np.stack([particles.x_cm, particles.y_cm, particles.z_cm]).astype(np.float64)
        places = places[:, np.isfinite(places).all(axis=0)]
        if places.size:
            low, high = np.minimum(low, places.min(axis=1)), np.maximum(high, places.max(axis=1))
    if not np.isfinite(low).all():
        low, high = np.zeros(3), np.zeros(3)
    return digest.hexdigest(), low, high


def _some(reader: PhaseSpaceReader) -> Iterator[Particles]:
    """Read records at some places of the file, or all of a small one."""
    count = reader.info.particles
    if count <= LOOKS * LOOK:
        yield from reader.batches()
        return
    for first in np.linspace(0, count - LOOK, LOOKS).astype(int):
        yield from islice(reader.batches(first=int(first), count=LOOK, size=LOOK), LOOKS)
