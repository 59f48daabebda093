"""Photons that events send into a field: of many events as they are, and of directed trials; and their comparison."""

import numpy as np

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four, start_stream
from dosewright.geometry.trace import Place, Ray
from dosewright.transport.aim import Field, aimed
from dosewright.transport.electrons.annihilation import in_flight
from dosewright.transport.electrons.bremsstrahlung import radiate
from dosewright.transport.electrons.directed import (
    aim_annihilation,
    aim_bremsstrahlung,
    try_annihilation,
    try_bremsstrahlung,
)
from dosewright.transport.photons.compton import compton
from dosewright.transport.photons.directed import (
    aim_compton,
    aim_isotropic,
    aim_rayleigh,
    try_compton,
    try_isotropic,
    try_rayleigh,
)
from dosewright.transport.photons.rayleigh import rayleigh
from dosewright.transport.photons.relaxation import isotropic
from dosewright.transport.tracks import turned

BREMSSTRAHLUNG, COMPTON, RAYLEIGH, ISOTROPIC, ANNIHILATION = range(5)
REPEATED = 5.0  # how often a directed event stands for itself


@kernel
def analogue(tables, kind, material, energy, cut, field, ray, events, stack, out):
    """Fill out with (x, y, energy) of the photons that meet the field; return how many."""
    electrons, photons = tables
    place, hits, stream = Place(1, 0, 0, 0), 0, start_stream(3, 1)
    for _ in range(events):
        a, b, _, _, stream = draw_four(stream)
        count, k, other, away, opposite = 1, energy, 0.0, ray, ray
        if kind == BREMSSTRAHLUNG:
            k, cosine, stream = radiate(electrons, material, energy, cut, stream)
            away = turned(ray, cosine, 2.0 * np.pi * a)
        elif kind == COMPTON:
            k, away, _, _, _, _, stream = compton(
                photons.compton, material, energy, ray, place, cut, cut, stack, 0, stream
            )
        elif kind == RAYLEIGH:
            away, stream = rayleigh(photons.rayleigh, material, energy, ray, stream)
        elif kind == ISOTROPIC:
            away = isotropic(ray, a, b)
        else:
            k, one, other, two, stream = in_flight(energy, stream)
            away, opposite = turned(ray, one, 2.0 * np.pi * a), turned(ray, two, 2.0 * np.pi * a + np.pi)
            count = 2
        for _ in range(count):
            if aimed(field, away):
                s = (field.z - away.z) / away.w
                out[hits, 0], out[hits, 1], out[hits, 2] = away.x + s * away.u, away.y + s * away.v, k
                hits += 1
            away, k = opposite, other
    return hits


@kernel
def directed(tables, kind, material, energy, cut, field, ray, events, out):
    """Fill out with the same of directed trials; return how many, and how many trials there were."""
    electrons, photons = tables
    hits, trials, stream = 0, 0, start_stream(4, 1)
    for _ in range(int(events / REPEATED)):
        if kind == BREMSSTRAHLUNG:
            aim = aim_bremsstrahlung(field, ray, energy)
        elif kind == COMPTON:
            aim = aim_compton(photons.compton, material, field, ray, energy)
        elif kind == RAYLEIGH:
            aim, stream = aim_rayleigh(photons.rayleigh, material, field, ray, energy, stream)
        elif kind == ISOTROPIC:
            aim = aim_isotropic(field, ray)
        else:
            aim = aim_annihilation(field, ray, energy)
        a, _, _, _, stream = draw_four(stream)
        number = np.int64(aim[3] * REPEATED + a)
        trials += number
        for _ in range(number):
            if kind == BREMSSTRAHLUNG:
                count, k, away, stream = try_bremsstrahlung(electrons, material, energy, cut, field, aim, ray, stream)
            elif kind == COMPTON:
                count, k, away, stream = try_compton(photons.compton, material, energy, field, aim, ray, stream)
            elif kind == RAYLEIGH:
                count, k, away, stream = try_rayleigh(photons.rayleigh, material, energy, field, aim, ray, stream)
            elif kind == ISOTROPIC:
                count, k, away, stream = try_isotropic(energy, field, aim, ray, stream)
            else:
                count, k, away, stream = try_annihilation(energy, field, aim, ray, stream)
            for _ in range(count):
                s = (field.z - away.z) / away.w
                out[hits, 0], out[hits, 1], out[hits, 2] = away.x + s * away.u, away.y + s * away.v, k
                hits += 1
    return hits, trials


class Comparison:
    """How often (with its relative error), with what energies and where both meet the field."""

    def __init__(self, tables, kind, material, energy, cut, field, ray, events, more=4) -> None:  # type: ignore[no-untyped-def]
        out = np.zeros((2 * more * events, 3))
        plain = out[: analogue(tables, kind, material, energy, cut, field, ray, events, np.zeros((64, 16)), out)].copy()
        aims, self.trials = directed(tables, kind, material, energy, cut, field, ray, more * events, out)
        aims = out[:aims]
        self.plain_hits, self.hits = len(plain), len(aims)
        self.ratio = len(aims) / more / max(len(plain), 1)
        self.error = np.sqrt((1.0 + 1.0 / more) / max(len(plain), 1))
        self.energy_ratio = aims[:, 2].mean() / plain[:, 2].mean()
        self.energy_error = plain[:, 2].std() / plain[:, 2].mean() * self.error
        energies = np.unique(np.quantile(plain[:, 2], np.linspace(0.0, 1.0, 21)))[1:-1]
        self.chi2_energy = chi2(np.digitize(plain[:, 2], energies), np.digitize(aims[:, 2], energies), more)
        self.chi2_place = chi2(cells(field, plain), cells(field, aims), more)


def cells(field: Field, hits: np.ndarray) -> np.ndarray:
    i = np.clip((hits[:, 0] - field.x0) / (field.x1 - field.x0) * 5, 0, 4).astype(int)
    j = np.clip((hits[:, 1] - field.y0) / (field.y1 - field.y0) * 5, 0, 4).astype(int)
    return 5 * i + j


def chi2(plain: np.ndarray, aims: np.ndarray, more: int) -> float:
    """Return chi-square per bin of two histograms, the second of so many times more events; none of one bin."""
    a, b = np.bincount(plain, minlength=26), np.bincount(aims, minlength=26)
    used = a + b > 0
    if used.sum() < 2:
        return 0.0
    return float((((a - b / more) ** 2)[used] / (a + b / more**2)[used]).sum() / used.sum())


def beam(x: float, y: float, z: float, degrees: float, azimuth: float = 20.0) -> Ray:
    """Return a ray at an angle to +z."""
    t, p = np.radians(degrees), np.radians(azimuth)
    return Ray(x, y, z, np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t))
