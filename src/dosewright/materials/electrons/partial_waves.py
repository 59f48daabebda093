"""Elastic scattering from the Dirac equation in a central field, wave by wave.

Units of the electron: lengths in hbar/mc, momenta in mc, energies in mc2. Waves are
numbered by l with kappa = -(l + 1) for j = l + 1/2 and kappa = l for j = l - 1/2 (Walker, Adv. Phys. 20, 257 (1971)).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import loggamma, spherical_jn, spherical_yn

from dosewright.core.jit import kernel
from dosewright.core.units import ELECTRON_MASS_MEV, FINE_STRUCTURE, HBAR_C_MEV_FM
from dosewright.materials.electrons.elastic_data import stored
from dosewright.materials.elements import element

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]

YUKAWAS = 16
GRID_SHARE, GRID_PHASE = 0.04, 0.25  # longest step: of the radius, and of phase
SMALLEST_PHASE = 1e-9
ALL_WAVES, SKIPPED = 120, 0.02  # beyond these l, only every fiftieth part further; a spline in between
INNERMOST = 1e-6
NEAR_WAVES, NEAR_PHASE = 24, 300.0  # waves that meet a nucleus of finite size, and how far out they are followed
ROOT3 = np.sqrt(3.0)


@dataclass(frozen=True)
class Field:
    """An atom as a sum of Yukawa potentials: -(Z alpha/r) sum of weights exp(-rates r), its nucleus a sphere."""

    z: int
    weights: Array
    rates: Array
    nucleus: float = 0.0

    def screening(self, r: Array) -> Array:
        """Return the share of the nuclear charge that is seen at a radius."""
        return np.asarray(np.exp(-np.multiply.outer(r, self.rates)) @ self.weights, float)

    def density(self, r: Array) -> Array:
        """Return the electrons per volume at a radius, none where the fit overshoots."""
        tail = np.exp(-np.multiply.outer(r, self.rates)) @ (self.weights * self.rates**2)
        return np.asarray(np.maximum(self.z * tail / (4 * np.pi * r), 0.0), float)

    def form_factor(self, transfer: Array) -> Array:
        """Return the form factor over Z at a momentum transfer."""
        square = self.rates**2
        return np.asarray((square / (square + np.square(transfer)[..., None])) @ self.weights, float)

    def edge(self) -> float:
        """Return a radius beyond which nothing is left."""
        r = np.geomspace(1.0, 1e5, 4000)
        seen = np.abs(self.screening(r))
        return float(r[np.nonzero(seen > 1e-9)[0][-1]])


def yukawa_rates(z: int) -> Array:
    """Return the rates of the Yukawas of an atom's field."""
    return FINE_STRUCTURE * np.geomspace(0.8, 2.5 * z + 4, YUKAWAS)


@cache
def field(z: int) -> Field:
    """Return the field of a neutral atom: form factors of xraylib made relativistic (`benchmarks/atomic_fields.py`)."""
    return Field(z, stored("weights")[z - 1], yukawa_rates(z), nuclear_radius(z))


def nuclear_radius(z: int) -> float:
    """Return the radius of a uniform sphere with the nucleus's mean square radius.

    Rms radius 0.82 A^(1/3) + 0.58 fm (Hofstadter, Rev. Mod. Phys. 28, 214 (1956)), 0.84 fm for the proton.
    """
    rms = 0.84 if z == 1 else 0.82 * element(z).atomic_weight ** (1 / 3) + 0.58
    return float(np.sqrt(5 / 3) * rms * ELECTRON_MASS_MEV / HBAR_C_MEV_FM)


def nuclear_potential(r: Array, radius: float) -> Array:
    """Return the potential of a unit charge spread evenly over a sphere, or of a point."""
    if radius <= 0:
        return 1 / r
    return np.where(r < radius, (3 - (r / radius) ** 2) / (2 * radius), 1 / r)


