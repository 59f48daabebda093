"""A scene from whichever kind of file it is written in."""

from pathlib import Path

from dosewright.core.scene import Scene
from dosewright.formats.text.gamos.geometry import read_gamos_geometry
from dosewright.formats.text.lines import read_text
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.formats.text.scene.tables import Designed, Named, no_designs


def read_scene(path: Path, named: Named, designed: Designed = no_designs) -> tuple[Scene, tuple[str, ...]]:
    """Read a scene file (TOML) or geometry text of GAMOS, by what stands in it.

    `named` gives the materials that the file does not define, `designed` multi-leaf collimators by name (scene files
    only). Returns the scene, and sentences about what of the file has no effect here.
    """
    return read_gamos_geometry(path, named) if _is_geometry_text(path) else (read_scene_toml(path, named, designed), ())


def _is_geometry_text(path: Path) -> bool:
    """Return whether the first line that says something begins with a tag, a comment or an included file."""
    if path.suffix.casefold() == ".toml":
        return False
    for line in read_text(path).splitlines():
        word = line.strip()
        if word.startswith((":", "//", "#include")):
            return True
        if word and not word.startswith("#"):
            return False
    return False
