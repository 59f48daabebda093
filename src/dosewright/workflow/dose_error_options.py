"""The options of ``dosewright calc`` for the error of every voxel, read as typed."""

import math
from dataclasses import dataclass

from dosewright.core.errors import InputError, nearest
from dosewright.formats.text.fred.variance_reduction import TYPES
from dosewright.scoring.dose_error import CUT_OFF_PERCENT, DoseErrorGoal, DoseErrorMeasure


@dataclass(frozen=True)
class DoseErrorTexts:
    """The options of a dose error as typed (``--dd``, ``--dco``, ``--dd-type``, ``--dgref``), None: not said."""

    dd: str | None = None
    dco: str | None = None
    dd_type: str | None = None
    dgref: str | None = None

    @property
    def said(self) -> bool:
        """Whether any of them was."""
        return any(text is not None for text in (self.dd, self.dco, self.dd_type, self.dgref))

    def read(self) -> DoseErrorGoal | None:
        """Return the goal, None where none was asked for; refuse with every problem listed."""
        problems: list[str] = []
        percent = _read(self.dd, "--dd", "a dose error in percent, such as 1", problems)
        cut_off = _read(self.dco, "--dco", "a dose cut-off in percent of the maximum, such as 50", problems)
        reference = _read(self.dgref, "--dgref", "a reference dose in Gy, such as 2", problems)
        word = (self.dd_type or "global").strip().lower()
        if word not in TYPES:
            problems.append(f"--dd-type takes global or local.{nearest(word, TYPES)} Given: {self.dd_type!r}.")
        if self.dd is None and self.said:
            problems.append("--dco, --dd-type and --dgref say how a dose error is told; give it with --dd.")
        if percent is not None and not 0.01 <= percent <= 100:
            problems.append(f"The dose error (--dd) must be from 0.01 to 100 percent. Given: {percent:g}.")
        if cut_off is not None and not 0 <= cut_off < 100:
            problems.append(f"The dose cut-off (--dco) must be from 0 to below 100 percent. Given: {cut_off:g}.")
        if reference is not None and not reference > 0:
            problems.append(f"The reference dose (--dgref) must be positive. Given: {reference:g} Gy.")
        if self.dgref is not None and TYPES.get(word) is False:
            problems.append("A reference dose (--dgref) is for global errors, and --dd-type says local.")
        if problems:
            raise InputError(*problems)
        if percent is None:
            return None
        measure = DoseErrorMeasure(CUT_OFF_PERCENT if cut_off is None else cut_off, TYPES[word], reference)
        return DoseErrorGoal(percent, measure)


NOT_SAID = DoseErrorTexts()


def _read(text: str | None, option: str, what: str, problems: list[str]) -> float | None:
    """Return the number, adding what is wrong to `problems`."""
    if text is None:
        return None
    value = number_of(text.strip().removesuffix("%"))
    if value is None:
        problems.append(f"{option} is {what}. Given: {text!r}.")
    return value


def number_of(text: str) -> float | None:
    """Return a finite number, None where the text is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
