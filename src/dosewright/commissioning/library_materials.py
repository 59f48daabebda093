"""Media of a site: its materials.toml, its GATE databases, then those of the package; names are exact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.gate_materials import read_gate_materials
from dosewright.materials.elements import element
from dosewright.materials.library import known_names, named

MATERIALS_TOML, DATABASE_SUFFIX = "materials.toml", ".db"
DENSITY_TOLERANCE = 0.005  # relative; a density typed a second time may be rounded that much


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
    told_density_g_cm3
        Densities that IDEAL's system.cfg repeats; they must agree with the database.
    told_by
        The file that repeats them.
    """

    own: Mapping[str, Material] = field(default_factory=dict, hash=False)
    told_density_g_cm3: Mapping[str, float] = field(default_factory=dict, hash=False)
    told_by: str = ""

    def __call__(self, name: str) -> Material:
        """Return a medium by its exact name.

        Raises
        ------
        InputError
            An unknown name, with the nearest known one; a density given twice that differs.
        """
        word = name.strip()
        found = self.own[word] if word in self.own else self._packaged(word)
        told = self.told_density_g_cm3.get(word)
        if told is not None and abs(told / found.density_g_cm3 - 1.0) > DENSITY_TOLERANCE:
            raise refuse(f"The density of {word} is given twice and differs: leave it to the database", given=f"{told:g}",
                         allowed=f"{found.density_g_cm3:g} g/cm3, as in the database of materials",
                         where=self.told_by)  # fmt: skip
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names of all media, the site's own first."""
        return tuple(dict.fromkeys([*self.own, *known_names()]))

    def problems(self) -> list[str]:
        """Return what is wrong with the names and densities that system.cfg repeats."""
        problems: list[str] = []
        for name in self.told_density_g_cm3:
            try:
                self(name)
            except InputError as refused:
                problems += [p if self.told_by in p else f"{p} Where: {self.told_by}." for p in refused.problems]
        return problems

    def _packaged(self, word: str) -> Material:
        try:
            return named(word)
        except InputError:
            hint = nearest(word, self.own)
            if not hint:
                raise
            raise refuse(f"Unknown material.{hint}", given=repr(word)) from None


def read_materials(files: Iterable[Path]) -> dict[str, Material]:
    """Read the media of several files, materials.toml or GATE databases; all problems are listed together."""
    materials: dict[str, Material] = {}
    origin: dict[str, Path] = {}
    problems: list[str] = []
    for path in files:
        try:
            found = read_materials_toml(path) if path.suffix.lower() == ".toml" else read_gate_materials(path)
        except InputError as refused:
            problems.extend(refused.problems)
            continue
        for name, one in found.items():
            if name in materials and materials[name] != one:
                problems.append(str(refuse("Two files of the library describe one material differently", given=name,
                                           where=f"{origin[name].name} and {path.name}")))  # fmt: skip
            materials[name], origin[name] = one, path
    if problems:
        raise InputError(*problems)
    return materials


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
