"""How a scene file is known: TOML by its suffix, else GAMOS text."""

from collections.abc import Callable
from pathlib import Path

from dosewright.core.matter import Material
from dosewright.core.scene import Scene
from dosewright.formats.text.gamos.gamos_scene import read_gamos_scene
from dosewright.formats.text.scene.scene_toml import read_scene_toml

TOML = ".toml"


def read_scene_file(path: Path, material: Callable[[str], Material]) -> Scene:
    """Read a scene; names of media that the file does not define are looked up by `material`."""
    if path.suffix.lower() == TOML:
        return read_scene_toml(path, material)
    return read_gamos_scene(path, material)
