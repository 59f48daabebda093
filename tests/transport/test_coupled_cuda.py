"""The functions of photons, electrons and positrons compile for a GPU that need not be there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import float32, float64, int32, typeof, uint32, uint64

from dosewright.core.jit import inlined
from dosewright.core.random import random_words, start_stream
from dosewright.geometry.trace import PATIENT, Place, Ray
from dosewright.materials.photons.lookup import position
from dosewright.transport import loop_cuda
from dosewright.transport.electrons.interact import interact as electron_interact
from dosewright.transport.electrons.step import Flight, step
from dosewright.transport.photons.compton import compton
from dosewright.transport.photons.interact import interact as photon_interact
from dosewright.transport.photons.pair import pair
from dosewright.transport.photons.photoelectric import photoelectric
from dosewright.transport.photons.rayleigh import rayleigh
from dosewright.transport.tracks import Track

from .coupled_flights import coupled
from .ptx import instructions, registers_and_spills, report

cuda: Any = loop_cuda.cuda  # type: ignore[attr-defined]
PROBLEM = coupled()
NUMBERS, STACKS = float64[:, ::1], float64[:, :, ::1]


def one_step(tables, floats, integers, words, size):  # type: ignore[no-untyped-def]
    """Take one step: every number comes from memory, so that nothing is left out."""
    i = cuda.grid(1)
    f, n, w = floats[i], integers[i], words[i]
    p = Flight(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], n[0], n[1], n[2])
    four = random_words(w[0], w[1], w[2], w[3], w[4], w[5])
    again = random_words(w[0], w[1], w[2], w[3], w[4], np.uint32(w[5] + np.uint32(1)))
    p, did = step(tables, f[10], f[11], f[12], p, n[3], n[4], size[0], size[1], size[2], four + again)
    f[0], f[1], f[2], f[3], f[4], f[5], f[6] = p.energy, p.u, p.v, p.w, p.fx, p.fy, p.fz
    f[7], f[8], f[9] = p.due, p.paths, p.stretch
    n[0], n[1], n[2], n[3], n[4] = p.ix, p.iy, p.iz, did.hit, did.stopped
    f[10], f[11], f[12], f[13], f[14] = did.lost, did.at_x, did.at_y, did.at_z, did.ratio


@inlined
def given(numbers, i):  # type: ignore[no-untyped-def]
    """Return ray, place, material, energy and two more numbers from memory."""
    x = numbers[i]
    ray, place = Ray(x[0], x[1], x[2], x[3], x[4], x[5]), Place(PATIENT, int(x[6]), int(x[7]), int(x[8]))
    return ray, place, np.int64(x[9]), x[10], x[11], x[12]


def rayleigh_of(tables, numbers, stack, seed):  # type: ignore[no-untyped-def]
    i = cuda.grid(1)
    ray, _, material, energy, _, _ = given(numbers, i)
    ray, _ = rayleigh(tables.rayleigh, material, energy, ray, start_stream(seed, i))
    numbers[i, 3], numbers[i, 4], numbers[i, 5] = ray.u, ray.v, ray.w


def compton_of(tables, numbers, stack, seed):  # type: ignore[no-untyped-def]
    i = cuda.grid(1)
    x = numbers[i]
    ray, place, material, energy, photon_cut, electron_cut = given(numbers, i)
    after, ray, here, z, shell, waiting, _ = compton(
        tables.compton, material, energy, ray, place, photon_cut, electron_cut, stack[i], np.int64(0),
        start_stream(seed, i),
    )  # fmt: skip
    x[0], x[3], x[4], x[5], x[6], x[7], x[8], x[9] = after, ray.u, ray.v, ray.w, here, z, shell, waiting


def pair_of(tables, numbers, stack, seed):  # type: ignore[no-untyped-def]
    i = cuda.grid(1)
    x = numbers[i]
    ray, place, material, energy, photon_cut, electron_cut = given(numbers, i)
    here, waiting, _ = pair(
        tables.pair, material, energy, ray, place, photon_cut, electron_cut, stack[i], np.int64(0),
        start_stream(seed, i),
    )  # fmt: skip
    x[0], x[1] = here, waiting


def photoelectric_of(tables, numbers, stack, seed):  # type: ignore[no-untyped-def]
    """With the relaxation that follows."""
    i = cuda.grid(1)
    x = numbers[i]
    ray, place, material, energy, photon_cut, electron_cut = given(numbers, i)
    node, f = position(tables.attenuation, energy)
    here, waiting, _ = photoelectric(
        tables.atoms, node, f, material, energy, ray, place, photon_cut, electron_cut, stack[i], np.int64(0),
        start_stream(seed, i),
    )  # fmt: skip
    x[0], x[1] = here, waiting


def any_of_photons(problem, numbers, stack, seed):  # type: ignore[no-untyped-def]
    """The interaction that the cross sections choose."""
    i = cuda.grid(1)
    x = numbers[i]
    ray, place, material, energy, chosen, _ = given(numbers, i)
    node, f = position(problem.photons.attenuation, energy)
    after, ray, here, made, waiting, _ = photon_interact(
        problem, material, node, f, chosen, energy, 1.0, ray, place, stack[i], np.int64(0), start_stream(seed, i)
    )
    x[0], x[1], x[2], x[3], x[4], x[5], x[6] = after, here, made, waiting, ray.u, ray.v, ray.w


def any_of_electrons(problem, numbers, stack, seed):  # type: ignore[no-untyped-def]
    """Collision, radiation, ionisation, annihilation in flight and at rest."""
    i = cuda.grid(1)
    x = numbers[i]
    ray, place, material, energy, species, _ = given(numbers, i)
    track = Track(ray, place, energy, np.int64(species), 0.0, 0.0, 1.0)
    track, here, made, waiting, _ = electron_interact(
        problem, track, material, stack[i], np.int64(0), start_stream(seed, i)
    )
    x[0], x[1], x[2], x[3], x[4] = track.energy, here, made, waiting, track.free_paths
    x[5], x[6], x[7] = track.ray.u, track.ray.v, track.ray.w


def test_the_step_of_electrons_is_in_single_precision(compile_ptx: Any, tmp_path: Path) -> None:
    rows = float32[:, ::1], int32[:, ::1], uint32[:, ::1]
    ptx = compile_ptx(one_step, typeof(PROBLEM.electrons), *rows, float32[::1])
    assert len(instructions(ptx, ".f32")) > 250
    assert instructions(ptx, ".f64") == []
    assert instructions(ptx, "call") == []
    report("electron step", ptx, tmp_path, most_registers=96)


@pytest.mark.parametrize("kernel", [rayleigh_of, compton_of, pair_of, photoelectric_of])
def test_interactions_of_photons_compile(compile_ptx: Any, kernel: Any, tmp_path: Path) -> None:
    ptx = compile_ptx(kernel, typeof(PROBLEM.photons), NUMBERS, STACKS, uint64)
    assert len(instructions(ptx, ".f64")) > 50
    assemble(kernel.__name__, ptx, tmp_path)


@pytest.mark.parametrize("kernel", [any_of_photons, any_of_electrons])
def test_whatever_interaction_is_chosen_compiles(compile_ptx: Any, kernel: Any, tmp_path: Path) -> None:
    ptx = compile_ptx(kernel, typeof(PROBLEM), NUMBERS, STACKS, uint64)
    assert len(instructions(ptx, ".f64")) > 300
    assemble(kernel.__name__, ptx, tmp_path)


def assemble(name: str, ptx: str, folder: Path) -> None:
    """Assemble the code and print what it needs; interactions are rare, so they may spill."""
    found = registers_and_spills(ptx, folder)
    print(f"{name}: {found[0]} registers, {found[1]} bytes spilled" if found else f"{name}: no ptxas here")
