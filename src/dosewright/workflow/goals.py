"""When to stop: primaries, uncertainty, time, and all their combinations.

The time limit beats the other two; between primaries and uncertainty both must be reached. Primaries and
uncertainty are per beam or for the plan; the time is for the simulation of all beams together, without reading and
reporting.
"""

import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from dosewright.core.errors import InputError
from dosewright.core.looks import tried
from dosewright.formats.text import site_settings

LONGEST_BARE_MINUTES = 1440.0  # one day; a larger bare number is more likely meant as seconds
SECONDS_PER = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
TIME = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)\s*(?P<unit>[a-z]*)", re.IGNORECASE)
MOST_HISTORIES = 10**12


@dataclass(frozen=True)
class Goals:
    """The goals of a request; at least one is given."""

    histories: int | None = None
    uncertainty_percent: float | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        if (self.histories, self.uncertainty_percent, self.max_seconds) == (None, None, None):
            raise InputError("A calculation needs a goal: primaries (-n), uncertainty (-u) or time (-t).")
        problems = out_of_range(self.histories, self.uncertainty_percent, self.max_seconds)
        if problems:
            raise InputError(*problems)

    @classmethod
    def usual(cls, site: site_settings.Goals) -> Self:
        """Return what holds at a site where no goal is named."""
        return cls(
            round(site.primaries.default) if site.primaries.on else None,
            site.uncertainty_percent.default if site.uncertainty_percent.on else None,
            60 * site.minutes.default if site.minutes.on else None,
        )

    @property
    def time_is_the_goal(self) -> bool:
        """True when nothing but a time was asked for, so that its end is a success."""
        return self.histories is None and self.uncertainty_percent is None

    def reached(self, histories: int, uncertainty_percent: float) -> bool:
        """Say whether primaries and uncertainty, as far as asked for, are both reached."""
        enough = self.histories is None or histories >= self.histories
        precise = self.uncertainty_percent is None or uncertainty_percent <= self.uncertainty_percent
        return enough and precise

    def sentence(self, scope: str = "beam") -> str:
        """Say in one sentence when a calculation with these goals stops; `scope` is what must reach them."""
        asked, whose = [], "of the plan" if scope == "plan" else "per beam"
        if self.histories is not None:
            asked.append(f"{self.histories:,} primaries {whose}")
        if self.uncertainty_percent is not None:
            asked.append(f"{self.uncertainty_percent:g} % mean uncertainty {whose}")
        if self.max_seconds is None:
            return f"Stop at {' and '.join(asked)}."
        limit = duration_text(self.max_seconds)
        return (
            f"Stop at {' and '.join(asked)}, or after {limit} if that comes first." if asked else f"Stop after {limit}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the goals as plain values."""
        return {
            "histories": self.histories,
            "uncertainty_percent": self.uncertainty_percent,
            "max_seconds": self.max_seconds,
        }

    @classmethod
    def from_text(cls, histories: str | None, uncertainty: str | None, time: str | None) -> Self:
        """Read the three options as a user types them; refuse with every problem listed."""
        problems: list[str] = []
        count = None if histories is None else tried(partial(read_histories, histories), problems)
        percent = None if uncertainty is None else tried(partial(read_percent, uncertainty), problems)
        seconds = None if time is None else tried(partial(read_seconds, time), problems)
        problems += out_of_range(count, percent, seconds)
        if problems:
            raise InputError(*problems)
        return cls(count, percent, seconds)


def beyond_site(goals: Goals, site: site_settings.Goals) -> list[str]:
    """Return a sentence for each goal that the site does not allow, with what it allows."""
    minutes = None if goals.max_seconds is None else goals.max_seconds / 60
    asked = (
        ("number of primaries (-n)", goals.histories, site.primaries, ""),
        ("uncertainty (-u)", goals.uncertainty_percent, site.uncertainty_percent, " percent"),
        ("time limit (-t)", minutes, site.minutes, " minutes"),
    )
    return [
        f"The {name} of {value:g}{unit} is outside what the site allows: {allowed.min:g} to {allowed.max:g}{unit}."
        for name, value, allowed, unit in asked
        if value is not None and not allowed.min <= value <= allowed.max
    ]


def worse_than_usual(goals: Goals, site: site_settings.Goals) -> str | None:
    """Say where the goals promise less than those that the site takes where none is named, or return None."""
    usual = Goals.usual(site)
    fewer = usual.histories is not None and (goals.histories or 0) < usual.histories
    coarser = usual.uncertainty_percent is not None and (
        goals.uncertainty_percent is None or goals.uncertainty_percent > usual.uncertainty_percent
    )
    if not fewer and not coarser:
        return None
    return f"The goals promise less than those that the site takes where none is named: {usual.sentence()}"


def out_of_range(histories: int | None, uncertainty_percent: float | None, max_seconds: float | None) -> list[str]:
    """Return a problem for each goal that cannot be."""
    problems = []
    if histories is not None and not 1 <= histories <= MOST_HISTORIES:
        problems.append(f"The number of primaries (-n) must be from 1 to 1e12. Given: {histories}.")
    if uncertainty_percent is not None and not 0.01 <= uncertainty_percent <= 99:
        problems.append(f"The uncertainty (-u) must be from 0.01 to 99 percent. Given: {uncertainty_percent:g}.")
    if max_seconds is not None and not 0 < max_seconds <= 365 * 86400:
        problems.append(f"The time limit (-t) must be positive and below a year. Given: {max_seconds:g} s.")
    return problems


def read_histories(text: str) -> int:
    """Read a number of primaries such as ``1000000`` or ``1e6``."""
    value = _number(text.replace("_", ""))
    if value is None or value != int(value):
        raise InputError(f"The number of primaries (-n) is a whole number, such as 1000000 or 1e6. Given: {text!r}.")
    return int(value)


def read_percent(text: str) -> float:
    """Read an uncertainty in percent such as ``1.5`` or ``1.5%``."""
    value = _number(text.strip().removesuffix("%"))
    if value is None:
        raise InputError(f"The uncertainty (-u) is a number in percent, such as 1.5. Given: {text!r}.")
    return value


def read_seconds(text: str) -> float:
    """Read a time limit: minutes, or a number with s, m, min, h or d; returns seconds.

    A bare number above one day of minutes is refused, because habits differ there: the examples of IDEAL's
    manual write 18000 for five hours, while its text and its code count minutes.
    """
    found = TIME.fullmatch(text.strip())
    unit = found["unit"].lower() if found else ""
    if not found or (unit and unit not in SECONDS_PER):
        raise InputError(f"The time limit (-t) is in minutes, or like 90s, 20m, 5h, 1d. Given: {text!r}.")
    number = float(found["number"])
    if not unit and number > LONGEST_BARE_MINUTES:
        raise InputError(
            f"The time limit (-t) of {text.strip()} without a unit would be {duration_text(number * 60)}. "
            f"Write {text.strip()}m if you mean minutes, {text.strip()}s if you mean seconds."
        )
    return number * SECONDS_PER[unit or "m"]


def duration_text(seconds: float) -> str:
    """Write a duration for people: ``45 s``, ``12 min``, ``5 h 30 min``."""
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.2g} s"
    if whole < 7200:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours} h" + (f" {minutes} min" if minutes else "")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
