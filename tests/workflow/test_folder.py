"""The job folder belongs to one request and one run at a time; stages are stamped."""

import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.workflow.folder import JobFolder, claimed, default_output
from dosewright.workflow.goals import Goals
from dosewright.workflow.request import DoseRequest
from dosewright.workflow.stages import StageClock, digest, finished

REQUEST = DoseRequest(Path("RN.dcm"), Goals(uncertainty_percent=2.0))


def test_a_folder_is_resumed_by_the_same_request_and_refused_to_another(tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    with claimed(out, REQUEST, "hash"):
        pass
    with claimed(out, replace(REQUEST, threads=1, goals=Goals(histories=5)), "hash") as folder:
        assert folder.request.stat().st_mode & 0o777 == 0o600
    with (
        pytest.raises(InputError, match=r"differs in: seed, plan file"),
        claimed(out, replace(REQUEST, seed=2), "other"),
    ):
        pass
    assert out.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="not a calculation"), claimed(tmp_path, REQUEST, "hash"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["holiday.jpg"]
    with (
        pytest.raises(InputError, match="is a file"),
        claimed(tmp_path / "holiday.jpg", REQUEST, "hash"),
    ):
        pass


def test_an_empty_folder_is_welcome(tmp_path: Path) -> None:
    with claimed(tmp_path, REQUEST, "hash") as folder:
        assert folder.request.exists()


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with (
        claimed(tmp_path / "out", REQUEST, "hash"),
        pytest.raises(InputError, match="Another calculation"),
        claimed(tmp_path / "out", REQUEST, "hash"),
    ):
        pass


def test_the_default_folder_names_user_plan_and_time_and_no_patient(tmp_path: Path) -> None:
    name = default_output(tmp_path, "1.2.3", "AS", REQUEST)
    assert name.parent == tmp_path
    assert re.fullmatch(rf"AS_{sha256(b'1.2.3').hexdigest()[:8]}_\d{{8}}T\d{{6}}", name.name)
    assert default_output(tmp_path, "1.2.3", "../É*[x]", REQUEST).name.startswith("-x-_")


def test_the_default_folder_of_the_same_request_is_taken_up_again(tmp_path: Path) -> None:
    begin = f"AS_{sha256(b'1.2.3').hexdigest()[:8]}_"
    for stamp, request in (("20260101T000000", REQUEST), ("20260102T000000", replace(REQUEST, seed=2))):
        with claimed(tmp_path / f"{begin}{stamp}", request, "hash"):
            pass
    again = replace(REQUEST, threads=1, goals=Goals(histories=5))
    assert default_output(tmp_path, "1.2.3", "AS", again).name == f"{begin}20260101T000000"
    assert default_output(tmp_path, "1.2.3", "AS", replace(REQUEST, seed=3)).name > f"{begin}20260102T000000"
    assert default_output(tmp_path, "1.2.3", "BJ", REQUEST).name.startswith("BJ_")
    assert not default_output(tmp_path, "4.5.6", "AS", REQUEST).exists()


def test_a_stage_is_skipped_while_inputs_and_files_are_the_same(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    data = tmp_path / "beams" / "beam1.npz"
    data.parent.mkdir()
    data.write_bytes(b"dose")
    inputs = {"seed": 1, "models": {"a": "1", "b": "2"}}
    assert finished(folder, "simulate-1", inputs) is None
    StageClock.start(folder, "simulate-1", inputs).done([data], {"histories": 5})
    stamp = finished(folder, "simulate-1", {"models": {"b": "2", "a": "1"}, "seed": 1})
    assert stamp is not None
    assert stamp.facts == {"histories": 5}
    assert list(stamp.outputs) == ["beams/beam1.npz"]
    assert finished(folder, "simulate-1", {**inputs, "seed": 2}) is None
    data.write_bytes(b"DOSE")
    assert finished(folder, "simulate-1", inputs) is None


def test_a_stage_that_begins_again_loses_its_stamp(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    StageClock.start(folder, "finish", {}).done([])
    StageClock.start(folder, "finish", {})
    assert finished(folder, "finish", {}) is None


def test_digest_tells_values_apart() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
