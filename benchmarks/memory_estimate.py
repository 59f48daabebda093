"""Memory of whole calculations: peak resident memory by CT voxels, dose voxels, beams, threads and spots.

``python -m benchmarks.memory_estimate`` runs `dosewright calc` on made cases of several sizes, one variable after
another and some together, fits a linear model to the peaks (non-negative least squares) and writes
``docs/measured/memory.md``. The coefficients of the page stand in ``workflow/memory.py``.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from dosewright.core.grid import Grid, Image
from dosewright.core.plan import EnergyLayer, IonBeam, IonPlan
from dosewright.core.structures import Structure, StructureSet
from dosewright.formats.dicom.ct import write_ct
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dicom.saving import new_uid
from dosewright.formats.dicom.structures import write_structures

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measured" / "memory.md"
MB = 1e6
SIDE_MM = 240.0
PRIMARIES = "1000"
TALLY_MB = 2 * 8 / MB  # per dose voxel and thread: scoring/deposit.py, energy and energy to water
TERMS = ("offset", "CT voxels", "calculated voxels", "dose voxels", "dose voxels x beams",
         "dose voxels x threads", "threads", "spots")  # fmt: skip


@dataclass(frozen=True)
class Size:
    """A case: CT and dose voxels along each edge, beams, threads, spots per beam; the body's share of the CT's edge."""

    ct: int
    dose: int
    beams: int = 1
    threads: int = 1
    spots: int = 20
    body: float = 0.8

    @property
    def ct_voxels(self) -> int:
        """Voxels of the CT as read."""
        return self.ct**3

    @property
    def box_voxels(self) -> int:
        """Voxels that are calculated: the body with 10 mm of air, and the dose grid, on the CT's voxels."""
        spacing = SIDE_MM / self.ct
        half = self.body * SIDE_MM / 2 + 10.0
        return min(self.ct, 2 * int(np.ceil(half / spacing))) ** 3

    def terms(self) -> list[float]:
        """Return what the coefficients are multiplied by, in the order of `TERMS`."""
        dose = float(self.dose**3)
        spots = float(self.spots * self.beams)
        return [1.0, self.ct_voxels, self.box_voxels, dose, dose * self.beams, dose * self.threads, self.threads, spots]


SIZES = (
    Size(60, 40),
    Size(60, 40, threads=4),
    Size(60, 40, spots=100_000),
    Size(160, 40),
    Size(240, 40),
    Size(240, 40, body=0.4),
    Size(60, 100),
    Size(60, 140),
    Size(60, 140, threads=4),
    Size(60, 140, beams=4),
    Size(60, 180, beams=2, threads=2),
    Size(160, 120, beams=2, threads=2, spots=5_000),
)


def main() -> None:
    """Measure, fit, write the page."""
    peaks = []
    with tempfile.TemporaryDirectory() as work:
        peak_MB(Size(30, 20), Path(work) / "first")  # compiles, which takes memory of its own
        for number, size in enumerate(SIZES):
            peaks.append(peak_MB(size, Path(work) / str(number)))
            print(size, f"{peaks[-1]:.0f} MB", flush=True)
    write_page(peaks, fitted(peaks))


def fitted(peaks: list[float]) -> np.ndarray:
    """Return the coefficients in the order of `TERMS`; that of threads times dose voxels is known, the others fitted.

    A thread's tally is two float64 per dose voxel. Finishing, which needs no tally, may hide it in the peaks, but not
    with more threads than these runs have.
    """
    rows = np.array([size.terms() for size in SIZES])
    known = TERMS.index("dose voxels x threads")
    others = [column for column in range(len(TERMS)) if column != known]
    rest = np.array(peaks) - TALLY_MB * rows[:, known]
    weights = 1 / np.array(peaks)  # relative errors count alike, small runs and large
    coefficients = np.zeros(len(TERMS))
    coefficients[known] = TALLY_MB
    coefficients[others], _ = nnls(rows[:, others] * weights[:, None], rest * weights)
    return coefficients


def peak_MB(size: Size, folder: Path) -> float:
    """Return the peak resident memory of a calculation, 1e6 bytes."""
    make_case(size, folder / "case")
    command = [sys.executable, "-c", "from dosewright.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "calc", str(folder / "case"), "-o", str(folder / "out"), "-n", PRIMARIES, "-j", str(size.threads)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the run of {size} ended with {process.returncode}")
    return float(usage.ru_maxrss * 1024 / MB)


