"""Roles come from the site's settings and belong to accounts of the operating system; a claim alone gives nothing."""

import contextlib
import getpass
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.site_settings import ROLES, SiteSettings, UserEntry
from dosewright.workflow import users
from dosewright.workflow.users import account_of, belongs, user_of, write_problems

LUKE, DARTH = 501, 502
STARS = SiteSettings(
    user=[
        UserEntry(acronym="LSK", name="luke", role="clinical"),
        UserEntry(acronym="LSK_C", name="luke_commissioning", role="commissioning"),
        UserEntry(acronym="DVA", name="vader", role="commissioning", system_user="darth"),
        UserEntry(acronym="YOD", name="yoda_admin", role="admin"),
    ]
)


@pytest.fixture(autouse=True)
def accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {LUKE: "luke", DARTH: "darth", 503: "yoda", 504: "han", 505: "vader", 0: "root"}
    monkeypatch.setattr(users, "account_of", lambda uid: names.get(uid, f"uid {uid}"))


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "site" / "settings.toml"
    path.parent.mkdir(mode=0o755)
    path.write_text("")
    path.chmod(0o644)
    return path


def test_without_users_everyone_has_the_research_role_and_it_is_said() -> None:
    user = user_of(None, SiteSettings(), None, uid=LUKE)
    assert (user.name, user.role, user.account) == ("luke", "research", "luke")
    assert "list no users" in user.sentence
    assert user_of("anyone:research", SiteSettings(), None, uid=LUKE) == user
    with pytest.raises(InputError, match="cannot be had"):
        user_of("anyone:clinical", SiteSettings(), None)


@pytest.mark.parametrize(
    ("uid", "login", "acronym"),
    [
        (LUKE, None, "LSK"),
        (LUKE, "luke", "LSK"),
        (LUKE, "lsk_c", "LSK_C"),
        (LUKE, "luke_commissioning", "LSK_C"),
        (LUKE, "luke:commissioning", "LSK_C"),
        (LUKE, "LSK:clinical", "LSK"),
        (DARTH, None, "DVA"),
        (DARTH, "vader", "DVA"),
        (DARTH, "darth:commissioning", "DVA"),
        (503, None, "YOD"),
    ],
)
def test_the_roles_of_an_account(uid: int, login: str | None, acronym: str) -> None:
    user = user_of(login, STARS, None, uid=uid)
    assert user.acronym == acronym
    assert user.label == f"{acronym} ({user.role})"
    assert "by the site's settings" in user.sentence


@pytest.mark.parametrize(
    ("uid", "login", "said"),
    [
        (LUKE, "DVA", "belongs to another account than 'luke'. Allowed: LSK (luke:clinical), LSK_C"),
        (LUKE, "vader:commissioning", "belongs to another account"),
        (DARTH, "luke", "belongs to another account than 'darth'"),
        (505, None, "has no role in the site's settings"),  # the name of an entry that names another account
        (504, None, "system_user = 'han'"),
        (LUKE, "luek", "Did you mean 'luke'"),
        (LUKE, "luke:admin", "do not give 'luke' the role 'admin'"),
        (LUKE, "luke_commissioning:clinical", "do not give"),
        (LUKE, "LSK:clinic", "Did you mean 'clinical'"),
        (LUKE, ":admin", "empty"),
        (999, None, "'uid 999'"),
    ],
)
def test_refused_logins(uid: int, login: str | None, said: str) -> None:
    with pytest.raises(InputError) as refused:
        user_of(login, STARS, None, uid=uid)
    assert said in str(refused.value)


def test_an_account_with_several_roles_and_no_entry_of_its_name_chooses() -> None:
    two = [UserEntry(acronym=r, name=f"han_{r}", role=r) for r in ("clinical", "admin")]
    with pytest.raises(InputError, match="several roles; choose with -l"):
        user_of(None, SiteSettings(user=two), None, uid=504)
    assert user_of("han:admin", SiteSettings(user=two), None, uid=504).role == "admin"


def test_a_name_that_begins_with_an_account_belongs_to_it_only_with_its_role() -> None:
    entry = UserEntry(acronym="L", name="luke_admin", role="clinical")
    assert not belongs(entry, "luke")
    assert belongs(entry, "luke_admin")
    assert not belongs(UserEntry(acronym="L", name="luke_smith", role="admin"), "luke")


def test_the_environment_changes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "luke")
    assert getpass.getuser() == "luke"
    with pytest.raises(InputError, match="'uid 999'"):
        user_of(None, STARS, None, uid=999)


def test_an_account_is_asked_of_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    assert account_of(os.getuid()) == pwd.getpwuid(os.getuid()).pw_name
    assert account_of(2**31 - 5) == f"uid {2**31 - 5}"


@pytest.mark.parametrize(("which", "mode"), [("file", 0o664), ("file", 0o646), ("folder", 0o775), ("folder", 0o757)])
def test_settings_that_others_may_write_give_no_role_but_research(settings_file: Path, which: str, mode: int) -> None:
    me = os.getuid()
    everyone = [UserEntry(acronym=r, name=f"u_{r}", role=r, system_user=users.account_of(me)) for r in ROLES]
    settings = SiteSettings(user=everyone)
    for role in ROLES:
        assert user_of(role, settings, settings_file, uid=me).role == role
    path = settings_file if which == "file" else settings_file.parent
    path.chmod(mode)
    for role in ROLES:
        if role == "research":
            assert user_of(role, settings, settings_file, uid=me).role == role
            continue
        with pytest.raises(InputError) as refused:
            user_of(role, settings, settings_file, uid=me)
        assert f"The role {role} cannot be had" in str(refused.value)
        assert f"chmod go-w '{path.resolve()}'" in str(refused.value)


@pytest.mark.parametrize("name", ["library.toml", "log_daemon.cfg"])
def test_what_decides_beside_the_settings_is_looked_at_too(settings_file: Path, name: str) -> None:
    """Who may write library.toml could give a machine the approved model of another."""
    beside = settings_file.with_name(name)
    beside.touch()
    beside.chmod(0o644)
    assert write_problems(settings_file, STARS, os.getuid()) == []
    beside.chmod(0o666)
    (said,) = write_problems(settings_file, STARS, os.getuid())
    assert said.startswith(
        f"others than its owner may write the {name} beside the file of the settings. Do: chmod go-w"
    )


def test_settings_belong_to_root_oneself_or_an_admin(settings_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = settings_file.stat().st_uid
    names = {owner: "yoda", LUKE: "luke"}
    monkeypatch.setattr(users, "ROOT", -1)
    monkeypatch.setattr(users, "account_of", names.__getitem__)
    assert write_problems(settings_file, STARS, LUKE) == []
    names[owner] = "darth"
    problems = write_problems(settings_file, STARS, LUKE)
    assert len(problems) == 2
    for said in problems:
        assert "'darth', who is neither root nor you nor an admin" in said
        assert "chown root" in said
    assert write_problems(settings_file, STARS, owner) == []


@given(st.text(max_size=20))
def test_any_login_gives_an_own_role_or_a_refusal(login: str) -> None:
    with contextlib.suppress(InputError):
        assert user_of(login, STARS, None, uid=LUKE).acronym in ("LSK", "LSK_C")
