"""Events in a scene as they are, and with variance reduced: the same in the mean, each weight where it belongs."""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from dosewright.core.frame import Rigid
from dosewright.core.jit import kernel
from dosewright.core.matter import Material
from dosewright.core.random import draw_four, start_stream
from dosewright.core.scene import Part
from dosewright.core.solids import Box
from dosewright.core.xy_limits import XyLimits
from dosewright.geometry.scene.pack import pack_scene
from dosewright.geometry.scene.trace import SceneTables
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.electrons.lookup import ElectronTables
from dosewright.materials.electrons.tables import electron_tables
from dosewright.materials.library import named
from dosewright.materials.photons.lookup import position
from dosewright.materials.photons.tables import PhotonTables, photon_tables
from dosewright.scoring.deposit import ACCOUNT_ROWS, ESCAPED, ROULETTE
from dosewright.simulation.reduction_settings import (
    DirectionalSplitting,
    ReductionSettings,
    UniformSplitting,
    pack_reduction,
)
from dosewright.transport.aim import aimed
from dosewright.transport.coupled import Cuts
from dosewright.transport.electrons.interact import happen, stopped
from dosewright.transport.photons.interact import interact
from dosewright.transport.reduction import Reduction
from dosewright.transport.scene.owed import is_owed, pay
from dosewright.transport.scene.reduced import (
    reduced_electron,
    reduced_electron_event,
    reduced_photon_event,
    split_into_voxels,
)
from dosewright.transport.tracks import (
    COPIES,
    ELECTRON,
    PHOTON,
    POSITRON,
    WEIGHT,
    Track,
    empty_stack,
    name_children,
    take,
)
from tests.transport.directed_hits import beam

MATERIALS = (named("G4_WATER"), Material("W", 19.3, {74: 1.0}))
N = 20
FIELD = DirectionalSplitting(N, (600.0, 400.0), (100.0, 0.0, 300.0), 100.0)
TARGET, AROUND = 0, 1  # cells: the solid, and what fills the space around it
AIMED, AIMED_MEV, ELSEWHERE, ELSEWHERE_MEV, CHARGED, CHARGED_MEV, BOOKED, ROWS = range(8)


class Problem(NamedTuple):
    photons: PhotonTables
    electrons: ElectronTables
    cuts: Cuts
    scene: SceneTables
    reduction: Reduction


BETWEEN = 5  # a quarter of N, for eight times its root is more


class Tally(NamedTuple):
    account: np.ndarray


@cache
def problem(settings: ReductionSettings, photon_cut: float = 0.01) -> Problem:
    cuts = np.full(2, photon_cut), np.full(2, 0.2), np.zeros(2)
    part = Part("target", Box((100.0, 100.0, 100.0)), MATERIALS[1])
    identity = Rigid.identity()
    packed = pack_scene([part], (0, 0.0), {"target": (1, 19.3)}, None, identity)
    return Problem(
        photon_tables(MATERIALS, [1.0, 19.3]),
        electron_tables(MATERIALS, cuts[1].tolist(), cuts[0].tolist()),
        Cuts(*(cut.astype(np.float32) for cut in cuts)),
        packed.tables,
        pack_reduction(settings, identity),
    )


