"""Energy carried out of voxels where cuts would have left it, against runs that have these cuts."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.scoring.carried import ELECTRON_ANYWHERE, ELECTRON_MADE, PHOTON_MADE, PHOTON_SCATTERED, TAG_ROWS
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.result import Result
from dosewright.simulation.run import simulate
from dosewright.simulation.run_file.phantom_tables import Phantom, UnevenEdges
from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.run_file.tables import Goals, RunFile
from dosewright.simulation.run_file.transport_tables import Transport
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY

Array = NDArray[np.float64]
HISTORIES = 80_000
ALL = 1.0e3  # MeV
THIN_AND_DEEP = UnevenEdges(x=(-1000, 1000), y=(-1000, 1000), z=(0, 10, 5000))
ONE_VOXEL = UnevenEdges(x=(-200, 200), y=(-200, 200), z=(0, 400))


def problem(edges: UnevenEdges = THIN_AND_DEEP, photon_cut: float = 0.01, electron_cut: float = 0.1) -> Problem:
    """Return photons of 6 MeV on water, in layers."""
    transport = Transport(photon_cut_MeV=photon_cut, electron_cut_MeV=electron_cut)
    run_file = RunFile(
        phantom=Phantom(material="G4_WATER", edges_mm=edges),
        source=PencilSource(particle="photon", energy_MeV=6, position_mm=(0, 0, -10)),
        goal=Goals(histories=HISTORIES),
        transport=transport,
    )
    return prepare(run_file, WITHOUT_LIBRARY).problem


def tagging(one: Problem, **rows: float) -> Problem:
    below = np.zeros((TAG_ROWS, 1))
    for name, energy in rows.items():
        below[{"pm": PHOTON_MADE, "em": ELECTRON_MADE, "ps": PHOTON_SCATTERED, "ea": ELECTRON_ANYWHERE}[name]] = energy
    return replace(one, packed=one.packed._replace(tag_below=below))


def run(one: Problem, histories: int = HISTORIES, threads: int = 1) -> Result:
    return simulate(one, Goal(histories=histories), seed=3, threads=threads)


def carried_MeV(one: Problem, result: Result) -> Array:
    assert result.carried is not None
    return (result.carried.dose_Gy * one.mass_g / MEV_PER_G_IN_GY).ravel()


def energy_MeV(one: Problem, result: Result) -> Array:
    return (result.dose_Gy * one.mass_g / MEV_PER_G_IN_GY).ravel()


@pytest.fixture(scope="module")
def plain() -> Result:
    return run(problem())


@pytest.mark.parametrize(("cut_MeV", "least"), [(1.0, 0.0), (3.0, 0.01)])
def test_a_run_with_the_cut_lacks_in_the_depth_what_is_carried_there(
    plain: Result, cut_MeV: float, least: float
) -> None:
    """What electrons carry from the thin layer into the deep one is what the deep one lacks with the cut.

    It may lack more, what they would have carried back out of the front: as much as the energy that escapes changes.
    """
    reference = problem()
    tagged = run(tagging(reference, em=cut_MeV, ea=cut_MeV))
    with_cut = run(problem(electron_cut=cut_MeV))
    front, deep = carried_MeV(reference, tagged)
    lacks = float((energy_MeV(reference, plain) - energy_MeV(reference, with_cut))[1])
    back = plain.energy["escaped"] - with_cut.energy["escaped"]
    # The same photons are followed in both runs, so of the noise of a layer what electrons add is left: about that of
    # the carried energy itself.
    assert tagged.carried is not None
    noise = float(np.hypot(*(carried_MeV(reference, tagged) * tagged.carried.relative_uncertainty.ravel())))
    assert deep > least
    assert lacks - 2 * noise < deep - front < lacks + back + 2 * noise


def test_doses_do_not_change_where_it_is_scored(plain: Result) -> None:
    tagged = run(tagging(problem(), pm=ALL, em=ALL, ps=ALL, ea=ALL))
    assert np.array_equal(tagged.dose_Gy, plain.dose_Gy)
    assert tagged.energy == plain.energy
    assert plain.carried is None


def test_it_is_the_same_for_any_number_of_threads() -> None:
    one, two = (run(tagging(problem(), em=1.0), 4000, threads) for threads in (1, 2))
    assert one.carried is not None
    assert two.carried is not None
    assert np.array_equal(one.carried.dose_Gy, two.carried.dose_Gy)
    assert one.carried.share == two.carried.share > 0


def test_cuts_as_low_as_those_of_the_run_carry_nothing() -> None:
    tagged = run(tagging(problem(), pm=0.01, em=0.1, ps=0.01, ea=0.1), 4000)
    assert tagged.carried is not None
    assert not tagged.carried.dose_Gy.any()
    assert tagged.carried.share == 0.0


def test_nothing_is_carried_out_of_the_only_voxel() -> None:
    one = tagging(problem(ONE_VOXEL), pm=ALL, em=ALL, ps=ALL, ea=ALL)
    result = run(one, 4000)
    assert result.carried is not None
    assert energy_MeV(one, result).sum() > 1.0
    assert carried_MeV(one, result).sum() == 0.0


def test_photons_scattered_below_a_cut_carry_nearly_all_that_they_have() -> None:
    """With all scattered photons tagged, what stays untagged is the energy of first electrons: about the kerma of

    single scattering, far below all in a phantom of many mean free paths.
    """
    thin = tuple(np.arange(0, 301, 2).tolist())
    edges = UnevenEdges(x=(-200, 200), y=(-200, 200), z=thin)
    electrons = run(tagging(problem(edges), em=ALL), 4000).carried
    both = run(tagging(problem(edges), em=ALL, ps=ALL), 4000).carried
    assert electrons is not None
    assert both is not None
    assert 0.5 < electrons.share < both.share < 1.0
