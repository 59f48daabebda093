"""Runs from a phase space: the dose of the source that made it, per original history, with an honest uncertainty."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulation.test_scene_run import scene_of
from tests.sources.phase_spaces import InMemory, parallel_beam, particles

from dosewright.core.errors import InputError
from dosewright.core.particles import Particles
from dosewright.simulation import RunFile, run_in_folder
from dosewright.simulation import run as engine
from dosewright.simulation.goal import Goal
from dosewright.simulation.recorded import Recorded
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PhaseSpaceSource, RecordFilter, RectangleSource
from dosewright.simulation.run_file.tables import Goals, Run
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import Resolvers

BOX = Phantom(size_mm=(60, 60, 60), voxel_mm=(20, 20, 10), origin_mm=(-30, -30, 0), material="G4_WATER")
N = 60_000


def of_memory(reader: InMemory) -> Resolvers:
    return Resolvers(phase_space=lambda path, bits: reader)


def run_of(folder: Path, histories: int | None = None, **keys: Any) -> RunFile:
    (folder / "beam.phsp").touch()
    tables = {name: keys.pop(name) for name in ("phantom", "score", "goal", "run") if name in keys}
    source = PhaseSpaceSource(file=str(folder / "beam.phsp"), **keys)
    goal = Goals(histories=histories) if histories else Goals(max_minutes=5)
    return RunFile(**{"phantom": BOX, "source": source, "goal": goal, "run": Run(threads=1), **tables})


def dose_of(folder: Path, beam: Particles, original: float | None = None, **keys: Any) -> Result:
    resolvers = of_memory(InMemory(beam, original or len(beam)))
    return run_in_folder(run_of(folder, **keys), folder / "result", resolvers=resolvers)


def direct(folder: Path, particle: str, energy: float, histories: int = N, seed: int = 5) -> Result:
    source = RectangleSource(particle=particle, energy_MeV=energy, position_mm=(0, 0, -10), field_mm=(40, 40))
    run = RunFile(phantom=BOX, source=source, goal=Goals(histories=histories), run=Run(threads=1, seed=seed))
    return run_in_folder(run, folder / "direct")


def apart(a: Result, b: Result, factor: float = 1.0) -> np.ndarray:
    """Return by how many of their standard errors voxels are apart."""
    hit = (a.dose_Gy > 0) & (a.relative_uncertainty < 0.2)
    error = np.hypot(a.relative_uncertainty * a.dose_Gy, factor * b.relative_uncertainty * b.dose_Gy)
    return (a.dose_Gy - factor * b.dose_Gy)[hit] / error[hit]


def same(a: Result, b: Result, factor: float = 1.0) -> None:
    """All voxels agree within their uncertainties, and their mean dose within 1 %."""
    z, hit = apart(a, b, factor), (a.dose_Gy > 0) & (a.relative_uncertainty < 0.2)
    assert np.mean(z**2) == pytest.approx(1.0, abs=0.6), z
    assert np.abs(z).max() < 4.5
    assert factor * b.dose_Gy[hit].sum() == pytest.approx(a.dose_Gy[hit].sum(), rel=0.01)


@pytest.mark.parametrize(("species", "particle", "energy"), [(1, "photon", 2.0), (2, "electron", 4.0),
                                                             (3, "positron", 4.0)])  # fmt: skip
def test_the_dose_is_that_of_the_source_itself(tmp_path: Path, species: int, particle: str, energy: float) -> None:
    beam = parallel_beam(N, 4.0, seed=2, species=np.int8(species), energy_MeV=energy)
    seen = dose_of(tmp_path, beam)
    same(direct(tmp_path, particle, energy), seen)
    assert seen.histories == N and seen.used_up and seen.warnings[0].startswith("The phase space was used up")
    assert abs(seen.energy["residual"]) < 1e-4 * seen.energy["started"]


def test_doses_are_per_original_history_whatever_else_the_file_holds(tmp_path: Path) -> None:
    """Weights of 0.25 on four particles for one, in one of five histories, with neutrons and electrons left out."""
    photons = parallel_beam(N, 4.0, seed=3, energy_MeV=2.0, weight=0.25, histories=(np.arange(N) % 4 == 0).astype(int))
    others = np.resize([4, 2, 2, 2], N).astype(np.int8)
    mixed = Particles(**{
        name: np.stack([getattr(photons, name), others if name == "species" else getattr(photons, name)], 1).ravel()
        for name in Particles.__dataclass_fields__ if name != "extra"
    })  # fmt: skip
    mixed = replace(mixed, histories=np.where(np.arange(2 * N) % 8 == 0, 1, 0))
    seen = dose_of(tmp_path, mixed, 5 * N / 4, filter=RecordFilter(species=("photon", "neutron")))
    same(direct(tmp_path, "photon", 2.0), seen, factor=5.0)
    summary = json.loads((tmp_path / "result" / "summary.json").read_text())
    assert summary["unit"] == summary["scores"][0]["unit"] == "Gy per original history"
    assert summary["phase_space"] == {
        "original_histories": 75000, "histories_with_particles": 15000, "uses": 1, "times_read": 1.0,
        "particles": 120000, "photons": 60000, "electrons": 0, "positrons": 0, "filtered": 45000,
        "without_energy": 0, "neutrons": 15000,
        "neutron_MeV_per_history": pytest.approx(15000 * 2 * 0.25 / 75000),
    }  # fmt: skip
    assert any(said.startswith("15000 neutrons of the phase space are not followed: 0.1 MeV")
               for said in summary["warnings"])  # fmt: skip


def test_reuse_changes_no_dose_and_its_uncertainty_knows(tmp_path: Path) -> None:
    """Ten uses of a tenth of the particles: the same dose, and no smaller uncertainty than of as many particles.

    Three times, for voxels share their particles: one whole dose may be two of its errors too high in all of them.
    """
    departures, doses = [], []
    for seed in (5, 6, 7):
        folder = tmp_path / str(seed)
        folder.mkdir()
        beam = parallel_beam(N // 5, 4.0, seed=seed, energy_MeV=2.0)
        seen = dose_of(folder, beam, histories=2 * N, run=Run(threads=1, seed=seed + 10))
        assert seen.records is not None and seen.records.uses == 10 and seen.goal_reached
        assert seen.histories == N // 5
        many = direct(folder, "photon", 2.0, 2 * N, seed)
        departures.append(apart(many, seen))
        doses.append((many.dose_Gy.sum(), seen.dose_Gy.sum()))
        assert seen.relative_uncertainty[:, 1, 1].mean() > 0.9 * many.relative_uncertainty[:, 1, 1].mean()
    z = np.concatenate(departures)
    assert np.mean(z**2) == pytest.approx(1.0, abs=0.6)
    assert np.abs(z).max() < 4.5
    direct_dose, of_uses = np.mean(doses, axis=0)
    assert of_uses == pytest.approx(direct_dose, rel=0.015)  # known to 0.5 %


LAYERS = Phantom(size_mm=(60, 60, 60), voxel_mm=(60, 60, 15), origin_mm=(-30, -30, 0), material="G4_WATER")


@pytest.mark.parametrize(("species", "energy", "uses"), [(2, 4.0, 3), pytest.param(1, 2.0, 10, marks=pytest.mark.slow)])
def test_the_uncertainty_is_the_spread_of_phase_spaces(tmp_path: Path, species: int, energy: float, uses: int) -> None:
    """Sixty phase spaces of 500 histories: a third send 1 to 6 particles each, used again and again.

    The variance stated is that observed within four standard errors of a variance of 59 degrees of freedom in each
    layer (74 %), and on average within 40 %. For electrons, which leave all they have, it would be 4 times too small
    without the histories that sent nothing.
    """
    rng = np.random.default_rng(species + uses)
    prepared = prepare(run_of(tmp_path, phantom=LAYERS), of_memory(InMemory(particles(10), 10)))
    runs, original = 60, 500
    doses, stated = np.zeros((runs, 4)), np.zeros((runs, 4))
    for run in range(runs):
        many = rng.integers(1, 7, rng.binomial(original, 1 / 3))
        starts = np.zeros(many.sum(), int)
        starts[np.concatenate([[0], np.cumsum(many)[:-1]])] = 1
        beam = parallel_beam(many.sum(), 4.0, seed=run, species=np.int8(species), energy_MeV=energy, histories=starts)
        recorded = Recorded(InMemory(beam, original), original, reuse=uses, mirror="xy")
        result = engine.simulate(
            replace(prepared.problem, recorded=recorded), Goal(max_seconds=60), seed=run, threads=1
        )
        assert result.histories == original
        doses[run] = result.dose_Gy[:, 0, 0]
        stated[run] = (result.relative_uncertainty * result.dose_Gy)[:, 0, 0]
    hit = doses.mean(axis=0) > 0.05 * doses.mean(axis=0).max()
    ratio = (stated**2).mean(axis=0)[hit] / doses.var(axis=0, ddof=1)[hit]
    assert np.abs(ratio - 1).max() < 4 * np.sqrt(2 / (runs - 1))
    assert ratio.mean() == pytest.approx(1.0, abs=0.4)


def test_the_dose_is_the_same_for_any_number_of_threads_and_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dosewright.simulation.run.SAVE_EVERY_SECONDS", -1.0)
    beam = parallel_beam(6000, 4.0, seed=6, energy_MeV=2.0, histories=(np.arange(6000) % 3 == 0).astype(int))
    resolvers = of_memory(InMemory(beam, 5000))
    run = run_of(tmp_path, reuse=2, recycle=1, mirror="x")
    whole = run_in_folder(run, tmp_path / "one", resolvers=resolvers)
    threads = run.model_copy(update={"run": Run(threads=3)})
    np.testing.assert_array_equal(
        run_in_folder(threads, tmp_path / "three", resolvers=resolvers).dose_Gy, whole.dose_Gy
    )

    def killed(progress: engine.Progress) -> None:
        if progress.histories > 12_000:  # in the second reading, of 2 x 5000 histories each
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_folder(run, tmp_path / "killed", resolvers=resolvers, on_progress=killed)
    resumed = run_in_folder(run, tmp_path / "killed", resolvers=resolvers)
    np.testing.assert_array_equal(resumed.dose_Gy, whole.dose_Gy)
    np.testing.assert_array_equal(resumed.relative_uncertainty, whole.relative_uncertainty)
    assert resumed.records == whole.records and resumed.used_up
    again = run_in_folder(run, tmp_path / "killed", resolvers=resolvers)
    np.testing.assert_array_equal(again.dose_Gy, whole.dose_Gy)
    assert again.used_up


def test_recycling_says_that_its_uncertainties_are_too_small(tmp_path: Path) -> None:
    beam = parallel_beam(2000, 4.0, seed=7, energy_MeV=2.0)
    seen = dose_of(tmp_path, beam, reuse=1, recycle=2)
    assert seen.histories == 6000
    assert any("was read 3 times: the uncertainties are too small" in said for said in seen.warnings)


def test_mirroring_moves_the_dose_to_the_other_side(tmp_path: Path) -> None:
    """A beam at x > 0, y > 0 used four times: half of the dose at x < 0 by x, a quarter in each quarter by xy."""
    phantom = Phantom(size_mm=(60, 60, 20), voxel_mm=(30, 30, 20), origin_mm=(-30, -30, 0), material="G4_WATER")
    electrons = particles(500, species=np.int8(2), energy_MeV=3.0, x_cm=1.5, y_cm=1.5, z_cm=-1.0)
    for mirror, shares in (("none", (0, 0, 0, 1)), ("x", (0, 0, 0.5, 0.5)), ("y", (0, 0.5, 0, 0.5)),
                           ("xy", (0.25, 0.25, 0.25, 0.25))):  # fmt: skip
        folder = tmp_path / mirror
        folder.mkdir()
        dose = dose_of(folder, electrons, reuse=4, mirror=mirror, phantom=phantom).dose_Gy[0].ravel()
        np.testing.assert_allclose(dose / dose.sum(), shares, atol=0.02)


def test_steps_move_and_turn_in_their_order(tmp_path: Path) -> None:
    """A pencil along +z from the origin: turned on to +x, moved, turned about z; against the order it misses."""
    electrons = particles(400, species=np.int8(2), energy_MeV=3.0)
    phantom = Phantom(size_mm=(20, 40, 20), voxel_mm=(20, 20, 20), origin_mm=(-10, 20, -10), material="G4_WATER")
    right = (("RTPS", 90, 0, 30), ("D", 10, 0, 0), ("RXYZ", 0, 0, 90))
    seen = dose_of(tmp_path, electrons, transform=right, phantom=phantom)
    dose = seen.dose_Gy[0, :, 0]
    assert dose[0] > 100 * dose[1] and seen.energy["deposited"] > 2.5
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    missed = dose_of(wrong, electrons, transform=right[::-1], phantom=phantom)
    assert missed.energy["deposited"] == 0


def test_particles_may_start_inside_the_phantom(tmp_path: Path) -> None:
    seen = dose_of(tmp_path, particles(400, species=np.int8(2), energy_MeV=2.0, z_cm=2.5))
    assert seen.energy["deposited"] > 1.9 and seen.dose_Gy[:2].max() < 0.05 * seen.dose_Gy.max()


def test_a_spectrum_of_what_leaves_a_thin_slab_is_that_of_the_records(tmp_path: Path) -> None:
    thin = Phantom(size_mm=(10, 10, 0.1), voxel_mm=(10, 10, 0.1), origin_mm=(-5, -5, 0), material="G4_AIR")
    scores = tuple(Score(quantity="spectrum", particle=kind, energy_max_MeV=4) for kind in ("photon", "positron"))
    kinds = np.resize([1, 1, 1, 3], 2000).astype(np.int8)
    beam = particles(2000, species=kinds, energy_MeV=3.0, z_cm=-1.0, weight=0.5)
    seen = dose_of(tmp_path, beam, 4000.0, phantom=thin, score=scores)
    assert seen.leaving is not None
    assert seen.leaving.number[[0, 2]] == pytest.approx([0.1875, 0.0625], rel=0.01)


@pytest.mark.parametrize(
    ("keys", "info", "said"),
    [
        ({}, {"original_histories": None}, "how many original histories.*source.original_histories"),
        ({}, {"particles": 0}, "has no particles"),
        ({}, {"counts": {5: 3}}, "Protons of a phase space cannot be followed"),
        ({}, {"energy_max_MeV": 120.0}, "beyond the tables"),
        ({"skip": 10}, {}, "source.skip leaves nothing"),
        ({"filter": RecordFilter(energy_MeV=(3, 2))}, {}, "is no range"),
        ({"filter": RecordFilter(bits=({"column": "latch", "all": (1,)},))}, {}, "no extra whole number 'latch'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, keys: dict[str, Any], info: dict[str, Any], said: str) -> None:
    reader = InMemory(particles(10), 10)
    reader.info = replace(reader.info, **info)
    with pytest.raises(InputError, match=said):
        check(run_of(tmp_path, **keys), of_memory(reader))


def test_the_run_file_may_say_how_many_histories_there_were(tmp_path: Path) -> None:
    reader = InMemory(particles(100, z_cm=-1.0), None)
    result = run_in_folder(run_of(tmp_path, original_histories=400), tmp_path / "r", resolvers=of_memory(reader))
    assert result.histories == 400 and result.energy["started"] == pytest.approx(0.25)
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert any("the run file says 400, the phase space none" in said for said in summary["warnings"])


def test_another_phase_space_is_another_run(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run_in_folder(run, tmp_path / "r", resolvers=of_memory(InMemory(parallel_beam(200, 2.0, 1), 200)))
    with pytest.raises(InputError, match="begun with other input files"):
        run_in_folder(run, tmp_path / "r", resolvers=of_memory(InMemory(parallel_beam(200, 2.0, 2), 200)))


def test_in_a_scene_particles_start_where_they_are(tmp_path: Path) -> None:
    """Electrons in a block, a seed in it, and the plate behind them, with air between: as from the source sampled.

    The particles lie on a plane at z = 10 mm and fly along -z; half a turn about x lets them fly along +z from -10 mm.
    """
    n = 6000
    beam = parallel_beam(n, 3.0, seed=8, z_cm=1.0, species=np.int8(2), energy_MeV=6.0, w=-1.0)
    source = PhaseSpaceSource(file=str(tmp_path / "beam.phsp"), transform=(("RXYZ", 180, 0, 0),))
    (tmp_path / "beam.phsp").touch()
    tables: dict[str, Any] = {"scene": scene_of(tmp_path, fill="air"), "run": Run(threads=1)}
    sampled = RectangleSource(particle="electron", energy_MeV=6, position_mm=(0, 0, -10), field_mm=(30, 30))
    goal = Goals(histories=n)
    first = run_in_folder(RunFile(source=sampled, goal=goal, **tables), tmp_path / "sampled")
    second = run_in_folder(
        RunFile(source=source, goal=goal, **tables), tmp_path / "records", resolvers=of_memory(InMemory(beam, n))
    )
    assert first.parts is not None and second.parts is not None
    a, b = first.parts, second.parts
    error = np.hypot(a.relative_uncertainty * a.energy_MeV, b.relative_uncertainty * b.energy_MeV)
    assert np.abs((a.energy_MeV - b.energy_MeV) / error).max() < 4
    block = a.names.index("block")
    assert b.energy_MeV[block] == pytest.approx(a.energy_MeV[block], rel=0.01)
    assert abs(second.energy["residual"]) < 1e-4 * second.energy["started"]


def test_a_dose_error_is_reached_with_original_histories(tmp_path: Path) -> None:
    """Two checks in a row fit into one reading of the file; a goal too strict for it uses the file up."""
    beam = parallel_beam(N, 4.0, seed=2, energy_MeV=2.0)
    found = dose_of(tmp_path, beam, goal=Goals(dose_error_percent=9))
    goals = json.loads((tmp_path / "result" / "summary.json").read_text())["goals"]
    assert found.goal_reached and goals["reached"] and goals["dose_errors"]["failing"] == 0
    assert 30 <= found.batches < 80 and found.histories < N
    strict = tmp_path / "strict"
    strict.mkdir()
    used_up = dose_of(strict, beam, goal=Goals(dose_error_percent=0.5))
    assert used_up.used_up and not used_up.goal_reached and used_up.histories == N
