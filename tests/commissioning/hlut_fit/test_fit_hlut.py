"""The scanner's coefficients from inserts, and the curve that follows from them."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.fit_hlut import fit_hlut, tissue_rows
from dosewright.commissioning.hlut_fit.attenuation import PUBLISHED, hounsfield
from dosewright.commissioning.hlut_fit.curve import protocol
from dosewright.commissioning.hlut_fit.measurements import read_measurements
from dosewright.commissioning.hlut_fit.tissues import anchors, tissues
from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError
from dosewright.formats.text.hounsfield import read_density_curve
from dosewright.materials.library import named

INSERTS = ("G4_WATER", "G4_POLYETHYLENE", "G4_POLYSTYRENE", "G4_PLEXIGLASS", "G4_POLYCARBONATE",
           "G4_POLYOXYMETHYLENE", "G4_TEFLON", "SOLID_WATER_RMI457", "G4_A-150_TISSUE", "G4_B-100_BONE",
           "G4_BONE_COMPACT_ICRU")  # fmt: skip


def write(tmp_path: Path, k: tuple[float, float], noise_hu: float, seed: int = 1, extra: str = "") -> Path:
    noise = noise_hu * np.random.default_rng(seed).normal(size=len(INSERTS))
    numbers = hounsfield([named(one) for one in INSERTS], k) + noise
    text = f'name = "scanner"\nuncertainty_hu = {max(noise_hu, 0.1)}\n{extra}\n[match]\nKVP = "120"\n'
    for one, hu in zip(INSERTS, numbers, strict=True):
        text += f'[[insert]]\nname = "{one}"\nmaterial = "{one}"\nhu = {hu:.3f}\n'
    path = tmp_path / "measurements.toml"
    path.write_text(text)
    return path


def test_numbers_of_the_paper_with_its_coefficients() -> None:
    """Schneider, Bortfeld, Schlegel 2000: media at -98, 14, 23, 100 and 1524 HU."""
    media = anchors()
    found = dict(zip(media, hounsfield(list(media.values()), PUBLISHED), strict=True))
    published = {"adipose": -98, "adrenal": 14, "intestine": 23, "connective": 100, "cortical": 1524}
    for name, hu in published.items():
        assert found[name] == pytest.approx(hu, abs=1.0), name


def test_the_curve_of_the_paper_with_its_coefficients(shared_data: Path) -> None:
    """Its densities from air to 1600 HU within 0.003 g/cm3, but at the step above connective tissue."""
    table = protocol("paper", PUBLISHED, 3071.0)
    hu, density = read_density_curve(shared_data / "beam-models" / "ideal-template" / "Schneider2000DensitiesTable.txt")
    numbers = np.array([one for one in range(-1000, 1601) if not 95 <= one <= 105], float)
    difference = np.interp(numbers, table.density_hu, table.density_g_cm3) - np.interp(numbers, hu, density)
    assert np.abs(difference).max() < 0.003
    packaged = Library.open(None).ct_protocol("generic")
    assert table.lower_hu[1:] == pytest.approx(packaged.lower_hu[1:], abs=0.5)
    assert [one.name for one in table.materials] == [one.name for one in packaged.materials]


def test_tissues_add_up_and_name_their_source() -> None:
    for one in tissues():
        assert one.citation
        assert sum(one.medium.mass_fractions.values()) == pytest.approx(1.0)
    assert {one.group for one in tissues()} == {"lung", "soft", "bone"}


@pytest.mark.parametrize("k", [PUBLISHED, (1.6e-3, 2.4e-5), (0.8e-3, 3.6e-5)])
def test_known_coefficients_are_given_back(tmp_path: Path, k: tuple[float, float]) -> None:
    exact = fit_hlut(read_measurements(write(tmp_path, k, 0.0), named))
    assert exact.k == pytest.approx(k, rel=1e-3)
    fits = [fit_hlut(read_measurements(write(tmp_path, k, 4.0, seed), named)) for seed in range(12)]
    off = np.array([[(f - t) / u for f, t, u in zip(fit.k, k, fit.uncertainty, strict=True)] for fit in fits])
    assert np.sqrt(np.mean(off**2, axis=0)) == pytest.approx(1.0, abs=0.5)
    # What counts: 4 HU of noise move the numbers of soft tissue by less than 3 HU and those of bone by less than 3 %.
    media = [one.medium for one in tissues()]
    for fit in fits:
        there, here = hounsfield(media, k), hounsfield(media, fit.k)
        assert np.abs(here - there)[np.abs(there) < 120].max() < 3.0
        assert np.abs(here / there - 1)[there > 200].max() < 0.03


def test_stopping_powers_of_tissues_by_the_protocol() -> None:
    """Soft tissue within 1.1 %, bone within 1.6 %; not so yellow marrow and cartilage, which lie off the lines."""
    off_the_lines = ("yellow marrow", "cartilage")
    rows = tissue_rows(protocol("paper", PUBLISHED, 3071.0), PUBLISHED)
    for row in rows:
        bound = {"soft": 1.1, "bone": 1.6, "lung": 3.0}[row.tissue.group]
        assert abs(row.percent) < (2.0 if row.tissue.medium.name in off_the_lines else bound), row
    assert abs(np.mean([row.percent for row in rows if row.tissue.group == "soft"])) < 0.3


def test_an_insert_that_does_not_fit_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, PUBLISHED, 0.5)
    odd = '[[insert]]\nname = "odd"\ndensity_g_cm3 = 1.3\nmass_fractions = {H = 0.1, C = 0.9}\nhu = 100.0\n'
    path.write_text(path.read_text() + odd)
    fit = fit_hlut(read_measurements(path, named))
    assert any("odd (" in note for note in fit.notes)
    assert fit.chi2_per_insert > 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("hu = ", "uncertainty_hu = -1\nhu = "), "greater than 0"),
        (('material = "G4_TEFLON"', 'material = "G4_TEFLO"'), "Did you mean 'G4_TEFLON'"),
        (('material = "G4_TEFLON"', "mass_fractions = {C = 24.0, F = 76.0}\ndensity_g_cm3 = 2.2"), "are they percents"),
        (('material = "G4_TEFLON"', "mass_fractions = {C = 0.24, F = 0.76}"), "needs its density_g_cm3"),
        (('material = "G4_TEFLON"', ""), "has a material, or mass fractions"),
        (('name = "G4_TEFLON"', 'name = "G4_WATER"'), "name of its own"),
    ],
)
def test_refusals(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = write(tmp_path, PUBLISHED, 0.0)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(InputError, match=said):
        read_measurements(path, named)


def test_numbers_that_are_no_hounsfield_numbers_are_refused(tmp_path: Path) -> None:
    text = write(tmp_path, PUBLISHED, 0.0).read_text()
    path = tmp_path / "measurements.toml"
    stored = "\n".join(
        f"hu = {float(line[5:]) + 1000}" if line.startswith("hu = ") else line for line in text.splitlines()
    )
    path.write_text(stored)
    with pytest.raises(InputError, match="Has 1000 or 1024 been added"):
        read_measurements(path, named)
    kept = text.split("[[insert]]")
    path.write_text("[[insert]]".join(part for part in kept if "BONE" not in part and "TEFLON" not in part
                                      and "POLYOXY" not in part))  # fmt: skip
    with pytest.raises(InputError, match="No insert is like bone"):
        read_measurements(path, named)
