"""``varianceReduction`` of FRED input: how often a simulation is repeated, and when it may stop.

Source: FRED manual, variance reduction (version 3.70).
"""

from dataclasses import dataclass
from enum import Enum

from dosewright.formats.text.fred.directives import Directive
from dosewright.formats.text.fred.taking import Taking

KEYS = ("maxNumIterations", "lStratifiedSampling", "recalculationPrimaryPercentage", "DD", "DCO", "DDType", "DGRef",
        "lWriteDoseMeanError", "lWriteDoseStdev")  # fmt: skip
TYPES = {"global": True, "g": True, "local": False, "l": False}
ITERATIONS_OF_PERCENTAGE, ITERATIONS_OF_ERROR = 10, 100  # FRED manual
CUT_OFF_PERCENT = 50.0  # of the maximum; the manual's example, where it gives no default


class Mode(Enum):
    """The three ways to repeat a simulation."""

    FIXED = "fixed iterations"
    PERCENTAGE = "recalculation percentage"
    ERROR = "dose error reduction"


@dataclass(frozen=True)
class VarianceReduction:
    """Repetition of a simulation.

    Parameters
    ----------
    mode
        What ends it.
    most_iterations
        The number of iterations, or the largest.
    stratified
        Whether histories are shared among pencil beams in proportion to their particles.
    percentage
        Histories in percent of the particles delivered; None in the other modes.
    dose_error_percent
        The goal for the mean error of every voxel; None in the other modes.
    cut_off_percent
        Voxels with more than so many percent of the maximum dose count.
    relative_to_maximum, reference_Gy
        Errors relative to the maximum (or to a reference dose, if given), else to the dose of the voxel.
    write_mean_error, write_stdev
        Maps that are asked for.
    """

    mode: Mode
    most_iterations: int
    stratified: bool
    percentage: float | None
    dose_error_percent: float | None
    cut_off_percent: float
    relative_to_maximum: bool
    reference_Gy: float | None
    write_mean_error: bool
    write_stdev: bool
    where: str


def read_variance_reduction(directive: Directive, taking: Taking, notes: list[str]) -> VarianceReduction | None:
    """Read the directive in line or block form; None where its mode cannot be told."""
    taking.what = "varianceReduction"
    if directive.words:
        taking.problem("varianceReduction has no ID", given=" ".join(directive.words)[:60])
    iterations = taking.whole("maxNumIterations", least=1, most=10**6)
    percentage = taking.number("recalculationPrimaryPercentage", least=1e-9, most=1e6)
    goal = taking.number("DD", least=1e-6, most=100.0)
    asked = taking.given("lStratifiedSampling")
    stratified = taking.flag("lStratifiedSampling", percentage is not None)
    cut_off = taking.number("DCO", least=0.0, most=100.0)
    of_maximum = taking.choice("DDType", TYPES)
    reference = taking.number("DGRef", least=1e-12)
    write_error, write_stdev = taking.flag("lWriteDoseMeanError", False), taking.flag("lWriteDoseStdev", False)
    taking.refuse_rest()
    if goal is not None and percentage is not None:
        taking.problem("varianceReduction has two goals", given="DD and recalculationPrimaryPercentage",
                       allowed="one of them")  # fmt: skip
    if reference is not None and of_maximum is False:
        taking.problem("DGRef is a reference of GLOBAL errors", given="DDType = LOCAL", allowed="DDType = GLOBAL")
    if goal is None and percentage is None and iterations is None:
        taking.problem("varianceReduction does not say what to do",
                       allowed="maxNumIterations, recalculationPrimaryPercentage, or DD")  # fmt: skip
        return None
    mode = Mode.ERROR if goal is not None else Mode.FIXED if percentage is None else Mode.PERCENTAGE
    if cut_off is None:
        notes.append(f"{taking.where}: varianceReduction gives no DCO: {CUT_OFF_PERCENT:g} % of the maximum is taken.")
    if mode is Mode.ERROR and not asked:
        notes.append(f"{taking.where}: varianceReduction does not say lStratifiedSampling: f is taken.")
    usual = ITERATIONS_OF_ERROR if mode is Mode.ERROR else ITERATIONS_OF_PERCENTAGE
    return VarianceReduction(
        mode, iterations or usual, stratified, percentage, goal, CUT_OFF_PERCENT if cut_off is None else cut_off,
        of_maximum is not False, reference, write_error, write_stdev, directive.where,
    )  # fmt: skip
