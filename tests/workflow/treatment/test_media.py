"""Media of FRED inputs as ours: names, tables, and relative stopping powers that are taken at their word."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.formats.text.fred.fred_input import FredInput, read_fred
from dosewright.formats.text.fred.media import HuRow
from dosewright.materials.library import named
from dosewright.materials.stopping import mean_excitation_eV, proton_mass_stopping_power
from dosewright.workflow.treatment.media import HuTable, hu_table, named_medium

WATER = {"H": 11.1894, "O": 88.8106}
FAT = {"H": 11.4, "C": 59.8, "O": 28.8}


def with_materials(folder: Path, text: str) -> FredInput:
    path = folder / "fred.inp"
    path.write_text("region: a ; material = water\n" + text)
    return read_fred(path)


def row(
    hu: float, density: float, rsp: float | None, shares: dict[str, float] = WATER, own: float | None = 78.0
) -> HuRow:
    return HuRow(hu, density, rsp, own, None, shares)


def rsp(table: HuTable, hu: float, energy_MeV: float = 100.0) -> float:
    medium = table.medium(hu)
    ratio = proton_mass_stopping_power(medium.material, energy_MeV) / proton_mass_stopping_power(
        named("water"), energy_MeV
    )
    return medium.density_g_cm3 * float(ratio)


def test_built_in_media_are_those_of_the_library(tmp_path: Path) -> None:
    of = with_materials(tmp_path, "")
    names = {"Water": "G4_WATER", "AIR": "G4_AIR", "PMMA": "G4_PLEXIGLASS", "lexan": "G4_POLYCARBONATE", "Cu": "G4_Cu"}
    for word, ours in names.items():
        medium = named_medium(word, of, "")
        assert medium is not None and medium.material == named(ours)
    assert named_medium("vacuum", of, "") is None
    with pytest.raises(InputError, match="blackhole"):
        named_medium("blackhole", of, "line 3")
    with pytest.raises(InputError, match="Did you mean 'lexan'"):
        named_medium("lexxan", of, "")


def test_media_of_an_input(tmp_path: Path) -> None:
    text = (
        "material: heavy ; basedOn = water ; rho = 1.5 ; Ipot = 80\n"
        "material: heavier ; basedOn = heavy ; rho = 2\n"
        "material: ours ; rho = 1.1 ; Ipot = 70 ; composition = [C,H,O] ; fractions = [5,8,2]\n"
    )
    of = with_materials(tmp_path, text)
    heavier, ours = named_medium("heavier", of, ""), named_medium("OURS", of, "")
    assert heavier is not None and ours is not None
    assert heavier.density_g_cm3 == 2 and heavier.material.mean_excitation_eV == 80
    assert heavier.material.mass_fractions == named("water").mass_fractions
    pmma = named("PMMA").mass_fractions
    assert {z: pytest.approx(w, abs=1e-4) for z, w in ours.material.mass_fractions.items()} == pmma
    loop = with_materials(tmp_path, "material: x ; basedOn = y\nmaterial: y ; basedOn = x\n")
    with pytest.raises(InputError, match="based on each other"):
        named_medium("x", loop, "")


def test_density_is_linear_between_rows_and_composition_goes_in_small_steps() -> None:
    table = hu_table([row(-100, 0.93, None, FAT, None), row(0, 1.0, None, WATER, None)])
    assert len(table.table.materials) == 21 and table.said == ()
    assert table.medium(-50).density_g_cm3 == pytest.approx(0.965)
    carbon = [one.mass_fractions.get(6, 0.0) for one in table.table.materials]
    assert np.all(np.diff(carbon) < 0)
    assert table.medium(-50).material.mass_fractions[6] == pytest.approx(0.299, abs=0.016)


def test_rows_that_differ_in_density_only_have_one_medium() -> None:
    table = hu_table([row(-1000, 0.001, None), row(0, 1.0, None), row(1000, 1.6, None)])
    assert len(table.table.materials) == 1


def test_an_rsp_is_met_whatever_density_and_composition_give() -> None:
    """At 100 MeV between rows to 0.4 %, at 200 MeV to 0.8 %; for a change of 5 % it is 1.2 % off at 20 MeV (4 mm)."""
    table = hu_table([row(0, 1.0, 1.0), row(500, 1.3, 1.30 * 0.95)])
    assert rsp(table, 0.0) == pytest.approx(1.0, abs=0.002)
    assert rsp(table, 499.0) == pytest.approx(1.235, rel=0.004)
    assert rsp(table, 499.0, 200.0) == pytest.approx(1.235, rel=0.008)
    assert rsp(table, 499.0, 20.0) == pytest.approx(1.235, rel=0.015)
    assert "up to -5.0 % (near HU 500: 1.235 and 1.3)" in table.said[0] and "The RSP was taken" in table.said[0]


def test_tables_that_agree_with_our_stopping_power_are_left_alone() -> None:
    table = hu_table([row(0, 1.0, 1.0), row(100, 1.095, 1.095)])
    assert table.said == ()
    assert mean_excitation_eV(table.table.materials[0]) == pytest.approx(78.0, rel=1e-3)


def test_an_rsp_that_no_matter_has_is_refused_but_for_gases() -> None:
    with pytest.raises(InputError, match="RSP of the HU table is none"):
        hu_table([row(0, 1.0, 1.0), row(500, 1.3, 2.0)])
    table = hu_table([row(-1000, 0.001, 0.002), row(-999, 0.001, 0.002)])
    assert "no more could be done for a gas" in table.said[0]


def test_many_rows_stay_within_the_number_of_media() -> None:
    rows = [row(hu, 1 + hu / 2000, 1 + hu / 2000, {"H": 11 - hu / 500, "O": 89 + hu / 500}) for hu in range(0, 3000, 4)]
    assert len(hu_table(rows).table.materials) <= 240


def test_the_columns_that_are_not_used_are_named() -> None:
    table = hu_table([HuRow(0, 1.0, None, None, 36.1, WATER), HuRow(1, 1.0, None, None, 36.1, WATER)])
    assert "Lrad" in table.said[0]


def test_rows_that_follow_each_other_by_one_keep_their_media() -> None:
    """As a table of intervals is written: both ends of each, so that no number lies between two media."""
    rows = [row(-50, 0.95, None, FAT), row(-1, 0.99, None, FAT), row(0, 1.0, None), row(40, 1.03, None)]
    table = hu_table(rows)
    assert len(table.table.materials) == 2
    for hu, carbon in ((-50, True), (-1, True), (0, False), (40, False)):
        assert (6 in table.medium(hu).material.mass_fractions) == carbon
