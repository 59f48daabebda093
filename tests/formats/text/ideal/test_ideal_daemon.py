"""IDEAL's log_daemon.cfg in both spellings, and api.cfg."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.ideal.ideal_daemon import read_api_cfg, read_log_daemon_cfg

CFG = """[Time variables]
historic after = 172800.0
unsuccessfull after = 5400.0
on hold untill = 180000.0
running_freq = 60

[Paths]
global logfile = /logs/all.log
cfg_log_file = /logs/history.cfg
log_daemon_logs = /logs/daemon.log
completed_dir = /old/completed
failed_dir = /old/failed
logs_folder = /logs
api_cfg =
syscfg =

[Job status]
submission_err = SUBMISSION ERROR
unsuccessfull = UNSUCCESSFULL
done = DONE
killed_by_log_daem = KILLED BY LOG DAEMON
checking = BEING CHECKED
"""
API = """[receiver]
send result = true
url to send result = http://127.0.0.1:3000/api/results
url authentication = http://127.0.0.1:3000/auth
[server]
IP host = 10.0.0.1
credentials db = users.db
ssl cert =
ssl key =
"""


def write(folder: Path, text: str, name: str = "log_daemon.cfg") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_times_and_folders_of_jobs(tmp_path: Path) -> None:
    notes: list[str] = []
    jobs = read_log_daemon_cfg(write(tmp_path, CFG), notes)
    assert (jobs.historic_after_days, jobs.unsuccessful_after_hours) == (2.0, 1.5)
    assert (jobs.archive, jobs.failed_archive) == ("/old/completed", "/old/failed")
    said = "\n".join(notes)
    for label in ("on hold untill", "running_freq", "cfg_log_file", "killed_by_log_daem"):
        assert label in said
    assert "api_cfg" not in said  # it is empty


def test_the_correct_spelling_is_read_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    text = CFG.replace("unsuccessfull after", "Unsuccessful after").replace("untill", "until")
    jobs = read_log_daemon_cfg(write(tmp_path, text), notes)
    assert jobs.unsuccessful_after_hours == 1.5
    assert any("line 3" in note and "'unsuccessfull after'" in note for note in notes)
    assert any("line 4" in note and "'on hold untill'" in note for note in notes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("historic after", "historical after", r"Did you mean 'historic after'.*line 2"),
        ("= 172800.0", "= 2 days", r"'historic after'.*'2 days'.*line 2"),
        ("running_freq", "unsuccessful after = 60\nrunning_freq", r"the same label as 'unsuccessfull after'.*line 3"),
        ("completed_dir", "completed dir", r"Did you mean 'completed_dir'.*line 11"),
        ("[Paths]", "[Path]", r"Did you mean 'Paths'.*line 7"),
        ("checking", "cheking", r"Did you mean 'checking'.*line 22"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_log_daemon_cfg(write(tmp_path, CFG.replace(old, new, 1)))


def test_the_web_service_is_known_and_named(tmp_path: Path) -> None:
    notes = read_api_cfg(write(tmp_path, API, "api.cfg"))
    assert len(notes) == 5
    assert all("there is no web service yet" in note for note in notes)
    with pytest.raises(InputError, match=r"Did you mean 'ssl cert'"):
        read_api_cfg(write(tmp_path, API.replace("ssl cert", "sll cert"), "api.cfg"))
    with pytest.raises(InputError, match="no section"):
        read_api_cfg(write(tmp_path, "", "api.cfg"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(CFG)), st.integers(0, 40))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.cfg"
    for reader, text in ((read_log_daemon_cfg, CFG), (read_api_cfg, API)):
        good = text.encode()
        for data in (noise, good[:start] + noise[:12] + good[start + cut :]):
            path.write_bytes(data)
            try:
                reader(path)
            except InputError:
                continue
