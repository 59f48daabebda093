"""The pages on scene files and geometry text name what the code knows, and their examples read."""

import re
from dataclasses import fields
from pathlib import Path

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.core.modules import MODULES, TIPS
from dosewright.formats.text.gamos.arithmetic import FUNCTIONS
from dosewright.formats.text.gamos.geometry import IGNORED, KNOWN, NOT_KNOWN, read_gamos_geometry
from dosewright.formats.text.gamos.solids import SOLIDS
from dosewright.formats.text.gamos.volumes import BOOLEANS
from dosewright.formats.text.scene.scene_toml import PartTable, SceneTable, read_scene_toml
from dosewright.formats.text.scene.shape_tables import PLAIN, SHAPE_WORDS
from dosewright.materials.library import named

REFERENCE = Path(__file__).resolve().parents[4] / "docs" / "reference"
SCENE = (REFERENCE / "scene_file.md").read_text()
GAMOS = (REFERENCE / "gamos_geometry.md").read_text()


def test_every_key_is_on_the_page() -> None:
    for word in SHAPE_WORDS:
        assert f"`{word}`" in SCENE
    for word, kind in PLAIN.items():
        (row,) = [line for line in SCENE.splitlines() if line.startswith(f"| `{word}` ")]
        assert all(f"`{one.name}`" in row for one in fields(kind)), word
    for table in (SceneTable, PartTable):
        assert all(re.search(rf"\b{one.name} = ", SCENE) for one in fields(table))
    for word, module in MODULES.items():
        (row,) = [line for line in SCENE.splitlines() if line.startswith(f"| `{word}` ")]
        general = ("name", "parent", "where")
        assert all(f"`{one.name}`" in row for one in fields(module) if one.name not in general), word
    assert all(tip in SCENE for tip in TIPS)


def test_the_examples_of_scene_files_read(tmp_path: Path) -> None:
    first, _, module, designed = re.findall(r"```toml\n(.*?)```", SCENE, re.DOTALL)
    path = tmp_path / "head.toml"
    path.write_text(first + "\n" + module + designed.replace('"leaves"', '"more leaves"'))
    scene = read_scene_toml(path, named, mlc_design)
    assert [part.name for part in scene.parts] == ["ring"]
    assert [one.name for one in scene.modules] == ["leaves", "more leaves"]


def test_every_tag_and_solid_is_on_the_page() -> None:
    for tag in (*KNOWN, *NOT_KNOWN):
        assert f"`{tag}" in GAMOS, tag
    for tag, why in IGNORED.items():
        assert f"`{tag}`" in GAMOS or "optical" in why
    for solid in (*SOLIDS, *BOOLEANS):
        assert f"`{solid}`" in GAMOS
    assert all(re.search(rf"\b{name}\b", GAMOS) for name in FUNCTIONS)


def test_the_example_of_geometry_text_reads(tmp_path: Path) -> None:
    path = tmp_path / "head.geom"
    path.write_text(re.findall(r"```text\n(.*?)```", GAMOS, re.DOTALL)[0])
    scene, notes = read_gamos_geometry(path, named)
    assert [part.name for part in scene.parts] == ["collimator"]
    assert [one.name for one in scene.modules] == ["jaws_X"]
    assert not notes
