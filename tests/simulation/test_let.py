"""LET of protons: against integrals of the stopping power, whatever the voxels, the medium, the cut and the threads."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.ion_tables import ion_tables, rest_in_water
from dosewright.materials.library import named
from dosewright.materials.lookup import COLUMNS, STRAGGLING, node_energies_MeV
from dosewright.materials.stopping import proton_mass_stopping_power
from dosewright.simulation import run
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.simulation.result import Result
from dosewright.simulation.run import Progress, simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source

Array = NDArray[np.float64]

WATER = named("G4_WATER")
BEAM_ALONG_Z = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # beam axes fly along -z, the phantom's depth is +z
WIDE_MM = 500.0
STRAIGHT = ("nuclear", "scattering")
DEPTH_MM = np.arange(0.0, 90.5, 1.0)


def layers(
    energy_MeV: float,
    edges_mm: Array,
    *,
    slabs: tuple[tuple[float, float, str, float], ...] = (),
    score_mm: float | None = None,
    off: tuple[str, ...] = ("nuclear",),
    let: bool = True,
    **settings: float,
) -> Problem:
    """Layers of water, and slabs of (from, to, material, density) in it, wide enough to hold all of a pencil beam."""
    z = (edges_mm[1:] + edges_mm[:-1]) / 2
    material, density = np.zeros((z.size, 1, 1), np.uint8), np.ones((z.size, 1, 1), np.float32)
    for number, (low, high, _, rho) in enumerate(slabs, 1):
        inside = (z > low) & (z < high)
        material[inside], density[inside] = number, rho
    side = np.array([-WIDE_MM, WIDE_MM])
    media = (WATER, *(named(name) for _, _, name, _ in slabs))
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY] = energy_MeV
    none = np.zeros(0)
    grid = None
    if score_mm is not None:
        cells = round(edges_mm[-1] / score_mm)
        grid = Grid((1, 1, cells), (2 * WIDE_MM, 2 * WIDE_MM, score_mm), (0.0, 0.0, score_mm / 2))
    return phantom_problem(
        voxels=Voxels((side, side, edges_mm), Rigid.identity(), material, density, media),
        source=Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), none, none, none),
        weights=np.ones(1),
        to_patient=BEAM_ALONG_Z,
        settings=TransportSettings(let=let, processes_off=off, **settings),  # type: ignore[arg-type]
        score_grid=grid,
    )


def run_layers(problem: Problem, histories: int = 20_000, seed: int = 1) -> Result:
    return simulate(problem, Goal(histories=histories), seed=seed, threads=1)


def let_d(result: Result) -> Array:
    return result.let_d_keV_um[:, 0, 0]


def let_t(result: Result) -> Array:
    return result.let_t_keV_um[:, 0, 0]


class Range:
    """Energy and integrals of the stopping power of water as functions of the residual range, mm."""

    def __init__(self) -> None:
        self.energy = np.geomspace(1e-5, 300.0, 20_000)
        self.stopping = proton_mass_stopping_power(WATER, self.energy)  # MeV/cm
        cells = np.diff(self.energy)
        middle = (self.stopping[1:] + self.stopping[:-1]) / 2
        self.range = 10 * np.cumsum([0.0, *(cells / middle)])
        self.energy_let = np.cumsum([0.0, *(cells * middle)])

    def at(self, residual_mm: Array, values: Array) -> Array:
        return np.interp(residual_mm, self.range, values)

    def of(self, energy_MeV: float) -> float:
        return float(np.interp(energy_MeV, self.energy, self.range))

    def spread_mm(self, energy_MeV: float) -> float:
        """Sigma of the range: the integral of variance / S^3 (Bohr; ICRU Report 49, 4), all losses condensed."""
        nodes = node_energies_MeV()
        tables = ion_tables([WATER], delta_cut_MeV=np.inf)
        variance = np.interp(self.energy, nodes, tables.values.reshape(-1, COLUMNS)[:, STRAGGLING])
        inside = self.energy <= energy_MeV
        return 10 * float(np.sqrt(np.trapezoid((variance / self.stopping**3)[inside], self.energy[inside])))

    def expected(self, energy_MeV: float, edges_mm: Array) -> tuple[Array, Array]:
        """LETd and LETt (keV/um) in layers, for straight protons of Gaussian range."""
        ranges = self.of(energy_MeV) + self.spread_mm(energy_MeV) * ndtri((np.arange(4000) + 0.5) / 4000)
        left = np.maximum(ranges[:, None] - edges_mm, 0.0)
        energy, energy_let, way = (
            -np.diff(values).sum(axis=0)
            for values in (self.at(left, self.energy), self.at(left, self.energy_let), left / 10)
        )
        nothing = np.zeros_like(energy)
        return (
            0.1 * np.divide(energy_let, energy, out=nothing.copy(), where=energy > 0),
            0.1 * np.divide(energy, way, out=nothing, where=way > 0),
        )


THEORY = Range()


@pytest.mark.parametrize("energy_MeV", [70.0, 150.0, 230.0])
def test_at_the_entrance_let_is_the_stopping_power_of_water(energy_MeV: float) -> None:
    result = run_layers(layers(energy_MeV, np.array([0.0, 0.2, 1.0])))
    wanted = 0.1 * float(proton_mass_stopping_power(WATER, energy_MeV))
    assert let_d(result)[0] == pytest.approx(wanted, rel=0.005)
    assert let_t(result)[0] == pytest.approx(wanted, rel=0.005)


@pytest.mark.parametrize("energy_MeV", [60.0, 100.0, 150.0])
def test_along_the_depth_let_is_that_of_protons_of_gaussian_range(energy_MeV: float) -> None:
    """Within 0.3 % before the peak and 3 % up to two sigma behind the range: straggling is not quite Gaussian.

    Runs of 400 000 protons differ from these integrals by 0.2 % ten sigma before the end of the range, by -2 % one
    sigma before and +2 % two sigma behind it.
    """
    end, sigma = THEORY.of(energy_MeV), THEORY.spread_mm(energy_MeV)
    edges = np.arange(0.0, end + 8 * sigma, max(0.5, 0.5 * sigma))
    result = run_layers(layers(energy_MeV, edges, off=STRAIGHT), 100_000)
    z = (edges[1:] + edges[:-1]) / 2
    wanted_d, wanted_t = THEORY.expected(energy_MeV, edges)
    before, around = z < end - 10 * sigma, (z >= end - 10 * sigma) & (z < end + 2 * sigma)
    for scored, wanted in ((let_d(result), wanted_d), (let_t(result), wanted_t)):
        np.testing.assert_allclose(scored[before], wanted[before], rtol=0.003)
        np.testing.assert_allclose(scored[around], wanted[around], rtol=0.03)


def test_dose_averages_lie_above_track_averages_and_secondaries_raise_them() -> None:
    edges = np.arange(0.0, 160.0, 4.0)
    whole, straight = (run_layers(layers(150.0, edges, off=off), 40_000) for off in ((), ("nuclear",)))
    inside = edges[1:] < 155
    assert (let_d(whole)[inside] > let_t(whole)[inside]).all()
    assert (let_t(whole)[inside] > 0).all()
    assert (let_d(straight)[inside] > 0.999 * let_t(straight)[inside]).all()
    plateau = edges[1:] < 120
    assert (let_d(whole)[plateau] > 1.05 * let_d(straight)[plateau]).all()


def test_where_nothing_was_scored_let_is_zero_and_unknown() -> None:
    result = run_layers(layers(60.0, DEPTH_MM), 2000)
    assert result.let_d is not None
    assert let_d(result)[-1] == let_t(result)[-1] == 0.0
    assert result.let_d.relative_uncertainty[-1, 0, 0] == 1.0


def test_let_that_was_not_asked_for_is_not_there() -> None:
    result = run_layers(layers(60.0, DEPTH_MM, let=False), 20)
    assert result.let_d is None
    with pytest.raises(ValueError, match="not scored"):
        _ = result.let_t_keV_um


def test_let_does_not_depend_on_voxels_and_steps() -> None:
    """On one scored grid of 5 mm: within 0.2 % in the plateau and 1.5 % in its last 15 mm.

    There steps of 5 mm put the end of the range 0.07 mm too deep, and LET rises by 10 % in a millimetre.
    """
    fine = run_layers(layers(100.0, np.arange(0.0, 90.1, 0.25), score_mm=5.0), 40_000)
    for voxel, longest in ((1.0, 5.0), (5.0, 5.0), (5.0, 1.0)):
        edges = np.arange(0.0, 90.1, voxel)
        other = run_layers(layers(100.0, edges, score_mm=5.0, max_step_mm=longest), 40_000, seed=2)
        for average in (let_d, let_t):
            np.testing.assert_allclose(average(other)[:12], average(fine)[:12], rtol=0.002)
            np.testing.assert_allclose(average(other)[12:16], average(fine)[12:16], rtol=0.015)


@pytest.mark.parametrize(
    ("name", "density"), [("G4_LUNG_ICRP", 0.26), ("G4_BONE_CORTICAL_ICRP", 1.85), ("G4_WATER", 0.5), ("G4_Ti", 4.54)]
)
def test_let_is_that_of_water_at_the_same_energy_in_every_medium(name: str, density: float) -> None:
    """A slab that takes 40 MeV from 100 MeV: inside LET is that of water at the energies there, behind it too."""
    one = named(name)
    energies = np.linspace(60.0, 100.0, 401)
    stopping = proton_mass_stopping_power(one, energies) * density  # MeV/cm
    thick = 10 * float(np.trapezoid(1 / stopping, energies))
    edges = np.concatenate([np.linspace(0.0, thick, 9), thick + np.array([0.5, 1.0])])
    result = run_layers(layers(100.0, edges, slabs=((0.0, thick, name, density),), off=STRAIGHT))
    depth = 10 * np.cumsum([0.0, *(np.diff(energies) / stopping[::-1][1:])])
    middle = np.interp((edges[1:9] + edges[:8]) / 2, depth, energies[::-1])
    wanted = 0.1 * proton_mass_stopping_power(WATER, middle)
    np.testing.assert_allclose(let_t(result)[:8], wanted, rtol=0.005)
    np.testing.assert_allclose(let_d(result)[:8], wanted, rtol=0.005)
    behind = 0.1 * float(proton_mass_stopping_power(WATER, 59.6))
    assert let_d(result)[8] == pytest.approx(behind, rel=0.01)


@pytest.mark.parametrize("slabs", [(), ((0.0, 400.0, "G4_LUNG_ICRP", 0.26),)], ids=["water", "lung"])
def test_let_at_the_end_does_not_depend_on_the_cut(slabs: tuple[tuple[float, float, str, float], ...]) -> None:
    """What a proton has left at the cut counts with the LET of its last micrometres, not with that of its last step."""
    edges = np.arange(0.0, 400.0, 4.0) if slabs else DEPTH_MM
    usual, deep = (
        run_layers(layers(100.0, edges, slabs=slabs, off=STRAIGHT, proton_cut_MeV=cut)) for cut in (0.5, 0.1)
    )
    scored = deep.dose_Gy[:, 0, 0] > 0.02 * deep.dose_Gy.max()
    assert let_d(deep)[scored].max() > 10
    np.testing.assert_allclose(let_d(usual)[scored], let_d(deep)[scored], rtol=0.006)
    np.testing.assert_allclose(let_t(usual)[scored], let_t(deep)[scored], rtol=0.006)


def test_the_rest_of_a_range_in_water() -> None:
    """CSDA range at 0.5 MeV: 8.87 um (NIST PSTAR, 75 eV). The mean LET is energy-weighted, so above E/R = 56 keV/um."""
    mean, way = rest_in_water(np.array([0.5, 100.0]))
    assert way[0] * 1e4 == pytest.approx(8.87, rel=0.02)
    assert way[1] == pytest.approx(THEORY.of(100.0) / 10, rel=1e-4)
    assert mean[0] > 0.5 / way[0]
    assert mean[1] == pytest.approx(float(np.interp(100.0, THEORY.energy, THEORY.energy_let)) / 100.0, rel=1e-4)


def test_the_predicted_uncertainty_is_the_spread_over_seeds() -> None:
    """40 runs; the logarithm of a variance over 39 degrees of freedom has a spread of 0.23, layers go together."""
    problem = layers(100.0, np.arange(0.0, 82.0, 4.0), off=())
    results = [run_layers(problem, 2000, seed) for seed in range(40)]
    for average in ("let_d", "let_t"):
        values = np.array([getattr(r, average).keV_um[:19, 0, 0] for r in results])
        predicted = np.array([getattr(r, average).relative_uncertainty[:19, 0, 0] for r in results]) * values
        ratio = (predicted**2).mean(axis=0) / values.var(axis=0, ddof=1)
        assert np.exp(np.log(ratio).mean()) == pytest.approx(1.0, abs=0.3)


def same_let(one: Result, other: Result) -> bool:
    """Say whether two runs scored the same LET bit by bit, uncertainties included."""
    for a, b in ((one.let_d, other.let_d), (one.let_t, other.let_t)):
        assert a is not None
        assert b is not None
        if not (np.array_equal(a.keV_um, b.keV_um) and np.array_equal(a.relative_uncertainty, b.relative_uncertainty)):
            return False
    return True


def test_threads_and_interruptions_do_not_change_let(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, goal = layers(60.0, DEPTH_MM, off=()), Goal(histories=4000)
    whole = simulate(problem, goal, threads=1)
    assert same_let(whole, simulate(problem, goal, threads=3))
    monkeypatch.setattr(run, "SAVE_EVERY_SECONDS", -1.0)

    def stop(progress: Progress) -> None:
        if progress.histories >= 2600:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(problem, goal, threads=1, folder=tmp_path, on_progress=stop)
    resumed = simulate(problem, goal, threads=2, folder=tmp_path)
    assert any("resumed" in w for w in resumed.warnings)
    assert same_let(whole, resumed)
    assert same_let(whole, simulate(problem, goal, threads=1, folder=tmp_path))


def test_scoring_let_changes_no_dose() -> None:
    with_let, without = (run_layers(layers(60.0, DEPTH_MM, off=(), let=let), 2000) for let in (True, False))
    assert np.array_equal(with_let.dose_Gy, without.dose_Gy)
    assert with_let.energy == without.energy
