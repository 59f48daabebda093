"""Memory is estimated from measured coefficients and compared with what there is."""

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.solids import Box, Device, Prism, Solid
from dosewright.geometry.beam.beamline import voxel_count
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.pack import pack_geometry
from dosewright.workflow import memory
from dosewright.workflow.memory import Load, cgroup_free_MB, free_MB, refusal, resident_MB, usable_MB

LOAD = Load(ct_voxels=16_000_000, calculated_voxels=8_000_000, dose_voxels=8_000_000, beams=3, spots=30_000)


def test_every_term_costs_memory() -> None:
    base = LOAD.estimate_MB(2)
    assert LOAD.estimate_MB(3) > base
    for name in ("ct_voxels", "calculated_voxels", "dose_voxels", "spots"):
        more = Load(**{**vars(LOAD), name: 2 * getattr(LOAD, name)})
        assert more.estimate_MB(2) > base, name
    assert Load(**{**vars(LOAD), "beams": 6}).estimate_MB(2) > base
    assert Load(**{**vars(LOAD), "beamline_voxels": 10_000_000}).estimate_MB(2) > base + 150


def test_filling_what_stands_in_a_beam_allocates_what_the_estimate_says() -> None:
    """An aperture of 1.3 million voxels: what Python and NumPy allocate at most is 0.7 to 1 times the coefficient."""
    angle = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    hole = Prism(60 * np.column_stack([np.cos(angle), np.sin(angle)]), 65.0)
    heights = np.linspace(100.0, 165.0, 9)
    brass = named("brass")
    solids = [Solid("plate", Box((2000.0, 2000.0, 65.0)), brass, 8.5, (0.0, 0.0, 132.5))]
    for low, high in pairwise(heights):
        middle = (0.0, 0.0, float(low + high) / 2)
        solids.append(Solid("opening", replace(hole, length_mm=float(high - low)), None, 0.0, middle))
    devices = (Device("A", "aperture", tuple(solids)),)
    field = ((-80.0, 80.0), (-80.0, 80.0))
    grid = Grid((2, 2, 2), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0))
    empty = np.zeros(grid.array_shape, np.uint8)
    voxels = Voxels.on_grid(grid, empty, np.ones(grid.array_shape, np.float32), [named("G4_WATER")])
    tracemalloc.start()
    pack_geometry(voxels, devices, 500.0, named("G4_AIR"), Rigid.identity(), field)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.7 < peak / memory.MB / (memory.PER_BEAMLINE_VOXEL * voxel_count(devices, 500.0, field)) < 1.0


def test_a_refusal_says_what_is_needed_and_what_would_fit() -> None:
    most = LOAD.estimate_MB(1) * 0.8
    said = refusal(LOAD, most)
    for words in ("even with one thread", "8,000,000 dose voxels", f"{most:,.0f} MB", "(-x)", "(-b)", "most_MB"):
        assert words in said
    voxels = int(said.split("at most ")[1].split(" dose voxels")[0].replace(",", ""))
    fits = Load(**{**vars(LOAD), "dose_voxels": voxels})
    assert fits.estimate_MB(1) == pytest.approx(most, rel=1e-3)
    assert "export a CT" in refusal(LOAD, 10.0)


def test_what_is_free_on_this_machine() -> None:
    assert 20 < resident_MB() < usable_MB(None)
    assert usable_MB(50.0) == 50.0


def test_limits_of_containers_and_batch_systems_count(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    1000000 kB\n")
    assert free_MB(tmp_path / "meminfo") == pytest.approx(1024)
    groups = tmp_path / "cgroup"
    groups.write_text("4:memory:/job/step\n1:cpu:/\n")
    v1 = tmp_path / "memory"
    for folder, limit, used in ((v1, 2**63 - 4096, 1), (v1 / "job", 5_000_000, 1_000_000), (v1 / "job/step", 9e6, 8e6)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.limit_in_bytes").write_text(f"{limit:.0f}\n")
        (folder / "memory.usage_in_bytes").write_text(f"{used:.0f}\n")
    (v1 / "job" / "memory.stat").write_text("cache 900000\ntotal_inactive_file 500000\n")
    assert sorted(cgroup_free_MB(groups, tmp_path))[:2] == pytest.approx([1.0, 4.5])
    groups.write_text("0::/job\n")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "memory.max").write_text("max\n")
    (tmp_path / "job" / "memory.current").write_text("1000000\n")
    assert cgroup_free_MB(groups, tmp_path) == []
    (tmp_path / "job" / "memory.max").write_text("3000000\n")
    assert cgroup_free_MB(groups, tmp_path) == [2.0]


def test_the_coefficients_are_those_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "measured" / "memory.md").read_text(encoding="utf-8")
    written = [float(line.split("|")[2].split()[0]) for line in page.splitlines() if line.endswith(("MB |", "each |"))]
    ours = (
        memory.OFFSET_MB,
        memory.PER_CT_VOXEL,
        memory.PER_CALCULATED_VOXEL,
        memory.PER_DOSE_VOXEL,
        memory.PER_DOSE_VOXEL_AND_BEAM,
        memory.PER_DOSE_VOXEL_AND_THREAD,
        memory.PER_THREAD,
        memory.PER_SPOT,
    )
    assert written == pytest.approx(list(ours), rel=1e-3)
