"""What a user typed, read into wishes; what cannot be read is told and left out."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from dosewright.core.errors import InputError
from dosewright.core.looks import tried
from dosewright.formats.text import site_settings
from dosewright.workflow.dose_error_options import DoseErrorTexts
from dosewright.workflow.goals import Goals
from dosewright.workflow.request import Wishes


def read_wishes(said: Mapping[str, Any]) -> Wishes:
    """Read options as typed; what cannot be read is among the `unread` of the wishes.

    `said` has the names of `Wishes`, None for what was not said; the goals come as ``histories``, ``uncertainty``,
    ``time``, ``dd``, ``dco``, ``dd_type`` and ``dgref``. Texts are read where a number or a pair is meant, so that a
    slip of the pen stops nothing else from being looked at.
    """
    problems: list[str] = []
    values = {key: value for key, value in said.items() if value is not None}
    histories, uncertainty, time = (values.pop(key, None) for key in ("histories", "uncertainty", "time"))
    error = DoseErrorTexts(**{key: values.pop(key, None) for key in ("dd", "dco", "dd_type", "dgref")})
    goals, assumed = read_goals(histories, uncertainty, time, error, problems)
    for key, read in READERS.items():
        if key in values:
            found = tried(partial(read, values.pop(key)), problems)
            values |= {} if found is None else {key: found}
    overrides = read_overrides(values.pop("overrides", ()), problems)
    return Wishes(goals=goals, goals_assumed=assumed, overrides=overrides, unread=tuple(problems), **values)


def read_goals(
    histories: str | None, uncertainty: str | None, time: str | None, error: DoseErrorTexts, problems: list[str]
) -> tuple[Goals, bool]:
    """Read the goals, adding what is wrong to `problems`.

    The second value says that none was named; the goals then stand for those of the site, which are not known yet.
    """
    default = Goals.usual(site_settings.Goals())
    if histories is None and uncertainty is None and time is None and not error.said:
        return default, True
    return tried(partial(Goals.from_text, histories, uncertainty, time, error), problems) or default, False


def read_overrides(texts: Sequence[str], problems: list[str]) -> tuple[tuple[str, str], ...]:
    """Read ``ROI:MATERIAL`` texts, adding what is wrong to `problems`; the last colon divides."""
    overrides = []
    for text in texts:
        roi, colon, material = text.rpartition(":")
        if not colon or not roi.strip() or not material.strip():
            problems.append(
                f"A material override (-m) is written ROI:MATERIAL, such as Filling:G4_Ti. Given: {text!r}."
            )
        else:
            overrides.append((roi.strip(), material.strip()))
    return tuple(overrides)


def read_voxel_counts(texts: Sequence[str]) -> tuple[int, ...]:
    """Read the three numbers of dose voxels."""
    try:
        return tuple(int(text) for text in texts)
    except ValueError:
        given = " ".join(texts)
        raise InputError(f"Voxel counts (-x) are three whole numbers, such as 100 90 80. Given: {given!r}.") from None


def read_shift(texts: Sequence[str]) -> tuple[float, ...]:
    """Read the three millimetres by which a phantom is moved."""
    try:
        values = tuple(float(text) for text in texts)
    except ValueError:
        values = ()
    if len(values) != 3 or not all(math.isfinite(value) for value in values):
        raise InputError(
            f"A shift of the phantom (--phantom-shift) is three numbers in mm, such as 0 -20 0. "
            f"Given: {' '.join(texts)!r}."
        )
    return values


def read_whole(allowed: str, text: str) -> int:
    """Read a whole number; `allowed` is the sentence of a refusal, without its end."""
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{allowed}. Given: {text!r}.") from None


READERS: dict[str, Callable[[Any], object]] = {
    "phantom_shift_mm": read_shift,
    "voxel_counts": read_voxel_counts,
    "fraction_group": partial(read_whole, "The fraction group (--fraction-group) is a whole number"),
    "seed": partial(read_whole, "The seed (--seed) is a whole number from 0 to 2^63 - 1"),
    "threads": partial(read_whole, "The number of threads (-j) is a whole number from 0 (all cores) to 1024"),
}
