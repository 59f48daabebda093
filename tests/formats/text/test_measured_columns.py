"""Titles carry the unit; what is not understood is refused by name."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.formats.text.measured_columns import MEV, MM, PLAIN, read_columns

NEEDED = {"nominal": MEV, "depth": MM, "dose": PLAIN}


def read(tmp_path: Path, text: str) -> dict[str, list[float]]:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return {name: values.tolist() for name, values in read_columns(path, NEEDED, {"sigma_x": MM}).items()}


def test_columns_in_any_order_and_unit_with_comments(tmp_path: Path) -> None:
    found = read(tmp_path, "# made up\ndepth_cm, dose, nominal_MeV\n1.5, 2, 70 # first\n\n2.5, 3, 70\n")
    assert found == {"depth": [15.0, 25.0], "dose": [2.0, 3.0], "nominal": [70.0, 70.0]}
    assert read(tmp_path, "depth_mm,dose,nominal_MeV,sigma_x_cm\n1,2,70,0.5\n")["sigma_x"] == [5.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depth_mm,dose,nominal_MeV\n", "at least"),
        ("depth,dose,nominal_MeV\n1,2,3\n", r"Unknown column 'depth'\. Did you mean 'depth_mm'\?"),
        ("depth_mm,dose\n1,2\n", r"A column is missing\. Allowed: nominal_MeV"),
        ("depth_mm,depth_cm,dose,nominal_MeV\n1,2,3,4\n", "'depth' occurs twice"),
        ("depth_mm,dose,nominal_MeV\n1,2\n", "Expected 3 columns"),
        ("depth_mm,dose,nominal_MeV\n1,x,3\n", r"Given: 'x'\. Where: table.csv, line 2"),
        ("depth_mm,dose,nominal_MeV\n1,nan,3\n", "Expected a number"),
    ],
)
def test_refusals(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_all_bad_rows_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, "depth_mm,dose,nominal_MeV\n1,2\n1,x,3\n1,2,3\n")
    assert len(refused.value.problems) == 2
