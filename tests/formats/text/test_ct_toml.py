"""Our own CT protocol file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.ct_toml import read_ct_toml

FILE = """name = "head"
source = "measured"
match = {SeriesDescription = "Head", KVP = "120"}

[density]
hu = [-1000, 0.0, 1500.0]
g_cm3 = [0.0012, 1.0, 1.9]

[intervals]
lower_hu = [-1050.0, -500.0]
material = ["G4_AIR", "G4_WATER"]
upper_hu = 3000.0
"""


def named(name: str) -> Material:
    if name not in ("G4_AIR", "G4_WATER"):
        raise refuse("Unknown material", given=name)
    return Material(name, 1.0, {1: 0.1, 8: 0.9})


def test_a_protocol_with_its_keywords(tmp_path: Path) -> None:
    (tmp_path / "head.toml").write_text(FILE)
    protocol = read_ct_toml(tmp_path / "head.toml", named)
    assert protocol.keywords == {"SeriesDescription": "Head", "KVP": "120"}
    table = protocol.table
    assert (table.name, table.source, table.upper_hu) == ("head", "measured", 3000.0)
    assert table.density_hu.tolist() == [-1000, 0, 1500]
    assert [m.name for m in table.materials] == ["G4_AIR", "G4_WATER"]
    assert len(table.sha256) == 64
    start = FILE.index("[density]")
    (tmp_path / "direct.toml").write_text(FILE[:start] + FILE[FILE.index("[intervals]") :])
    assert len(read_ct_toml(tmp_path / "direct.toml", named).table.density_hu) == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lower_hu = [-1050.0", "lower_hu = [-50.0", "ascending"),
        ("g_cm3 = [0.0012", "g_cm3 = [-0.1", "positive density"),
        ("[0.0012, 1.0, 1.9]", "[0.0012, 1.0]", "one positive density"),
        ("1500.0]", "inf]", "finite"),
        ("upper_hu = 3000.0", "upper_hu = -600.0", "above the last"),
        ('"G4_WATER"]', '"G4_WATER", "G4_AIR"]', "one material per HU interval"),
        ('["G4_AIR", "G4_WATER"]', '["G4_ARI", "G4_WATRE"]', "G4_ARI(.|\n)*G4_WATRE"),
        ("upper_hu", "uper_hu", "Did you mean 'upper_hu'.*line 12"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FILE
    (tmp_path / "bad.toml").write_text(FILE.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_ct_toml(tmp_path / "bad.toml", named)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 330), st.integers(0, 40))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "f.toml"
    for data in (noise, FILE.encode()[:start] + noise[:10] + FILE.encode()[start + cut :]):
        path.write_bytes(data)
        try:
            read_ct_toml(path, named)
        except InputError:
            continue
