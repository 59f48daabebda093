"""Macros of GATE and Geant4 as IDEAL's commissioning data hold them: aliases, other macros, volumes.

What shapes the beam and is not known here is refused; what does not shape it is named as of no effect.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.solids import Solid
from dosewright.formats.text.ideal.gate_geometry import placed_solids
from dosewright.formats.text.ideal.gate_volumes import Geometry, Volume
from dosewright.formats.text.lines import read_text

LONGEST_LINE = 4096  # what Geant4 reads of a line
MOST_FILES = 200
DEEPEST = 20
SILENT = ("vis", "gui")
WITHOUT_EFFECT = {  # first words of commands that do not shape the beam, and why they have no effect here
    ("gate", "physics"): "physics, cuts and step limits are Dosewright's own",
    ("gate", "actor"): "scores are asked for elsewhere",
    ("gate", "output"): "scores are asked for elsewhere",
    ("gate", "random"): "random numbers are Dosewright's own",
    ("gate", "run"): "runs are started elsewhere",
    ("gate", "application"): "runs are started elsewhere",
    ("gate", "stacking"): "tracking is Dosewright's own",
    ("gate", "verbose"): "printing",
    ("gate", "geometry", "enableAutoUpdate"): "the geometry is made once",
    ("gate", "geometry", "disableAutoUpdate"): "the geometry is made once",
    ("gate", "geometry", "rebuild"): "the geometry is made once",
    ("gate", "geometry", "update"): "the geometry is made once",
    ("control", "verbose"): "printing",
    ("control", "echo"): "printing",
    ("control", "saveHistory"): "printing",
    ("control", "stopSavingHistory"): "printing",
    ("run",): "runs are started elsewhere",
    ("tracking",): "tracking is Dosewright's own",
    ("process",): "physics, cuts and step limits are Dosewright's own",
    ("cuts",): "physics, cuts and step limits are Dosewright's own",
    ("physics_lists",): "physics, cuts and step limits are Dosewright's own",
    ("event",): "printing",
    ("units",): "printing",
    ("random",): "random numbers are Dosewright's own",
}
BEAM_SHAPING = {
    ("gate", "source"): "the source is that of the source properties",
    ("gate", "geometry", "setMaterialDatabase"): "materials come from the database that system.cfg names",
    ("gate", "geometry", "setIonisationPotential"): "materials come from the database that system.cfg names",
    ("gate", "geometry", "setMagField"): "particles fly straight in air",
    ("gate", "geometry", "setElectField"): "particles fly straight in air",
    ("gun",): "the source is that of the source properties",
    ("gps",): "the source is that of the source properties",
    ("field",): "particles fly straight in air",
    ("globalField",): "particles fly straight in air",
}


@dataclass(frozen=True)
class Macro:
    """A macro and the macros it executes.

    Parameters
    ----------
    path
        The macro itself.
    aliases
        All aliases at its end, those of the caller among them.
    ignored
        Commands of no effect here, as sentences with their place.
    files
        Every file that was read, each once.
    volumes
        What it builds, by name.
    """

    path: Path
    aliases: dict[str, str]
    ignored: tuple[str, ...]
    files: tuple[Path, ...]
    volumes: dict[str, Volume] = field(default_factory=dict, repr=False)

    def solids(self, named: Callable[[str], Material]) -> tuple[Solid, ...]:
        """Return its volumes in the axes of its room, mothers before daughters; `named` knows the materials."""
        return placed_solids(self.volumes, named)


@dataclass
class Session:
    """What a macro leaves behind while it runs."""

    start: Path
    root: Path
    aliases: dict[str, str]
    geometry: Geometry = field(default_factory=Geometry)
    ignored: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    executed: int = 0


def read_macro(path: Path, *, root: Path, aliases: dict[str, str] | None = None) -> Macro:
    """Read a macro; all problems are listed together.

    Parameters
    ----------
    path
        The macro.
    root
        Folder of the library that it belongs to. ``/control/execute ./data/NAME`` means the file NAME beside the
        macro, in the folder ``common`` of `root`, or in `root`, and nothing outside `root`.
    aliases
        What the caller defines, such as ``water_box_move_x``.
    """
    session = Session(path, root, dict(aliases or {}))
    _run(path, session, ())
    if session.problems:
        raise InputError(*session.problems)
    files = tuple(dict.fromkeys(session.files))
    return Macro(path, session.aliases, tuple(dict.fromkeys(session.ignored)), files, session.geometry.volumes)


def _run(path: Path, session: Session, above: tuple[Path, ...]) -> None:
    """Carry out the commands of a file, one after another; what is refused is collected."""
    session.executed += 1
    session.files.append(path)
    for text, where in commands(path):
        if session.executed > MOST_FILES:
            return
        tried(partial(_carry_out, text, where, session, (*above, path.resolve())), session.problems)


def commands(path: Path) -> Iterator[tuple[str, str]]:
    """Give each command with its place: comments begin a word with #, a line goes on behind a lone \\ or _."""
    whole: list[str] = []
    for count, line in enumerate(read_text(path).splitlines(), start=1):
        words: list[str] = []
        for word in line.split():
            if word.startswith("#"):
                break
            words.append(word)
        goes_on = bool(words) and words[-1] in ("\\", "_")
        whole += words[:-1] if goes_on else words
        if whole and not goes_on:
            yield " ".join(whole), f"{path.name}, line {count}"
            whole = []
    if whole:
        yield " ".join(whole), path.name


