"""When to stop: primaries, uncertainty, dose error, time, and all their combinations.

The time limit beats the others; between primaries, uncertainty and dose error all must be reached. These three are per
beam or for the plan; the time is for the simulation of all beams together, without reading and
reporting.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Self

from dosewright.core.errors import InputError
from dosewright.core.looks import tried
from dosewright.formats.text import site_settings
from dosewright.scoring.dose_error import USUAL, DoseErrorGoal, DoseErrorMeasure
from dosewright.workflow.dose_error_options import NOT_SAID, DoseErrorTexts, number_of

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
    dose_error: DoseErrorGoal | None = None

    def __post_init__(self) -> None:
        if (self.histories, self.uncertainty_percent, self.max_seconds, self.dose_error) == (None, None, None, None):
            known = "primaries (-n), uncertainty (-u), dose error (--dd) or time (-t)"
            raise InputError(f"A calculation needs a goal: {known}.")
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
        return (self.histories, self.uncertainty_percent, self.dose_error) == (None, None, None)

    @property
    def measure(self) -> DoseErrorMeasure:
        """How dose errors are told, whether or not they are a goal."""
        return USUAL if self.dose_error is None else self.dose_error.measure

    @property
    def dose_error_percent(self) -> float | None:
        """The goal for the error of every voxel."""
        return None if self.dose_error is None else self.dose_error.percent

    def reached(self, histories: int, uncertainty_percent: float, *, errors_met: bool = False) -> bool:
        """Say whether primaries, uncertainty and dose error, as far as asked for, are all reached.

        `errors_met` says that the dose error was met at two checks in a row.
        """
        enough = self.histories is None or histories >= self.histories
        precise = self.uncertainty_percent is None or uncertainty_percent <= self.uncertainty_percent
        return enough and precise and (self.dose_error is None or errors_met)

    def sentence(self, scope: str = "beam") -> str:
        """Say in one sentence when a calculation with these goals stops; `scope` is what must reach them."""
        asked, whose = [], "of the plan" if scope == "plan" else "per beam"
        if self.histories is not None:
            asked.append(f"{self.histories:,} primaries {whose}")
        if self.uncertainty_percent is not None:
            asked.append(f"{self.uncertainty_percent:g} % mean uncertainty {whose}")
        if self.dose_error is not None:
            asked.append(f"{self.dose_error.words} {whose}")
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
            "dose_error": None if self.dose_error is None else asdict(self.dose_error),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build from the plain values of `as_json`."""
        kept = dict(values)
        error = kept.pop("dose_error", None)
        if error is None:
            return cls(**kept)
        return cls(**kept, dose_error=DoseErrorGoal(error["percent"], DoseErrorMeasure(**error["measure"])))

    @classmethod
    def from_text(
        cls, histories: str | None, uncertainty: str | None, time: str | None, dose_error: DoseErrorTexts = NOT_SAID
    ) -> Self:
        """Read the options as a user types them; refuse with every problem listed."""
        problems: list[str] = []
        count = None if histories is None else tried(partial(read_histories, histories), problems)
        percent = None if uncertainty is None else tried(partial(read_percent, uncertainty), problems)
        seconds = None if time is None else tried(partial(read_seconds, time), problems)
        problems += out_of_range(count, percent, seconds)
        error = tried(dose_error.read, problems)
        if problems:
            raise InputError(*problems)
        return cls(count, percent, seconds, error)


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
    promised = [goals.uncertainty_percent, mean_promised(goals.dose_error, site.dose_threshold_percent)]
    coarser = usual.uncertainty_percent is not None and not any(
        percent is not None and percent <= usual.uncertainty_percent for percent in promised
    )
    if not fewer and not coarser:
        return None
    return f"The goals promise less than those that the site takes where none is named: {usual.sentence()}"


def mean_promised(goal: DoseErrorGoal | None, threshold_percent: float) -> float | None:
    """Return the mean uncertainty that a dose error promises for voxels above a threshold, None where it does not.

    An error below DD of the maximum is one below DD / DCO of the doses above DCO.
    """
    if goal is None or goal.measure.reference_Gy is not None or goal.measure.cut_off_percent > threshold_percent:
        return None
    return goal.percent * 100 / threshold_percent if goal.measure.relative_to_maximum else goal.percent


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
    value = number_of(text.replace("_", ""))
    if value is None or value != int(value):
        raise InputError(f"The number of primaries (-n) is a whole number, such as 1000000 or 1e6. Given: {text!r}.")
    return int(value)


def read_percent(text: str) -> float:
    """Read an uncertainty in percent such as ``1.5`` or ``1.5%``."""
    value = number_of(text.strip().removesuffix("%"))
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
