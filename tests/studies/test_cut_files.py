"""The files of a study of cuts."""

import json
from pathlib import Path

import pytest
from tests.studies.made_study import made_study

from dosewright.core.errors import InputError
from dosewright.execution.artifact import file_sha256
from dosewright.studies import cut_files
from dosewright.studies.cut_study import CutStudy


@pytest.fixture(scope="module")
def study() -> CutStudy:
    return made_study()


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text("# a run\n", encoding="utf-8")
    return path


def test_the_summary_vouches_for_all_files(study: CutStudy, run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = cut_files.write_study(study, out, run_file)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["cuts.csv", "cuts.json", "cuts.toml", "cuts_limits.png", "cuts_production.png", "cuts_run.png"]
    kept = json.loads((out / "cuts.json").read_text(encoding="utf-8"))
    assert kept == said
    assert kept["schema"] == "dosewright.cut_study/1"
    for name, sha256 in kept["files_sha256"].items():
        assert file_sha256(out / name) == sha256
    assert sorted([*kept["files_sha256"], "cuts.json"]) == names
    assert (kept["seed"], kept["target_particles"]) == (3, 1000)
    assert kept["weight_per_history"] == {"photon": 0.2, "electron": 0.0, "positron": 0.0}
    run = kept["ways"]["run"]
    assert sum(run["entries_per_particle_weight"]) == pytest.approx(1000)
    assert run["together"]["lost_percent"] < 2.0
    pairs = run["pairs_of_regions_weight"]
    assert (
        pairs[1][0] == pairs[0][1] == pytest.approx(1000 * 2)
    )  # the electron in air; electron and photon in the target


def test_a_study_is_not_written_over(study: CutStudy, run_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "cuts.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="holds a study already"):
        cut_files.write_study(study, out, run_file)
    assert [path.name for path in out.iterdir()] == ["cuts.csv"]
    with pytest.raises(InputError, match="not a folder"):
        cut_files.refuse_used(run_file, cut_files.NAMES)


def test_a_killed_study_leaves_no_summary(
    study: CutStudy, run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cut_files, "picture", broken)
    with pytest.raises(KeyboardInterrupt):
        cut_files.write_study(study, tmp_path / "out", run_file)
    assert not (tmp_path / "out" / "cuts.json").exists()
