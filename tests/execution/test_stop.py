"""Asked to stop: by a file or by Ctrl-C, once softly, twice at once."""

import signal
import threading
from pathlib import Path

import pytest

from dosewright.execution.stop import stop_asked


def test_the_file_is_a_request_that_is_removed_when_obeyed(tmp_path: Path) -> None:
    said: list[str] = []
    with stop_asked(tmp_path / "STOP", said.append) as asked:
        assert not asked()
        (tmp_path / "STOP").touch()
        assert asked()
        (tmp_path / "STOP").unlink()
        assert asked(), "a request stays one"
    assert len(said) == 1
    (tmp_path / "STOP").touch()
    with stop_asked(tmp_path / "STOP", said.append) as asked:
        pass
    assert (tmp_path / "STOP").exists(), "nobody looked: it is not obeyed"
    with stop_asked(tmp_path / "STOP", said.append) as asked:
        assert asked()
    assert not (tmp_path / "STOP").exists()


def test_one_interruption_asks_and_the_second_orders(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_asked(tmp_path / "STOP", lambda _: None) as asked:
        signal.raise_signal(signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_the_file_alone_counts(tmp_path: Path) -> None:
    found: list[bool] = []

    def work() -> None:
        with stop_asked(tmp_path / "STOP", lambda _: None) as asked:
            (tmp_path / "STOP").touch()
            found.append(asked())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]
