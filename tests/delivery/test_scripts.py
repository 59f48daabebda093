"""Scripts: only where they are allowed, found in order, with the step as argument, and ended in time."""

import time
from pathlib import Path

import pytest
from tests.delivery.deliveries import read

from dosewright.core.errors import InputError
from dosewright.delivery.directives import ScriptCall
from dosewright.delivery.scripts import check_scripts, find_script, run_scripts


def call(name: str, *folders: str) -> ScriptCall:
    return ScriptCall(name, folders, "fred.inp, line 1")


def script(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_sh_and_py_get_the_step_and_run_in_the_working_folder(tmp_path: Path) -> None:
    script(tmp_path, "a.sh", 'echo "step $1 of $#"; pwd; exit 3')
    script(tmp_path, "b.py", "import sys, os\nprint('step', sys.argv[1:], os.getcwd())\nprint('oh', file=sys.stderr)")
    one, two = run_scripts([call("a.sh"), call("b.py")], 7, tmp_path, allowed=True)
    assert (one.exit_code, one.step, one.timed_out) == (3, 7, False)
    assert one.output == f"step 7 of 1\n{tmp_path}\n"
    assert two.exit_code == 0
    assert f"step ['7'] {tmp_path}" in two.output and "oh" in two.output


def test_nothing_runs_unless_it_is_allowed(tmp_path: Path) -> None:
    script(tmp_path, "a.sh", "touch ran")
    with pytest.raises(InputError, match="not allowed"):
        run_scripts([call("a.sh")], 1, tmp_path, allowed=False)
    assert not (tmp_path / "ran").exists()


def test_a_script_that_does_not_end_is_ended_with_what_it_started(tmp_path: Path) -> None:
    script(tmp_path, "a.sh", "echo begun\n(sleep 30; touch ran) &\nsleep 30\n")
    began = time.monotonic()
    (one,) = run_scripts([call("a.sh")], 1, tmp_path, allowed=True, time_limit_s=0.5)
    assert time.monotonic() - began < 5.0
    assert (one.timed_out, one.exit_code, one.output) == (True, -9, "begun\n")


def test_the_working_folder_comes_first_then_the_search_paths_in_order(tmp_path: Path) -> None:
    for folder in ("work", "one", "two"):
        script(tmp_path / folder, "a.sh", "")
    script(tmp_path / "two", "b.sh", "")
    search = (str(tmp_path / "one"), "../two")
    assert find_script(call("a.sh", *search), tmp_path / "work") == tmp_path / "work" / "a.sh"
    (tmp_path / "work" / "a.sh").unlink()
    assert find_script(call("a.sh", *search), tmp_path / "work") == tmp_path / "one" / "a.sh"
    assert find_script(call("b.sh", *search), tmp_path / "work") == tmp_path / "two" / "b.sh"
    for name in ("c.sh", "\0.sh", "x" * 5000 + ".sh"):
        with pytest.raises(InputError, match="not there"):
            find_script(call(name, *search), tmp_path)


def test_only_the_end_of_a_long_output_is_kept(tmp_path: Path) -> None:
    script(tmp_path, "a.py", "print('x' * 300_000)\nprint('the end')")
    (one,) = run_scripts([call("a.py")], 1, tmp_path, allowed=True)
    assert len(one.output) == 100_000 and one.output.endswith("the end\n")


def test_all_scripts_of_a_delivery_are_looked_at_before_it_begins(tmp_path: Path) -> None:
    delivery = read(tmp_path, "run_script: a.sh\ndeliver: all\nrun_script: b.sh\npostdelivery_script: c.py")
    with pytest.raises(InputError, match=r"not allowed.*a.sh, b.sh, c.py.*--allow-scripts"):
        check_scripts(delivery, tmp_path, allowed=False)
    script(tmp_path, "b.sh", "")
    with pytest.raises(InputError) as refused:
        check_scripts(delivery, tmp_path, allowed=True)
    assert len(refused.value.problems) == 2
    assert check_scripts(read(tmp_path, "deliver: all"), tmp_path, allowed=False) == ()
