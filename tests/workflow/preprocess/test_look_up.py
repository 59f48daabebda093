"""Everything wished for is looked up in one round; only what depends on something wrong waits for its mending."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dosewright.commissioning.demonstration.demo_case import write_demo_case
from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.errors import InputError
from dosewright.workflow.goals import Goals
from dosewright.workflow.lint import lint_plan
from dosewright.workflow.preprocess.case import open_case
from dosewright.workflow.preprocess.look_up import look_up
from dosewright.workflow.request import DoseRequest, Wishes

GOALS = Goals(uncertainty_percent=2.0)
# Each wish is wrong for itself; the words tell its problem.
WRONG: dict[str, tuple[Any, str]] = {
    "threads": (-1, "threads (-j)"),
    "voxel_counts": ((0, 1, 1), "Voxel counts (-x)"),
    "beams": (("Lefft", "Front"), "Did you mean 'Left'"),
    "ct_protocol": ("genric", "Unknown CT protocol. Did you mean 'generic'"),
    "beam_model": ("genric", "Unknown beam model. Did you mean 'generic'"),
    "overrides": ((("Eye_R", "G4_WATTER"),), "Did you mean 'Eye_L'"),
    "login": ("me:clinical", "the settings list no users"),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = Library.open(PACKAGED)
    folder = tmp_path_factory.mktemp("demo") / "case"
    return write_demo_case(folder, library.beam_model("generic"), library.ct_protocol("generic"))


@pytest.fixture(scope="module")
def all_wrong(demo: Path) -> frozenset[str]:
    """The problems of all wrong wishes together."""
    return frozenset(look_up(wishes(demo, *WRONG)).all_problems)


def wishes(plan: Path, *wrong: str, **more: Any) -> Wishes:
    values = {**{key: WRONG[key][0] for key in wrong}, **more}
    return replace(Wishes(plan, GOALS, library=PACKAGED), **values)


def test_a_case_without_problems_is_opened_with_the_request(demo: Path) -> None:
    case = open_case(wishes(demo))
    settled = {"goal_scope": "beam", "dose_to": "water", "remove_outside": False}
    assert case.request == DoseRequest(demo, GOALS, library=PACKAGED, **settled)  # type: ignore[arg-type]
    assert [one.beam.name for one in case.beams] == ["Left", "Front"]


def test_all_problems_come_in_one_round_whatever_they_need_to_be_found(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    unread = ("The uncertainty (-u) cannot be read.",)
    with pytest.raises(InputError) as refused:
        open_case(wishes(demo, *WRONG, output=tmp_path / "a file", unread=unread))
    said = [
        "The uncertainty (-u)",
        *(words for _, words in WRONG.values()),
        "Did you mean 'G4_WATER'",
        "output (-o) is a file",
    ]
    for words in said:
        assert sum(words.casefold() in problem.casefold() for problem in refused.value.problems) == 1, words
    assert len(refused.value.problems) == len(said)
    linted = lint_plan(wishes(demo, *WRONG, unread=unread))
    assert len(linted.missing) == len(said) - 1
    assert set(linted.missing) < set(refused.value.problems)


@pytest.mark.parametrize("mended", WRONG)
def test_mending_one_wish_brings_no_new_problem(demo: Path, all_wrong: frozenset[str], mended: str) -> None:
    after = look_up(wishes(demo, *(key for key in WRONG if key != mended))).all_problems
    assert set(after) < all_wrong


def test_wishes_that_exclude_each_other_are_both_looked_up(demo: Path) -> None:
    both = wishes(demo, "ct_protocol", "overrides", phantom="water_bx", full_ct_grid=True)
    problems = look_up(both).all_problems
    assert sum("(-p)" in problem for problem in problems) == 3
    for words in ("'water_box'", "'generic'", "'Eye_L'", "'G4_WATER'"):
        assert sum(f"Did you mean {words}" in problem for problem in problems) == 1
    assert len(problems) == 7


def test_a_known_beam_is_looked_at_beside_an_unknown_one(demo: Path) -> None:
    (front,) = look_up(wishes(demo, "beams")).beams
    assert front.beam.name == "Front"
    assert front.equipped is not None


def test_a_beam_waits_for_its_model_and_tells_nothing_twice(demo: Path) -> None:
    found = look_up(wishes(demo, "beam_model"))
    assert len(found.all_problems) == 1
    assert [(look.equipped, look.problems) for look in found.beams] == [(None, ()), (None, ())]


@pytest.mark.parametrize("broken", ["plan", "CT", "structures", "dose", "library"])
def test_what_cannot_be_read_hides_only_what_depends_on_it(demo: Path, tmp_path: Path, broken: str) -> None:
    case = shutil.copytree(demo.parent, tmp_path / "case")
    kinds = {"plan": "RTPLAN", "CT": "CT", "structures": "RTSTRUCT", "dose": "RTDOSE"}
    library = tmp_path / "absent" if broken == "library" else PACKAGED
    for path in sorted(case.glob("*.dcm")):
        head = pydicom.dcmread(path)
        if head.Modality == kinds.get(broken):
            spoil(head, path)
    with pytest.raises(InputError) as refused:
        open_case(wishes(case, *WRONG, library=library, doses=tuple(case.glob("RD_plan.dcm"))))
    problems = refused.value.problems
    depends = {
        "plan": {"beams", "overrides"},
        "CT": set(),
        "structures": {"overrides"},
        "dose": set(),
        "library": {"ct_protocol", "beam_model", "login"},
    }[broken]
    for key, (_, words) in WRONG.items():
        found = any(words.casefold() in problem.casefold() for problem in problems)
        assert found == (key not in depends), (key, problems)
    assert not any("neither a CT" in problem for problem in problems)
    assert not any("need a structure set" in problem for problem in problems)


def spoil(head: pydicom.Dataset, path: Path) -> None:
    """Make an object that its reader refuses."""
    if head.Modality == "CT":
        head.RescaleSlope = 0
    elif head.Modality == "RTSTRUCT":
        head.ROIContourSequence[0].ContourSequence[0].ContourData = [1.0, 2.0]
    elif head.Modality == "RTDOSE":
        head.DoseUnits = "RELATIVE"
    else:
        for beam in head.IonBeamSequence:
            beam.ScanMode = "LINE"
    head.save_as(path)
