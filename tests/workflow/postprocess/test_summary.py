"""The summary is plain JSON and notices files that changed."""

import json
from pathlib import Path

import numpy as np

from dosewright.workflow.folder import JobFolder
from dosewright.workflow.postprocess.summary import files_intact, files_of, plain


def test_plain_values() -> None:
    value = {"a": np.float32(1.5), 2: (np.int64(3), float("nan"), float("inf"), None, "x", True)}
    assert plain(value) == {"a": 1.5, "2": [3, None, None, None, "x", True]}
    json.dumps(plain(value), allow_nan=False)


def test_files_but_not_stamps_parts_and_log_are_hashed(tmp_path: Path) -> None:
    for name in (
        "dicom/a.dcm",
        "report.html",
        "stages/x.json",
        "parts/beam1/s.npz",
        "log.txt",
        "request.json",
        ".lock",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    folder = JobFolder(tmp_path)
    hashes = files_of(folder)
    assert list(hashes) == ["dicom/a.dcm", "report.html"]
    assert files_intact(folder, {"files_sha256": hashes})
    (tmp_path / "report.html").write_text("other")
    assert not files_intact(folder, {"files_sha256": hashes})
    (tmp_path / "report.html").unlink()
    assert not files_intact(folder, {"files_sha256": hashes})
    assert not files_intact(folder, {})
