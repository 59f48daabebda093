"""The text of FRED input: comments, blocks, includes, definitions, loops; every mistake with its file and line."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.text.fred.fred_texts import SMALL, TURNED_PATIENT, written

from dosewright.core.errors import InputError
from dosewright.formats.text.fred.directives import Directive, collect_directives, words
from dosewright.formats.text.fred.scope import Budget


def read(path: Path, budget: Budget | None = None) -> tuple[Directive, ...]:
    problems: list[str] = []
    found, complete = collect_directives(path, problems, budget=budget)
    if problems:
        raise InputError(*problems)
    assert complete
    return found


def of_text(folder: Path, text: str) -> list[tuple[str, tuple[str, ...], dict[str, str], str]]:
    return [
        (one.name, one.words, {s.key: s.text for s in one.settings}, one.where) for one in read(written(folder, text))
    ]


def test_comments_of_every_style(tmp_path: Path) -> None:
    text = """# hash
% percent
// slashes
/ one slash at the start
/* over
   lines: region: nothing */ nprim = 1e4 /* inside */ # end
a: b % rest
c: d // rest
e: "kept # % // /* here" /* gone */
"""
    assert of_text(tmp_path, text) == [
        ("", (), {"nprim": "1e4"}, "fred.inp, line 6"),
        ("a", ("b",), {}, "fred.inp, line 7"),
        ("c", ("d",), {}, "fred.inp, line 8"),
        ("e", ("kept # % // /* here",), {}, "fred.inp, line 9"),
    ]


def test_one_line_and_block_forms_are_the_same(tmp_path: Path) -> None:
    line = of_text(tmp_path, "region: phantom ; O = [0, 0, 1] ; material=HU -1000 ;")
    block = of_text(tmp_path, "region<\nID = phantom ; O = [0, 0, 1]\n\tmaterial=HU -1000 # comment\nregion>")
    assert line == [("region", ("phantom",), {"O": "[0, 0, 1]", "material": "HU -1000"}, "fred.inp, line 1")]
    assert block == [("region", (), {"ID": "phantom", "O": "[0, 0, 1]", "material": "HU -1000"}, "fred.inp, line 1")]
    assert of_text(tmp_path, "region< ID=a\nL=[1,1,1] region>") == [
        ("region", (), {"ID": "a", "L": "[1,1,1]"}, "fred.inp, line 1")
    ]


def test_words_are_split_at_blanks_and_commas_outside_brackets() -> None:
    assert words("a, b  rotate [0, 1, 1] 30\tself", "") == ["a", "b", "rotate", "[0, 1, 1]", "30", "self"]
    assert words("'a b' \"c,d\"", "") == ["a b", "c,d"]


def test_definitions_functions_loops_and_conditions(tmp_path: Path) -> None:
    text = """
def: L = np.array([8,6,13])
def: spacing = 0.3
def: nn = (L/spacing).astype(int)
func: diameter(S) = sqrt(4*S/pi)
region: phantom ; L=${L} ; voxels=${nn}
pb: 1 0 ; FWHM = ${diameter((8*8)/2)}
for(ix in range(3))<
  for (iy in range(2)) <
    if(mod(ix,2)==mod(iy,2))<
      def: x = -1 + ix
      transform: field_$ix move_to $x $iy -50
    if>
  for>
for>
if(len(L)>3)<
  deliver: wrong
if>
else<
  deliver: all
