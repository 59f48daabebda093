"""How a scene file is known: TOML by its suffix, else GAMOS geometry text."""

from collections.abc import Callable
from pathlib import Path

from dosewright.core.matter import Material
from dosewright.core.scene import Scene
from dosewright.formats.text.gamos.geometry import read_gamos_geometry
from dosewright.formats.text.scene.scene_toml import read_scene_toml

TOML = ".toml"


def read_scene_file(path: Path, material: Callable[[str], Material]) -> tuple[Scene, tuple[str, ...]]:
    """Read a scene, and sentences about what of the file has no effect.

    Names of media that the file does not define are looked up by `material`.
    """
    if path.suffix.lower() == TOML:
        return read_scene_toml(path, material), ()
    return read_gamos_geometry(path, material)
