"""The fast stage of a break-up: nucleons scatter on those of a nucleus (Serber, Phys. Rev. 72, 1114 (1947)).

A nucleus is a Fermi gas of the density found by electron scattering. A nucleon flies straight between collisions with
its free cross sections; collisions into occupied states do not happen (Pauli). All kinematics is relativistic and
exact inside a potential well as deep as the local Fermi energy and one separation energy; lengths are fm.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import NEUTRON_MASS_MEV, PROTON_MASS_MEV

NUCLEON_MEV = 0.5 * (PROTON_MASS_MEV + NEUTRON_MASS_MEV)
# Thickness parameter of the surface: 0.545 of the charge density (Hofstadter, Rev. Mod. Phys. 28, 214 (1956)), widened
# by the range of the force, 0.6 fm2 along each axis (Ray, Phys. Rev. C 20, 1857 (1979)), less the 0.26 of the proton.
SURFACE_FM = 0.61
HALF_RADIUS_FM, HALF_RADIUS_OFFSET_FM = 1.18, 0.48  # half-density radius 1.18 A^(1/3) - 0.48: Elton, Nuclear Sizes
FAR_SURFACES = 5.0  # the edge of the nucleus lies this many thicknesses outside the half-density radius
# Fermi momentum MeV/c: highest - light exp(-A/16), within 4 % of quasi-elastic electron scattering on eight nuclei,
# Moniz et al., Phys. Rev. Lett. 26, 445 (1971).
FERMI_HIGHEST, FERMI_LIGHT, FERMI_NUCLEONS = 265.0, 90.0, 16.0
# Proton on neutron: 1 + s cos^4 of the angle in the centre of mass, s growing with energy, more so backward: shape of
# the data to 200 MeV in Hess, Rev. Mod. Phys. 30, 368 (1958), read to some 20 %.
FORWARD_PER_MEV, BACKWARD_PER_MEV = 0.015, 0.025
MILLIBARN_FM2 = 0.1


class Nucleus(NamedTuple):
    """A nucleus as nucleons see it.

    Half-density radius and edge (fm), central density (fm^-3), share of protons, Fermi momentum
    (MeV/c) and energy, depth of the well (MeV).
    """

    radius: float
    edge: float
    density: float
    protons: float
    fermi: float
    fermi_energy: float
    well: float


class Nucleon(NamedTuple):
    """A nucleon inside: position (fm), direction, energy above rest outside (MeV), whether a proton (1 or 0)."""

    x: float
    y: float
    z: float
    u: float
    v: float
    w: float
    energy: float
    charge: float


@kernel
def nucleus_of(nucleons, protons, separation):
    """Return the density distribution of a nucleus; the normalisation is that of a two-parameter Fermi function."""
    radius = HALF_RADIUS_FM * nucleons ** (1.0 / 3.0) - HALF_RADIUS_OFFSET_FM
    volume = 4.0 / 3.0 * np.pi * radius**3 * (1.0 + (np.pi * SURFACE_FM / radius) ** 2)
    fermi = FERMI_HIGHEST - FERMI_LIGHT * np.exp(-nucleons / FERMI_NUCLEONS)
    fermi_energy = np.sqrt(fermi * fermi + NUCLEON_MEV * NUCLEON_MEV) - NUCLEON_MEV
    return Nucleus(
        radius,
        radius + FAR_SURFACES * SURFACE_FM,
        nucleons / volume,
        protons / nucleons,
        fermi,
        fermi_energy,
        fermi_energy + separation,
    )


@inlined
def without_two(nucleus, nucleons):
    """Return the nucleus as the later collisions find it: neither partner of the first is there to be struck."""
    n = nucleus
    density = n.density * (1.0 - 2.0 / nucleons)
    return Nucleus(n.radius, n.edge, density, n.protons, n.fermi, n.fermi_energy, n.well)


@inlined
def cross_sections(energy):
    """Return free cross sections of like and unlike nucleons, fm2: Metropolis et al., Phys. Rev. 110, 185 (1958)."""
    gamma = 1.0 + energy / NUCLEON_MEV
    inverse2 = 1.0 / (1.0 - 1.0 / (gamma * gamma))
    inverse = np.sqrt(inverse2)
    like = 10.63 * inverse2 - 29.92 * inverse + 42.9
    unlike = 34.10 * inverse2 - 82.2 * inverse + 82.2
    return MILLIBARN_FM2 * like, MILLIBARN_FM2 * unlike


@kernel
def enter(nucleus, energy, stream):
    """Return a proton that comes in along z, anywhere on the face of the nucleus."""
    a, b, _, _, stream = draw_four(stream)
    across, phi = nucleus.edge * np.sqrt(a), 2.0 * np.pi * b
    depth = np.sqrt(nucleus.edge * nucleus.edge - across * across)
    return Nucleon(across * np.cos(phi), across * np.sin(phi), -depth, 0.0, 0.0, 1.0, energy, 1.0), stream


@kernel
def collide(nucleus, nucleon, stream):
    """Fly on until a collision or the edge; return whether there was one, both nucleons after it, and the stream.

    Of the two the first has more energy. Where there was none, the nucleon is returned twice.
    """
    like, unlike = cross_sections(max(nucleon.energy, 0.0) + 0.5 * nucleus.well)
    same = nucleus.protons if nucleon.charge > 0.5 else 1.0 - nucleus.protons
    like, unlike = same * like, (1.0 - same) * unlike
    rate = nucleus.density * (like + unlike)
    share_like = like / (like + unlike)
    x, y, z = nucleon.x, nucleon.y, nucleon.z
    along, distance2 = x * nucleon.u + y * nucleon.v + z * nucleon.w, x * x + y * y + z * z
    left = np.sqrt(max(along * along + nucleus.edge * nucleus.edge - distance2, 0.0)) - along
    densest = _density(nucleus, distance2 - along * along if along < 0.0 else distance2)
    while True:
        a, b, c, d, stream = draw_four(stream)
        path = -np.log(a) / (rate * densest)  # as if all were as dense; thinner places let it pass (Woodcock)
        left -= path
        if left <= 0.0:
            return False, nucleon, nucleon, stream
        x, y, z = x + path * nucleon.u, y + path * nucleon.v, z + path * nucleon.w
        density = _density(nucleus, x * x + y * y + z * z)
        if b * densest < density:
            here = Nucleon(x, y, z, nucleon.u, nucleon.v, nucleon.w, nucleon.energy, nucleon.charge)
            charge = nucleon.charge if c < share_like else 1.0 - nucleon.charge
            allowed, first, second, stream = _scatter(nucleus, here, charge, density, d, stream)
            if allowed:
                return True, first, second, stream


@inlined
def _density(nucleus, distance2):
    """Return the density at a squared distance from the centre, over the central one."""
    return 1.0 / (1.0 + np.exp((np.sqrt(max(distance2, 0.0)) - nucleus.radius) / SURFACE_FM))


@kernel
def _scatter(nucleus, nucleon, charge, density, u, stream):
    """Scatter on a nucleon of the Fermi gas; return whether Pauli allows it, and both, the faster first.

    Where the density is a share of the central one, only that share of the nucleons comes, those of most energy
    (Boudard et al., Phys. Rev. C 66, 044615 (2002), correlate place and momentum so).
    """
    fermi, fermi_energy, well = nucleus.fermi, nucleus.fermi_energy, nucleus.well
    a, b, c, d, stream = draw_four(stream)
    k, k_cos, k_phi = fermi * (1.0 - density * a) ** (1.0 / 3.0), 2.0 * b - 1.0, 2.0 * np.pi * c
    k_sin = k * np.sqrt(1.0 - k_cos * k_cos)
    kx, ky, kz = k_sin * np.cos(k_phi), k_sin * np.sin(k_phi), k * k_cos
    inside = nucleon.energy + well
    p = np.sqrt(inside * (inside + 2.0 * NUCLEON_MEV))
    e1, e2 = inside + NUCLEON_MEV, np.sqrt(k * k + NUCLEON_MEV * NUCLEON_MEV)
    total, px, py, pz = e1 + e2, p * nucleon.u + kx, p * nucleon.v + ky, p * nucleon.w + kz
    s = total * total - px * px - py * py - pz * pz
    q = np.sqrt(max(0.25 * s - NUCLEON_MEV * NUCLEON_MEV, 0.0))  # momentum in the centre of mass
    cosine = 2.0 * d - 1.0
    if charge != nucleon.charge:
        cosine, stream = _unlike_cosine(2.0 * q * q / NUCLEON_MEV, cosine, stream)
    # The first nucleon's direction in the centre of mass: its momentum less its share of the whole.
    root = np.sqrt(s)
    back = ((p * (nucleon.u * px + nucleon.v * py + nucleon.w * pz)) / (total + root) - e1) / root
    ax, ay, az = p * nucleon.u + back * px, p * nucleon.v + back * py, p * nucleon.w + back * pz
    ax, ay, az = _turn(ax, ay, az, cosine, 2.0 * np.pi * u)
    ax, ay, az = q * ax, q * ay, q * az
    after = (px * ax + py * ay + pz * az) / root
    e1 = 0.5 * total + after
    e2 = total - e1
    lowest = NUCLEON_MEV + fermi_energy
    if e1 < lowest or e2 < lowest:
        return False, nucleon, nucleon, stream
    share = after / (total + root) + 0.5
    ax, ay, az = ax + share * px, ay + share * py, az + share * pz
    first = _sent(nucleon, ax, ay, az, e1 - NUCLEON_MEV - well, nucleon.charge)
    second = _sent(nucleon, px - ax, py - ay, pz - az, e2 - NUCLEON_MEV - well, charge)
    if e2 > e1:
        return True, second, first, stream
    return True, first, second, stream


@inlined
def _sent(place, px, py, pz, energy, charge):
    one = 1.0 / np.sqrt(px * px + py * py + pz * pz)
    return Nucleon(place.x, place.y, place.z, px * one, py * one, pz * one, energy, charge)


@kernel
def _unlike_cosine(energy, cosine, stream):
    """Sample the angle between proton and neutron for the `energy` of a free collision in the laboratory."""
    forward, backward = FORWARD_PER_MEV * energy, BACKWARD_PER_MEV * energy
    while True:
        a, b, c, d, stream = draw_four(stream)
        slope = forward if cosine > 0.0 else backward
        if a * (1.0 + backward) < 1.0 + slope * cosine**4:
            return cosine, stream
        cosine = 2.0 * b - 1.0
        slope = forward if cosine > 0.0 else backward
        if c * (1.0 + backward) < 1.0 + slope * cosine**4:
            return cosine, stream
        cosine = 2.0 * d - 1.0


@inlined
def _turn(x, y, z, cosine, phi):
    """Return the unit vector at a polar angle and azimuth about (x, y, z), which need not be one."""
    one = 1.0 / np.sqrt(x * x + y * y + z * z + 1.0e-30)
    u, v, w = x * one, y * one, z * one
    sine = np.sqrt(max(0.0, 1.0 - cosine * cosine))
    a, b = sine * np.cos(phi), sine * np.sin(phi)
    across = np.sqrt(u * u + v * v)
    if across < 1.0e-6:
        return a, b, cosine if w > 0.0 else -cosine
    return (
        u * cosine + (u * w * a - v * b) / across,
        v * cosine + (v * w * a + u * b) / across,
        w * cosine - across * a,
    )
