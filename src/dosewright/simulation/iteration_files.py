"""What iterations leave in the output folder, where FRED's users look: a log, and maps of the dose error."""

import math
from collections.abc import Sequence
from pathlib import Path

from dosewright.core.grid import Grid, Image
from dosewright.core.whole_file import write_whole_text
from dosewright.execution.artifact import private_folder
from dosewright.formats.dose.mhd import write_mhd
from dosewright.simulation.iteration_plan import IterationPlan
from dosewright.simulation.iteration_sums import Iteration
from dosewright.simulation.iterations import IteratedDose

LOG = Path("log") / "iterations.txt"
MEAN_ERROR, STDEV = "DoseMeanError.mhd", "DoseStdev.mhd"
WIDTHS = {"iteration": 10, "primaries": 14, "largest_%": 10, "mean_%": 10, "voxels": 10, "failing": 10, "seconds": 10}
HEAD = " ".join(f"{name:>{width}}" for name, width in WIDTHS.items())


def write_log(out: Path, plan: IterationPlan, done: Sequence[Iteration]) -> Path:
    """Write the iterations so far, whole: a line each, after what the errors are and when they are small enough."""
    goal = "none" if plan.goal is None else f"{plan.goal.words}, at two iterations in a row"
    head = (
        f"# dose error (1 sigma): {plan.measure.words}",
        f"# goal: {goal}; at most {plan.most} iterations of {plan.primaries} primaries",
        *(f"# {note}" for note in plan.notes),
        f"#{HEAD[1:]}",
    )
    path = out / LOG
    private_folder(path.parent)
    write_whole_text(path, "\n".join((*head, *map(_line, done))) + "\n")
    return path


def _line(one: Iteration) -> str:
    errors = one.errors
    percents = (f"{p:.4f}" if math.isfinite(p) else "-" for p in (errors.largest_percent, errors.mean_percent))
    failing = "-" if errors.failing is None else errors.failing
    values = (one.number, one.primaries, *percents, errors.voxels, failing, f"{one.seconds:.2f}")
    return " ".join(f"{value:>{width}}" for value, width in zip(values, WIDTHS.values(), strict=True))


def write_maps(out: Path, grid: Grid, dose: IteratedDose, *, mean_error: bool, stdev: bool) -> tuple[Path, ...]:
    """Write the maps that are asked for, Gy; return them."""
    private_folder(out)
    asked = (
        (mean_error, MEAN_ERROR, dose.mean_error_Gy, "mean error of the dose (1 sigma)"),
        (stdev, STDEV, dose.stdev_Gy, "standard deviation of the dose of an iteration"),
    )
    written = []
    for wanted, name, values, quantity in asked:
        if wanted:
            extra = {"Quantity": quantity, "Unit": "Gy", "Iterations": str(len(dose.iterations))}
            write_mhd(out / name, Image(grid, values), extra=extra)
            written.append(out / name)
    return tuple(written)
