"""One run in its folder: parts that survive a kill, files written whole, the summary last."""

import fcntl
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dosewright import __version__
from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.execution.artifact import FILE_MODE, private_folder, write_atomically, write_json
from dosewright.formats.phase_space.open import create_phase_space
from dosewright.simulation.goal import FEWEST_BATCHES, VOXELS_PER_HISTORY, Goal
from dosewright.simulation.part_table import NAME as PART_TABLE
from dosewright.simulation.part_table import part_rows, write_parts
from dosewright.simulation.past import Surroundings
from dosewright.simulation.phase_space_files import Create, PhaseSpaceFiles
from dosewright.simulation.problem import Problem
from dosewright.simulation.regions import Regions
from dosewright.simulation.result import Result
from dosewright.simulation.result_files import names_of, place_of, write_scores
from dosewright.simulation.run import Progress, never, simulate
from dosewright.simulation.run_file.goals import goal_of
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_file.write import resolved_content, to_toml
from dosewright.simulation.run_summary import hashes, input_hashes, summary
from dosewright.simulation.setup.phase_space_wishes import wishes_of
from dosewright.simulation.setup.prepare import Prepared, prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers

RUN, SUMMARY, PARTS = "run.toml", "summary.json", "parts"
SAME_DOSE = (("run", "threads"), ("goal", "max_minutes"))  # may differ when a run goes on: the dose does not

MOST_SAID = 4
HELD_HISTORIES = 1000  # with splitting each may send hundreds of particles through a plane
HELD_WITH_LOG = 250  # and thousands of events may lead to them


def run_in_folder(
    run_file: RunFile,
    folder: Path,
    *,
    resolvers: Resolvers = WITHOUT_LIBRARY,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = never,
    create: Create = create_phase_space,
) -> Result:
    """Run a simulation and write its files; a run that was killed in this folder goes on where it was.

    One that writes phase spaces goes on with them too, but for those in HDF5: with one of these it begins anew.

    Parameters
    ----------
    run_file
        From `read_run_file`, or built in Python; it is checked again.
    folder
        Where the files go; made if needed, and refused where it holds another run.
    resolvers
        How names of media, CT protocols and beam models are looked up.
    on_progress
        Called after every batch.
    stop
        Asked after every batch; once it says so, the run ends with what it has.
    create
        Opens a phase space for writing.

    Returns
    -------
    Result
        Dose per primary, whatever the files hold.
    """
    check(run_file, resolvers)
    content = resolved_content(run_file, folder, resolvers)
    _refuse_other_run(folder, content, run_file)
    prepared = prepare(run_file, resolvers)
    try:
        private_folder(folder / PARTS)
    except OSError as error:
        raise refuse("The output folder cannot be made", given=type(error).__name__, where=folder) from error
    with _alone_in(folder):
        _refuse_other_problem(folder, prepared)
        write_atomically(folder / RUN, lambda path: _write_text(path, to_toml(content)))
        write_json(folder / PARTS / "problem.json", {"fingerprint": prepared.problem.fingerprint()})
        with _phase_spaces(folder, run_file, prepared, create) as spaces:
            result = simulate(
                prepared.problem,
                goal_at_planes(goal_of(run_file.goal, prepared.particles), prepared.problem),
                seed=run_file.run.seed,
                threads=run_file.run.threads,
                folder=folder / PARTS,
                on_progress=on_progress,
                stop=stop,
                planes=spaces if prepared.problem.planes else None,
            )
            if prepared.problem.planes:
                (folder / SUMMARY).unlink(missing_ok=True)
            written = spaces.finish()
        _write_files(folder, run_file, prepared, result, spaces, written)
    return result


def _phase_spaces(folder: Path, run_file: RunFile, prepared: Prepared, create: Create) -> PhaseSpaceFiles:
    """Return the phase spaces of a run, none where none are asked for."""
    box_to_run = Rigid.identity() if prepared.phantom is None else prepared.phantom.voxels.frame
    regions = Regions.of(prepared.scene, phantom=prepared.phantom is not None)
    around = Surroundings(regions, prepared.problem.part_names, box_to_run)
    title = f"dosewright {__version__}, seed {run_file.run.seed}"
    return PhaseSpaceFiles(folder, wishes_of(run_file), around, create, title)


