"""IDEAL's configuration files: sections, labels, continued values, comments, units in labels."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.formats.text.ideal.labels import Taking, read_sections

TEXT = """\ufeff; a comment
[First  Section]
Label One = a # cut off
\tmore
  # not this
   and more
quoted = "Head #2"  # the "second" one
length [mm] = 3
colon: value = with sign

[second]
x = 1
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "a.cfg"
    path.write_text(text)
    return path


def test_what_stands_there(tmp_path: Path) -> None:
    sections = read_sections(write(tmp_path))
    assert list(sections) == ["first section", "second"]
    first = sections["first section"]
    assert (first.name, first.where) == ("First  Section", "a.cfg, line 2")
    assert {label: one.value for label, one in first.settings.items()} == {
        "label one": "a\nmore\nand more",
        "quoted": '"Head #2"',
        "length [mm]": "3",
        "colon: value": "with sign",
    }
    assert first.settings["quoted"].where == "a.cfg, line 7"


def test_taking_one_after_another(tmp_path: Path) -> None:
    problems: list[str] = []
    taking = Taking(read_sections(write(tmp_path))["first section"], problems)
    assert taking.number("Length  [mm]", 0.0) == 3.0
    assert taking.text("label ONE", "").startswith("a")
    assert taking.switch("missing", True)
    assert taking.defaults == ["missing"]
    assert [one.label for one in taking.rest()] == ["quoted", "colon: value"]
    taking.refuse_rest()
    assert len(problems) == 2
    assert "Where: a.cfg, line 7" in problems[0]


@pytest.mark.parametrize("label", ["length [cm]", "length"])
def test_a_unit_belongs_to_its_label(tmp_path: Path, label: str) -> None:
    problems: list[str] = []
    taking = Taking(read_sections(write(tmp_path, TEXT.replace("length [mm]", label)))["first section"], problems)
    assert taking.number("length [mm]", 7.0) == 7.0
    assert ("another unit" if "[" in label else "lacks its unit") in problems[0]
    assert "Allowed: length [mm]. Where: a.cfg, line 8" in problems[0]
    taking.refuse_rest()
    assert len(problems) == 4  # three other labels, and not this one a second time


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\n[s]\n", r"before the first section.*line 1"),
        ("[s]\nhello\n", r"Expected label = value.*'hello'.*line 2"),
        ("[s]\n= 3\n", r"Expected label = value.*line 2"),
        ("[s]\na = 1\nA  = 2\n", r"'A' stands twice.*line 2.*line 3"),
        ("[s]\n[S]\n", r"section stands twice.*line 2"),
        ("[s\n", r"closing bracket.*line 1"),
    ],
)
def test_lines_that_make_no_sense(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_sections(write(tmp_path, text))
