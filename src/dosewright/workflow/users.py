"""Who asks, and what the role allows.

A library may hold a user table, ``users.toml``::

    [users]
    AS = {name = "asmith", role = "clinical"}

The key is an acronym. Without a table everyone has the research role.
"""

import getpass
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import InputError, nearest

ROLES = ("clinical", "commissioning", "admin", "research")
MAY_CHOOSE_BEAM_MODEL = ("commissioning", "research")
TABLE_NAME = "users.toml"


@dataclass(frozen=True)
class User:
    """A user's name and role; `from_table` is False where no user table says so."""

    name: str
    role: str
    from_table: bool

    @property
    def sentence(self) -> str:
        """Say who calculated and on what ground."""
        ground = "by the user table" if self.from_table else "there is no user table, so everyone has this role"
        return f"Calculated with the {self.role} role ({ground})."


def user_of(login: str | None, table: Path | None) -> User:
    """Return the user of a login (``NAME``, ``NAME:ROLE`` or an acronym; None: the system's user name).

    Raises
    ------
    InputError
        An unknown name or role, a role that the table does not give, a table that cannot be read.
    """
    name, _, role = (login or _system_name()).partition(":")
    if not name.strip():
        raise InputError("The login (-l) is NAME, NAME:ROLE or an acronym of the user table. Its name is empty.")
    if role and role not in ROLES:
        raise InputError(f"Unknown role {role!r} (-l).{nearest(role, ROLES)} Known: {', '.join(ROLES)}.")
    if table is None or not table.is_file():
        if role and role != "research":
            raise InputError(f"Without a user table everyone has the research role; {role!r} (-l) cannot be had.")
        return User(name, "research", False)
    users = read_user_table(table)
    found = users.get(name) or next((user for user in users.values() if user.name == name), None)
    if found is None:
        known = (*users, *(user.name for user in users.values()))
        raise InputError(f"The user {name!r} (-l) is not in the user table.{nearest(name, known)}")
    if role and role != found.role:
        raise InputError(f"The user table gives {name!r} the role {found.role!r}, not {role!r} (-l).")
    return found


def read_user_table(path: Path) -> dict[str, User]:
    """Read a user table: acronym to user; every problem is listed."""
    try:
        users = tomllib.loads(path.read_text(encoding="utf-8")).get("users", {})
    except (OSError, ValueError) as error:
        raise InputError(f"The user table cannot be read: {error}. Where: {path}.") from error
    if not isinstance(users, dict):
        raise InputError(f"The user table needs one section [users]. Where: {path}.")
    read: dict[str, User] = {}
    problems = []
    for acronym, entry in users.items():
        name, role = (entry.get("name"), entry.get("role")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not name or role not in ROLES:
            problems.append(f"User {acronym!r} needs a name and a role of: {', '.join(ROLES)}. Where: {path}.")
        elif any(user.name == name for user in read.values()):
            problems.append(f"The user name {name!r} occurs twice. Where: {path}.")
        else:
            read[acronym] = User(name, str(role), True)
    if problems:
        raise InputError(*problems)
    return read


def _system_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return "unknown"
