"""The phase spaces that a run writes: batch after batch, in the order of the histories, in constant memory."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import Layout, PhaseSpaceInfo, PhaseSpaceWriter
from dosewright.core.units import MM_PER_CM
from dosewright.formats.phase_space.losses import losses
from dosewright.formats.phase_space.open import open_phase_space
from dosewright.phase_space.histograms import THIRTEEN, Axis
from dosewright.scoring.planes import ENERGY, HISTORY
from dosewright.simulation.crossings import KINDS, PlaneSums, of_plane, particles_of
from dosewright.simulation.extra_information import MODE2, Chosen, ExtraWish
from dosewright.simulation.past import Past, Surroundings
from dosewright.simulation.planes import RECORDABLE, Plane
from dosewright.simulation.regions import Regions
from dosewright.simulation.work import AtPlanes

Array = NDArray[np.float64]
Create = Callable[..., PhaseSpaceWriter]

# What a format writes; the first is that by which it is known.
FILES: dict[str, tuple[str, ...]] = {
    "iaea": (".IAEAheader", ".IAEAphsp"),
    "egs_mode0": (".egsphsp1",),
    "egs_mode2": (".egsphsp1",),
    "topas_binary": (".header", ".phsp"),
    "topas_limited": (".header", ".phsp"),
    "topas_ascii": (".header", ".phsp"),
    "gamos_text": (".txt",),
    "native": (".h5",),
}
FLAT = ("iaea", "native")  # formats that can leave out a z that is the same for all
EMPTY_HISTORIES = {"iaea": {"incremental_history": "i4"}}  # columns that count them
SUMMARY = ".summ"  # what extra columns mean
LOSING = ("egs_mode0", "egs_mode2", "topas_limited", "gamos_text")
TEXT = "gamos_text"
COUNTS = ("last", "histories", "saved", "full")  # of a plane while it is written


@dataclass(frozen=True)
class PhaseSpaceWish:
    """One phase space that is asked for.

    Parameters
    ----------
    name
        Of its files, without suffix.
    formats
        Words of `FILES`, one or several.
    store_z
        Write z with each particle, though it is that of the plane.
    save_every
        Histories after which the header is brought up to date, so that a killed run can be recovered; None: never.
    most_particles
        After so many no more are written: whole histories only, and the file then stands for those alone.
    histograms, limits
        Forms in which the thirteen histograms are written, ``csv``, ``png`` or ``root``; low, high and bins of the axes
        of some of them.
    extra, chosen
        What it holds of the past of its particles, and which of them.
    by_origin
        Whether there is also one for each region, of the particles made there.
    """

    plane: Plane
    name: str
    formats: tuple[str, ...] = ("iaea",)
    store_z: bool = False
    save_every: int | None = None
    most_particles: int | None = None
    histograms: tuple[str, ...] = ()
    limits: Mapping[str, tuple[tuple[float, float, int], ...]] = field(default_factory=dict)
    extra: ExtraWish = field(default_factory=ExtraWish)
    chosen: Chosen = field(default_factory=Chosen)
    by_origin: bool = False

    @property
    def asks_past(self) -> bool:
        """Whether the past of particles must be known."""
        return bool(self.extra.words) or self.chosen.asks_past or self.by_origin or MODE2 in self.formats

    def classes(self, regions: Regions) -> tuple["PhaseSpaceWish", ...]:
        """Return one phase space for each region in which its particles may be made; none where nobody asked."""
        names = (self.chosen.origin or regions.names) if self.by_origin else ()
        return tuple(
            replace(self, name=f"{self.name}_{file_word(name)}", chosen=replace(self.chosen, origin=(name,)),
                    by_origin=False)
            for name in names
        )  # fmt: skip

    def paths(self, folder: Path) -> tuple[Path, ...]:
        """Return all files it makes."""
        suffixes = [suffix for word in self.formats for suffix in FILES[word]]
        suffixes += [SUMMARY] if self.extra.words else []
        suffixes += [f".{kind}" for kind in self.histograms]
        return tuple(folder / f"{self.name}{suffix}" for suffix in suffixes)


@dataclass
class _Plane:
    """A plane of which files are being written: sums, the last history recorded, and after how many it was full."""

    wish: PhaseSpaceWish
    number: int
    of_class: bool
    writers: list[PhaseSpaceWriter] = field(default_factory=list)
    sums: PlaneSums = field(default_factory=PlaneSums)
    last: int = -1
    histories: int = 0
    saved: int = 0
    full: bool = False

    def add(self, found: AtPlanes, around: Surroundings) -> None:
        """Write what a batch sent through.

        Histories are numbered without those of a phase space that sent nothing; all are counted.
        """
        if self.full:
            return
        before, batch = found.before, found.batch
        most = self.wish.most_particles
        mine, extra = self._wanted(found, around)
        mine[:, HISTORY] += before.sent
        self.histories = before.all + batch.all
        if most is not None and int(self.sums.records.sum()) + len(mine) > most:
            over = int(mine[most - int(self.sums.records.sum()), HISTORY])
            mine, self.full = mine[mine[:, HISTORY] < over], True
            self.histories = before.all + round((over - before.sent) * batch.all / batch.sent)
        if len(mine):
            particles = particles_of(mine, self.last, around.box_to_run, self.wish.plane.z_mm)
            particles = replace(particles, extra={name: column[: len(mine)] for name, column in extra.items()})
            for writer in self.writers:
                writer.write(particles)
            self.last = int(mine[-1, HISTORY])
            self.sums.add(mine)
        every = self.wish.save_every
        if every is not None and self.histories // every > self.saved:
            self.saved = self.histories // every
            for writer in self.writers:
                writer.save_header(float(self.histories))

    def kept(self) -> dict[str, Any] | None:
        """Bring the files to disk and return what another process needs to go on; None: it could not."""
        writers = [writer.kept() for writer in self.writers]
        if None in writers:
            return None
        counts = {name: getattr(self, name) for name in COUNTS}
        return {"writers": writers, "sums": self.sums.plain(), **counts}

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on where another process was; say whether its files are still there."""
        if not all(writer.take_up(one) for writer, one in zip(self.writers, kept["writers"], strict=True)):
            return False
        self.sums = PlaneSums.of(kept["sums"])
        for name in COUNTS:
            setattr(self, name, kept[name])
        if self.saved:  # headers that a killed process has saved since count records that were cut off
            for writer in self.writers:
                writer.save_header(float(self.histories))
        return True

    def _wanted(self, found: AtPlanes, around: Surroundings) -> tuple[Array, dict[str, NDArray[np.generic]]]:
        """Return the records of a batch that are to be written, and the columns that tell their past."""
        rows, chosen = of_plane(found.rows, self.number), self.wish.chosen
        if chosen.energy_MeV is not None:
            low, high = chosen.energy_MeV
            rows = rows[(rows[:, ENERGY] >= low) & (rows[:, ENERGY] <= high)]
        if not self.wish.asks_past:
            return rows, {}
        past = Past.of(rows, found.log, around, self.wish.extra.ignored)
        kept = chosen.by_past(past, around.regions)
        values = self.wish.extra.values(past, around.regions, self.wish.formats)
        return rows[kept], {name: column[kept] for name, column in values.items()}


