"""The packaged designs of collimators: what they promise at the isocentre."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.geometry.modules.rays import length_in

from dosewright.commissioning.mlc_designs import PACKAGED, known_designs, mlc_design
from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.core.modules import LeafPair
from dosewright.geometry.modules.build import assumptions_of, parts_of
from dosewright.geometry.scene.pack import pack_scene

FOCUS = (0.0, 0.0, 1000.0)


@pytest.mark.parametrize(
    ("name", "widths", "convex"),
    [("generic_60", [10.0] * 10 + [5.0] * 40 + [10.0] * 10, 4), ("generic_80", [5.0] * 80, 1)],
)
def test_leaves_have_their_widths_at_the_isocentre(name: str, widths: list[float], convex: int) -> None:
    module = mlc_design(name)
    assert module.boundaries_mm() == pytest.approx(np.array([-200.0, *(np.cumsum(widths) - 200.0)]), abs=1e-9)
    assert len(parts_of(module)) == 2 * len(widths)
    cells = pack_scene(parts_of(module), (0, 0.0), {}, None, Rigid.identity()).tables.cells
    assert len(cells) == len(parts_of(module)) * convex  # more of them slow every photon down

    assert assumptions_of(module) == ()


@pytest.mark.parametrize("name", ["generic_60", "generic_80"])
def test_the_field_of_open_leaves_is_as_large_as_it_should_be(name: str) -> None:
    """Leaves from -100 to 50 mm, closed beyond: the light field along and across, and nothing shines through gaps."""
    module = mlc_design(name)
    bounds = module.boundaries_mm()
    inside = [-60.0 <= round(low, 6) < 40.0 for low in bounds[:-1]]
    pairs = tuple(
        LeafPair(pair.profile, -100.0, 50.0) if held else pair for pair, held in zip(module.pairs, inside, strict=True)
    )
    parts = parts_of(replace(module, pairs=pairs))
    gap = module.cross_gap_mm * 1000.0 / (1000.0 - module.top_z_mm)
    points = module.profiles[0].points_mm
    step = 0.5 * (max(cross for _, cross in points) - points[1][1]) * 1000.0 / (1000.0 - module.top_z_mm)
    for x, y, lit in [
        (-99.999, 0.3, True), (-100.1, 0.3, False), (49.999, 0.3, True), (50.1, 0.3, False),
        (20.0, -60.0 + step, True), (20.0, -60.0 + step - gap, False),
        (20.0, 40.0 - step, True), (20.0, 40.0 - step + gap, False),
    ]:  # fmt: skip
        assert (length_in(parts, FOCUS, (x, y, 0.0)) == 0.0) == lit, (x, y)
    thickness = -module.profiles[0].heights_mm[0]
    for y in np.arange(-58.0, 38.0, 1.9):
        through = length_in(parts, FOCUS, (80.0, y, 0.0))
        assert through > 0.45 * thickness, y


def test_designs_are_labelled_and_found_by_name(tmp_path: Path) -> None:
    assert set(known_designs()) == {"generic_60", "generic_80"}
    for path in known_designs().values():
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# Generic, not a real machine")
        assert 'label = "generic, not a real machine"' in text
    with pytest.raises(InputError, match="Did you mean 'generic_80'") as told:
        mlc_design("generic_81")
    assert "Allowed: generic_60, generic_80" in str(told.value)
    ours = (PACKAGED / "generic_80.toml").read_text(encoding="utf-8").replace("generic_80", "ours")
    (tmp_path / "ours.toml").write_text(ours, encoding="utf-8")
    assert mlc_design("ours", tmp_path).name == "ours"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[80, 1]]", "[[80, 2]]", "pair 1 has profile 2, and there are 1"),
        ("[[80, 1]]", "[[80]]", "how many pairs and the number of their profile"),
        ("radius_mm = 170.0", "radius_mm = 40.0", "does not reach the farther face of the leaf, 50 mm"),
        ("[0.0, 0.5975]", "[0.0, 0.5975, 1.0]", "two coordinates"),
        ("W = 0.95", "Wo = 0.95", "Unknown element"),
        ("top_z_mm", "top_mm", "Unknown key 'top_mm'. Did you mean 'top_z_mm'"),
    ],
)
def test_mistakes_in_a_design_are_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (PACKAGED / "generic_80.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "wrong.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as told:
        mlc_design("wrong", tmp_path)
    assert said in str(told.value)
    assert "wrong.toml" in str(told.value) or "element" in said