def goal_at_planes(goal: Goal, problem: Problem) -> Goal:
    """Return a goal with smaller batches where planes record: all that one batch sends through them is held at once."""
    if not problem.planes:
        return goal
    size = max(HELD_HISTORIES, int(np.prod(problem.score_shape)) // VOXELS_PER_HISTORY)
    size = HELD_WITH_LOG if problem.logs else size
    if goal.histories is not None:
        size = max(1, min(size, -(-goal.histories // FEWEST_BATCHES)))
    return replace(goal, batch_histories=size)


def _write_files(
    folder: Path,
    run_file: RunFile,
    prepared: Prepared,
    result: Result,
    spaces: PhaseSpaceFiles,
    written: list[dict[str, Any]],
) -> None:
    """Write images, then the summary that vouches for them; an old summary goes first."""
    averages = [let.keV_um for let in (result.let_d, result.let_t) if let is not None]
    spectra = [] if result.leaving is None else [result.leaving.counts, result.leaving.energy_MeV]
    parts = [] if result.parts is None else [result.parts.energy_MeV]
    numbers = (result.dose_Gy, np.array(list(result.energy.values())), *averages, *spectra, *parts)
    if not all(np.isfinite(values).all() for values in numbers):
        raise ArithmeticError("a dose, LET, spectrum, part or the energy account holds numbers that are not finite")
    (folder / SUMMARY).unlink(missing_ok=True)
    place = place_of(prepared, result)
    files = (*spaces.files, *write_scores(folder, run_file.score, prepared, result, place))
    if prepared.scene is not None and result.parts is not None:
        voxels = prepared.phantom.voxels if prepared.phantom else None
        files = (*files, write_parts(folder, part_rows(prepared.scene, voxels, result.parts)))
    said = summary(run_file, prepared, result, (*place.warnings, *spaces.warnings))
    if written:
        said["phase_spaces"] = written
    said["inputs_sha256"] = input_hashes(run_file)
    said["files_sha256"] = hashes((*files, folder / RUN))
    write_json(folder / SUMMARY, said)


def _refuse_other_run(folder: Path, content: Mapping[str, Any], run_file: RunFile) -> None:
    """Refuse a folder that holds files of another run, or of no run of ours."""
    if folder.exists() and not folder.is_dir():
        raise refuse("The output is not a folder", given=folder)
    kept = folder / RUN
    if not kept.is_file():
        names = [*names_of(run_file.score), *([PART_TABLE] if run_file.scene else []), SUMMARY]
        there = [name for name in names if (folder / name).exists()]
        if there:
            raise refuse(f"The output folder holds files that no {RUN} explains", given=", ".join(there),
                         allowed="an empty or new folder", where=folder)  # fmt: skip
        return
    try:
        other = tomllib.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise refuse(f"The {RUN} of the output folder cannot be read", given=error, where=folder) from error
    different = _differences(_flat(json.loads(json.dumps(content))), _flat(other))
    if different:
        raise refuse(
            "The output folder holds another run",
            given="; ".join(different[:MOST_SAID]) + ("; ..." if len(different) > MOST_SAID else ""),
            allowed="the same run, or a new folder",
            where=folder,
        )


def _flat(content: Any, place: str = "") -> dict[str, Any]:
    """Return nested tables as one, keys with dots, without the keys that do not change the dose."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{place}.{key}" if place else key
        if isinstance(value, dict):
            flat |= _flat(value, name)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, entry in enumerate(value, 1):
                flat |= _flat(entry, f"{name}[{number}]")
        elif tuple(name.split(".")) not in SAME_DOSE:
            flat[name] = value
    return flat


def _differences(asked: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    nothing = "nothing"
    return [
        f"{key} is {kept.get(key, nothing)} there and {asked.get(key, nothing)} here"
        for key in [*asked, *(k for k in kept if k not in asked)]
        if asked.get(key, nothing) != kept.get(key, nothing)
    ]


def _refuse_other_problem(folder: Path, prepared: Prepared) -> None:
    """Refuse to go on with parts whose inputs, or the program, have changed under the same run file."""
    try:
        kept = json.loads((folder / PARTS / "problem.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if kept.get("fingerprint") != prepared.problem.fingerprint():
        raise refuse(
            "The output folder was begun with other input files or another version of this program",
            allowed="a new folder, or this one without its parts and results",
            where=folder,
        )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder against a second run; the system lets go of it when this process ends."""
    path = folder / PARTS / "lock"
    path.touch(mode=FILE_MODE)
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"Another run is working in {folder} now.") from error
        yield


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