class PhaseSpaceFiles:
    """The phase spaces of a run while it goes on; a context that fails keeps nothing but what was saved."""

    def __init__(
        self, folder: Path, wishes: Sequence[PhaseSpaceWish], around: Surroundings, create: Create, title: str
    ) -> None:
        self._wishes = tuple(wishes)
        self._folder, self._around, self._create, self._title = folder, around, create, title
        self._open, self._planes = ExitStack(), self._begun()

    def _begun(self) -> list[_Plane]:
        return [
            _Plane(one, number, of_class=one is not wish)
            for number, wish in enumerate(self._wishes)
            for one in (wish, *wish.classes(self._around.regions))
        ]

    def __enter__(self) -> "PhaseSpaceFiles":
        with ExitStack() as opened:
            for plane in self._planes:
                for word in plane.wish.formats:
                    path = self._folder / f"{plane.wish.name}{FILES[word][0]}"
                    writer = self._create(path, layout_of(plane.wish, word, self._title), format=word)
                    plane.writers.append(opened.enter_context(writer))
            self._open = opened.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.__exit__(*raised)  # type: ignore[arg-type]

    def add(self, found: AtPlanes) -> None:
        """Take what one batch recorded."""
        for plane in self._planes:
            plane.add(found, self._around)

    def kept(self) -> str | None:
        """Bring the files to disk and return what another process needs to go on; None: some cannot be gone on with."""
        planes = [plane.kept() for plane in self._planes]
        return None if None in planes else json.dumps(planes)

    def take_up(self, kept: str) -> bool:
        """Go on with the files of a process that was killed; where they are not as it kept them, begin anew."""
        if all(plane.take_up(one) for plane, one in zip(self._planes, json.loads(kept), strict=True)):
            return True
        self._open.close()
        self._planes = self._begun()
        self.__enter__()
        return False

    def finish(self) -> list[dict[str, Any]]:
        """Put the files in their places; return what the summary says of each plane."""
        for plane in self._planes:
            for writer in plane.writers:
                writer.finish(float(plane.histories))
            if plane.wish.extra.words:
                plane.wish.extra.write_summary(self._folder / f"{plane.wish.name}{SUMMARY}", self._around.regions)
            _write_histograms(plane.wish, self._folder)
        return [_account(plane) for plane in self._planes]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know: planes that nothing went through, and files that are full."""
        said = []
        for plane in self._planes:
            wish = plane.wish
            if plane.of_class:
                continue  # what the whole says
            if not plane.sums.records.any() and not plane.full and wish.chosen != Chosen():
                said.append(
                    f"Nothing that the filter of {wish.name} lets by went through its plane ({wish.plane.said})."
                )
            elif not plane.sums.records.any() and not plane.full:
                said.append(f"Nothing went through the plane of {wish.name} ({wish.plane.said}) along its normal "
                            f"{list(wish.plane.normal)}. Does the beam fly the other way?")  # fmt: skip
            if plane.full:
                said.append(f"{wish.name} was full after {plane.histories} histories and stands for those alone.")
            for word in (word for word in wish.formats if word in LOSING):
                extra = wish.extra.columns(word)
                info = PhaseSpaceInfo("native", int(plane.sums.records.sum()), plane.histories, extra=extra)
                said += [f"{wish.name}{FILES[word][0]}: {sentence}" for sentence in losses(info, word)]
        return tuple(said)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, whole once it has finished."""
        return tuple(path for plane in self._planes for path in plane.wish.paths(self._folder))


