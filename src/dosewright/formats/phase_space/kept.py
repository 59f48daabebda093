"""What a writer knows of its records, as plain values that another process can take up."""

from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import TypeAdapter

Known = TypeVar("Known")


def plain(known: Any) -> dict[str, Any]:
    """Return a dataclass as values that JSON holds."""
    return asdict(known)


def taken_up(kind: type[Known], values: Any) -> Known:
    """Return the dataclass that `plain` made values of; keys of tables are numbers again."""
    return TypeAdapter(kind).validate_python(values)
