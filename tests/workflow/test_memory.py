"""Memory is estimated from measured coefficients and compared with what there is."""

from pathlib import Path

import pytest

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
