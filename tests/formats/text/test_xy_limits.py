"""Reading xylimits.dat."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.xy_limits import read_xy_limits


def written(folder: Path, text: str) -> Path:
    path = folder / "xylimits.dat"
    path.write_text(text)
    return path


def test_rows(tmp_path: Path) -> None:
    limits = read_xy_limits(written(tmp_path, "# z x y\n-100 5 6\n\n0  10.5 20\n1e2 30 40\n"))
    assert limits.rows_mm == ((-100.0, 5.0, 6.0), (0.0, 10.5, 20.0), (100.0, 30.0, 40.0))
    assert limits.where == "xylimits.dat"


def test_mistakes_are_named_with_their_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_xy_limits(written(tmp_path, "0 5 -6\n0 10 20\n-5 1 1\n"))
    assert caught.value.problems == (
        "The limit of y is half a width and must be positive. Given: -6 mm. Where: xylimits.dat, line 1.",
        "The planes of limits must ascend in z. Given: z = 0 mm after z = 0 mm. Where: xylimits.dat, line 2.",
        "The planes of limits must ascend in z. Given: z = -5 mm after z = 0 mm. Where: xylimits.dat, line 3.",
    )
    with pytest.raises(InputError, match=r"Expected 3 columns.*line 1"):
        read_xy_limits(written(tmp_path, "0 5\n"))
    with pytest.raises(InputError, match="The table is empty"):
        read_xy_limits(written(tmp_path, "# nothing\n"))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="0123456789.-+eE \n#abinf,\t", max_size=60))
def test_garbage_is_refused(tmp_path: Path, text: str) -> None:
    try:
        rows = read_xy_limits(written(tmp_path, text)).rows_mm
    except InputError:
        return
    assert all(x > 0 and y > 0 for _, x, y in rows)
