"""Fields of atoms for elastic scattering: measured form factors in terms of Yukawas, made relativistic.

The form factors of xraylib are of non-relativistic Hartree-Fock atoms (Hubbell et al., J. Phys. Chem. Ref. Data 4, 471
(1975)) but for the largest momentum transfers. What relativity makes of 1 - F/Z is taken from two atoms with local
exchange (Kohn and Sham, Phys. Rev. 140, A1133 (1965)), one with Dirac's equation, one with a light speed of infinity;
their ratio hardly depends on the strength of the exchange.
"""

import numpy as np
import xraylib
from numba import njit
from numpy.typing import NDArray

from dosewright.core.units import FINE_STRUCTURE
from dosewright.materials.electrons.partial_waves import Field, nuclear_radius, yukawa_rates
from dosewright.materials.electrons.screening import X_PER_MC

Array = NDArray[np.float64]

ATOMIC_LIGHT_SPEED = 1 / FINE_STRUCTURE
NO_RELATIVITY = 1e5  # as light speed
# n and kappa of the shells, in the order of xraylib's numbers.
SHELLS = [(n, k) for n in range(1, 8) for k in (-1, 1, -2, 2, -3, 3, -4) if (k if k > 0 else -k - 1) < n]
NAMES = [f"{'KLMNOPQ'[n - 1]}{i + 1 if n > 1 else ''}_SHELL" for n in range(1, 8) for i in range(min(2 * n - 1, 7))]
EXTENT, INNERMOST, STEP = 80.0, 1e-6, 0.02  # a0; a0/Z; of ln r
MIXING, SETTLED, ROUNDS = 0.35, 1e-5, 120
# The 4f shell of cerium is bound closely in one of the two atoms and loosely in the other: the mean of its neighbours.
COLLAPSING = {58: (57, 59)}
HIGHEST_TRANSFER = 60.0  # in 1/a0: beyond, the steps are too long for the waves, and the form factor is nothing


def fitted_field(z: int) -> Field:
    """Return the field of an atom; the fit weights the relative error of 1 - F/Z, which Born's cross section holds."""
    x = np.geomspace(0.02, 200.0 * max(z, 6) ** (1 / 3), 300)  # sin(theta/2)/wavelength, 1/A
    seen = (1 - np.array([xraylib.FF_Rayl(z, value) for value in x]) / z) * contraction(z, x / X_PER_MC)
    square = (x / X_PER_MC) ** 2
    rates = yukawa_rates(z)
    basis = square[:, None] / (rates**2 + square[:, None])
    system = np.vstack([basis / seen[:, None], 1e3 * np.ones(rates.size), 1e-4 * np.eye(rates.size)])
    wanted = np.concatenate([np.ones(x.size), [1e3], np.zeros(rates.size)])
    weights = np.linalg.lstsq(system, wanted, rcond=None)[0]
    return Field(z, weights / weights.sum(), rates, nuclear_radius(z))


def contraction(z: int, transfer_mc: Array) -> Array:
    """Return what relativity does to 1 - F/Z, as a factor."""
    if z in COLLAPSING:
        return np.asarray(np.mean([contraction(n, transfer_mc) for n in COLLAPSING[z]], axis=0), float)
    transfer = transfer_mc / FINE_STRUCTURE
    inside = transfer < HIGHEST_TRANSFER
    factor = np.ones_like(transfer)
    dirac, plain = (_charge_seen(z, transfer[inside], c) for c in (ATOMIC_LIGHT_SPEED, NO_RELATIVITY))
    factor[inside] = dirac / plain
    return factor


def _charge_seen(z: int, transfer: Array, light_speed: float) -> Array:
    """1 - F/Z of the atom with local exchange, momentum transfers in 1/a0."""
    r, electrons = settled_atom(z, light_speed)
    phase = np.outer(transfer, r)
    return 1 - np.sinc(phase / np.pi) @ electrons / electrons.sum()


def settled_atom(z: int, light_speed: float) -> tuple[Array, Array]:
    """Return radii (a0) and the electrons at each of a self-consistent atom; ground states as in xraylib."""
    size = 2 * int(np.log(EXTENT * z / INNERMOST) / STEP) + 1
    x = np.linspace(np.log(INNERMOST / z), np.log(EXTENT), size)
    r, step = np.exp(x), 2 * (x[1] - x[0])
    half = r[::2]
    reach = 0.885 * z ** (-1 / 3)
    start = 0.1 * np.exp(-6 * r / reach) + 0.55 * np.exp(-1.2 * r / reach) + 0.35 * np.exp(-0.3 * r / reach)
    potential = -(1 + (z - 1) * start) / r  # Moliere's atom to begin with
    shells = _occupied(z)
    energies = [-0.15 * (z / n) ** 2 for n, _, _ in shells]
    for _ in range(ROUNDS):
        electrons = np.zeros(half.size)
        for i, (n, kappa, occupied) in enumerate(shells):
            energies[i], p, q = _bound(r, potential, step, n, kappa, light_speed, z, energies[i])
            electrons += occupied * (p[::2] ** 2 + q[::2] ** 2) * half * step
        inside = np.cumsum(electrons) - 0.5 * electrons
        outside = np.cumsum((electrons / half)[::-1])[::-1] - 0.5 * electrons / half
        density = electrons / (4 * np.pi * half**3 * step)
        exchange = -((3 * density / np.pi) ** (1 / 3))
        wanted = np.minimum((inside - z) / half + outside + exchange, -1 / half)  # Latter, Phys. Rev. 99, 510 (1955)
        change = np.interp(x, x[::2], wanted * half) / r - potential
        potential += MIXING * change
        if np.max(np.abs(change * r)) < SETTLED * z:
            break
    return half, electrons