def _write_histograms(wish: PhaseSpaceWish, folder: Path) -> None:
    """Write the histograms of a plane, from its file."""
    if not wish.histograms:
        return
    from dosewright.phase_space.analysis import Wanted, analysed, write_analysis  # it draws: slow to import

    reader = open_phase_space(folder / f"{wish.name}{FILES[wish.formats[0]][0]}")
    axes = tuple(
        (name, tuple(Axis(quantity, *limits) for quantity, limits in zip(THIRTEEN[name], given, strict=True)))
        for name, given in wish.limits.items()
    )
    found = analysed(reader, Wanted(axes=axes), plane_mm=wish.plane.z_mm)
    for kind in wish.histograms:
        write_analysis(folder / f"{wish.name}.{kind}", found)


def file_word(region: str) -> str:
    """Return the name of a region as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", region.strip("()"))


def layout_of(wish: PhaseSpaceWish, word: str, title: str) -> Layout:
    """Return what a format is asked to hold of a plane."""
    flat = wish.plane.z_mm is not None and word in FLAT and not wish.store_z
    z_mm = wish.plane.z_mm
    constants = {"z_cm": float(np.float32(z_mm / MM_PER_CM))} if flat and z_mm is not None else {}
    extra = {**wish.extra.columns(word), **EMPTY_HISTORIES.get(word, {})}  # GAMOS counts bits from the first long
    return Layout(constants=constants, extra=extra, title=f"{title}, {wish.plane.said}")


def _account(plane: _Plane) -> dict[str, Any]:
    """Return what is told of a plane: where it is, and the particles per original history."""
    sums, wish = plane.sums, plane.wish
    mean, error = sums.per_history(plane.histories)
    kinds = {
        f"{kind}s": _numbers(int(sums.records[k]), mean[k], error[k], sums.energy_MeV[k] / max(plane.histories, 1))
        for k, kind in enumerate(RECORDABLE)
    }
    total, filtered = sums.energy_MeV.sum() / max(plane.histories, 1), wish.chosen != Chosen()
    return {
        "name": wish.name,
        "files": [path.name for path in wish.paths(Path())],
        "plane_mm": list(wish.plane.point_mm),
        "normal": list(wish.plane.normal),
        "kill": wish.plane.kills,
        "backwards": wish.plane.backwards,
        "original_histories": plane.histories,
        "full": plane.full,
        **({"extra": list(wish.extra.words)} if wish.extra.words else {}),
        **({"filter": {key: value for key, value in asdict(wish.chosen).items() if value}} if filtered else {}),
        **_numbers(int(sums.records.sum()), mean[KINDS], error[KINDS], total),
        **kinds,
    }


def _numbers(records: int, mean: float, error: float, energy: float) -> dict[str, Any]:
    return {
        "particles": records,
        "per_original_history": float(mean),
        "per_original_history_error": float(error),
        "energy_MeV_per_original_history": float(energy),
    }
