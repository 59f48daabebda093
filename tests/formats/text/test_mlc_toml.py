"""Designs of collimators: every key, and garbage."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.mlc_toml import read_mlc

DESIGN = """
name = "two"
label = "made up"
orientation = "Y"
focused = false
half_length_mm = 60.0
focus_z_mm = 1000.5
cross_focus_mm = 1.5
isocentre_z_mm = 2.5
top_z_mm = 500.0
gap_z_mm = -1.0
cross_gap_mm = 0.25
cross_start_mm = -7.0
pairs = [[1, 2], [2, 1]]

[tip]
kind = "ROUND_DISP_POSFILE"
radius_mm = 90.0
centre_below_top_mm = 20.0
positions_mm = [[-9.0, -8.0], [9.0, 8.0]]

[[profile]]
points_mm = [[0.0, -1.0], [0.0, 1.0], [-40.0, 1.0], [-40.0, -1.0]]

[[profile]]
kind = "BLOCK"
points_mm = [[0.0, -2.0], [0.0, 2.0], [-40.0, 2.0], [-40.0, -2.0]]

[material]
name = "lead"
density_g_cm3 = 11.3
mass_fractions = { Pb = 1.0 }
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(DESIGN, encoding="utf-8")
    mlc = read_mlc(path, {"Pb": 82}.__getitem__)
    assert (mlc.name, mlc.orientation, mlc.focused, mlc.where) == ("two", "Y", False, "two.toml")
    assert (mlc.half_length_mm, mlc.focus_z_mm, mlc.cross_focus_mm, mlc.isocentre_z_mm) == (60.0, 1000.5, 1.5, 2.5)
    assert (mlc.top_z_mm, mlc.gap_z_mm, mlc.cross_gap_mm, mlc.cross_start_mm) == (500.0, -1.0, 0.25, -7.0)
    assert [(pair.profile, pair.negative_mm, pair.positive_mm) for pair in mlc.pairs] == [
        (2, 0, 0),
        (1, 0, 0),
        (1, 0, 0),
    ]
    assert [profile.kind for profile in mlc.profiles] == ["LEAF", "BLOCK"]
    assert mlc.profiles[1].points_mm[1] == (0.0, 2.0)
    tip = mlc.tip
    assert (tip.kind, tip.radius_mm, tip.centre_below_top_mm) == ("ROUND_DISP_POSFILE", 90.0, 20.0)
    assert tip.positions_mm == ((-9.0, -8.0), (9.0, 8.0))
    assert (mlc.material.name, mlc.material.density_g_cm3, mlc.material.mass_fractions) == ("lead", 11.3, {82: 1.0})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Characters of a design put in the place of others: a value or an `InputError`, nothing else."""
    text = list(DESIGN)
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from([*'-0.9e[]{}="\n,X', "inf", "nan"]))
    path = tmp_path / "any.toml"
    path.write_text("".join(text), encoding="utf-8")
    try:
        read_mlc(path, lambda word: 82 if word == "Pb" else 1)
    except InputError:
        return
