"""Ten mistakes a user makes, and what is said to each: exit code 2, a sentence, no traceback, nothing written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-t", "18000"), "18000s if you mean seconds"),
        (("-c", "generic", "-p", "water_box"), "exclude each other"),
        (("-x", "10", "10", "10", "-f"), "exclude each other"),
        (("-b", "Topp"), "Did you mean 'Top'"),
        (("-z", "genric"), "Did you mean 'generic'"),
        (("-c", "Head"), "Unknown CT protocol"),
        (("-p", "water_bx"), "Did you mean 'water_box'"),
        (("-m", "Chord:G4_WATER"), "Did you mean 'Cord'"),
        (("-m", "Cord:G4_WATTER"), "Did you mean 'G4_WATER'"),
        (("-l", "me:clinical"), "list no users"),
        (("-s", "/nowhere/at/all"), "library does not exist"),
    ],
)
def test_a_mistake_in_an_option(tiny: Any, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = tiny.calc(tmp_path / "out", *arguments)
    assert refused.returncode == 2, refused.stderr
    assert any(words in refused.stderr for words in said.split("|")), refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "out").exists()


def test_several_mistakes_are_listed_together(tiny: Any, tmp_path: Path) -> None:
    refused = tiny.calc(tmp_path / "out", "-n", "lots", "-u", "0", "-t", "18000")
    assert "3 reasons" in refused.stderr
    for said in ("whole number", "0.01 to 99 percent. Given: 0.", "18000s if you mean seconds"):
        assert said in refused.stderr
    wrong = ("-b", "9", "-l", "me:clinical", "-z", "genric", "-c", "Head", "-m", "Cord:G4_WATTER", "-m", "Chord:G4_Ti")
    refused = tiny.calc(tmp_path / "out", *wrong)
    assert "6 reasons" in refused.stderr, refused.stderr
    linted = tiny.run("lint", str(tiny.folder), *wrong)
    assert "cannot be calculated yet: 6 missing" in linted.stdout
    refused = tiny.calc(tmp_path / "out", "-b", "9", "-p", "water_bx")
    assert "2 reasons" in refused.stderr


def test_mistakes_in_numbers_and_in_names_come_in_one_round(tiny: Any, tmp_path: Path) -> None:
    what = ("-m", "Chord:G4_WATTER", "-b", "Topp", "-z", "genric", "-c", "genric", "-x", "1", "2", "z")
    what += ("--fraction-group", "first", "--structures", str(tmp_path / "RS.dcm"), "-l", "me:clinical")
    refused = tiny.calc(tmp_path / "out", "-u", "0", "-n", "lots", "-j", "all", "--seed", "-1", *what)
    said = ["voxel counts (-x)", "(--fraction-group) is a whole number", "--structures names is no", "list no users"]
    said += [f"Did you mean {word}" for word in ("'Top'", "'G4_WATER'")]
    said += [f"Unknown {what}. Did you mean 'generic'" for what in ("beam model", "CT protocol")]
    only_calc = ["uncertainty (-u)", "number of primaries (-n)", "number of threads (-j)", "seed (--seed)"]
    for words in (*said, *only_calc):
        assert refused.stderr.casefold().count(words.casefold()) == 1, words
    assert f"{len(said) + len(only_calc)} reasons" in refused.stderr, refused.stderr
    assert not (tmp_path / "out").exists()
    linted = tiny.run("lint", str(tiny.folder), *what)
    assert linted.returncode == 2
    assert f"{len(said)} reasons" in linted.stderr, linted.stderr


def test_lint_and_calc_find_the_same(tiny: Any, tmp_path: Path) -> None:
    what = ("-m", "Chord:G4_WATER", "-m", "oops", "-b", "Topp,Side", "-x", "0", "0", "0", "-f")
    calculated = json.loads(tiny.calc(tmp_path / "out", *what, "--json").stdout)
    linted = json.loads(tiny.run("lint", str(tiny.folder), *what, "--json").stdout)
    assert calculated["refused"] == linted["plan"]["missing"]
    assert len(calculated["refused"]) == 5
    assert [beam["name"] for beam in linted["beams"]] == ["Side"]


def test_mistakes_beside_a_plan_or_library_that_cannot_be_read(tiny: Any, tmp_path: Path) -> None:
    refused = tiny.run("calc", str(tmp_path), "-z", "genric", "-m", "A:G4_WATTER", "-c", "Head")
    assert "4 reasons" in refused.stderr, refused.stderr
    refused = tiny.calc(tmp_path / "out", "-s", str(tmp_path), "-b", "Topp")
    assert "2 reasons" in refused.stderr, refused.stderr


def test_the_material_that_is_suggested_exists(tiny: Any, tmp_path: Path) -> None:
    refused = tiny.calc(tmp_path / "out", "-m", "Filling")
    suggested = re.search(r"such as Filling:(\w+)\.", refused.stderr)
    assert suggested is not None
    assert suggested[1] in tiny.run("query", "-M").stdout.split()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"machine": "UNKNOWN"}, "GENERIC"),
        ({"radiation": "ION_6_12_6"}, "only PROTON is calculated"),
        ({"meterset": None}, "meterset"),
        ({"isocenter_mm": (1.0, 2.0, 3.0)}, ""),
    ],
)
def test_a_plan_that_cannot_be_calculated(
    make_case: Callable[..., Any], make_beam: Callable[..., Any], tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    case = make_case(beams=(make_beam(1, "Top"), make_beam(2, "Other", **changes)))
    phantom = ("-p", "water_box") if "isocenter_mm" in changes else ()
    refused = case.calc(tmp_path / "out", "-n", "100", *phantom)
    assert refused.returncode == 2
    assert (said or "one isocentre") in refused.stderr
    linted = case.run("lint", str(case.folder), *phantom)
    assert linted.returncode == 2


def test_a_beam_that_cannot_be_read_is_left_out_by_choosing_the_others(
    make_case: Callable[..., Any], make_beam: Callable[..., Any], tmp_path: Path
) -> None:
    case = make_case(beams=(make_beam(1, "Top"), make_beam(2, "Other", meterset=None)))
    refused = case.calc(tmp_path / "out", "-n", "100")
    assert "leave the beam out (-b)" in refused.stderr
    finished = case.calc(tmp_path / "out", "-n", "100", "-b", "Top")
    assert finished.returncode == 0, finished.stderr
    assert "Beam 2 was not read, and was not chosen: The beam has no meterset" in finished.stderr
    summary = case.summary(tmp_path / "out")
    assert [beam["number"] for beam in summary["beams"]] == [1]
    assert any("Not all beams" in said for said in summary["warnings"])
    assert summary["gamma"] == []
    linted = case.run("lint", str(case.folder), "-b", "1")
    assert linted.returncode == 0
    assert "found: 1 treatment beam and 1 that cannot be read, 2 fractions" in linted.stdout
    known = case.calc(tmp_path / "none", "-b", "Topp", "-n", "100")
    assert "Known: 1 'Top', 2 'Other'" in known.stderr


def test_a_folder_without_a_plan_and_a_missing_file(tmp_path: Path, tiny: Any) -> None:
    for plan in (tmp_path, tmp_path / "absent.dcm"):
        refused = tiny.run("calc", str(plan))
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr


def test_lint_and_query_of_the_plain_case(tiny: Any) -> None:
    linted = tiny.run("lint", str(tiny.folder))
    assert linted.returncode == 0, linted.stdout
    for said in ("The plan can be calculated", "Beam 1 Top", "beam model 'generic'", "research role", "20 MU"):
        assert said in linted.stdout
    asked = tiny.run("query", str(tiny.folder), "-B", "-R", "-X")
    for said in ("1 'Top'", "'Cord' (ORGAN)", "20 x 22 x 18 voxels of 4 x 4 x 4 mm", "30 x 32 x 28"):
        assert said in asked.stdout
    asked = tiny.run("query", "-C", "-P", "-M", "-Z", "--json")
    assert '"water_box"' in asked.stdout
    assert '"G4_WATER"' in asked.stdout
    assert tiny.run("query", "-B").returncode == 2
