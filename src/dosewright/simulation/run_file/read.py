"""A run file from disk, with all its mistakes listed together."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.checked_toml import read_toml
from dosewright.formats.text.hounsfield import SCANNER_DENSITY
from dosewright.formats.text.lines import read_text
from dosewright.simulation.regions import Regions
from dosewright.simulation.run_file.check_extra import extra_faults
from dosewright.simulation.run_file.check_phantom import phantom_faults, phantom_text_faults, score_faults
from dosewright.simulation.run_file.check_planes import phase_space_faults
from dosewright.simulation.run_file.check_reduction import reduction_faults
from dosewright.simulation.run_file.check_scene import companion_faults, place_faults, read_placed
from dosewright.simulation.run_file.check_source import goal_faults, source_faults
from dosewright.simulation.run_file.check_transport import (
    region_faults,
    score_kind_faults,
    splitting_faults,
    track_length_faults,
    transport_faults,
)
from dosewright.simulation.run_file.faults import Fault, fault_of, is_there
from dosewright.simulation.run_file.later import take_out_later_words
from dosewright.simulation.run_file.lines import Place, key_lines, line_of
from dosewright.simulation.run_file.particles import ABILITIES
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.score_tables import Score, usual_scores
from dosewright.simulation.run_file.source_tables import SOURCES, AnySource
from dosewright.simulation.run_file.tables import Goals, Run, RunFile
from dosewright.simulation.run_file.transport_tables import Transport, VarianceReduction
from dosewright.simulation.run_file.values import AUTO, OFF
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers
from dosewright.simulation.setup.scene import PlacedScene

TABLES: dict[str, type[BaseModel]] = {
    "phantom": Phantom,
    "scene": Scene,
    "transport": Transport,
    "variance_reduction": VarianceReduction,
    "goal": Goals,
    "run": Run,
}
NEEDED = ("source", "goal")
FILES = (
    ("phantom", "image"), ("phantom", "egsphant"), ("phantom", "g4dcm"), ("scene", "file"), ("scene", "plan"),
    ("source", "spectrum"), ("source", "file"), ("source", "plan"),
)  # fmt: skip
LIMITS = ("variance_reduction", "xy_limits")  # a file, or a word
NAMES_OR_FILES = (("phantom", "hlut"), ("source", "beam_model"))


def read_run_file(
    path: Path, *, resolvers: Resolvers = WITHOUT_LIBRARY, overrides: Mapping[tuple[str, str], object] | None = None
) -> RunFile:
    """Read and check a run file.

    Parameters
    ----------
    path
        The TOML file; relative paths inside start at its folder and come back absolute.
    resolvers
        How names of media, CT protocols and beam models are looked up.
    overrides
        Values that replace the file's, by table and key, such as ``{("goal", "histories"): 1000}``.

    Raises
    ------
    InputError
        Everything that is wrong, each with its key, line, what was given and what is allowed.
    """
    if not is_there(str(path)):
        raise refuse("The run file does not exist", given=path)
    content = read_toml(path)
    said = {key: value for key, value in (overrides or {}).items() if value is not None}
    for (table, key), value in said.items():
        if isinstance(content.setdefault(table, {}), dict):
            content[table][key] = value
    checked = _check(_with_absolute_paths(content, path.resolve().parent), resolvers)
    if checked.faults:
        lines = key_lines(read_text(path))
        by_line = sorted(checked.faults, key=lambda fault: line_of(lines, fault.place) or 0)
        raise InputError(*(f.sentence(_where(f.place, path, lines, said)) for f in by_line))
    return checked.run_file()


def check(run_file: RunFile, resolvers: Resolvers = WITHOUT_LIBRARY) -> None:
    """Check a run that was written in Python as a file is checked."""
    faults = _check(run_file.model_dump(exclude_none=True), resolvers).faults
    if faults:
        raise InputError(*(fault.sentence("the run") for fault in faults))


@dataclass
class _Checked:
    """The tables that are right, and the faults of the others."""

    tables: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def run_file(self) -> RunFile:
        return RunFile(**self.tables)

    def clean(self, section: str) -> Any:
        """Return a table that has no fault so far, else None."""
        return None if any(f.place[0] == section for f in self.faults) else self.tables.get(section)


def _check(content: dict[str, Any], resolvers: Resolvers) -> _Checked:
    content = copy.deepcopy(content)
    known = tuple(RunFile.model_fields)
    checked = _Checked(faults=take_out_later_words(content))
    for section in [s for s in content if s not in known]:
        what = f"Unknown table or key {section!r}.{nearest(section, known)}"
        checked.faults.append(Fault((section,), what, allowed=", ".join(known)))
    for section in [s for s in NEEDED if s not in content]:
        checked.faults.append(Fault((section,), f"The table '[{section}]' is missing"))
    if "phantom" not in content and "scene" not in content:
        what = "The table '[phantom]' is missing"
        checked.faults.append(Fault(("phantom",), what, allowed="a phantom, a scene, or a phantom inside a scene"))
    for section, model in TABLES.items():
        _read_table(checked, content.get(section), (section,), model)
    _read_source(checked, content)
    _read_scores(checked, content)
    _check_between(checked, content, resolvers)
    checked.faults += _missing_files(content)
    return checked


def _read_table(checked: _Checked, content: Any, place: Place, model: type[BaseModel]) -> BaseModel | None:
    if content is None:
        return None
    try:
        table = model.model_validate(content)
    except ValidationError as error:
        checked.faults += [fault_of(one, place, model) for one in error.errors()]
        return None
    checked.tables[str(place[0])] = table
    return table


def _read_source(checked: _Checked, content: dict[str, Any]) -> None:
    table = content.get("source")
    if table is None or any(f.place == ("source", "kind") for f in checked.faults):
        return
    if not isinstance(table, dict):
        checked.faults.append(Fault(("source",), "source must be a table", table))
        return
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in SOURCES:
        hint = nearest(kind, SOURCES) if isinstance(kind, str) else ""
        what = f"source.kind is not a known word.{hint}" if "kind" in table else "The key 'source.kind' is missing"
        checked.faults.append(Fault(("source", "kind"), what, kind and repr(kind), ", ".join(SOURCES)))
        return
    model = SOURCES[kind]
    before = len(checked.faults)
    _read_table(checked, table, ("source",), model)
    for number in range(before, len(checked.faults)):
        checked.faults[number] = _of_another_kind(checked.faults[number], kind)


def _of_another_kind(fault: Fault, kind: str) -> Fault:
    """Say so where a key belongs to other kinds of source."""
    key = str(fault.place[-1])
    others = [name for name, model in SOURCES.items() if key in model.model_fields and name != kind]
    if not fault.what.startswith("Unknown key") or not others:
        return fault
    return Fault(fault.place, f"source.{key} does not belong to kind {kind!r} but to {', '.join(others)}")


def _read_scores(checked: _Checked, content: dict[str, Any]) -> None:
    entries = content.get("score")
    if entries is None or entries == ():
        checked.tables["score"] = usual_scores(content.get("phantom"))
        return
    if not isinstance(entries, list | tuple) or not entries:
        checked.faults.append(Fault(("score",), "score must be a list of tables", allowed="[[score]]"))
        return
    scores: list[Score] = []
    for number, entry in enumerate(entries):
        try:
            scores.append(TypeAdapter(Score).validate_python(entry))
        except ValidationError as error:
            checked.faults += [fault_of(one, ("score", number), Score) for one in error.errors()]
    checked.tables["score"] = tuple(scores)


def _missing_files(content: dict[str, Any]) -> list[Fault]:
    """Return a fault for each file that is named and not there."""
    faults = []
    for table, key in FILES:
        section = content.get(table)
        text = section.get(key) if isinstance(section, dict) else None
        if isinstance(text, str) and not is_there(text):
            faults.append(Fault((table, key), f"The file of {table}.{key} does not exist", text))
    return faults


def _check_between(checked: _Checked, content: dict[str, Any], resolvers: Resolvers) -> None:
    """Check what single keys do not show, of the tables that are right so far."""
    source = checked.clean("source")
    transport = checked.clean("transport") or Transport()
    regions = _check_matter(checked, content, resolvers, source, transport)
    if source is not None:
        checked.faults += source_faults(source, transport, resolvers)
    sound, scored = checked.clean("source"), checked.clean("score") or ()
    in_scene = "scene" in content
    if (reduction := checked.clean("variance_reduction")) is not None:
        checked.faults += track_length_faults(reduction, sound, scored, transport)
        checked.faults += splitting_faults(reduction, sound, scored)
        checked.faults += reduction_faults(reduction, sound, in_scene=in_scene)
    if in_scene:
        checked.faults += companion_faults(sound, reduction)
    checked.faults += transport_faults(transport, source)
    if (goals := checked.clean("goal")) is not None:
        checked.faults += goal_faults(goals)
    if (scores := checked.clean("score")) is not None:
        box = None if in_scene else checked.clean("phantom")
        checked.faults += score_faults(scores, box) + score_kind_faults(scores, source)
        checked.faults += phase_space_faults(scores, source, reduction) + extra_faults(scores, regions)
        if in_scene and "phantom" not in content:
            checked.faults += place_faults(scores, goals)


def _check_matter(
    checked: _Checked, content: dict[str, Any], resolvers: Resolvers, source: AnySource | None, transport: Transport
) -> Regions | None:
    """Check phantom and scene, and that every region is one of theirs; return the regions of phase spaces."""
    phantom, scene = checked.clean("phantom"), checked.clean("scene")
    placed: PlacedScene | None = None
    sound = all(section in checked.tables for section in ("phantom", "scene") if section in content)
    if phantom is not None:
        wrong = phantom_faults(phantom, resolvers)
        sound = sound and not wrong
        checked.faults += wrong
    else:
        checked.faults += phantom_text_faults(content.get("phantom"), resolvers)
    if scene is not None:
        placed, wrong = read_placed(scene, resolvers)
        sound = sound and placed is not None
        checked.faults += wrong
    if sound and (source is None or ABILITIES[source.particle].regions):
        checked.faults += region_faults(transport, phantom, placed, resolvers)
    return Regions.of(placed, phantom=phantom is not None) if sound else None


def _with_absolute_paths(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Let paths start at the folder of the run file; names of the library stay names."""
    for table, key in (*FILES, *NAMES_OR_FILES):
        section = content.get(table)
        if not isinstance(section, dict) or not isinstance(section.get(key), str):
            continue
        text = section[key]
        before_colon = text.rpartition(":")[0]  # hlut.conf:Head
        if (table, key) in FILES or _exists(folder / text) or (before_colon and _exists(folder / before_colon)):
            section[key] = str(folder / text)
    limits = content.get(LIMITS[0])
    if isinstance(limits, dict) and isinstance(text := limits.get(LIMITS[1]), str) and text not in (OFF, AUTO):
        limits[LIMITS[1]] = str(folder / text)
    return content


def _exists(path: Path) -> bool:
    """Say whether a path is a file, or the folder of a CT protocol."""
    return is_there(str(path)) or is_there(str(path / SCANNER_DENSITY))


def _where(place: Place, path: Path, lines: Mapping[Place, int], overrides: Mapping[tuple[str, str], object]) -> str:
    if place[:2] in overrides:
        return f"the command's --{place[1]}"
    line = line_of(lines, place)
    return path.name if line is None else f"{path.name}, line {line}"
