"""What mistakes are made with: a made case, a library, and the command. Nothing is simulated."""

import os
import pwd
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from tests.commissioning.conftest import make_ideal_tree, make_site

Edit = Callable[[Dataset], Any]


@dataclass(frozen=True)
class Bench:
    """A folder of its own with a made case, and the command to make a mistake with.

    `takes` makes a library the one that is taken where none is named.
    """

    folder: Path
    whole_case: Any
    make_case: Callable[..., Any]
    make_beam: Callable[..., Any]
    takes: Callable[[Path], None]

    @property
    def account(self) -> str:
        """The account of the operating system."""
        return pwd.getpwuid(os.getuid()).pw_name

    def case(self, **edits: Edit) -> Path:
        """Return a copy of the plain case with changed files: by the stem of the file, or `CT` for every slice."""
        case = self.folder / "case"
        shutil.copytree(self.whole_case.folder, case)
        for stem, edit in edits.items():
            for path in sorted(case.glob(f"{stem}*.dcm")):
                change(path, edit)
        return case

    def planned(self, **changes: Any) -> Path:
        """Return a case whose first beam is changed."""
        made: Path = self.make_case(beams=(self.make_beam(1, "Top", **changes), self.make_beam(2, "Side"))).folder
        return made

    def site(self, **files: str) -> Path:
        """Return a library of our own form, with changed or more files (``ct__head_toml`` is ct/head.toml)."""
        root = make_site(self.folder / "site")
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            (root / f"{stem.replace('__', '/')}.{suffix}").write_text(text, encoding="utf-8")
        return root

    def ideal(self, *changes: tuple[str, str, str]) -> Path:
        """Return the system.cfg of a tree of IDEAL with changes: file, what stands there, what is put there."""
        system = make_ideal_tree(self.folder)
        for file, old, new in changes:
            path = self.folder / file
            text = path.read_text() if old else ""
            assert old in text, f"{old!r} is not in {file}"
            path.write_text(text.replace(old, new, 1) if old else new)
        return system

    def checked(self, library: Path) -> list[str]:
        """Return the problems that `dosewright check` finds in a library."""
        ended = self.whole_case.run("check", str(library))
        assert ended.returncode == 2, ended.stdout
        return [line.removeprefix("  - ") for line in ended.stdout.splitlines() if line.startswith("  - ")]

    def refused(self, *arguments: object) -> list[str]:
        """Run a command that must refuse, and return its reasons."""
        ended = self.whole_case.run(*(str(argument) for argument in arguments))
        assert "Traceback" not in ended.stderr
        assert ended.returncode == 2, ended.stdout + ended.stderr
        return [line.removeprefix("  - ") for line in ended.stderr.splitlines() if line.startswith("  - ")]

    def calc(self, *arguments: object, case: Path | None = None) -> list[str]:
        """Return why a calculation is refused; should it not be, it is a short one."""
        if "-n" not in arguments:
            arguments = ("-n", "100", *arguments)
        return self.refused("calc", case or self.whole_case.folder, "-o", self.folder / "result", *arguments)

    def assumed(self, case: Path, *arguments: str) -> list[str]:
        """Return what lint assumes of a case and not of the plain one."""
        before, after = (
            self.whole_case.run("lint", str(folder), *arguments).stdout.splitlines()
            for folder in (self.whole_case.folder, case)
        )
        return [line.removeprefix("  assumed: ") for line in after if line not in before and "assumed: " in line]


@dataclass(frozen=True)
class Mistake:
    """One mistake: its `section` and words on the page, how it is made, and which of several messages belongs to it."""

    section: str
    wrong: str
    make: Callable[[Bench], list[str]]
    do: str = ""
    about: str = field(default="")


def change(path: Path, edit: Edit) -> None:
    """Change a DICOM file."""
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)


def asked(*arguments: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in the options of calc."""
    return lambda bench: bench.calc(*arguments)


def put(place: Callable[[Dataset], Dataset], **values: object) -> Edit:
    """Return an edit that sets attributes at a place of an object."""

    def edit(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(place(dataset), keyword, value)

    return edit


COMMAND = "In the command"
PLAN = "In the plan"
PATIENT = "In CT, structures and doses"
LIBRARY = "In a library"
IDEAL = "In a tree of IDEAL"
RIGHTS = "What a role may not do"
FIT = "In measurements for a fit"
SCENE = "In a scene"
GAMOS = "In geometry text of GAMOS"
SCENE_RUN = "In a run file with a scene"
