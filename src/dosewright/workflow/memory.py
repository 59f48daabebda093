"""Memory that a calculation needs, estimated before it runs, against what there is.

The model is linear; its coefficients are measured by ``python -m benchmarks.memory_estimate``, which writes
``docs/measured/memory.md``.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from dosewright.core.errors import InputError
from dosewright.geometry.beam.beamline import heights_mm, voxel_count
from dosewright.sources.pencil_beams import reach_mm
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.target import Target

MB = 1e6
RESERVE = 1.15  # the model is up to a tenth below and a fifteenth above what was measured
# MB, and MB per unit: benchmarks/memory_estimate.py
OFFSET_MB = 354.3
PER_CT_VOXEL = 1.179e-06
PER_CALCULATED_VOXEL = 9.067e-06
PER_DOSE_VOXEL = 0.0002967
PER_DOSE_VOXEL_AND_BEAM = 2.846e-05
PER_DOSE_VOXEL_AND_THREAD = 1.6e-05
PER_THREAD = 0
PER_SPOT = 0.0001719
PER_BEAMLINE_VOXEL = 1.9e-05  # bytes allocated at most while a box of devices is filled and packed (tracemalloc)
MEMINFO = Path("/proc/meminfo")
CGROUPS = Path("/proc/self/cgroup")
CGROUP_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Load:
    """What a calculation's memory depends on; `spots` are those of all beams.

    `beamline_voxels` are those of what stands in the beams, all together.
    """

    ct_voxels: int
    calculated_voxels: int
    dose_voxels: int
    beams: int
    spots: int
    beamline_voxels: int = 0

    @classmethod
    def of(cls, case: Case, target: Target) -> "Load":
        """Return the load of a prepared case."""
        ct = case.study.ct
        return cls(
            ct_voxels=0 if ct is None else ct.image.grid.size,
            calculated_voxels=target.patient.report.grid.size,
            dose_voxels=target.score.grid.size,
            beams=len(case.beams),
            spots=sum(len(equipped.pencils.particles) for equipped in case.beams),
            beamline_voxels=sum(_beamline_voxels(equipped) for equipped in case.beams),
        )

    def estimate_MB(self, threads: int) -> float:
        """Return the peak resident memory of the calculation with so many threads."""
        per_dose_voxel = PER_DOSE_VOXEL + PER_DOSE_VOXEL_AND_BEAM * self.beams + PER_DOSE_VOXEL_AND_THREAD * threads
        model = (
            OFFSET_MB
            + PER_CT_VOXEL * self.ct_voxels
            + PER_CALCULATED_VOXEL * self.calculated_voxels
            + per_dose_voxel * self.dose_voxels
            + PER_THREAD * threads
            + PER_SPOT * self.spots
            + PER_BEAMLINE_VOXEL * self.beamline_voxels
        )
        return RESERVE * model


def _beamline_voxels(equipped: EquippedBeam) -> int:
    found = heights_mm(equipped.devices)
    if found is None:
        return 0
    return voxel_count(equipped.devices, equipped.pencils.start_mm, reach_mm(equipped.pencils, found[0]))


@dataclass(frozen=True)
class Memory:
    """What was estimated and found, MB, and how many threads fit; `wanted` were asked for."""

    estimate_MB: float
    most_MB: float
    threads: int
    wanted: int

    @property
    def sentence(self) -> str:
        """Say the estimate, and what it changed."""
        said = f"Memory: about {self.estimate_MB:,.0f} MB of {self.most_MB:,.0f} MB."
        if self.threads == self.wanted:
            return said
        return f"{said} {self.threads} of {self.wanted} threads are taken, since more would not fit."


def within_memory(case: Case, target: Target, most_MB: float | None = None) -> tuple[Case, Memory]:
    """Return the case with as many threads as fit; refuse one that does not fit with a single thread.

    `most_MB` is what may be used; None for the site's limit or what is free, whichever is less.
    """
    load = Load.of(case, target)
    wanted = case.request.threads or len(os.sched_getaffinity(0))
    most = usable_MB(case.settings.memory.most_MB) if most_MB is None else most_MB
    fitting = next((n for n in range(wanted, 0, -1) if load.estimate_MB(n) <= most), None)
    if fitting is None:
        raise InputError(refusal(load, most))
    memory = Memory(load.estimate_MB(fitting), most, fitting, wanted)
    if fitting == wanted:
        return case, memory
    request = replace(case.request, threads=fitting)
    return replace(case, request=request, warnings=(*case.warnings, memory.sentence)), memory


def refusal(load: Load, most_MB: float) -> str:
    """Say what a calculation needs, what there is, and what would make it fit."""
    needed = load.estimate_MB(1)
    without_dose = replace(load, dose_voxels=0).estimate_MB(1)
    remedies = ["calculate fewer beams at a time (-b)"] if load.beams > 1 else []
    if without_dose < most_MB:
        per_voxel = (needed - without_dose) / load.dose_voxels
        remedies.insert(0, f"ask for at most {(most_MB - without_dose) / per_voxel:,.0f} dose voxels (-x)")
    else:
        remedies.append("export a CT that holds the patient and little else")
    remedies.append("free memory, or raise most_MB in [memory] of the site's settings")
    return (
        f"The calculation would not fit into memory, even with one thread. Given: about {needed:,.0f} MB, for "
        f"{load.ct_voxels:,} CT voxels, {load.calculated_voxels:,} of them or around them calculated, "
        f"{load.dose_voxels:,} dose voxels, {load.beams} beams, {load.beamline_voxels:,} voxels of what stands "
        f"in them and {load.spots:,} spots. Allowed: {most_MB:,.0f} MB. "
        f"What helps: {'; '.join(remedies)}."
    )


def usable_MB(site_limit_MB: float | None) -> float:
    """Return what this process may use in all, MB: what is free beside it, its own included, and the site's limit."""
    own = resident_MB()
    found = [own + free for free in (free_MB(), *cgroup_free_MB())]
    return min([*found, *([] if site_limit_MB is None else [site_limit_MB])])


def resident_MB() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def free_MB(meminfo: Path = MEMINFO) -> float:
    """Return what the machine can give without swapping (MemAvailable, proc(5))."""
    for line in meminfo.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 / MB
    return float("inf")


def cgroup_free_MB(groups: Path = CGROUPS, root: Path = CGROUP_ROOT) -> list[float]:
    """Return what is left under each memory limit that a container or a batch system sets (cgroups(7), 1 and 2)."""
    left = []
    for line in groups.read_text().splitlines() if groups.is_file() else []:
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            folder, limit, used = root, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            folder, limit, used = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        here = folder / place.lstrip("/")
        for group in (here, *(parent for parent in here.parents if parent.is_relative_to(folder))):
            most, now = _number(group / limit), _number(group / used)
            if most is not None and now is not None:
                left.append((most - now + _given_back(group)) / MB)
    return left


def _number(path: Path) -> float | None:
    """Return the number in a file; None where there is none, or no limit."""
    try:
        return float(path.read_text().strip())
    except (OSError, ValueError):  # "max" is no limit
        return None


def _given_back(group: Path) -> float:
    """Return the bytes of cached files in a group, which go when memory is needed."""
    try:
        rows = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return 0.0
    return float(rows.get("total_inactive_file", rows.get("inactive_file", 0)))
