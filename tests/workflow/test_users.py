"""Roles come from a user table, else everyone has the research role."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.workflow.users import read_user_table, user_of

TABLE = '[users]\nAS = {name = "asmith", role = "clinical"}\nBJ = {name = "bjones", role = "commissioning"}\n'


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "users.toml"
    path.write_text(TABLE)
    return path


def test_without_a_table_everyone_has_the_research_role_and_it_is_said() -> None:
    user = user_of("anyone", None)
    assert (user.name, user.role) == ("anyone", "research")
    assert "research role" in user.sentence
    assert "no user table" in user.sentence
    assert user_of("anyone:research", None) == user
    with pytest.raises(InputError, match="cannot be had"):
        user_of("anyone:clinical", None)


def test_acronyms_and_names_of_the_table(table: Path) -> None:
    assert user_of("AS", table) == user_of("asmith", table) == user_of("AS:clinical", table)
    assert user_of("BJ", table).role == "commissioning"
    assert "by the user table" in user_of("BJ", table).sentence


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ("asmiht", "Did you mean 'asmith'"),
        ("AS:admin", "gives"),
        ("AS:clinic", "Did you mean 'clinical'"),
        (":admin", "empty"),
    ],
)
def test_refused_logins(table: Path, login: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        user_of(login, table)


def test_every_problem_of_a_table_is_listed(table: Path) -> None:
    table.write_text(TABLE + 'X = {name = "asmith", role = "admin"}\nY = {role = "admin"}\nZ = 3\n')
    with pytest.raises(InputError) as refused:
        read_user_table(table)
    assert len(refused.value.problems) == 3


@given(st.binary(max_size=60))
def test_any_table_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "users.toml"
    path.write_bytes(b"[users]\n" + content)
    with contextlib.suppress(InputError):
        assert isinstance(read_user_table(path), dict)
