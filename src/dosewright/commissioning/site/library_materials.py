"""Media of a site: its materials.toml, its GATE databases, then those of the package; names are exact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydantic import Field

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.ideal.gate_materials import read_gate_materials
from dosewright.materials.elements import element
from dosewright.materials.library import known_names, named

MATERIALS_TOML, DATABASE_SUFFIX = "materials.toml", ".db"


class MaterialFile(Checked):
    """A medium of the site: mass fractions by element symbol or name."""

    name: str
    density_g_cm3: float = Field(gt=0)
    mass_fractions: dict[str, float]
    mean_excitation_eV: float | None = Field(default=None, gt=0)
    citation: str = ""


class MaterialsFile(Checked):
    """materials.toml as it stands."""

    material: list[MaterialFile] = Field(default_factory=list)


@dataclass(frozen=True)
class SiteMaterials:
    """Media by name, the site's own first.

    Parameters
    ----------
    own
        Those of the site's files.
    refused
        What is wrong with single media, by name: densities that a configuration repeats and that differ.
    """

    own: Mapping[str, Material] = field(default_factory=dict, hash=False)
    refused: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __call__(self, name: str) -> Material:
        """Return a medium by its exact name.

        Raises
        ------
        InputError
            An unknown name, with the nearest known one; a medium whose density is given twice and differs.
        """
        word = name.strip()
        if word in self.refused:
            raise InputError(self.refused[word])
        if word in self.own:
            return self.own[word]
        try:
            return named(word)
        except InputError:
            hint = nearest(word, self.own)
            if not hint:
                raise
            raise refuse(f"Unknown material.{hint}", given=repr(word)) from None

    def names(self) -> tuple[str, ...]:
        """Return the names of all media, the site's own first."""
        return tuple(dict.fromkeys([*self.own, *known_names()]))


def read_materials(files: Iterable[Path], problems: list[str]) -> dict[str, Material]:
    """Read the media of several files, materials.toml or GATE databases; what is wrong is added to `problems`."""
    materials: dict[str, Material] = {}
    origin: dict[str, Path] = {}
    for path in files:
        read = partial(read_materials_toml, path) if path.suffix.lower() == ".toml" else partial(_database, path)
        for name, one in (tried(read, problems) or {}).items():
            if name in materials and materials[name] != one:
                problems += refuse("Two files of the library describe one material differently", given=name,
                                   where=f"{origin[name].name} and {path.name}").problems  # fmt: skip
            materials[name], origin[name] = one, path
    return materials


def _database(path: Path) -> dict[str, Material]:
    return read_gate_materials(path, named)


def read_materials_toml(path: Path) -> dict[str, Material]:
    """Read materials.toml; all problems are listed together."""
    materials: dict[str, Material] = {}
    problems: list[str] = []
    for one in read_checked(path, MaterialsFile).material:
        try:
            fractions = {element(word).Z: share for word, share in one.mass_fractions.items()}
            if one.name in materials:
                raise refuse("Two materials of the library have one name", given=one.name)
            materials[one.name] = Material(one.name, one.density_g_cm3, fractions, one.mean_excitation_eV)
        except InputError as error:
            problems.extend(f"{problem} Where: {path.name}." for problem in error.problems)
    if problems:
        raise InputError(*problems)
    return materials