def _occupied(z: int) -> list[tuple[int, int, float]]:
    found = []
    for (n, kappa), name in zip(SHELLS, NAMES, strict=True):
        number = getattr(xraylib, name, None)
        try:
            occupied = xraylib.ElectronConfig(z, number) if number is not None else 0.0
        except ValueError:
            occupied = 0.0
        if occupied > 0:
            found.append((n, kappa, occupied))
    if abs(sum(o for _, _, o in found) - z) > 1e-4:
        raise ValueError(f"the shells of Z = {z} do not hold all electrons")
    return found


@njit
def _slopes(kappa, r, excess, c, p, q):
    return -kappa * p + r * (2 * c + excess / c) * q, kappa * q - r * excess / c * p


@njit
def _advance(kappa, r, potential, energy, c, p, q, i, to, step):
    """One Runge-Kutta step in ln r over two nodes, outwards or inwards."""
    middle = (i + to) // 2
    a1, b1 = _slopes(kappa, r[i], energy - potential[i], c, p, q)
    between = energy - potential[middle]
    a2, b2 = _slopes(kappa, r[middle], between, c, p + 0.5 * step * a1, q + 0.5 * step * b1)
    a3, b3 = _slopes(kappa, r[middle], between, c, p + 0.5 * step * a2, q + 0.5 * step * b2)
    a4, b4 = _slopes(kappa, r[to], energy - potential[to], c, p + step * a3, q + step * b3)
    return p + step * (a1 + 2 * a2 + 2 * a3 + a4) / 6, q + step * (b1 + 2 * b2 + 2 * b3 + b4) / 6


@njit
def _shoot(r, potential, step, kappa, energy, c, z, p, q):
    """Both radial functions at an energy, joined at the turning point: their nodes, and the step to a better energy."""
    wave = kappa if kappa > 0 else -kappa - 1
    joint = r.size - 3
    while joint > 40 and energy < potential[joint] + 0.5 * wave * (wave + 1) / r[joint] ** 2:
        joint -= 1
    joint = max(joint - joint % 2, 40)
    power = np.sqrt(kappa * kappa - (z / c) ** 2)
    p[0] = 1e-20
    if kappa > 0:
        q[0] = (power + kappa) * p[0] / (r[0] * (2 * c + (energy - potential[0]) / c))
    else:
        q[0] = -r[0] * (energy - potential[0]) / c * p[0] / (power - kappa)
    nodes = 0
    for i in range(0, joint, 2):
        p[i + 2], q[i + 2] = _advance(kappa, r, potential, energy, c, p[i], q[i], i, i + 2, step)
        nodes += p[i + 2] * p[i] < 0
    p_out, q_out = p[joint], q[joint]
    decay = np.sqrt(-2 * energy)
    end = joint + 2
    while end < r.size - 3 and decay * (r[end] - r[joint]) < 45:
        end += 2
    p[end] = 1e-25
    q[end] = -decay * p[end] / (2 * c)
    for i in range(end, joint, -2):
        p[i - 2], q[i - 2] = _advance(kappa, r, potential, energy, c, p[i], q[i], i, i - 2, -step)
    factor = p_out / p[joint]
    q_in = q[joint] * factor
    norm = 0.0
    for i in range(0, r.size, 2):
        if i > end:
            p[i], q[i] = 0.0, 0.0
        elif i >= joint:
            p[i], q[i] = p[i] * factor, q[i] * factor
        norm += (p[i] ** 2 + q[i] ** 2) * r[i] * step
    for i in range(0, r.size, 2):
        p[i], q[i] = p[i] / np.sqrt(norm), q[i] / np.sqrt(norm)
    return nodes, c * p_out * (q_out - q_in) / norm


@njit
def _bound(r, potential, step, n, kappa, c, z, energy):
    """Energy (hartree) and radial functions of a shell: by its nodes, then by the joint."""
    p, q = np.zeros(r.size), np.zeros(r.size)
    wanted = n - (kappa if kappa > 0 else -kappa - 1) - 1
    lowest, highest = -0.78 * (z / n) ** 2 - 10, -1e-4
    for _ in range(200):
        if not lowest < energy < highest:
            energy = -np.sqrt(lowest * highest)
        nodes, change = _shoot(r, potential, step, float(kappa), energy, c, z, p, q)
        if nodes > wanted or (nodes == wanted and change < 0):
            highest = energy
        else:
            lowest = energy
        if nodes != wanted:
            energy = -np.sqrt(lowest * highest)
        elif abs(change) < 1e-9 * abs(energy):
            break
        else:
            energy += change
    return energy, p, q
