"""When a simulation may stop."""

from dataclasses import dataclass

from dosewright.core.errors import refuse
from dosewright.scoring.dose_error import USUAL, DoseErrorGoal, DoseErrorMeasure
from dosewright.scoring.statistics import THRESHOLD_PERCENT, TOP_VOXELS


@dataclass(frozen=True)
class Goal:
    """Reached when the histories, the mean uncertainty (percent) and the dose error all are, of those that are given.

    Parameters
    ----------
    max_seconds
        Ends the run whatever was reached.
    top_voxels, dose_threshold_percent
        The mean uncertainty is that of the voxels above this percentage of the mean of the highest doses.
    batch_histories
        Histories in a batch, where runs to several goals must share one division; None for the usual choice.
    dose_error
        A mean error that no voxel may exceed, of the dose per primary. It must be met at two checks in a row.
    measure
        How dose errors are told where none is a goal.
    """

    histories: int | None = None
    uncertainty_percent: float | None = None
    max_seconds: float | None = None
    top_voxels: int = TOP_VOXELS
    dose_threshold_percent: float = THRESHOLD_PERCENT
    batch_histories: int | None = None
    dose_error: DoseErrorGoal | None = None
    measure: DoseErrorMeasure = USUAL

    def __post_init__(self) -> None:
        given = (self.histories, self.uncertainty_percent, self.max_seconds)
        if all(g is None for g in (*given, self.dose_error)):
            allowed = "histories, a mean uncertainty, a dose error, a time, or several"
            raise refuse("A simulation needs a goal", allowed=allowed)
        if any(g is not None and not g > 0 for g in given):
            raise refuse("Goals must be positive", given=given)
        if self.top_voxels < 1 or not 0 < self.dose_threshold_percent < 100:
            raise refuse(
                "The mean uncertainty needs voxels",
                given=f"{self.top_voxels} highest doses, a threshold of {self.dose_threshold_percent:g} %",
                allowed="at least 1, and above 0 and below 100 %",
            )
        if self.batch_histories is not None and self.batch_histories < 1:
            raise refuse("A batch needs histories", given=self.batch_histories, allowed="1 or more")

    @property
    def by_histories_alone(self) -> bool:
        """Whether neither an uncertainty nor a dose error may ask for more histories than are given."""
        return self.uncertainty_percent is None and self.dose_error is None

    def reached(self, histories: int, uncertainty_percent: float, *, errors_met: bool = False) -> bool:
        """Say whether the goals other than time are met; never if there is none.

        `errors_met` says that the dose error was met at this check and at the one before.
        """
        if self.histories is None and self.by_histories_alone:
            return False
        enough = self.histories is None or histories >= self.histories
        precise = self.uncertainty_percent is None or uncertainty_percent <= self.uncertainty_percent
        return enough and precise and (self.dose_error is None or errors_met)


@dataclass(frozen=True)
class Batches:
    """The fixed division of histories into batches, and the batch counts at which goals are looked at.

    With a history goal alone the last batch is cut to end on it.
    """

    size: int
    last: int | None

    @classmethod
    def plan(cls, goal: Goal, voxels: int) -> "Batches":
        """Choose the division from the goal and the number of scored voxels, never from the machine."""
        size = max(DEFAULT_BATCH, voxels // VOXELS_PER_HISTORY)
        if goal.batch_histories is not None:
            size = goal.batch_histories
        elif goal.histories is not None:
            size = max(1, min(size, -(-goal.histories // FEWEST_BATCHES)))
        return cls(size, goal.histories if goal.by_histories_alone else None)

    @property
    def cut(self) -> int:
        """Histories of a last batch that is shorter than the others, else zero: sums with it fit no other goal."""
        return 0 if self.last is None else self.last % self.size

    def histories_in(self, batch: int) -> int:
        """Number of histories in a batch; zero beyond the last."""
        if self.last is None:
            return self.size
        return max(0, min(self.size, self.last - batch * self.size))

    @staticmethod
    def next_checkpoint(batches: int) -> int:
        """Return the next batch count at which goals are checked: every tenth batch, later every tenth part."""
        return batches + max(FEWEST_BATCHES // 2, batches // 10)

    @classmethod
    def checkpoint_before(cls, batches: int) -> int:
        """Return the last batch count below `batches` at which goals are checked; zero where there is none."""
        at = 0
        while (later := cls.next_checkpoint(at)) < batches:
            at = later
        return at


DEFAULT_BATCH = 10_000
VOXELS_PER_HISTORY = 200  # keeps the work of closing a batch below a tenth of the transport
FEWEST_BATCHES = 20
