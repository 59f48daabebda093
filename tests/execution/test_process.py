"""A process is known by its number and its start; ended gently, else by force; never another one."""

import subprocess
import sys

from dosewright.execution.process import Process, _began


def started(code: str) -> tuple[subprocess.Popen[str], Process]:
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout
    running.stdout.readline()
    return running, Process(running.pid, _began(running.pid) or "")


def test_a_process_is_ended() -> None:
    running, process = started("import time; print('up', flush=True); time.sleep(60)")
    assert process.alive()
    assert process.end(5.0)
    assert not process.alive()
    assert running.wait(5) == -15


def test_one_that_does_not_listen_is_killed() -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    running, process = started(code)
    assert process.end(0.5)
    assert running.wait(5) == -9


def test_another_process_of_the_same_number_is_left_alone() -> None:
    running, process = started("import time; print('up', flush=True); time.sleep(60)")
    assert Process(process.pid, "1 an-earlier-boot").end(0.2)
    assert process.alive()
    running.kill()
    running.wait()


def test_one_that_is_gone_is_gone() -> None:
    running, process = started("print('up', flush=True)")
    running.wait()
    assert not process.alive()
    assert process.end(0.2)