def _carry_out(text: str, where: str, session: Session, above: tuple[Path, ...]) -> None:
    text = resolved(text, session.aliases, where)
    command, *words = text.split()
    path = [part for part in command.split("/") if part]
    if not command.startswith("/") or not path:
        raise refuse("Expected a command", given=repr(text[:60]), allowed="/gate/..., /control/...", where=where)
    if path[0] in SILENT:
        return
    reason = _found(WITHOUT_EFFECT, path)
    if reason:
        session.ignored.append(f"{where}: {command} has no effect here: {reason}.")
        return
    shaping = _found(BEAM_SHAPING, path)
    if shaping:
        raise refuse("A command that shapes the beam is not known here", given=text[:80], allowed=shaping, where=where)
    if path == ["control", "alias"]:
        _define(text, words, session, where)
    elif path == ["control", "execute"]:
        if len(words) != 1:
            raise refuse("Expected one file", given=text[:80], allowed="/control/execute ./data/NAME", where=where)
        _execute(words[0].strip('"'), session, where, above)
    elif path[0] == "gate" and len(path) > 2:
        said = session.geometry.command(path[1:], words, where)
        if said:
            session.ignored.append(f"{where}: {command} has no effect here: {said}.")
    else:
        known = ["/control/alias", "/control/execute", *("/" + "/".join(one) for one in WITHOUT_EFFECT)]
        raise refuse(f"A command that may shape the beam is not known here.{nearest(command, known)}",
                     given=text[:80], allowed="/control/alias, /control/execute, /gate/<volume>/...",
                     where=where)  # fmt: skip


def _found(table: dict[tuple[str, ...], str], path: list[str]) -> str:
    return next((reason for start, reason in table.items() if tuple(path[: len(start)]) == start), "")


def resolved(text: str, aliases: dict[str, str], where: str) -> str:
    """Return a command with every ``{alias}`` replaced, the innermost first."""
    while "{" in text or "}" in text:
        end = text.find("}")
        start = text.rfind("{", 0, end) if end >= 0 else -1
        if start < 0:
            raise refuse("The braces of an alias do not match", given=repr(text[:80]), where=where)
        name = text[start + 1 : end]
        if name not in aliases:
            known = ", ".join(aliases) or "none is defined"
            raise refuse(f"Unknown alias.{nearest(name, aliases)}", given=f"{{{name}}}", allowed=known, where=where)
        text = text[:start] + aliases[name] + text[end + 1 :]
        if len(text) > LONGEST_LINE:
            raise refuse(
                "A command is too long once its aliases are replaced", allowed=f"{LONGEST_LINE} signs", where=where
            )
    return text


def _define(text: str, words: list[str], session: Session, where: str) -> None:
    if len(words) < 2:
        raise refuse("An alias needs a name and a value", given=repr(text[:60]), where=where)
    value = text.split(maxsplit=2)[2]
    session.aliases[words[0]] = value.strip('"') if value.startswith('"') else value


def _execute(name: str, session: Session, where: str, above: tuple[Path, ...]) -> None:
    target = _in_library(name, session, where)
    if target in above:
        raise refuse("A macro executes itself, by way of others", given=name, where=where)
    if len(above) >= DEEPEST or session.executed >= MOST_FILES:
        raise refuse("Macros execute each other too often", given=name, allowed=f"{MOST_FILES} files, {DEEPEST} deep",
                     where=where)  # fmt: skip
    _run(target, session, above)


def _in_library(name: str, session: Session, where: str) -> Path:
    """Return the one file of the library that ``./data/NAME`` means."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    allowed = "./data/NAME, a file beside the macro or in the folder common"
    if name.startswith("/") or len(parts) < 2 or parts[0] != "data" or ".." in parts:
        raise refuse("A macro outside the library cannot be executed", given=name, allowed=allowed, where=where)
    inside = session.root.resolve()
    found: list[Path] = []
    for folder in (session.start.parent, session.root / "common", session.root):
        try:
            target = folder.joinpath(*parts[1:]).resolve()
            exists = target.is_file()
        except (OSError, ValueError):
            exists = False
        if exists and target not in found:
            found.append(target)
    if any(inside not in target.parents for target in found):
        raise refuse("A macro outside the library cannot be executed", given=name, allowed=allowed, where=where)
    if not found:
        known = [one.name for one in (*session.start.parent.glob("*.mac"), *(session.root / "common").glob("*.mac"))]
        raise refuse(
            f"The macro to execute is missing.{nearest(parts[-1], known)}", given=name, allowed=allowed, where=where
        )
    if len(found) > 1:
        raise refuse("Two macros have the name that is to be executed", given=name,
                     allowed="one file beside the macro or in the folder common", where=where)  # fmt: skip
    return found[0]
