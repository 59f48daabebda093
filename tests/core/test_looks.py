"""One look after another: every problem is heard, and only what depends on a refused part is not looked at."""

from dosewright.core.errors import InputError
from dosewright.core.looks import Looks, tried


def refused() -> str:
    raise InputError("first", "second")


def test_a_refused_look_finds_nothing_and_tells_why() -> None:
    problems = ["before"]
    assert tried(refused, problems) is None
    assert tried(lambda: "found", problems) == "found"
    assert problems == ["before", "first", "second"]


def test_a_refused_part_is_unknown_and_an_absent_one_is_not() -> None:
    looks = Looks()
    assert looks.at("CT", refused) is None
    assert looks.at("doses", lambda: None) is None
    assert looks.unknown == {"CT"}
    assert looks.problems == ["first", "second"]


def test_what_is_unknown_or_needs_it_is_not_looked_at() -> None:
    looks = Looks(unknown={"structures"})
    assert looks.at("structures", lambda: "found") is None
    assert looks.at("CT", lambda: "found", needs="structures") is None
    assert looks.at("doses", lambda: "found", needs="plan") == "found"
    assert looks.unknown == {"structures", "CT"}
    assert looks.problems == []