else>
"""
    found = of_text(tmp_path, text)
    assert found[0][2] == {"L": "[8,6,13]", "voxels": "[26,20,43]"}
    assert float(found[1][2]["FWHM"]) == pytest.approx(6.38308, abs=5e-6)  # the value of the FRED manual's example
    moves = [" ".join(one[1]) for one in found if one[0] == "transform"]
    assert moves == ["field_0 move_to -1 0 -50", "field_1 move_to 0 1 -50", "field_2 move_to 1 0 -50"]
    assert found[-1][:2] == ("deliver", ("all",))
    assert found[-1][3] == "fred.inp, line 20"


def test_loops_over_pairs(tmp_path: Path) -> None:
    found = of_text(tmp_path, "for(n, e in enumerate([70, 80]))<\npb: $n 1 $e\nfor>")
    assert [one[1] for one in found] == [("0", "1", "70"), ("1", "1", "80")]


def test_includes_from_the_input_folder_and_from_beside_the_file(tmp_path: Path) -> None:
    written(tmp_path, "include: inp/a.inp\nlast: $n", "fred.inp")
    written(tmp_path, "include: 'inp/b.inp'\ninclude: c.inp\na: 1", "inp/a.inp")
    written(tmp_path, "def: n = 3\nb: $n", "inp/b.inp")
    written(tmp_path, "c: 1", "inp/c.inp")
    found = read(tmp_path / "fred.inp")
    assert [(one.name, one.where) for one in found] == [
        ("b", "b.inp, line 2"), ("c", "c.inp, line 1"), ("a", "a.inp, line 3"), ("last", "fred.inp, line 2")
    ]  # fmt: skip
    assert found[-1].words == ("3",)


def test_a_file_may_be_included_twice_but_not_by_itself(tmp_path: Path) -> None:
    written(tmp_path, "b: 1", "b.inp")
    assert len(read(written(tmp_path, "include: b.inp\nfor(i in range(2))<\ninclude: b.inp\nfor>"))) == 3
    written(tmp_path, "include: b.inp", "a.inp")
    written(tmp_path, "include: ./a.inp", "b.inp")
    with pytest.raises(InputError, match=r"includes itself.*a.inp > b.inp > a.inp.*b.inp, line 1"):
        read(tmp_path / "a.inp")


MISTAKES = {
    "def: x = 1 +": "cannot be read",
    "def: 3x = 1": "A definition cannot be read",
    "def: x = 7 % 3": "could be arithmetic",
    "def: x = a//2": "could be arithmetic",
    "func: f(x = 1": "A function cannot be read",
    "func: f(x,x) = 1": "A function cannot be read",
    "a: $y": "Unknown name",
    "a: ${1+": "not closed by }",
    "a: $": "needs a name",
    "a: ${ {'k': 1} }": "cannot stand in the text",
    "for(i in 3)<\nfor>": "needs a list",
    "for(i in range(3))<": "not closed by for>",
    "for(i = 1:3)<\nfor>": "A loop cannot be read",
    "for(i in range(3))": "A loop or condition cannot be read",
    "while(1)<": "A loop or condition cannot be read",
    "if(1)<\nfor>": "closed that is not open",
    "for>": "closed that is not open",
    "else<\nelse>": "behind if> only",
    "region<\nID=a": "region< is not closed",
    "region<\nfield<\nfield>\nregion>": "begins within another",
    "region<\nfield>\nregion>": "closed by another name",
    "region<\nnonsense\nregion>": "neither a directive nor a setting",
    "nonsense": "neither a directive nor a setting",
    "region: a ; L=[1,1": "] is missing",
    "a: 'open": "quotation mark is not closed",
    "/* open": r"not closed by \*/",
    "include: nowhere.inp": "not there",
    "include:": "not there",
    "for(a,b in [[1]])<\nfor>": "another number of names",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=MISTAKES[text]) as refused:
        read(written(tmp_path, "first: 1\n" + text))
    assert all("fred.inp, line " in problem for problem in refused.value.problems)


def test_all_mistakes_are_told_at_once_and_what_follows_from_them_is_not(tmp_path: Path) -> None:
    text = "def: a = 1/0\nb: $a\nc: $unknown\nregion: x ; y\ndef: d = foo(1)\ne: $d $d"
    with pytest.raises(InputError) as refused:
        read(written(tmp_path, text))
    lines = [problem.rpartition("line ")[2] for problem in refused.value.problems]
    assert lines == ["1.", "3.", "5.", "4."]


def test_a_comment_behind_a_definition_is_a_comment(tmp_path: Path) -> None:
    assert of_text(tmp_path, "def: n = 5 % number of turns\ndef: m = 4 # turns\na: $n $m")[0][1] == ("5", "4")


@pytest.mark.parametrize(
    "text",
    [
        "for(i in range(1000000))<\nfor(j in range(1000000))<\nfor>\nfor>",
        "for(i in range(1000000))<\nfor(j in range(1000000))<\na: $i\nfor>\nfor>",
        "for(i in range(1000000))<\ndef: x = $i\nfor>",
        "def: s = 'aaaaaaaa'\nfor(i in range(100000))<\ndef: s = s + s\nfor>\na: $s",
        "def: a = [1]\nfor(i in range(100))<\ndef: a = [a, a]\nfor>\nb: $a",
        "for(i in range(1000000))<\ndef: x = np.zeros(50000)\nfor>",
        "def: x = np.zeros(50000)\nfor(i in range(1000000))<\ndef: y = -x\nfor>",
        "def: x = np.zeros(50000)\nfor(i in range(1000000))<\ndef: y = x[1:]\nfor>",
        "def: x = np.zeros(50000)\nfor(i in range(1000000))<\na: ${x}\nfor>",
        "for(i in range(9))<\n" * 70 + "for>\n" * 70,
    ],
)
def test_loops_end(tmp_path: Path, text: str) -> None:
    began = time.monotonic()
    with pytest.raises(InputError):
        read(written(tmp_path, text), Budget(steps=200_000, lines=100_000))
    assert time.monotonic() - began < 3.0


def test_binary_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "fred.inp").write_bytes(b"region\0")
    for path in (tmp_path / "fred.inp", tmp_path / "none.inp", tmp_path):
        with pytest.raises(InputError):
            read(path)


SNIPPETS = [line for text in (SMALL, TURNED_PATIENT.format(plan="fred.inp")) for line in text.splitlines()]
LINES = st.one_of(
    st.sampled_from([*SNIPPETS, "for(i in range(3))<", "for>", "if(i>1)<", "if>", "else<", "else>", "region<",
                     "region>", "pb<", "pb>", "def: i = 2", "func: f(x) = x", "a: $i ${f(i)}",
                     "/*", "*/", "include: fred.inp"]),
    st.text(alphabet="abi=:;[](){}<>$#%/*'\" 0123456789,.+-", max_size=40),
)  # fmt: skip


@settings(max_examples=150, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(LINES, max_size=25).map("\n".join), st.text(max_size=200)).map(str.encode) | st.binary())
def test_any_text_gives_directives_or_an_input_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fred.inp").write_bytes(content)
    try:
        read(tmp_path / "fred.inp", Budget(steps=20_000, lines=2_000))
    except InputError as refused:
        assert refused.problems