@kernel
def repeat(p, cell, species, energy, ray, weight, stack, tally, field, out):
    """Fill out [event, sums of weights and of weights times energy] of what an event sends out."""
    place, material = Place(4, cell, 0, 0), 1
    for n in range(out.shape[0]):
        stream, waiting = start_stream(5, n), 0
        before = tally.account[ROULETTE]
        left, left_weight, left_ray = 0.0, weight, ray
        if species == PHOTON:
            i, f = position(p.photons.attenuation, energy)
            a, _, _, _, stream = draw_four(stream)
            chosen = a * p.photons.attenuation.total[material, i]
            left, left_ray, _, _, waiting, stream = interact(
                p, material, i, f, chosen, energy, weight, ray, place, stack, 0, stream
            )
            left_weight, waiting, stream = reduced_photon_event(
                p, material, i, f, chosen, ray, energy, place, left, left_ray, weight, 0, stack, waiting,
                tally, stream,
            )  # fmt: skip
        else:
            track = Track(ray, place, energy, species, 0.0, 0.0, weight)
            which = 0
            if energy > 0.0:
                track, _, _, which, waiting, stream = happen(p, track, material, stack, 0, stream)
            else:
                _, _, waiting, stream = stopped(p, material, track, stack, 0, stream)
                name_children(stack, 0, waiting, stream, weight)
            waiting, stream = reduced_electron_event(
                p, which, ray, place, energy, weight, 0, stack, waiting, tally, stream
            )
        for column in range(out.shape[1]):
            out[n, column] = 0.0
        if left > 0.0 and left_weight > 0.0:
            column = 0 if aimed(field, left_ray) else 2
            out[n, column], out[n, column + 1] = left_weight, left_weight * left
        while waiting > 0:
            out[n, 7] = max(out[n, 7], waiting)
            if is_owed(stack, waiting):
                waiting = pay(p, stack, waiting, np.uint64(5), tally)
                continue
            track, _, waiting = take(stack, waiting, np.uint64(5))
            column = 4 if track.species != PHOTON else (0 if aimed(field, track.ray) else 2)
            out[n, column] += track.weight
            out[n, column + 1] += track.weight * track.energy
        out[n, 6] = tally.account[ROULETTE] - before


def events(settings, species, energy, degrees, count, weight=1.0, z=1.0, cell=TARGET):  # type: ignore[no-untyped-def]
    out = np.zeros((count, 8))
    field = pack_reduction(ReductionSettings(FIELD), Rigid.identity()).field
    tally = Tally(np.zeros(ACCOUNT_ROWS))
    repeat(
        problem(settings),
        cell,
        species,
        energy,
        beam(0.3, -0.2, z, degrees),
        weight,
        empty_stack(),
        tally,
        field,
        out,
    )
    return out


def agree(plain: np.ndarray, reduced: np.ndarray) -> None:
    """Means agree within 4 standard errors of both; what is booked has mean zero."""
    for column in range(6):
        error = np.hypot(plain[:, column].std() / np.sqrt(len(plain)), reduced[:, column].std() / np.sqrt(len(reduced)))
        assert reduced[:, column].mean() == pytest.approx(plain[:, column].mean(), abs=4 * error + 1e-12), column
    booked = reduced[:, BOOKED]
    assert booked.mean() == pytest.approx(0.0, abs=4 * booked.std() / np.sqrt(len(booked)) + 1e-12)
    books = reduced[:, [AIMED_MEV, ELSEWHERE_MEV, CHARGED_MEV, BOOKED]].sum(1).mean()
    assert books == pytest.approx(plain[:, [AIMED_MEV, ELSEWHERE_MEV, CHARGED_MEV]].sum(1).mean(), rel=0.01)


CASES = [
    (ELECTRON, 6.0, 20.0),
    (ELECTRON, 0.5, 100.0),
    (POSITRON, 0.6, 60.0),
    (POSITRON, 0.0, 0.0),
    (PHOTON, 4.0, 20.0),
    (PHOTON, 0.3, 120.0),
    (PHOTON, 0.1, 90.0),
]


@pytest.mark.parametrize(("species", "energy", "degrees"), CASES)
def test_directed_events_of_fat_particles(species: int, energy: float, degrees: float) -> None:
    plain = events(ReductionSettings(), species, energy, degrees, 400_000)
    reduced = events(ReductionSettings(FIELD), species, energy, degrees, 100_000)
    agree(plain, reduced)
    assert plain[:, AIMED].sum() > 2000
    whole = reduced[:, AIMED] * N
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)  # each weighs 1/n
    np.testing.assert_allclose(reduced[:, ELSEWHERE], np.round(reduced[:, ELSEWHERE]), atol=1e-9)  # each weighs 1


@pytest.mark.parametrize(("species", "energy", "degrees"), CASES)
def test_events_of_thin_particles(species: int, energy: float, degrees: float) -> None:
    plain = events(ReductionSettings(), species, energy, degrees, 400_000, weight=1.0 / N)
    reduced = events(ReductionSettings(FIELD), species, energy, degrees, 400_000, weight=1.0 / N)
    agree(plain, reduced)
    np.testing.assert_allclose(reduced[:, CHARGED], np.round(reduced[:, CHARGED]), atol=1e-9)  # upstream they are fat
    np.testing.assert_allclose(reduced[:, ELSEWHERE], np.round(reduced[:, ELSEWHERE]), atol=1e-9)