def make_case(size: Size, folder: Path) -> None:
    """Write a cube of water in air, its structures, a plan and a planned dose."""
    folder.mkdir(parents=True)
    identity = Identity.new("Memory", "MEMORY")
    ct, dose = cube(size.ct), cube(size.dose, 0.95 * size.body)
    half = size.body * SIDE_MM / 2
    x = ct.centres_mm(0)
    inside = np.abs(x) <= half
    hu = np.where(inside[:, None, None] & inside[None, :, None] & inside[None, None, :], 0, -1000).astype(np.int16)
    square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    contours = tuple(np.column_stack([square, np.full(4, z)]) for z in x[inside])
    drawn = StructureSet(new_uid(), identity.frame_of_reference_uid, (Structure(1, "Body", "EXTERNAL", contours),))
    series = write_ct(folder, Image(ct, hu), identity)
    write_structures(folder / "RS.dcm", drawn, series, identity)
    plan = IonPlan(
        label="memory",
        uid=new_uid(),
        frame_of_reference_uid=identity.frame_of_reference_uid,
        structure_set_uid=drawn.uid,
        fractions=1,
        beams=tuple(beam(number + 1, size.spots) for number in range(size.beams)),
    )
    write_ion_plan(folder / "RN.dcm", plan, identity)
    bump = np.exp(-((dose.centres_mm(0) / 40.0) ** 2))
    planned = (bump[:, None, None] * bump[None, :, None] * bump[None, None, :]).astype(np.float32)
    label = DoseLabel("PHYSICAL", "PLAN", plan.uid, manufacturer="Another")
    write_dose(folder / "RD.dcm", Image(dose, planned), label, identity)


def cube(edge: int, share: float = 1.0) -> Grid:
    """Return a grid of `edge` voxels along each axis, centred at the origin."""
    spacing = share * SIDE_MM / edge
    first = -spacing * (edge - 1) / 2
    return Grid((edge,) * 3, (spacing,) * 3, (first,) * 3)


def beam(number: int, spots: int) -> IonBeam:
    """Return a beam of ten layers with so many spots in all."""
    each = max(1, spots // 10)
    side = np.linspace(-40.0, 40.0, int(np.ceil(np.sqrt(each))))
    x, y = (axis.ravel()[:each] for axis in np.meshgrid(side, side))
    layers = tuple(EnergyLayer(0, energy, x, y, np.ones(each)) for energy in np.linspace(100.0, 118.0, 10))
    return IonBeam(
        number=number, name=f"Field {number}", machine="GENERIC", radiation="PROTON", meterset_unit="MU",
        meterset=20.0, final_cumulative_weight=10.0 * each, gantry_deg=90.0 * (number % 4), couch_deg=0.0,
        pitch_deg=0.0, roll_deg=0.0, patient_position="HFS", isocenter_mm=(0.0, 0.0, 0.0), layers=layers,
        virtual_source_mm=(2000.0, 2500.0), snout_position_mm=200.0,
    )  # fmt: skip


def write_page(peaks: list[float], coefficients: np.ndarray) -> None:
    """Write what was measured and fitted."""
    lines = [
        "# Memory of a calculation, measured",
        "",
        "Made by `python -m benchmarks.memory_estimate`: peak resident memory of `dosewright calc` on a cube of water, "
        "with a planned dose, gamma and report; 1 MB is 10^6 bytes. The linear model is fitted by non-negative least "
        "squares of relative errors, but for the threads' tallies (two float64 per dose voxel), which finishing may "
        "hide; its coefficients stand in `workflow/memory.py`, which adds a reserve.",
        "",
        "| CT voxels | calculated | dose voxels | beams | threads | spots | peak (MB) | model (MB) | model over peak |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for size, peak in zip(SIZES, peaks, strict=True):
        model = float(np.dot(coefficients, size.terms()))
        _, dose, beams, threads, spots, _ = astuple(size)
        lines.append(f"| {size.ct_voxels:,} | {size.box_voxels:,} | {dose**3:,} | {beams} | {threads} | "
                     f"{spots * beams:,} | {peak:.0f} | {model:.0f} | {model / peak:.3f} |")  # fmt: skip
    lines += ["", "| term | coefficient |", "|---|---|"]
    lines += [f"| {name} | {value:.4g} {'MB' if name == 'offset' else 'MB each'} |"
              for name, value in zip(TERMS, coefficients, strict=True)]  # fmt: skip
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
