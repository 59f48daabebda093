"""The options that several commands share, each with its one line of help.

Numbers are taken as text and read by the workflow, so that a slip in one is told together with all other problems.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="The RT Ion Plan, or the folder that holds it.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Result folder; default: one beside the plan."),
]
Histories = Annotated[
    str | None,
    typer.Option("--primaries", "-n", metavar="N", help="Primaries per beam (with --per plan: in all), such as 1e6."),
]
Uncertainty = Annotated[
    str | None,
    typer.Option(
        "--uncertainty",
        "-u",
        metavar="PERCENT",
        help="Mean uncertainty in percent, per beam (or of the plan: --per plan).",
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        "--time",
        "-t",
        metavar="TIME",
        help="Time limit: minutes, or 90s, 20m, 5h; beats -n and -u.",
    ),
]
DoseError = Annotated[
    str | None,
    typer.Option("--dd", metavar="PERCENT", help="Mean error that no voxel above --dco may exceed, in percent."),
]
DoseCutOff = Annotated[
    str | None,
    typer.Option("--dco", metavar="PERCENT", help="Voxels above so many percent of the maximum count; default 50."),
]
DoseErrorType = Annotated[
    str | None,
    typer.Option("--dd-type", metavar="global|local", help="Errors in percent of the maximum, or of the voxel's dose."),
]
DoseReference = Annotated[
    str | None,
    typer.Option("--dgref", metavar="GY", help="Taken instead of the maximum for global errors."),
]
Beams = Annotated[
    list[str] | None,
    typer.Option(
        "--beam",
        "-b",
        metavar="BEAM",
        help="Beam by name or number; repeat for more. Default: all.",
    ),
]
Protocol = Annotated[
    str | None,
    typer.Option("--ct-protocol", "-c", metavar="NAME|FILE", help="CT protocol (HU table)."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--override",
        "-m",
        metavar="ROI:MATERIAL",
        help="Material of a structure; repeat, later ones win.",
    ),
]
Phantom = Annotated[
    str | None,
    typer.Option(
        "--phantom",
        "-p",
        metavar="NAME",
        help="Phantom instead of the CT, at the isocentre.",
    ),
]
PhantomShift = Annotated[
    tuple[str, str, str] | None,
    typer.Option("--phantom-shift", metavar="X Y Z", help="Move the phantom by so many mm (patient axes, HFS)."),
]
DoseTo = Annotated[str | None, typer.Option("--dose-to", metavar="water|medium", help="What the dose is a dose to.")]
RemoveOutside = Annotated[
    bool | None,
    typer.Option("--remove-outside/--keep-outside", help="Set doses outside the EXTERNAL to zero, or do not."),
]
Per = Annotated[
    str | None,
    typer.Option("--per", metavar="beam|plan", help="What must reach the goals: every beam, or the plan."),
]
Write = Annotated[
    list[str] | None,
    typer.Option("--write", metavar="OUTPUT", help="Write this too, such as mass or dose_mask; repeat for more."),
]
VoxelCounts = Annotated[
    tuple[str, str, str] | None,
    typer.Option("--voxels", "-x", metavar="NX NY NZ", help="Dose voxels along x, y, z; the box stays."),
]
FullCtGrid = Annotated[
    bool,
    typer.Option("--full-ct", "-f", help="Dose on the CT's own voxels."),
]
BeamModel = Annotated[
    str | None,
    typer.Option("--beam-model", "-z", metavar="NAME|FILE", help="Beam model for all beams."),
]
CT = Annotated[
    Path | None,
    typer.Option("--ct", metavar="PATH", help="CT to take: a folder or one of its files."),
]
Structures = Annotated[Path | None, typer.Option("--structures", metavar="FILE", help="Structure set to take.")]
Doses = Annotated[
    list[Path] | None,
    typer.Option("--dose", metavar="FILE", help="Planned dose to compare with; repeat for more."),
]
FractionGroup = Annotated[str | None, typer.Option("--fraction-group", metavar="N", help="The one to calculate.")]
IgnoreDevices = Annotated[
    bool,
    typer.Option("--ignore-devices", help="Calculate without blocks and compensators."),
]
Seed = Annotated[str, typer.Option("--seed", metavar="N", help="Seed of the random numbers.")]
Threads = Annotated[
    str, typer.Option("--threads", "-j", metavar="N", help="Threads; 0 = as the site sets, else all cores.")
]
Library = Annotated[
    Path | None,
    typer.Option("--library", "-s", metavar="PATH", help="Library folder or configuration file."),
]
Login = Annotated[
    str | None,
    typer.Option("--login", "-l", metavar="NAME[:ROLE]", help="One of your own roles."),
]
Keep = Annotated[bool, typer.Option("--keep", "-d", help="Keep the simulated parts when done.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the log while it runs.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass(frozen=True)
class WhatToCalculate:
    """What `calc` and `lint` are asked about: the plan, and every choice of what is calculated of it."""

    plan: Plan
    beams: Beams = None
    ct_protocol: Protocol = None
    overrides: Overrides = None
    phantom: Phantom = None
    phantom_shift_mm: PhantomShift = None
    voxel_counts: VoxelCounts = None
    full_ct_grid: FullCtGrid = False
    dose_to: DoseTo = None
    remove_outside: RemoveOutside = None
    beam_model: BeamModel = None
    ignore_devices: IgnoreDevices = False
    ct: CT = None
    structures: Structures = None
    doses: Doses = None
    fraction_group: FractionGroup = None
    library: Library = None
    login: Login = None

    def said(self) -> dict[str, Any]:
        """Return the options by the names that `read_wishes` knows."""
        return {**vars(self), "beams": tuple(self.beams or ()), "doses": tuple(self.doses or ())}


def asking_what(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, in the place of its parameter `what`, the options of `WhatToCalculate`."""
    shared, own = signature(WhatToCalculate).parameters, signature(command).parameters

    @wraps(command)
    def with_options(**given: Any) -> None:
        what = WhatToCalculate(**{name: given.pop(name) for name in shared})
        command(what=what, **given)

    listed: list[Parameter] = []
    for name, parameter in own.items():
        listed += shared.values() if name == "what" else [parameter]
    named = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in listed]
    # Typer takes the names and defaults from the signature, and the kinds from the annotations.
    with_options.__signature__ = signature(command).replace(parameters=named)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
    return with_options