def test_beyond_the_plane_events_of_fat_photons_are_the_same() -> None:
    plain = events(ReductionSettings(), PHOTON, 4.0, 20.0, 50_000, z=20.0)
    solid = events(ReductionSettings(FIELD), PHOTON, 4.0, 20.0, 50_000, z=20.0)
    agree(plain, solid)
    assert solid[:, ROWS].max() < 12 + 64  # photons come in portions


def test_beyond_the_plane_electrons_of_thin_photons_have_the_weight_in_between() -> None:
    plain = events(ReductionSettings(), PHOTON, 4.0, 20.0, 200_000, weight=1.0 / N, z=20.0)
    played = events(ReductionSettings(FIELD), PHOTON, 4.0, 20.0, 400_000, weight=1.0 / N, z=20.0)
    agree(plain, played)
    assert set(np.unique(np.round(played[:, CHARGED] * BETWEEN, 6))) <= {0.0, 1.0, 2.0, 3.0}
    in_gas = events(ReductionSettings(FIELD), PHOTON, 4.0, 20.0, 400_000, weight=1.0 / N, z=20.0, cell=AROUND)
    agree(plain, in_gas)
    assert set(np.unique(np.round(in_gas[:, CHARGED] * N, 6))) <= {0.0, 1.0, 2.0, 3.0}  # few there: each counts


def test_uniform_splitting() -> None:
    plain = events(ReductionSettings(), ELECTRON, 6.0, 20.0, 400_000)
    split = events(ReductionSettings(UniformSplitting(N)), ELECTRON, 6.0, 20.0, 100_000)
    agree(plain, split)
    of_plain, of_split = (out[:, [AIMED_MEV, ELSEWHERE_MEV]].sum(1) for out in (plain, split))
    assert of_plain[of_plain > 0.0].var() > 0.5 * N * of_split[of_split > 0.0].var()
    again = events(ReductionSettings(UniformSplitting(N)), ELECTRON, 6.0, 20.0, 1000, weight=1.0 / N)
    assert np.all(again[:, ROWS] <= 3)


def test_russian_roulette_of_electrons_that_photons_set_free() -> None:
    plain = events(ReductionSettings(), PHOTON, 4.0, 20.0, 200_000, weight=1.0 / N)
    played = events(ReductionSettings(russian_roulette=N), PHOTON, 4.0, 20.0, 400_000, weight=1.0 / N)
    agree(plain, played)
    assert set(np.unique(np.round(played[:, CHARGED], 9))) <= {0.0, 1.0, 2.0, 3.0}


@kernel
def move(p, ray, before, weight, density, crossing, was_out, stack, tally, out):
    """Fill out [(weight that goes on, weight that waits, copies, outside)] of an electron of 1 MeV on its way."""
    place = Place(4, 0, 0, 0)
    for n in range(out.shape[0]):
        track = Track(ray, place, 1.0, ELECTRON, 0.02, 0.0, weight)
        w, outside, waiting, _ = reduced_electron(
            p, before, track, density, crossing, was_out, stack, 0, tally, start_stream(6, n)
        )
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = w, 0.0, 0.0, outside
        while waiting > 0:
            track, _, waiting = take(stack, waiting, np.uint64(5))
            out[n, 1] += track.weight
            out[n, 2] += 1.0 if track.deflection_due == 0.02 and track.ray == ray and track.energy == 1.0 else 0.0


