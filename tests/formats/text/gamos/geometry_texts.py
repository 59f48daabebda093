"""What tests of geometry text share: a world, and what is read or refused of a text."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.core.scene import Scene
from dosewright.formats.text.gamos.geometry import read_gamos_geometry
from dosewright.materials.library import named

WORLD = ":ROTM R0 0 0 0\n:VOLU world BOX 1*m 1*m 1*m G4_AIR\n"


def write(folder: Path, text: str, name: str = "head.geom") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def scene_of(folder: Path, text: str) -> Scene:
    return read_gamos_geometry(write(folder, text), named)[0]


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        read_gamos_geometry(write(folder, text), named)
    assert refused.value.problems
    return list(refused.value.problems)
