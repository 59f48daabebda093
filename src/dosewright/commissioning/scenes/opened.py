"""A scene file with everything that its checks and pictures need."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.modules import Mlc
from dosewright.core.scene import Part, Scene
from dosewright.formats.text.scene_file import read_scene
from dosewright.geometry.modules.build import all_parts, assumptions_of


@dataclass(frozen=True)
class OpenedScene:
    """A scene, all its parts (those of modules too), the name of its file, the hash of it, what was assumed."""

    scene: Scene
    parts: tuple[Part, ...]
    file: str
    sha256: str
    notes: tuple[str, ...] = ()


def open_scene(
    path: Path, material: Callable[[str], Material], design: Callable[[str], Mlc] = mlc_design
) -> OpenedScene:
    """Read a scene file; media that it does not define are looked up by `material`, leaves of a design by `design`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise refuse("The scene file cannot be read", given=path, where=error.strerror) from None
    scene, notes = read_scene(path, material, design)
    assumed = (text for module in scene.modules for text in assumptions_of(module))
    return OpenedScene(scene, all_parts(scene), path.name, sha256(content).hexdigest(), (*notes, *assumed))
