"""A mistake in a run file: where, what was given, what is allowed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.simulation.run_file.lines import Place

KINDS_OF_VALUE = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in brackets",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
}
LIMITS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


@dataclass(frozen=True)
class Fault:
    """One mistake at a place of the file."""

    place: Place
    what: str
    given: object = None
    allowed: object = None

    def sentence(self, where: str) -> str:
        """Say it, with the place in the file."""
        return refuse(self.what, given=self.given, allowed=self.allowed, where=where).problems[0]


def key_text(place: Place) -> str:
    """Write a place as people say it: ``phantom.slab[1].z_mm``, counted from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def is_there(text: str) -> bool:
    """Say whether a word is the path of a file; words that cannot be a path are none."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def faults_from(error: InputError, place: Place) -> list[Fault]:
    """Turn a refusal of something the file names into faults at its key."""
    return [Fault(place, f"{key_text(place)}: {problem}") for problem in error.problems]


def fault_of(one: Any, prefix: Place, model: type[BaseModel]) -> Fault:
    """Turn a finding of the checked models into a fault."""
    inside: Place = one["loc"]
    place, kind, given = prefix + inside, one["type"], repr(one["input"])[:80]
    key, context = key_text(place), one.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, inside[:-1])
        return Fault(place, f"Unknown key {key!r}.{nearest(str(place[-1]), known)}", allowed=", ".join(known))
    if kind == "missing" and isinstance(place[-1], int):
        return Fault(place[:-1], f"{key_text(place[:-1])} has too few values", allowed="one for each axis")
    if kind == "missing":
        return Fault(place, f"The key {key!r} is missing")
    if kind in ("too_long", "too_short"):
        limit = context.get("max_length", context.get("min_length"))
        return Fault(place, f"{key} has the wrong number of values", given=context.get("actual_length"),
                     allowed=f"{'at most' if kind == 'too_long' else 'at least'} {limit}")  # fmt: skip
    if kind == "literal_error":
        words = context["expected"].replace("'", "").replace(" or ", ", ")
        return Fault(place, f"{key} is not a known word.{nearest(str(one['input']), words.split(', '))}", given, words)
    if kind == "string_pattern_mismatch":
        return Fault(place, f"{key} becomes a file name", given, "letters, digits, and _ - . inside")
    for name, words in LIMITS.items():
        if name in context:
            return Fault(place, f"{key} is out of range", given, f"{words} {context[name]:g}")
    allowed = f"[[{key}]]" if place[-1] in ("slab", "box") else KINDS_OF_VALUE.get(kind, one["msg"])
    return Fault(place, f"{key} has the wrong type", given, allowed)


def _keys_at(model: Any, inside: Place) -> list[str]:
    """Return the keys of the table at a place inside a model."""
    for part in inside:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> Any:
    """Return the model that an annotation such as ``tuple[Slab, ...]`` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_in(part))), None)
