"""How a scene file is known: TOML by its suffix, else GAMOS text."""

from collections.abc import Callable
from pathlib import Path

from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.scene import Scene


def read_scene_file(path: Path, material: Callable[[str], Material]) -> Scene:
    """Read a scene; names of media are looked up by `material`."""
    raise refuse("Scenes cannot be read", given=path)