def potential(atom: Field, r: Array, kinetic: float, positron: bool) -> Array:
    """Return the potential energy; for electrons with exchange (Furness and McCarthy, J. Phys. B 6, 2280 (1973))."""
    static = FINE_STRUCTURE * atom.z * (nuclear_potential(r, atom.nucleus) - (1 - atom.screening(r)) / r)
    if positron:
        return static
    local = kinetic + static
    exchange = 0.5 * local - 0.5 * np.sqrt(local**2 + 4 * np.pi * FINE_STRUCTURE * atom.density(r))
    return np.asarray(exchange - static, float)


@kernel  # type: ignore[untyped-decorator]
def _integrate(
    steps: Array,
    kinetic_1: Array,
    kinetic_2: Array,
    first: int,
    kappa: float,
    r_1: Array,
    r_2: Array,
    out: Array,
) -> None:
    """Carry the two radial functions outwards from a step; P and Q at the end into `out`.

    Magnus's method of fourth order, with the matrix at two Gauss points: exact where the matrix is constant
    (Blanes et al., Phys. Rep. 470, 151 (2009)).
    """
    w1 = kinetic_1[first] + 1.0
    a, b, c = -kappa / r_1[first], w1 + 1.0, 1.0 - w1
    p, q = b, np.sqrt(max(a * a + b * c, 0.0)) - a  # the growing solution of a constant matrix
    for i in range(first, steps.size):
        h = steps[i]
        w1, w2 = kinetic_1[i] + 1.0, kinetic_2[i] + 1.0
        a1, b1, c1 = -kappa / r_1[i], w1 + 1.0, 1.0 - w1
        a2, b2, c2 = -kappa / r_2[i], w2 + 1.0, 1.0 - w2
        half, twist = 0.5 * h, h * h * ROOT3 / 12.0
        a = half * (a1 + a2) - twist * (b1 * c2 - b2 * c1)
        b = half * (b1 + b2) - twist * 2.0 * (a1 * b2 - a2 * b1)
        c = half * (c1 + c2) - twist * 2.0 * (a2 * c1 - a1 * c2)
        d = a * a + b * c
        if d > 1e-12:
            root = np.sqrt(d)
            even, odd = np.cosh(root), np.sinh(root) / root
        elif d < -1e-12:
            root = np.sqrt(-d)
            even, odd = np.cos(root), np.sin(root) / root
        else:
            even, odd = 1.0 + 0.5 * d, 1.0 + d / 6.0
        p, q = even * p + odd * (a * p + b * q), even * q + odd * (c * p - a * q)
        size = abs(p) + abs(q)
        if size > 1e50:
            p, q = p / size, q / size
    out[0], out[1] = p, q


def phases(atom: Field, kinetic: float, positron: bool) -> tuple[Array, Array]:
    """Return the phase shifts of j = l + 1/2 and j = l - 1/2 (for l = 0: zero), until they vanish."""
    momentum = np.sqrt(kinetic * (kinetic + 2))
    radii, steps, r_1, r_2 = _steps(atom.edge(), momentum)
    kinetic_1 = kinetic - potential(atom, r_1, kinetic, positron)
    kinetic_2 = kinetic - potential(atom, r_2, kinetic, positron)
    # Largest angular momentum that reaches a radius; a wave begins far inside of that.
    reach = np.sqrt(np.maximum.accumulate(np.maximum(kinetic_1 * (kinetic_1 + 2), 1e-12) * radii[:-1] ** 2))
    out = np.zeros(2)
    up, down, waves = [], [], []
    wave = 0
    while wave < momentum * radii[-1]:
        shifts = [0.0, 0.0]
        for which, kappa in enumerate((-(wave + 1), wave)):
            if kappa:
                first = 0 if wave < 2 else int(np.searchsorted(reach, 0.5 * wave * 10.0 ** (-10 / wave)))
                _integrate(steps, kinetic_1, kinetic_2, min(first, steps.size - 2), float(kappa), r_1, r_2, out)
                shifts[which] = _match(out, wave, kappa, radii[-1], kinetic)
        up.append(shifts[0])
        down.append(shifts[1])
        waves.append(wave)
        if wave > 5 and max(map(abs, shifts)) < SMALLEST_PHASE:
            break
        wave += 1 + int(wave * SKIPPED) * (wave > ALL_WAVES)
    if waves[-1] <= ALL_WAVES:
        return np.array(up), np.array(down)
    skipped = np.arange(ALL_WAVES + 1, waves[-1] + 1)
    whole = [np.append(d[: ALL_WAVES + 1], CubicSpline(waves, d)(skipped)) for d in (up, down)]
    return whole[0], whole[1]


