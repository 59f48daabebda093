"""TOML into checked values: every problem with its key, its line and the nearest known word."""

import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.lines import read_text

Place = tuple[int | str, ...]


class Checked(BaseModel):
    """Base of every value read from TOML: frozen, no unknown keys, no conversion of words to numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file, or refuse it with the line of the mistake."""
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise refuse("The file is not TOML", given=str(error), where=path.name) from error


def read_checked(path: Path, model: type[M]) -> M:
    """Return a TOML file as a model; all problems are listed together."""
    content = read_toml(path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        text = read_text(path)
        raise InputError(*(_problem(path, text, model, one) for one in error.errors())) from error


def _problem(path: Path, text: str, model: type[BaseModel], error: Any) -> str:
    place: Place = error["loc"]
    key = ".".join(str(part) for part in place)
    line = line_of(text, place)
    where = f"{path.name}, line {line}" if line else path.name
    if error["type"] == "extra_forbidden":
        known = known_keys(model, place[:-1])
        return str(
            refuse(f"Unknown key {key!r}.{nearest(str(place[-1]), known)}", allowed=", ".join(known), where=where)
        )
    if error["type"] == "missing":
        return str(refuse(f"The key {key!r} is missing", where=where))
    said = error["msg"].removeprefix("Value error, ")  # pydantic's own words before those of a check of ours
    given = None if isinstance(error["input"], dict | list) else repr(error["input"])[:80]
    return str(refuse(f"{key or 'The file'}: {said}", given=given, where=where))


def line_of(text: str, place: Place) -> int | None:
    """Return the line on which a key stands, following tables and repeated tables; None where it is not found."""
    start, found = 0, None
    lines = text.splitlines()
    for i, part in enumerate(place):
        if isinstance(part, int):
            continue
        index = place[i + 1] if i + 1 < len(place) else 0
        wanted = re.compile(
            rf"^\s*(?:\[+[^\]#]*\b)?[\"']?{re.escape(part)}[\"']?\s*(?:=|\]|\.)|[{{,]\s*{re.escape(part)}\s*="
        )
        hits = [n for n in range(start, len(lines)) if wanted.search(lines[n])]
        if not hits:
            return found
        repeated = isinstance(index, int) and lines[hits[0]].lstrip().startswith("[[") and index < len(hits)
        start = hits[index] if repeated and isinstance(index, int) else hits[0]
        found = start + 1
    return found


def known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that are allowed at a place inside a model."""
    current: Any = model
    for part in place:
        if isinstance(part, int):
            continue
        fields = getattr(current, "model_fields", {})
        by_key = {field.alias or name: field.annotation for name, field in fields.items()}
        current = _inner_model(by_key.get(part))
    fields = getattr(current, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def _inner_model(annotation: Any) -> Any:
    """Return the model inside lists, tuples, dictionaries and unions."""
    if get_origin(annotation) in (list, tuple, dict) or isinstance(annotation, UnionType) or get_args(annotation):
        for argument in get_args(annotation):
            inner = _inner_model(argument)
            if inner is not None:
                return inner
        return None
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