def moved(settings, z, weight, before=None, **kinds):  # type: ignore[no-untyped-def]
    out, tally = np.zeros((20_000, 4)), Tally(np.zeros(ACCOUNT_ROWS))
    kinds = {"density": 19.3, "crossing": False, "was_out": False, "x": 0.0} | kinds
    ray = Ray(kinds["x"], 0.0, z, 0.0, 0.0, 1.0)
    behind = Ray(kinds["x"], 0.0, z if before is None else before, 0.0, 0.0, 1.0)
    move(
        problem(settings),
        ray,
        behind,
        weight,
        kinds["density"],
        kinds["crossing"],
        kinds["was_out"],
        empty_stack(),
        tally,
        out,
    )
    goes, waits = out[:, 0].mean(), out[:, 1].mean()
    assert tally.account[ROULETTE] / len(out) == pytest.approx(
        weight - goes - waits - tally.account[ESCAPED] / len(out), abs=1e-9
    )
    assert goes + waits + tally.account[ESCAPED] / len(out) == pytest.approx(
        weight, abs=4 * out[:, 0].std() / 141 + 1e-9
    )
    return np.unique(out[:, 0]).tolist(), np.unique(out[:, 1:3], axis=0).tolist()


def test_electrons_at_their_plane() -> None:
    directed = ReductionSettings(FIELD)  # the plane is at 10 cm, the beam along +z
    nothing, split = [[0.0, 0.0]], [[pytest.approx(1.0), BETWEEN]]
    assert moved(directed, 9.0, 1.0) == ([1.0], nothing)
    assert moved(directed, 11.0, 1.0) == ([1.0], nothing)  # born in something solid below
    assert moved(directed, 11.0, 1.0, before=9.0) == ([0.0], split)
    assert moved(directed, 11.0, 1.0, crossing=True) == ([0.0], split)
    assert moved(directed, 11.0, 1.0, density=0.001) == ([0.0], split)
    assert moved(directed, 11.0, 1.0 / BETWEEN, before=9.0) == ([1.0 / BETWEEN], nothing)
    assert moved(directed, 11.0, 1.0 / N, before=9.0) == ([1.0 / N], nothing)
    assert moved(directed, 9.0, 1.0 / N, before=11.0) == ([0.0, 1.0], nothing)


@kernel
def enter(p, ray, weight, stack):
    """Return how many an electron enters the voxels as, and what each weighs."""
    track = Track(ray, Place(4, 0, 0, 0), 1.0, ELECTRON, 0.0, 0.0, weight)
    track, waiting, _ = split_into_voxels(p, track, stack, 0, start_stream(6, 0))
    return (stack[0, COPIES], stack[0, WEIGHT]) if waiting > 0 else (1.0, track.weight)


@pytest.mark.parametrize(
    ("settings", "weight", "many"),
    [
        (ReductionSettings(UniformSplitting(N)), 1.0, 1),  # nobody asked for splitting here
        (ReductionSettings(UniformSplitting(N), voxel_splitting=5), 1.0, 5),
        (ReductionSettings(UniformSplitting(N), voxel_splitting=5), 1.0 / N, 5),
        (ReductionSettings(voxel_splitting=5), 1.0 / 5, 1),  # has been in the voxels before
        (ReductionSettings(FIELD), 1.0, BETWEEN),
        (ReductionSettings(FIELD, voxel_splitting=5), 1.0 / N, 5),
        (ReductionSettings(FIELD, voxel_splitting=5), 1.0 / N / 5, 1),
        (ReductionSettings(replace(FIELD, equal_weight=True), voxel_splitting=5), 1.0, 5 * N),
    ],
)
def test_what_enters_the_voxels(settings: ReductionSettings, weight: float, many: int) -> None:
    found = enter(problem(settings), Ray(0.0, 0.0, 20.0, 0.0, 0.0, 1.0), weight, empty_stack())
    assert found == (many, pytest.approx(weight / many))


def test_outside_the_limits_of_x_and_y() -> None:
    limits = XyLimits(((1000.0, 100.0, 100.0),))
    plays, kills = ReductionSettings(xy_limits=limits), ReductionSettings(xy_limits=limits, roulette_value=0.0)
    nothing = [[0.0, 0.0]]
    assert moved(plays, 1.0, 1.0, x=9.0) == ([1.0], nothing)
    assert moved(plays, 1.0, 1.0, x=11.0) == ([0.0, 100.0], nothing)
    assert moved(plays, 1.0, 1.0, x=11.0, was_out=True) == ([1.0], nothing)
    assert moved(plays, 1.0, 100.0, x=11.0) == ([100.0], nothing)
    assert moved(kills, 1.0, 1.0, x=11.0) == ([0.0], nothing)
    assert moved(kills, 1.0, 100.0, x=11.0) == ([0.0], nothing)
