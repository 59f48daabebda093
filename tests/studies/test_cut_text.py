"""Studies of cuts in words, as a table of numbers, as part of a run file."""

import csv
import io
import tomllib

import pytest
from tests.studies.made_study import made_study

from dosewright.studies.collected import RUN
from dosewright.studies.cut_study import CutStudy
from dosewright.studies.cut_text import COLUMNS, csv_text, table, toml_text


@pytest.fixture(scope="module")
def study() -> CutStudy:
    return made_study()


def test_the_table_has_all_ways_and_their_totals(study: CutStudy) -> None:
    text = table(study)
    assert "1,000 particles of 5,000 histories came to z = 100 mm, |x| <= 50 mm, |y| <= 40 mm" in text
    assert [line for line in text.splitlines() if line.startswith("%%%%%")] == [
        "%%%%% PRODUCTION CUTS: WHERE PARTICLES ARE MADE",
        "%%%%% MINIMUM RANGES: WHEREVER PARTICLES COME",
        "%%%%% CUTS OF A RUN FILE: WHERE PARTICLES ARE MADE, AND WHERE THEY END",
    ]
    assert text.count("FINAL all cuts together") == 3
    assert text.count("everywhere, ") == 4 + 4 + 3
    assert max(len(line) for line in text.splitlines()) < 120


def test_numbers_come_back_from_the_table(study: CutStudy) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(study))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == sum(len(way.cuts) for way in study.ways.values())
    one = next(row for row in rows if (row["way"], row["region"], row["particle"]) == (RUN, "target, of W", "photon"))
    (cut,) = (cut for cut in study.ways[RUN].cuts if (cut.region, cut.kind) == (1, 0))
    assert float(one["cut_MeV"]) == pytest.approx(cut.energy_MeV, rel=1e-8)
    assert float(one["cut_mm"]) == pytest.approx(10 * cut.range_cm, rel=1e-8)
    assert float(one["lost_percent"]) == pytest.approx(100 * cut.lost.value)
    scattered = next(row for row in rows if (row["way"], row["region"]) == (RUN, "filter"))
    assert scattered["cut_MeV"] == scattered["together_MeV"] == ""  # any will do


def test_a_run_file_takes_the_cuts(study: CutStudy) -> None:
    text = toml_text(study)
    regions = tomllib.loads(text)["transport"]["region"]
    assert regions == [cut.model_dump(exclude_none=True) for cut in study.run_cuts()]
    assert "# 6 MeV stands where any cut would do." in text
    assert "no name for these alone: (fill)" in text
