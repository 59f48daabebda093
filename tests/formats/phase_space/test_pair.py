"""Files that belong together by name."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.formats.phase_space.pair import pair_of, partners

SUFFIXES = (".header", ".phsp")


def test_either_gives_both(tmp_path: Path) -> None:
    for name in ("a.HEADER", "a.Phsp", "b.header", "a.b.phsp"):
        (tmp_path / name).touch()
    both = (tmp_path / "a.HEADER", tmp_path / "a.Phsp")
    assert pair_of(both[0], SUFFIXES) == pair_of(both[1], SUFFIXES) == both
    assert partners(tmp_path / "a.x", (".phsp",)) == [tmp_path / "a.Phsp"]
    for name in ("b.header", "a.b.phsp"):
        with pytest.raises(InputError, match="missing or there are several"):
            pair_of(tmp_path / name, SUFFIXES)
    with pytest.raises(InputError, match="needs their suffixes"):
        pair_of(tmp_path / "a.dat", SUFFIXES)


def test_several_are_refused(tmp_path: Path) -> None:
    for name in ("a.header", "a.PHSP", "a.Phsp"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"a.PHSP, a.Phsp"):
        pair_of(tmp_path / "a.header", SUFFIXES)
