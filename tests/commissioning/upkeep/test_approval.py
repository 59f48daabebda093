"""An approval holds for one content: a model edited since is no longer approved."""

import json
import os
from pathlib import Path

import pytest

from dosewright.commissioning.upkeep.approval import (
    approval_of,
    approve,
    content_sha256,
    problem_of,
    record_of,
    revoke,
)
from dosewright.core.errors import InputError
from dosewright.formats.text.lines import sha256


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "room1.toml"
    path.write_text("name = 'room1'\n")
    return path


def test_the_hash_of_one_file_is_that_of_its_bytes_and_of_several_depends_on_each(model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("x")
    assert content_sha256(model) == sha256(model)
    both = content_sha256(model, other)
    assert both != content_sha256(other, model)
    (tmp_path / "moved").mkdir()
    # The same bytes with another border between the files are another content.
    first, second = tmp_path / "moved" / "room1.toml", tmp_path / "moved" / "other.txt"
    first.write_text("name = 'room1'\nx")
    second.write_text("")
    assert content_sha256(first, second) != both
    folder = content_sha256(tmp_path / "moved")
    second.write_text("y")
    assert content_sha256(tmp_path / "moved") != folder


def test_an_approved_model_has_no_problem_until_it_is_edited(model: Path) -> None:
    read = sha256(model)
    assert "no approval record" in (problem_of(model, read) or "")
    made = approve(model, "asmith", role="commissioning", comment="after annual QA")
    assert made == approval_of(model)
    assert made.sha256 == read
    assert made.when.endswith("+00:00")
    assert problem_of(model, read) is None
    model.write_text("name = 'room1' # touched\n")
    said = problem_of(model, sha256(model)) or ""
    assert "room1.toml has changed since it was approved by asmith (commissioning) on 20" in said
    assert "after annual QA" in said
    assert problem_of(model, read)  # a model read before the edit is not what lies there now


def test_a_model_read_with_other_content_than_lies_there_is_not_approved(model: Path) -> None:
    before = sha256(model)
    model.write_text("name = 'room2'\n")
    approve(model, "asmith")
    assert "changed" in (problem_of(model, before) or "")


def test_models_of_several_files_are_approved_with_the_hash_they_were_read_with(model: Path, tmp_path: Path) -> None:
    density = tmp_path / "density.txt"
    density.write_text("0 1.0")
    whole = content_sha256(model, density)
    approve(model, "asmith", models={"Head": whole})
    assert problem_of(model, whole) is None
    density.write_text("0 1.1")
    assert "changed" in (problem_of(model, content_sha256(model, density)) or "")


def test_the_hash_of_the_file_alone_does_not_approve_what_lay_beside_it(model: Path) -> None:
    """Else a beam line would stay approved without its nozzle and passive elements."""
    approve(model, "asmith", models={"room1": "of source, nozzle and elements"})
    assert "has changed since" in (problem_of(model, sha256(model)) or "")


def test_the_record_is_as_readable_as_the_model(model: Path) -> None:
    model.chmod(0o644)
    approve(model, "asmith")
    assert record_of(model).stat().st_mode & 0o777 == 0o644
    model.chmod(0o600)
    approve(model, "asmith")
    assert record_of(model).stat().st_mode & 0o777 == 0o600


def test_revoking(model: Path) -> None:
    with pytest.raises(InputError, match="no approval record to revoke"):
        revoke(model)
    made = approve(model, "asmith")
    assert revoke(model) == made
    assert "no approval record" in (problem_of(model, sha256(model)) or "")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("{", "no JSON"),
        ("[]", "not complete"),
        ('{"who": "a", "when": "b"}', "not complete"),
        ('{"who": "", "when": "b", "sha256": "c"}', "not complete"),
        ('{"who": "a", "when": "b", "sha256": "c", "models": {"x": 1}}', "not complete"),
    ],
)
def test_a_broken_record_approves_nothing(model: Path, record: str, said: str) -> None:
    record_of(model).write_text(record)
    assert said in (problem_of(model, sha256(model)) or "")
    with pytest.raises(InputError, match=said):
        approval_of(model)
    assert revoke(model) is None


def test_keys_of_later_versions_do_no_harm(model: Path) -> None:
    approve(model, "asmith")
    content = json.loads(record_of(model).read_text())
    record_of(model).write_text(json.dumps({**content, "signature": "abc"}))
    assert problem_of(model, sha256(model)) is None


def test_nobody_approves_without_a_name_or_what_is_not_there(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs the name"):
        approve(model, " ")
    with pytest.raises(InputError, match="cannot be read"):
        approve(tmp_path / "missing.toml", "asmith")


@pytest.mark.skipif(os.geteuid() == 0, reason="a superuser may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(model: Path) -> None:
    model.parent.chmod(0o500)
    try:
        with pytest.raises(InputError, match=r"cannot be written\. Given: Permission denied"):
            approve(model, "asmith")
    finally:
        model.parent.chmod(0o700)


@pytest.mark.parametrize("place", ["record", "folder"])
def test_what_others_may_write_approves_nothing(model: Path, place: str) -> None:
    approve(model, "asmith")
    path = record_of(model) if place == "record" else model.parent
    path.chmod(path.stat().st_mode | 0o020)
    problem = problem_of(model, content_sha256(model)) or ""
    assert problem.startswith("The approval of room1.toml counts for nothing while others than its owner may write it.")
    assert f"chmod go-w '{path}'" in problem
    path.chmod(path.stat().st_mode & ~0o020)
    assert problem_of(model, content_sha256(model)) is None
