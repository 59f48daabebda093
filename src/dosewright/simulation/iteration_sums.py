"""What iterations of a treatment accumulate, and how it is put down and taken up again."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.execution.artifact import publish, verified
from dosewright.scoring.deposit import ACCOUNT_ROWS
from dosewright.scoring.dose_error import NONE_PASSED, DoseErrors, Streak
from dosewright.scoring.ratio_statistics import RatioSums

Array = NDArray[np.float64]

KEPT = "iterations.npz"
FEWEST_FOR_AN_ERROR = 2


@dataclass(frozen=True)
class Iteration:
    """Where the treatment stood after an iteration: primaries so far, dose errors, seconds since the beginning."""

    number: int
    primaries: int
    errors: DoseErrors
    seconds: float


@dataclass
class DoseSums:
    """Sums over iterations of a dose and of its square, flat."""

    total: Array
    squares: Array

    @classmethod
    def empty(cls, voxels: int) -> "DoseSums":
        """Return sums over no iteration."""
        return cls(np.zeros(voxels), np.zeros(voxels))

    def add(self, dose: Array) -> None:
        """Add an iteration."""
        self.total += dose
        self.squares += dose * dose

    def stdev(self, number: int) -> Array:
        """Return the standard deviation of an iteration."""
        if number < FEWEST_FOR_AN_ERROR:
            return np.zeros_like(self.total)
        spread = np.maximum(self.squares - self.total**2 / number, 0.0)
        return np.asarray(np.sqrt(spread / (number - 1)))


@dataclass
class IterationState:
    """What is kept between iterations."""

    medium: DoseSums
    water: DoseSums | None
    account: Array  # [problem, row], MeV
    histories: NDArray[np.int64]  # of each problem
    let: tuple[RatioSums, RatioSums] | None  # averaged over dose, over tracks
    done: list[Iteration] = field(default_factory=list)
    streak: Streak = NONE_PASSED

    @classmethod
    def empty(cls, problems: int, voxels: int, *, to_water: bool, let: bool) -> "IterationState":
        """Return the state before the first iteration."""
        return cls(
            DoseSums.empty(voxels),
            DoseSums.empty(voxels) if to_water else None,
            np.zeros((problems, ACCOUNT_ROWS)),
            np.zeros(problems, np.int64),
            (RatioSums.empty(voxels), RatioSums.empty(voxels)) if let else None,
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return all arrays by name, not copied."""
        found: dict[str, NDArray[np.generic]] = {"account": self.account, "histories": self.histories}
        for name, sums in (("medium", self.medium), ("water", self.water)):
            if sums is not None:
                found |= {f"{name}_total": sums.total, f"{name}_squares": sums.squares}
        for name, ratio in zip(("let_d", "let_t"), self.let or (), strict=False):
            found |= {f"{name}_{one.name}": getattr(ratio, one.name) for one in fields(ratio)}
        return found


def save(folder: Path, fingerprint: str, of_goal: str, state: IterationState) -> None:
    """Keep the sums, the iterations so far, and the goal whose checks they passed."""

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, **state.arrays())  # type: ignore[arg-type]

    said = {"fingerprint": fingerprint, "goal": of_goal, "streak": asdict(state.streak)}
    rows = [{**asdict(one), "errors": _finite(one.errors)} for one in state.done]
    publish(folder / KEPT, write, {**said, "done": rows})


def take_up(folder: Path, fingerprint: str, of_goal: str, state: IterationState) -> None:
    """Take up what was kept, where it is whole and of these problems; checks count if they are those of this goal."""
    kept = verified(folder / KEPT)
    if kept is None or kept.get("fingerprint") != fingerprint:
        return
    with np.load(folder / KEPT, allow_pickle=False) as data:
        for name, array in state.arrays().items():
            array[...] = data[name]
    state.done = [Iteration(**{**one, "errors": DoseErrors(**one["errors"])}) for one in kept["done"]]
    if kept["goal"] == of_goal:
        state.streak = Streak(**kept["streak"])


def _finite(errors: DoseErrors) -> dict[str, float | int | None]:
    """Return the errors as JSON takes them: nothing where nothing is known."""
    return asdict(errors) if errors.voxels else {}
