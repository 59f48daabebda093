"""Lines of long files: counted, found again, and cut ones refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.phase_space import text_lines as module
from dosewright.formats.phase_space.text_lines import numbers_of, text_lines


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60), st.integers(14, 80), st.data())
def test_any_stretch_of_lines(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], block: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a"
    path.write_text("".join(f"{value}\n" for value in values) + data.draw(st.sampled_from(["", "\n", " \n\n  "])))
    first = data.draw(st.integers(0, len(values)))
    count = data.draw(st.integers(0, len(values) - first))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        lines = text_lines(path)
        assert lines.number == len(values)
        found = [line for part in lines.blocks(first, count) for line in part]
    assert [int(line) for line in found] == values[first : first + count]


def test_cut_and_endless_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("1 2\n3 4")
    with pytest.raises(InputError, match="does not end"):
        text_lines(path)
    monkeypatch.setattr(module, "BLOCK", 100)
    path.write_bytes(b"1\n" + b"\0" * 1000 + b"\n")
    with pytest.raises(InputError, match="too long"):
        text_lines(path)
    path.write_bytes(b"\n  \n")
    assert text_lines(path).number == 0


def test_numbers(tmp_path: Path) -> None:
    assert numbers_of(["1 2 x 3", "4 5 y -6e1"], (0, 3), tmp_path).tolist() == [[1, 3], [4, -60]]
    for lines in (["1 2", "3"], ["1", ""], ["1", "one"], ["# 1", "2"]):
        with pytest.raises(InputError):
            numbers_of(lines, None, tmp_path)
