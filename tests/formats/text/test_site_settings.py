"""The settings of a site: defaults, what is refused, and a description of every key for the docs."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from dosewright.core.errors import InputError
from dosewright.formats.text import site_settings
from dosewright.formats.text.checked_toml import read_checked
from dosewright.formats.text.site_settings import SiteSettings

TOML = """default_dose_factor = 0.99
[goals.primaries]
min = 100.0
default = 1e6
max = 1e9
step = 100.0
on = true
[[calculation.gamma]]
distance_mm = 2.0
dose_percent = 2.0
threshold_Gy = 0.2
[[correction]]
machine = "RoomA"
radiation = "proton"
dose_factor = 0.98
weight_polynomial = [1e-4, 0.98]
[[user]]
acronym = "OKE"
name = "obiwan"
role = "clinical"
"""


def read(folder: Path, text: str = TOML) -> SiteSettings:
    path = folder / "settings.toml"
    path.write_text(text)
    return read_checked(path, SiteSettings)


def test_what_stands_there_and_what_does_not(tmp_path: Path) -> None:
    site = read(tmp_path)
    assert site.goals.primaries.on
    assert site.goals.uncertainty_percent.on  # the default stays
    (gamma,) = site.calculation.gamma
    assert (gamma.threshold_Gy, gamma.threshold_percent, gamma.outside_value) == (0.2, None, -1.0)
    assert site.correction_for("ROOMA", "PROTON").weight_polynomial == [1e-4, 0.98]
    other = site.correction_for("RoomB", "PROTON")
    assert (other.dose_factor, other.weight_polynomial) == (0.99, [1.0])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max = 1e9", "max = 1e3", r"min <= default <= max"),
        ("threshold_Gy = 0.2", "threshold_Gy = 0.2\nthreshold_percent = 5.0", r"one of them"),
        ("threshold_Gy", "threshold_gray", r"Did you mean 'threshold_Gy'.*line 11"),
        ('"clinical"', '"clinic"', r"user.0.role.*'clinic'.*line 20"),
        ('"proton"', '"carbon"', r"correction.0.radiation.*'carbon'.*line 14"),
        ("[1e-4, 0.98]", "[-1.0, 0.98]", r"above zero from 60 to 250 MeV"),
        ("[[user]]", '[[user]]\nacronym = "oke"\nname = "luke"\nrole = "admin"\n[[user]]', r"acronym.*unique.*oke"),
        ("[[user]]", '[[correction]]\nmachine = "rooma"\n[[user]]', r"given twice: rooma proton"),
        ("on = true", "on = true\n[goals.uncertainty_percent]\nmin = 1.0\ndefault = 1.0\nmax = 2.0\nstep = 1.0", ""),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TOML
    text = TOML.replace(old, new, 1)
    if not message:
        assert read(tmp_path, text).goals.primaries.on
        with pytest.raises(InputError, match="at least one"):
            read(tmp_path, text.replace("on = true", "on = false"))
        return
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_every_key_is_described() -> None:
    models = [one for one in vars(site_settings).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    missing = [f"{model.__name__}.{name}" for model in models for name, one in model.model_fields.items()
               if not one.description]  # fmt: skip
    assert not missing


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(TOML)), st.integers(0, 60))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "settings.toml"
    good = TOML.encode()
    for data in (noise, good[:start] + noise[:12] + good[start + cut :]):
        path.write_bytes(data)
        try:
            read_checked(path, SiteSettings)
        except InputError:
            continue