def _steps(edge: float, momentum: float) -> tuple[Array, Array, Array, Array]:
    """Radii out to an edge, the steps between, and the two Gauss points of each."""
    radii = [INNERMOST]
    while radii[-1] < edge:
        radii.append(radii[-1] + min(GRID_SHARE * radii[-1], GRID_PHASE / momentum))
    ends = np.array(radii)
    steps = np.diff(ends)
    middle = ends[:-1] + 0.5 * steps
    return ends, steps, middle - steps * ROOT3 / 6, middle + steps * ROOT3 / 6


def _match(out: Array, wave: int, kappa: int, r: float, kinetic: float) -> float:
    momentum = np.sqrt(kinetic * (kinetic + 2))
    u = momentum * r
    j, y = spherical_jn(wave, u), spherical_yn(wave, u)
    dj, dy = j + u * spherical_jn(wave, u, True), y + u * spherical_yn(wave, u, True)
    p, q = out
    slope = (-kappa / r * p + (kinetic + 2) * q) / momentum  # dP/du
    return float(np.arctan((p * dj - slope * u * j) / (p * dy - slope * u * y)))


def cross_section(up: Array, down: Array, momentum: float, cosines: Array) -> Array:
    """Return the elastic cross section per solid angle (hbar/mc)^2/sr of unpolarised particles from phase shifts."""
    wave = np.arange(up.size)
    plus, minus = np.expm1(2j * up), np.expm1(2j * down)
    direct, flip = (wave + 1) * plus + wave * minus, minus - plus
    f, g = _reduced_sums(direct, flip, cosines)
    return np.asarray((np.abs(f) ** 2 + np.abs(g) ** 2) / (4 * momentum**2), float)


def mott_cross_section(
    z: int, kinetic: float, positron: bool, cosines: Array, *, radius: float = 0.0, waves: int = 2000
) -> Array:
    """Return the elastic cross section of a bare nucleus, a point or a sphere, per solid angle, (hbar/mc)^2/sr.

    The series is taken relative to that of Rutherford's amplitude, whose sum is known (Mott, Proc. R. Soc. A 124, 425
    (1929); phase shifts: Berestetskii, Lifshitz, Pitaevskii, Quantum Electrodynamics, section 36).
    """
    momentum = np.sqrt(kinetic * (kinetic + 2))
    charge = (-1 if positron else 1) * FINE_STRUCTURE * z
    nu = charge * (kinetic + 1) / momentum
    wave = np.arange(waves, dtype=float)
    rutherford = np.exp(2j * np.imag(loggamma(wave + 1 - 1j * nu)))
    plus = _coulomb(-(wave + 1), wave, charge, nu, kinetic)
    minus = _coulomb(wave, wave, charge, nu, kinetic)
    if radius > 0:
        up, down = _nuclear_phases(z, kinetic, positron, radius)
        plus[:NEAR_WAVES] *= np.exp(2j * up)
        minus[:NEAR_WAVES] *= np.exp(2j * down)
    direct = (wave + 1) * (plus - rutherford) + wave * (minus - rutherford)
    f, g = _reduced_sums(direct, minus - plus, cosines)
    sine2 = 0.5 * (1 - cosines)
    closed = 1j * nu / sine2 * rutherford[0] * np.exp(1j * nu * np.log(sine2))
    return np.asarray((np.abs(f + closed) ** 2 + np.abs(g) ** 2) / (4 * momentum**2), float)


