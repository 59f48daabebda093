"""What cuts would do to a dose: the dose carried out of the voxels where they would have left it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.trace import unpacked_voxels
from dosewright.materials.electrons.lookup import HIGHEST_MEV
from dosewright.scoring.carried import ELECTRON_ANYWHERE, ELECTRON_MADE, PHOTON_MADE, PHOTON_SCATTERED, TAG_ROWS
from dosewright.scoring.statistics import THRESHOLD_PERCENT, TOP_VOXELS
from dosewright.simulation.result import Result
from dosewright.simulation.run import Progress, never, simulate
from dosewright.simulation.run_file.goals import goal_of
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.setup.prepare import Prepared, prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers
from dosewright.studies.basis import Basis
from dosewright.studies.collected import RUN
from dosewright.studies.ranges import ranges_of
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.tracks import ELECTRON, PHOTON

Array = NDArray[np.float64]

CUT = re.compile(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(MeV|mm)?\s*")
NO_CUT = 0.0


@dataclass(frozen=True)
class AskedCut:
    """A cut: an energy (MeV), or a range (mm) in whatever there is."""

    value: float
    is_range: bool

    @property
    def said(self) -> str:
        """The cut in words."""
        return f"{self.value:g} {'mm' if self.is_range else 'MeV'}"


@dataclass(frozen=True)
class DoseStudy:
    """What cuts carry out of voxels.

    Parameters
    ----------
    prepared, result
        The run, without the cuts; `result.carried` is what was carried.
    photon, electron
        The cuts that were asked for; None: none.
    way
        ``production``: of particles that would not have been made. ``run``: as a run with these cuts has it, also of
        electrons and positrons that come below them anywhere, and of photons scattered below them.
    energies_MeV
        The cuts by medium, names and energies of photons and electrons.
    basis
        What the run stands on.
    """

    prepared: Prepared
    result: Result
    photon: AskedCut | None
    electron: AskedCut | None
    way: str
    energies_MeV: dict[str, tuple[float, float]]
    basis: Basis

    def local_shares(self) -> Array:
        """Return the share of the dose of each voxel above half of the maximum that was carried there."""
        dose = self.result.dose_Gy
        top = np.sort(dose, axis=None)[-TOP_VOXELS:].mean()
        high = dose >= THRESHOLD_PERCENT / 100.0 * top
        shares: Array = carried_of(self.result)[high] / dose[high]
        return shares


def carried_of(result: Result) -> Array:
    """Return the dose that was carried, Gy per primary, [z, y, x]."""
    if result.carried is None:
        raise ValueError("what is carried was not scored")
    return result.carried.dose_Gy


def asked_cut(text: str, where: str) -> AskedCut:
    """Read a cut such as ``0.5``, ``0.5 MeV`` or ``2 mm``; refuses what is none."""
    found = CUT.fullmatch(text)
    value = float(found[1]) if found and found[1].count(".") < 2 and found[1] != "." else 0.0
    if found is None or not value > 0 or (found[2] != "mm" and value > HIGHEST_MEV):
        allowed = f"an energy up to {HIGHEST_MEV:g} MeV such as 0.5, or a range such as 2mm"
        raise refuse("This is no cut", given=repr(text), allowed=allowed, where=where)
    return AskedCut(value, found[2] == "mm")


def study_dose(
    run_file: RunFile,
    photon: AskedCut | None,
    electron: AskedCut | None,
    *,
    way: str = RUN,
    resolvers: Resolvers = WITHOUT_LIBRARY,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = never,
) -> DoseStudy:
    """Run without the cuts, and score what they would have left elsewhere.

    Parameters
    ----------
    run_file
        A run with a phantom, whose own voxels count; its scores are not used, its goals are.
    photon, electron
        The cuts; None: none.
    way
        ``production`` or ``run``, see `DoseStudy`.

    Raises
    ------
    InputError
        No cut is asked for, or one no higher than the run's own; there is no phantom; the particles are protons;
        photons are split in a phantom or scored by track length.
    """
    if photon is None and electron is None:
        raise refuse("No cut is asked for", allowed="--photon-cut, --electron-cut, or both")
    if run_file.phantom is None:
        raise refuse("A dose is studied in a phantom", allowed="a run file with [phantom]")
    asked = run_file.model_copy(update={"score": (Score(),)})
    check(asked, resolvers)
    prepared = prepare(asked, resolvers)
    packed = prepared.problem.packed
    if not isinstance(packed, CoupledProblem) or packed.kerma.size:
        raise refuse("Particles that are not followed one by one carry nothing", allowed="photons, electrons or"
                     " positrons, without photon_splitting and track_length")  # fmt: skip
    below, energies = _below(packed, prepared, photon, electron, way)
    problem = replace(prepared.problem, packed=packed._replace(tag_below=below))
    run = run_file.run
    result = simulate(problem, goal_of(run_file.goal), seed=run.seed, threads=run.threads, on_progress=on_progress,
                      stop=stop)  # fmt: skip
    return DoseStudy(prepared, result, photon, electron, way, energies, Basis.of(run_file))


def _below(
    packed: CoupledProblem, prepared: Prepared, photon: AskedCut | None, electron: AskedCut | None, way: str
) -> tuple[Array, dict[str, tuple[float, float]]]:
    """Return the energies that tag by medium, as the kernels read them, and by name of the media in the voxels."""
    numbers, density = unpacked_voxels(packed.geometry.voxels)
    below = np.zeros((TAG_ROWS, len(packed.cuts.electron)))
    media = np.unique(numbers).astype(np.int64)
    mean = np.array([float(density[numbers == medium].mean(dtype=np.float64)) for medium in media])
    ranges = ranges_of(packed, media, mean)
    rows = ((photon, PHOTON, PHOTON_MADE, PHOTON_SCATTERED), (electron, ELECTRON, ELECTRON_MADE, ELECTRON_ANYWHERE))
    for asked, species, made, anywhere in rows:
        for place, medium in enumerate(media):
            energy = NO_CUT if asked is None else asked.value
            if asked is not None and asked.is_range:
                energy = min(ranges.energy_MeV(place, species, asked.value / MM_PER_CM), HIGHEST_MEV)
            below[made, medium] = energy
            below[anywhere, medium] = energy if way == RUN else NO_CUT
    _refuse_low(packed, below, media)
    names = zip(_names(prepared), media, strict=True)
    return below, {name: (float(below[PHOTON_MADE, m]), float(below[ELECTRON_MADE, m])) for name, m in names}


def _names(prepared: Prepared) -> list[str]:
    """Return the names of the media in the voxels, in their order; those of inserts are told apart."""
    if prepared.phantom is None:
        return []
    inserts, voxels = prepared.phantom.inserts, prepared.phantom.voxels
    own = [f" ({inserts[n]})" if n < len(inserts) and inserts[n] else "" for n in range(len(voxels.materials))]
    return [voxels.materials[n].name + own[n] for n in np.unique(voxels.material)]


def _refuse_low(packed: CoupledProblem, below: Array, media: NDArray[np.int64]) -> None:
    """Refuse cuts that are nowhere above those of the run: nothing would be tagged."""
    problems: list[str] = []
    for name, row, own in (
        ("photon", PHOTON_MADE, packed.cuts.photon),
        ("electron", ELECTRON_MADE, packed.cuts.electron),
    ):
        asked = below[row, media]
        if asked.any() and (asked <= own[media]).all():
            given = f"{asked.max():.3g} MeV, {own[media].min():.3g} MeV in the run"
            problems += refuse(f"The {name} cut is not above that of the run", given=given,
                               allowed="a higher cut, or a lower one in the run").problems  # fmt: skip
    if problems:
        raise InputError(*problems)
