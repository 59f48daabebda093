"""Modules of a scene file: the fields of their dataclass, mistakes with their line."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints

import pytest
from tests.formats.text.scene.scene_texts import MODULE, problems_of, without_places, write

from dosewright.core.errors import InputError, refuse
from dosewright.core.modules import MODULES, Jaws, LeafPair, LeafProfile, Mlc, RangeModulator, Tip
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.formats.text.scene.tables import TableFile, read_value
from dosewright.formats.text.scene.toml_lines import TomlLines
from dosewright.materials.library import named

VALUES: tuple[object, ...] = ("water", 1, 1.5, True, [], [1], [[1.0, 2.0]], {}, [{}])


@pytest.mark.parametrize("kind", MODULES)
def test_every_module_of_core_can_be_read(kind: str) -> None:
    """Each field's type is one that a table can hold; a text is refused or taken, never a crash."""
    file = TableFile(Path("a.toml"), TomlLines(""), named)
    hints = get_type_hints(MODULES[kind])
    for one in fields(MODULES[kind]):
        for value in VALUES:
            try:
                read_value(hints[one.name], value, (one.name,), file)
            except InputError:
                continue


def test_modules_have_the_fields_of_their_dataclass(tmp_path: Path) -> None:
    jaws, mlc, wheel = read_scene_toml(write(tmp_path, MODULE), named).modules
    tungsten = named("G4_W")
    tip = Tip("ROUND_DISP", 150.0, 40.0, 12.0)
    upper = Jaws("upper", "Y", tip, (60.0, 61.0, 39.0), 0.0, 300.0, 1000.0, -50.0, 55.0, tungsten, "head", 1)
    assert without_places(jaws) == without_places(upper)
    assert getattr(jaws, "where") == "head.toml, line 10"  # noqa: B009  a module need not have it
    assert isinstance(mlc, Mlc)
    assert mlc.beam == -1  # its own key wins over that of the scene
    assert mlc.tip.positions_mm == ((0.0, 0.0), (100.0, 95.0))
    profile = LeafProfile("LEAF", ((0.0, 0.0), (0.0, 5.0), (-60.0, 5.0), (-60.0, 0.0)))
    assert without_places(mlc.profiles) == without_places((profile,))
    assert mlc.pairs == (LeafPair(1, -20.0, 21.0), LeafPair(1, -22.0, 23.0))
    assert isinstance(wheel, RangeModulator)
    assert (wheel.thickness_mm, wheel.weights, wheel.turns) == ((5.0, 11.0), (0.2, 0.3), False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("blades = 3", "blades = 3.0", r"'module.3.blades' must be a whole number"),
        ("focused = true\n", "", r"The key 'module.2.focused' is missing"),
        (
            "profile = 1\n",
            "profile = 1\nprofil = 2\n",
            r"Unknown key 'module.2.pairs.1.profil'. Did you mean 'profile'",
        ),
        ('parent = "head"', 'parent = "had"', r"'upper' lies in a part that is not there. Did you mean 'head'"),
        ("isocentre_z_mm = 1000.0\n", "", r"The key 'module.1.isocentre_z_mm' is missing"),
    ],
)
def test_mistakes_of_modules(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MODULE
    with pytest.raises(InputError, match=said):
        read_scene_toml(write(tmp_path, MODULE.replace(old, new, 1)), named)


@dataclass(frozen=True)
class Shield:
    """A module that checks itself, with a place or without."""

    name: str
    thickness_mm: float
    where: str = ""

    def __post_init__(self) -> None:
        if self.thickness_mm < 0:
            raise refuse("too thin", given=self.thickness_mm, where=self.where)
        if self.thickness_mm > 100:
            raise refuse("too thick", given=self.thickness_mm)


def test_what_a_module_refuses_itself_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "shield", Shield)
    text = '\n[[module]]\nkind = "shield"\nname = "s"\nthickness_mm = {}\n'
    said = problems_of(tmp_path, text.format(-1.0) + text.format(101.0) + text.format(3)).splitlines()
    assert said == [
        "too thin. Given: -1.0. Where: head.toml, line 2.",
        "too thick. Given: 101.0. Where: head.toml, line 7.",
    ]
    assert read_scene_toml(write(tmp_path, text.format(3)), named).modules == (Shield("s", 3.0, "head.toml, line 2"),)
