"""The page of mistakes is true: every mistake on it is made, and every message on it is what the command says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.journey import mistakes_of_plans, mistakes_of_scenes, mistakes_of_sites
from tests.journey.bench import Bench, Mistake

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "mistakes.md"
MISTAKES = [*mistakes_of_plans.MISTAKES, *mistakes_of_sites.MISTAKES, *mistakes_of_scenes.MISTAKES]
HEAD = "| what is wrong | it says | do |"


@pytest.fixture
def bench(
    tiny: Any,
    make_case: Callable[..., Any],
    make_beam: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    monkeypatch.delenv("DOSEWRIGHT_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DOSEWRIGHT_STATE", str(tmp_path / "state"))  # no job of another test is known
    return Bench(
        tmp_path, tiny, make_case, make_beam, lambda library: monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(library))
    )


def row_of(mistake: Mistake, bench: Bench) -> str:
    """Make a mistake and return its row of the page; places are named as a user would."""
    said = [problem for problem in mistake.make(bench) if mistake.about in problem]
    assert len(said) == 1, said
    text = said[0].replace(str(bench.folder), "/home/me").replace(str(bench.whole_case.folder), "/home/me/case")
    text = re.sub(r"content [0-9a-f]{12}", "content 1f2e3d4c5b6a", text.replace(repr(bench.account), "'kim'"))
    for sign in "|*<[$":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(f"| {mistake.wrong} | {text} | {mistake.do} |".split())


@pytest.mark.parametrize("mistake", MISTAKES, ids=[f"{m.section}: {m.wrong}" for m in MISTAKES])
def test_the_page_says_what_the_command_says(mistake: Mistake, bench: Bench) -> None:
    row = row_of(mistake, bench)
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {mistake.section}\n")[2].partition("\n## ")[0]
    if row not in section.splitlines():
        pytest.fail(f"{PAGE.name} should have under {mistake.section!r}:\n{row}", pytrace=False)


def test_every_mistake_on_the_page_is_made_here() -> None:
    rows, inside = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        inside = line == HEAD or (inside and line.startswith("|"))
        rows += [line] if inside and line not in (HEAD, "|---|---|---|") else []
    assert {row.split(" | ")[0] for row in rows} == {f"| {mistake.wrong}" for mistake in MISTAKES}
    assert len(rows) == len(MISTAKES) >= 25


def test_the_example_at_the_top(bench: Bench) -> None:
    """All reasons come together, as the page shows."""
    command, *said = PAGE.read_text(encoding="utf-8").split("```text\n")[1].split("\n```")[0].splitlines()
    assert command.startswith("$ dosewright calc case ")
    ended = bench.whole_case.calc(bench.folder / "result", *command.split()[4:])
    assert ended.stderr.splitlines() == said
    assert not (bench.folder / "result").exists()