def _nuclear_phases(z: int, kinetic: float, positron: bool, radius: float) -> tuple[Array, Array]:
    """What the size of the nucleus adds to the phases of the first waves; j = l + 1/2 and j = l - 1/2."""
    momentum = np.sqrt(kinetic * (kinetic + 2))
    radii, steps, r_1, r_2 = _steps(max(NEAR_PHASE / momentum, 10 * radius), momentum)
    charge = (-1 if positron else 1) * FINE_STRUCTURE * z
    out, shifts = np.zeros(2), np.zeros((2, NEAR_WAVES))
    for sign, size in ((1, radius), (-1, 0.0)):
        kinetic_1 = kinetic + charge * nuclear_potential(r_1, size)
        kinetic_2 = kinetic + charge * nuclear_potential(r_2, size)
        for wave in range(NEAR_WAVES):
            for which, kappa in enumerate((-(wave + 1), wave)):
                if kappa:
                    reach = wave / momentum * 10.0 ** (-10 / wave) if wave > 1 else 0.0
                    first = int(np.searchsorted(radii, min(0.1 * reach, 0.1 * radius)))
                    _integrate(steps, kinetic_1, kinetic_2, first, float(kappa), r_1, r_2, out)
                    local = kinetic + charge / float(radii[-1])
                    shifts[which, wave] += sign * _match(out, wave, kappa, float(radii[-1]), local)
    shifts -= np.pi * np.rint(shifts / np.pi)
    return shifts[0], shifts[1]


def _coulomb(kappa: Array, wave: Array, charge: float, nu: float, kinetic: float) -> Waves:
    """exp(2 i delta) of a point charge; one for l = 0 with kappa = 0, which is no wave."""
    gamma = np.sqrt(np.maximum(kappa**2 - charge**2, 1e-30))
    phase = np.imag(loggamma(gamma + 1 - 1j * nu)) * 2 + np.pi * (wave - gamma)
    value = (kappa - 1j * nu / (kinetic + 1)) / (gamma - 1j * nu) * np.exp(1j * phase)
    return np.asarray(np.where(kappa == 0, 0.0, value), complex)


def _reduced_sums(direct: Waves, flip: Waves, cosines: Array) -> tuple[Waves, Waves]:
    """Sum of direct P_l and of flip P_l^1; for large angles as series reduced twice (Yennie et al. 1954)."""
    small = cosines > 0.999
    f, g = np.zeros(cosines.size, complex), np.zeros(cosines.size, complex)
    for which, times in ((small, 0), (~small, 2)):
        a, b = direct, flip
        for _ in range(times):
            a, b = _reduce(a, b)
        x = cosines[which]
        sums = np.zeros((2, x.size), complex)
        if x.size:
            _legendre_sums(a, b, x, sums)
        f[which], g[which] = sums / (1 - x) ** times
    return f, g


def _reduce(a: Waves, b: Waves) -> tuple[Waves, Waves]:
    """Coefficients of (1 - x) times the series; the last term, which would need the next one, is left out."""
    n = np.arange(1, a.size - 1)
    first = a[0] - a[1] / 3
    f = a[1:-1] - (n + 1) / (2 * n + 3) * a[2:] - n / (2 * n - 1) * a[:-2]
    g = b[1:-1] - (n - 1) / (2 * n - 1) * b[:-2] - (n + 2) / (2 * n + 3) * b[2:]
    return np.concatenate([[first], f]), np.concatenate([[0.0], g])


@kernel  # type: ignore[untyped-decorator]
def _legendre_sums(a: Waves, b: Waves, x: Array, out: Waves) -> None:
    for i in range(x.size):
        c = x[i]
        sine = np.sqrt(max(1.0 - c * c, 0.0))
        p0, p1 = 1.0, c
        d0, d1 = 0.0, sine
        f, g = a[0] + a[1] * p1, b[1] * d1
        for n in range(1, a.size - 1):
            p0, p1 = p1, ((2 * n + 1) * c * p1 - n * p0) / (n + 1)
            d0, d1 = d1, ((2 * n + 1) * c * d1 - (n + 1) * d0) / n
            f += a[n + 1] * p1
            g += b[n + 1] * d1
        out[0, i], out[1, i] = f, g
