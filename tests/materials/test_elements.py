"""The elements, by every name a file may use."""

from pathlib import Path

import pytest

from dosewright.core.errors import DosewrightError, InputError
from dosewright.materials import elements as module
from dosewright.materials.elements import element, elements


def test_all_elements_up_to_uranium_are_known() -> None:
    known = elements()
    assert sorted(known) == list(range(1, 93))
    assert len({one.symbol for one in known.values()}) == 92
    assert all(1.0 < one.atomic_weight / one.Z < 2.65 for one in known.values())


@pytest.mark.parametrize("word", ["P", "Phosphor", "phosphorus", 15])
def test_an_element_answers_to_its_usual_names(word: int | str) -> None:
    assert element(word).Z == 15


def test_values_of_the_reports() -> None:
    # ICRU 37 table 4.3; graphite from ICRU 90.
    values = {"H": 19.2, "C": 81.0, "N": 82.0, "O": 95.0, "Al": 166.0, "Cu": 322.0, "W": 727.0, "Pb": 823.0}
    assert {s: element(s).mean_excitation_eV for s in values} == values
    # ICRU 37 table 5.1.
    bound = {"H": 19.2, "C": 81.0, "N": 82.0, "O": 106.0, "F": 112.0, "Cl": 180.0}
    assert {s: element(s).compound_mean_excitation_eV for s in bound} == bound
    assert element("Ca").compound_mean_excitation_eV == pytest.approx(1.13 * 191.0, abs=0.06)


def test_an_unknown_element_names_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'Titanium'"):
        element("Titanum")


def test_a_damaged_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elements.csv").write_text("Z\n1\n")
    (tmp_path / "index.json").write_text('{"elements.csv": {"sha256": "00"}}')
    monkeypatch.setattr(module, "TABLES", tmp_path)
    with pytest.raises(DosewrightError, match="damaged"):
        module.read_table("elements.csv")
