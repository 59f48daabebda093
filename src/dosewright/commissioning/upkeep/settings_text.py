"""The schema of a site's settings as text: settings.toml with every key commented, and the page of the docs."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dosewright.formats.text.site_settings import SiteSettings

WIDTH = 42  # where comments begin
HEAD = (
    "# Settings of this site. A line behind one # shows a key with its default: take the # away to change it, and that",
    "# of the [heading] above it. A line behind two (##) is an example of what is not there by default.",
    "# Unknown keys and wrong values are refused. `dosewright check` looks at the whole library.",
)
PAGE_HEAD = """# Settings of a site

What a site sets stands in `settings.toml` beside [library.toml](library_files.md); without the file the defaults below
hold. IDEAL's `system.cfg` and `log_daemon.cfg` are read into the same values. `dosewright init DIR` writes the file
with every key, commented. This page and that file are made from the schema the program checks with.

The file may name users: then only its owner should be able to write it (`chmod 644 settings.toml`), and
`dosewright check` says so where others can.
"""


@dataclass(frozen=True)
class Key:
    """One key of the schema: its table (dotted, empty at the top), whether that repeats, and what it is."""

    table: str
    name: str
    kind: str
    default: Any
    required: bool
    description: str

    @property
    def path(self) -> str:
        """The key with its table."""
        return f"{self.table}.{self.name}" if self.table else self.name


@dataclass(frozen=True)
class Table:
    """A table of the schema: its dotted name, whether it repeats (``[[...]]``), its keys and its default items."""

    name: str
    repeats: bool
    description: str
    keys: tuple[Key, ...]
    items: tuple[dict[str, Any], ...]

    @property
    def heading(self) -> str:
        """The line that opens it in TOML."""
        return f"[[{self.name}]]" if self.repeats else f"[{self.name}]"


def tables(model: type[BaseModel] = SiteSettings) -> list[Table]:
    """Return every table of the settings, that of the top level first."""
    return list(_tables(model, model().model_dump(), "", "", repeats=False))


def commented_toml() -> str:
    """Return settings.toml with every key of the schema, commented; without the comment signs it says the defaults."""
    lines = list(HEAD)
    for table in tables():
        lines.append("")
        if table.name:
            lines += [f"# ---- {table.name}: {table.description}"] if table.description else []
        for item in table.items:
            lines += ([f"# {table.heading}"] if table.name else []) + [_line("#", key, item) for key in table.keys]
        if not table.items:
            lines += [f"## {table.heading}", *(_line("##", key, {}) for key in table.keys)]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return the documentation page of the settings."""
    lines = [PAGE_HEAD]
    for table in tables():
        if not table.keys:
            continue
        lines += [f"## {f'`{table.heading}`' if table.name else 'Above all tables'}", ""]
        lines += [f"{_sentence(table.description)}\n"] if table.description else []
        lines += ["| key | | default | |", "|---|---|---|---|"]
        default = table.items[0] if table.items else {}
        for key in table.keys:
            value = default.get(key.name, key.default)
            shown = "required" if key.required and not table.items else "none" if value is None else f"`{_toml(value)}`"
            lines.append(f"| `{key.name}` | {key.kind} | {shown} | {key.description} |")
        if len(table.items) > 1:
            others = [
                "; ".join(f"{n} = {_toml(v)}" for n, v in one.items() if v is not None) for one in table.items[1:]
            ]
            lines += ["", f"By default there are more of them: {'. '.join(others)}."]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _tables(model: type[BaseModel], default: Any, name: str, description: str, *, repeats: bool) -> Iterator[Table]:
    own, below = [], []
    for key, field in model.model_fields.items():
        inner, many = _inner(field.annotation)
        if inner is None:
            own.append(_key(name, key, field))
        else:
            below.append((key, field, inner, many))
    items = default if repeats else [default]
    if own:
        yield Table(name, repeats, description, tuple(own), tuple(items))
    for key, field, inner, many in below:
        path = f"{name}.{key}" if name else key
        yield from _tables(inner, default[key], path, field.description or _first(inner), repeats=many)


def _key(table: str, name: str, field: FieldInfo) -> Key:
    required = field.is_required()
    default = None if required else field.get_default(call_default_factory=True)
    return Key(table, name, _kind(field), default, required, field.description or "")


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model of a table, and whether it repeats."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if get_origin(annotation) is list:
        inner = get_args(annotation)[0]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner, True
    return None, False


def _kind(field: FieldInfo) -> str:
    """Say in words what a key takes."""
    annotation = field.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{one}`" for one in get_args(annotation))
    if get_origin(annotation) is list:
        words = {float: "numbers", str: "texts", int: "whole numbers"}[get_args(annotation)[0]]
        return f"list of {words}"
    word = {float: "number", int: "whole number", bool: "true or false", str: "text"}[annotation]  # type: ignore[index]
    limits = [_limit(one) for one in field.metadata]
    return " ".join([word, *filter(None, [", ".join(filter(None, limits))])])


def _limit(one: Any) -> str:
    if isinstance(one, Gt):
        return f"above {one.gt:g}"
    if isinstance(one, Ge):
        return f"at least {one.ge:g}"
    if isinstance(one, Lt):
        return f"below {one.lt:g}"
    if isinstance(one, Le):
        return f"at most {one.le:g}"
    if isinstance(one, MinLen):
        return "not empty"
    return ""


def _line(mark: str, key: Key, item: dict[str, Any]) -> str:
    value = item.get(key.name, key.default)
    if value is None:
        mark, shown = "##", _example(key.kind)
    else:
        shown = _toml(value)
    text = f"{mark} {key.name} = {shown}"
    return f"{text.ljust(WIDTH)} # {key.description}" if key.description else text


def _example(kind: str) -> str:
    """Return what stands in the place of a value that has no default."""
    if kind.startswith("`"):
        return f'"{kind.split("`")[1]}"'
    return '"TEXT"' if kind.startswith("text") else "NUMBER"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)
        return text if any(c in text for c in ".einf") else f"{text}.0"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def _first(model: type[BaseModel]) -> str:
    """Return the first sentence of a model's docstring, without its full stop."""
    return (model.__doc__ or "").strip().split("\n")[0].rstrip(".")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
