"""What a running calculation tells whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BeamProgress:
    """How far one beam is; `share_done` is from 0 to 1, unknown figures are None."""

    number: int
    name: str
    histories: int
    histories_per_second: float
    uncertainty_percent: float | None
    seconds: float
    seconds_left: float | None
    share_done: float
    dose_error_percent: float | None = None


@dataclass(frozen=True)
class Watch:
    """Two listeners: one for sentences, one for the progress of a beam."""

    say: Callable[[str], None]
    progress: Callable[[BeamProgress], None]


SILENT = Watch(say=lambda _text: None, progress=lambda _progress: None)
