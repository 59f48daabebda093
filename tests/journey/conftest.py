"""A tiny case in DICOM, made here: a cube of water in air, one or two beams, doses of a planning system."""

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.cli.main import app, spread_overrides
from dosewright.core.grid import Grid, Image
from dosewright.core.plan import EnergyLayer, IonBeam, IonPlan
from dosewright.core.structures import Structure, StructureSet
from dosewright.formats.dicom.ct import write_ct
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dicom.saving import new_uid
from dosewright.formats.dicom.structures import write_structures

COMMAND = Path(sys.executable).with_name("dosewright")
CT_GRID = Grid((30, 32, 28), (3.0, 3.0, 3.0), (-43.5, -46.5, -40.5))
DOSE_GRID = Grid((20, 22, 18), (4.0, 4.0, 4.0), (-38.0, -42.0, -34.0))
PATIENT_NAME = "Secret^Person"


def box(number: int, name: str, kind: str, low: tuple[float, float], high: tuple[float, float], z: float) -> Structure:
    """Return a box from -z to z with contours in the CT's slices."""
    (x0, y0), (x1, y1) = low, high
    levels = [level for level in CT_GRID.centres_mm(2) if -z <= level <= z]
    return Structure(
        number, name, kind, tuple(np.array([[x0, y0, k], [x1, y0, k], [x1, y1, k], [x0, y1, k]]) for k in levels)
    )


def layer(energy: float, weight: float) -> EnergyLayer:
    x, y = np.meshgrid([-8.0, 0.0, 8.0], [-6.0, 0.0, 6.0])
    return EnergyLayer(0, energy, x.ravel(), y.ravel(), np.full(9, weight))


def beam(number: int, name: str, **changes: Any) -> IonBeam:
    layers = (layer(72.0, 1.0), layer(80.0, 2.0))
    plain = IonBeam(
        number=number,
        name=name,
        machine="GENERIC",
        radiation="PROTON",
        meterset_unit="MU",
        meterset=20.0,
        final_cumulative_weight=27.0,
        gantry_deg=0.0,
        couch_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        patient_position="HFS",
        isocenter_mm=(0.0, 0.0, 0.0),
        layers=layers,
        virtual_source_mm=(2000.0, 2500.0),
        snout_position_mm=200.0,
    )
    return replace(plain, **changes)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class TinyCase:
    """Where the case lies, and how to run the command on it."""

    folder: Path

    @staticmethod
    def summary(output: Path) -> dict[str, Any]:
        """Return the summary of a calculation."""
        return dict(json.loads((output / "summary.json").read_text()))

    def run(self, *arguments: str) -> Ended:
        """Run ``dosewright`` with these arguments, in this process to save the start-up of another."""
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                app(args=spread_overrides(list(arguments)), prog_name="dosewright")
            except SystemExit as left:
                code = int(left.code or 0)
        return Ended(code, out.getvalue(), err.getvalue())

    def calc(self, output: Path, *arguments: str) -> Ended:
        """Calculate the case."""
        return self.run("calc", str(self.folder), "-o", str(output), *arguments)

    def start(self, output: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start a calculation in a process of its own."""
        command = [COMMAND, "calc", self.folder, "-o", output, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="session")
def make_beam() -> Callable[..., IonBeam]:
    """Return the maker of beams."""
    return beam


@pytest.fixture(scope="session")
def make_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TinyCase]:
    """Return a maker of tiny cases; keywords leave parts out or change the plan."""

    def make(
        *, ct: bool = True, structures: bool = True, doses: bool = True, beams: tuple[IonBeam, ...] = (), **plan: Any
    ) -> TinyCase:
        folder = tmp_path_factory.mktemp("case")
        identity = Identity.new(PATIENT_NAME, "IDENTITY-SECRET")
        body = box(1, "Body", "EXTERNAL", (-30.0, -33.0), (30.0, 33.0), 30.0)
        drawn = StructureSet(
            new_uid(),
            identity.frame_of_reference_uid,
            (
                body,
                box(2, "Target <b>", "PTV", (-12.0, -12.0), (12.0, 12.0), 9.0),
                box(3, "Cord", "ORGAN", (-3.0, 15.0), (3.0, 21.0), 9.0),
            ),
        )
        x, y, z = (CT_GRID.centres_mm(axis) for axis in range(3))
        inside = (np.abs(z)[:, None, None] <= 30) & (np.abs(y)[None, :, None] <= 33) & (np.abs(x)[None, None, :] <= 30)
        series = write_ct(folder, Image(CT_GRID, np.where(inside, 0, -1000)), identity)
        if structures:
            write_structures(folder / "RS.dcm", drawn, series, identity)
        if not ct:
            for path in folder.glob("*.dcm"):
                if path.name != "RS.dcm":
                    path.unlink()
        whole = IonPlan(
            label="tiny",
            uid=new_uid(),
            frame_of_reference_uid=identity.frame_of_reference_uid,
            structure_set_uid=drawn.uid,
            fractions=2,
            beams=beams or (beam(1, "Top"), beam(2, "Side", gantry_deg=90.0)),
        )
        whole = replace(whole, **plan)
        if doses:
            bump = np.exp(
                -sum(c**2 for c in np.meshgrid(*(DOSE_GRID.centres_mm(a) / 20 for a in (2, 1, 0)), indexing="ij"))
            )
            label = DoseLabel("EFFECTIVE", "PLAN", whole.uid, manufacturer="Another")
            write_dose(folder / "RD.dcm", Image(DOSE_GRID, 2.2 * bump), label, identity)
        write_ion_plan(folder / "RN.dcm", whole, identity)
        return TinyCase(folder)

    return make


@pytest.fixture(scope="session")
def tiny(make_case: Callable[..., TinyCase]) -> TinyCase:
    """The plain case: CT, structures, plan of two beams, plan dose."""
    return make_case()
