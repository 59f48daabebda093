"""A scene is written and read again."""

from pathlib import Path

import numpy as np
import pytest
from tests.formats.text.scene.scene_texts import MODULE, SHAPES, without_places, write

from dosewright.core.solids import Prism
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.formats.text.scene.write import scene_text
from dosewright.materials.library import named


@pytest.mark.parametrize("text", [SHAPES, MODULE], ids=["shapes", "modules"])
def test_a_scene_is_written_and_read_again(tmp_path: Path, text: str) -> None:
    scene = read_scene_toml(write(tmp_path, text), named)
    again = read_scene_toml(write(tmp_path, scene_text(scene, named)), named)
    for old, new in zip(scene.parts, again.parts, strict=True):
        if not isinstance(old.shape, Prism):
            assert new.shape == old.shape
        np.testing.assert_allclose(new.placement.rotation, old.placement.rotation, atol=1e-14)
        ours = (old.name, old.material, old.density_g_cm3, old.parent, old.turns, old.placement)
        assert ours == (new.name, new.material, new.density_g_cm3, new.parent, new.turns, new.placement)
    assert without_places(scene.modules) == without_places(again.modules)
    assert (again.fill, again.source) == (scene.fill, scene.source)
