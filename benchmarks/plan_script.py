"""The demonstration by `calc` and as a script in FRED's language; ``python -m benchmarks.plan_script`` writes the page.

A script is read to what `calc` packs, so the doses may differ by chance only. With a speck of matter behind the patient
the same script takes a scene of parts, whose transport is other code.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.cli.demo import made_case
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.core.whole_file import write_whole_text
from dosewright.delivery.steps import read_delivery
from dosewright.formats.dose.mhd import write_mhd
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate
from dosewright.workflow.preprocess.case import open_case
from dosewright.workflow.preprocess.target import build_target
from dosewright.workflow.read_wishes import read_wishes
from dosewright.workflow.treatment.plan_portions import plan_portions
from dosewright.workflow.treatment.plan_script import CT, INPUT, plan_script
from dosewright.workflow.treatment.portion import Portion
from dosewright.workflow.treatment.treatment import treatment_of

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "plan_script.md"
HISTORIES = 2_000_000  # of each beam
MUCH = 0.3  # of the highest dose: voxels that are looked at one by one
SPECK = "\nregion: Speck ; O = [0,100,0] ; L = [1,1,1] ; material = water\n"
SCRIPT, SCENE = "script", "script with a speck"


@dataclass(frozen=True)
class Doses:
    """Of the beams one after the other: doses to medium and their standard errors (Gy), energy in all voxels (MeV per
    proton), processor seconds.
    """

    dose_Gy: NDArray[np.float64]
    error_Gy: NDArray[np.float64]
    energy_MeV: NDArray[np.float64]
    cpu_seconds: NDArray[np.float64]


def delivered(portions: Sequence[Portion], first_seed: int) -> Doses:
    """Return what portions deliver, each on the voxels of the patient."""
    problems = [replace(one, score_grid=None).problem() for one in portions]
    results = [simulate(one, Goal(histories=HISTORIES), seed=first_seed + n) for n, one in enumerate(problems)]
    dose = np.array([one.particles * result.dose_Gy for one, result in zip(portions, results, strict=True)])
    masses = np.array([one.mass_g for one in problems])
    return Doses(
        dose,
        dose * np.array([result.relative_uncertainty for result in results]),
        np.array(
            [(result.dose_Gy * mass).sum() / MEV_PER_G_IN_GY for result, mass in zip(results, masses, strict=True)]
        ),
        np.array([result.cpu_seconds for result in results]),
    )


def compared(ours: Doses, calc: Doses, beam: int) -> str:
    """Return the columns of a comparison: ratio of energies, differences of single voxels in their errors, time."""
    a, b = ours.dose_Gy[beam], calc.dose_Gy[beam]
    much = b > MUCH * b.max()
    apart = (a - b)[much] / np.hypot(ours.error_Gy[beam], calc.error_Gy[beam])[much]
    energy, time = (
        x[beam] / y[beam] for x, y in ((ours.energy_MeV, calc.energy_MeV), (ours.cpu_seconds, calc.cpu_seconds))
    )
    largest = np.abs(apart).max()
    return f"{energy:.5f} | {much.sum():,} | {apart.mean():+.3f} | {apart.std():.3f} | {largest:.1f} | {time:.2f}"


def main() -> None:
    """Deliver the demonstration three ways and write the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plan = made_case(folder)
        case = open_case(read_wishes({"plan": plan, "full_ct_grid": True, "library": PACKAGED}))
        beams = tuple(one.beam for one in case.beams)
        target = build_target(case.study, case.request, case.library, case.tps, beams)
        script = plan_script(case, target)
        write_mhd(folder / CT, script.ct, dtype="i2")
        for name, text in script.texts.items():
            write_whole_text(folder / name, text)
        calc = delivered(plan_portions(case, target), 1)
        found = {SCRIPT: delivered(treatment_of(read_delivery(folder / INPUT)).portions, 11)}
        with (folder / INPUT).open("a", encoding="utf-8") as file:
            file.write(SPECK)
        found[SCENE] = delivered(treatment_of(read_delivery(folder / INPUT)).portions, 21)
    rows = [
        f"| {one.number} {one.name} | {name} | {compared(doses, calc, n)} |"
        for n, one in enumerate(beams)
        for name, doses in found.items()
    ]
    PAGE.write_text("\n".join([*TOP, *rows, ""]), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


TOP = (
    "# A plan as a script, measured",
    "",
    "Written by `python -m benchmarks.plan_script`: the beams of the demonstration by `calc` and as the script that",
    f"`dosewright plan to-script` writes, {HISTORIES:,} histories each, other random numbers, on the voxels of the CT.",
    "*Energy*: what all voxels receive over the same of `calc`, by chance apart by about 0.0002. *Apart*: differences",
    f"of single voxels with more than {100 * MUCH:.0f} % of the highest dose, over the standard error of both",
    "together; by chance alone their mean is 0, their spread 1, and the largest of 20,000 about 4. Neighbours share",
    "particles, so that the mean has an error of some hundredths. *Time*: processor time over that of `calc`.",
    "",
    "Both ways lead to the same problem for the kernels. With a speck of water 1 m from the isocentre the script takes",
    "a scene of parts, where particles go through the air from boundary to boundary: other code, the same dose.",
    "",
    "| beam | delivered as | energy | voxels | apart: mean | spread | largest | time |",
    "|---|---|--:|--:|--:|--:|--:|--:|",
)


if __name__ == "__main__":
    main()
