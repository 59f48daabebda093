"""Who asks: the user of the operating system, in a role that the site's settings give.

The settings list users (``[[user]]``: acronym, name, role, and the account where it is not the name). Without users
everyone has the research role. An entry belongs to the account that it names, else to the account of its name, else,
as IDEAL's sites write it, ``luke_commissioning`` in the role commissioning belongs to ``luke``. A login (-l) chooses
among the entries of one's own account and gives nothing else.
"""

import os
import pwd
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import InputError, nearest
from dosewright.formats.text.site_settings import ROLES, SiteSettings, UserEntry

WITHOUT_USERS = "research"  # role of everyone where no users are listed, and what stands for their acronym
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
BESIDE = ("library.toml", "log_daemon.cfg")
ROOT = 0


@dataclass(frozen=True)
class User:
    """A user in one role; `account` is that of the operating system.

    `from_settings` is False where no settings list users.
    """

    name: str
    role: str
    acronym: str = WITHOUT_USERS
    account: str = ""
    from_settings: bool = False

    @property
    def sentence(self) -> str:
        """Say who calculated and on what ground."""
        if not self.from_settings:
            return "Calculated with the research role (the settings list no users, so everyone has this role)."
        return f"Calculated by {self.acronym} in the {self.role} role (by the site's settings)."

    @property
    def titled(self) -> str:
        """Acronym and name, as they stand in the report."""
        return f"{self.acronym}, {self.name}" if self.from_settings else self.name

    @property
    def label(self) -> str:
        """Acronym and role, as they stand in files."""
        return f"{self.acronym} ({self.role})" if self.from_settings else self.role


def user_of(login: str | None, settings: SiteSettings, settings_file: Path | None, *, uid: int | None = None) -> User:
    """Return the user of this process in the role that is asked for.

    Parameters
    ----------
    login
        ``NAME``, an acronym, or either with ``:ROLE``; None for the usual role of the account.
    settings, settings_file
        The site's, and where they came from.
    uid
        Number of the account; by default that of this process, whatever the environment says.

    Raises
    ------
    InputError
        An unknown name, another account's, a role that is not given, settings that others may write.
    """
    number = os.getuid() if uid is None else uid
    account = account_of(number)
    name, _, role = (login or account).partition(":")
    if not name.strip():
        raise InputError("The login (-l) is NAME, NAME:ROLE or an acronym of the settings. Its name is empty.")
    if role and role not in ROLES:
        raise InputError(f"Unknown role {role!r} (-l).{nearest(role, ROLES)} Known: {', '.join(ROLES)}.")
    if not settings.user:
        if role and role != WITHOUT_USERS:
            raise InputError(
                f"The settings list no users, so everyone has the research role; {role!r} (-l) cannot be had."
            )
        return User(account, WITHOUT_USERS, account=account)
    entry = chosen(name, role, login is None, account, settings.user)
    if entry.role != WITHOUT_USERS:
        problems = [] if settings_file is None else write_problems(settings_file, settings, number)
        if problems:
            raise InputError(*(f"The role {entry.role} cannot be had: {said}" for said in problems))
    return User(entry.name, entry.role, entry.acronym, account, True)


def account_of(uid: int) -> str:
    """Return the name of an account; one without a name gets a word that is no user's."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid {uid}"


def belongs(entry: UserEntry, account: str) -> bool:
    """Say whether an entry belongs to an account."""
    if entry.system_user:
        return entry.system_user == account
    return entry.name in (account, f"{account}_{entry.role}")


def chosen(name: str, role: str, by_default: bool, account: str, entries: Sequence[UserEntry]) -> UserEntry:
    """Return the entry of an account that is meant."""
    own = [one for one in entries if belongs(one, account)]
    if not own:
        raise InputError(
            f"The account {account!r} of the operating system has no role in the site's settings. Ask who keeps the "
            f"settings for a [[user]] with system_user = {account!r}."
        )
    named = [one for one in own if name == one.name or name.casefold() == one.acronym.casefold()]
    meant = [one for one in named if not role or one.role == role]
    if not meant and name == account and (role or by_default):
        meant = [one for one in own if not role or one.role == role]
    if len(meant) == 1:
        return meant[0]
    allowed = f"Allowed: {', '.join(f'{one.acronym} ({one.name}:{one.role})' for one in own)}."
    if role and (named or name == account):
        raise InputError(f"The settings do not give {name!r} the role {role!r} (-l). {allowed}")
    if name == account:
        raise InputError(f"The account {account!r} has several roles; choose with -l. {allowed}")
    words = [word for one in entries for word in (one.name, one.acronym)]
    if name.casefold() in (word.casefold() for word in words):
        raise InputError(f"The user {name!r} (-l) belongs to another account than {account!r}. {allowed}")
    raise InputError(f"The user {name!r} (-l) is not in the site's settings.{nearest(name, words)} {allowed}")


def write_problems(settings_file: Path, settings: SiteSettings, uid: int) -> list[str]:
    """Return why others than their owner might have changed the settings, with what to do.

    Looked at are their file and folder, and what lies beside them and decides as well: which machine has which model.
    """
    admins = [one for one in settings.user if one.role == "admin"]
    found = []
    file = settings_file.resolve()
    places = {file: "file", file.parent: "folder"}
    places |= {file.with_name(name): f"{name} beside the file" for name in BESIDE if file.with_name(name).is_file()}
    for path, what in places.items():
        state = path.stat()
        owner = account_of(state.st_uid)
        if state.st_mode & OTHERS_WRITE:
            found.append(f"others than its owner may write the {what} of the settings. Do: chmod go-w '{path}'.")
        if state.st_uid not in (ROOT, uid) and not any(belongs(one, owner) for one in admins):
            found.append(
                f"the {what} of the settings belongs to {owner!r}, who is neither root nor you nor an admin of the "
                f"site. Do, as root: chown root '{path}'."
            )
    return found
