"""What a pencil beam of FRED is like: its energies, its cross-section, and how it spreads.

Source: FRED manual, source definition, virtual point source, emittance and sigma squared models.
"""

import math
from dataclasses import dataclass

import numpy as np

from dosewright.core.beam_model import Optics
from dosewright.core.looks import tried
from dosewright.core.units import MM_PER_CM
from dosewright.formats.text.fred.taking import Taking, Triple, as_list, as_number

SHAPES = {"pin": "pin", "dot": "pin", "square": "box", "box": "box", "rect": "box", "disc": "disc", "circle": "disc",
          "ellipse": "disc", "gauss": "gauss", "gaussian": "gauss", "emittance": "emittance",
          "uparrow": "uparrow"}  # fmt: skip
DISTRIBUTIONS = {"line": "line", "monoenergetic": "line", "monochromatic": "line", "gauss": "gauss",
                 "gaussian": "gauss", "uniform": "uniform", "flat": "uniform", "box": "uniform",
                 "rect": "uniform"}  # fmt: skip
HIGHEST_MEV, USUAL_MEV = 1e5, 100.0
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))  # of a Gaussian
SIGMA_KEYS = ("sigmaSqr_D_ISO", "sigmaSqr_aX", "sigmaSqr_bX", "sigmaSqr_cX",
              "sigmaSqr_aY", "sigmaSqr_bY", "sigmaSqr_cY")  # fmt: skip
EMITTANCE = "emittanceX, twissAlphaX, twissBetaX, emittanceRefPlaneDistance"


@dataclass(frozen=True)
class Energy:
    """Kinetic energy of a pencil beam.

    Parameters
    ----------
    mean_MeV, per_nucleon
        Mean, in all or per nucleon; so are the widths and bounds.
    distribution
        ``"line"``, ``"gauss"`` or ``"uniform"``.
    fwhm_MeV
        Full width at half maximum; of a uniform distribution its width.
    momentum_fwhm
        Width as a fraction of the momentum instead, or 0.
    least_MeV, most_MeV
        Bounds of what is sampled; infinite where there are none.
    """

    mean_MeV: float
    per_nucleon: bool
    distribution: str
    fwhm_MeV: float
    momentum_fwhm: float
    least_MeV: float
    most_MeV: float


@dataclass(frozen=True)
class CrossSection:
    """Where particles start across a pencil beam: a shape, its widths along left and up, its turn, radial bounds."""

    shape: str
    fwhm_mm: tuple[float, float]
    turned_deg: float
    least_radius_mm: float
    most_radius_mm: float


@dataclass(frozen=True)
class PointSource:
    """Straight lines from points on the axis: their distances for left and up, and the plane of the cross-section, mm.

    All count from the origin of the field along its front, downstream positive.
    """

    source_mm: tuple[float, float]
    plane_mm: float


@dataclass(frozen=True)
class Envelope:
    """A Gaussian beam in phase space, at a plane so many mm downstream of the pencil beam's origin."""

    optics: Optics
    plane_mm: float


def read_energy(taking: Taking, notes: list[str]) -> Energy:
    """Read the energies."""
    in_all = taking.number("T", "E", "Emean", least=1e-6, most=HIGHEST_MEV)
    per_u = taking.number("Tu", "Eu", "Eumean", least=1e-6, most=HIGHEST_MEV)
    per_nucleon = per_u is not None
    u = "u" if per_nucleon else ""
    if in_all is not None and per_nucleon:
        taking.problem(f"{taking.what}: the energy is given twice", given="in all and per nucleon")
    least, most = (taking.number(f"E{u}{end}", least=0.0, most=HIGHEST_MEV) for end in ("min", "max"))
    sigma = taking.number(f"E{u}stdev", least=0.0)
    fwhm = taking.number(f"E{u}FWHM", least=0.0)
    fraction = taking.number("Espread", "ESpread", least=0.0, most=10.0)
    momentum = taking.number("pSpread", "PSpread", least=0.0, most=10.0)
    mean = next((one for one in (in_all, per_u) if one is not None), None)
    distribution = taking.choice("Edistrib", DISTRIBUTIONS)
    if distribution == "uniform" and None not in (least, most) and mean is None and fwhm is None:
        assert least is not None and most is not None  # noqa: S101  (for the type checker)
        mean, fwhm = (least + most) / 2, most - least
    if mean is None:
        _say_once(notes, f"Pencil beams without an energy have {USUAL_MEV:g} MeV, FRED's default.")
        mean = USUAL_MEV
    widths = [one for one in (sigma, fwhm, fraction, momentum) if one is not None]
    if len(widths) > 1:
        taking.problem(f"{taking.what}: the width of the energy is given more than once",
                       allowed=f"one of E{u}stdev, E{u}FWHM, Espread, pSpread")  # fmt: skip
    width = next((w for w in (fwhm, sigma and sigma * FWHM_PER_SIGMA, fraction and fraction * mean) if w), 0.0)
    wide = width > 0 or bool(momentum)
    if distribution is None:
        distribution = "gauss" if wide else "line"
        if sigma or fwhm:  # fractional widths are those of a Gaussian by the manual
            _say_once(notes, "A width of the energy without Edistrib is taken as that of a Gaussian.")
    elif distribution == "line" and wide:
        taking.problem(f"{taking.what}: a line has no width", given="Edistrib = line")
    if least is not None and most is not None and not least < most:
        taking.problem(f"{taking.what}: the bounds of the energy are not in order", given=f"{least:g}, {most:g}")
    return Energy(mean, per_nucleon, distribution if wide else "line", width, momentum or 0.0,
                  0.0 if least is None else least, math.inf if most is None else most)  # fmt: skip


def _say_once(notes: list[str], sentence: str) -> None:
    if sentence not in notes:
        notes.append(sentence)


def read_section(taking: Taking, spread: PointSource | Envelope | None) -> CrossSection:
    """Read the cross-section; a beam in phase space has its own."""
    shape = taking.choice("Xsec", SHAPES)
    both = taking.number("FWHM", least=0.0)
    x, y = (taking.number(f"FWHM{axis}", least=0.0) for axis in "xy")
    if both is not None and (x is not None or y is not None):
        taking.problem(f"{taking.what}: FWHM is given for both and for one axis")
    width = tuple(MM_PER_CM * (one if one is not None else both or 0.0) for one in (x, y))
    turned = taking.number("alpha") or 0.0
    least, most = taking.number("rmin", least=0.0), taking.number("rmax", least=0.0)
    wide = max(width) > 0
    if isinstance(spread, Envelope):
        shape = "emittance"  # it overrides shape and widths, as the manual says of the sigma squared model
    elif shape == "emittance":
        taking.problem(f"{taking.what}: the emittance model lacks its values", allowed=f"{EMITTANCE}; or sigmaSqrModel")
    elif wide and shape in (None, "pin"):
        taking.problem(f"{taking.what}: a pin has no width", given="FWHM", allowed="Xsec = gauss, disc, box ...")
    elif not wide and shape not in (None, "pin"):
        taking.problem(f"{taking.what}: the cross-section has no width", given=f"Xsec = {shape}", allowed="FWHM = ...")
    radii = (MM_PER_CM * (least or 0.0), math.inf if most is None else MM_PER_CM * most)
    if not radii[0] < radii[1]:
        taking.problem(f"{taking.what}: rmin is not below rmax")
    return CrossSection(shape or "pin", (width[0], width[1]), turned, *radii)


def read_point_source(taking: Taking) -> PointSource | None:
    """Read the virtual point source; None where particles fly parallel."""
    both = taking.number("VSD")
    x, y = taking.number("VSDx"), taking.number("VSDy")
    plane = taking.number("refPlaneDistance")
    if both is None and x is None and y is None and plane is None:
        return None
    if both is not None and (x is not None or y is not None):
        taking.problem(f"{taking.what}: VSD is given for both and for one axis")
    source = tuple(MM_PER_CM * (one if one is not None else both or 0.0) for one in (x, y))
    at = MM_PER_CM * (plane or 0.0)
    parallel = [one == at for one in source]
    if any(parallel) and not all(parallel):
        taking.problem(f"{taking.what}: the point source lies in the reference plane along one axis only")
    return None if all(parallel) else PointSource((source[0], source[1]), at)


def read_envelope(taking: Taking) -> Envelope | None:
    """Return the beam in phase space of Twiss parameters, or of a parabola of the squared size; or None."""
    by_emittance, by_size = taking.given("emittanceX"), taking.given("sigmaSqrModel", *SIGMA_KEYS)
    if by_emittance and by_size:
        taking.problem(f"{taking.what} has an emittance and a sigma squared model", allowed="one of them")
    if by_size:
        return _optics_of(taking, _sigma_squared(taking))
    if by_emittance:
        return _optics_of(taking, _twiss(taking))
    return None


def _twiss(taking: Taking) -> tuple[float, tuple[Triple, Triple]] | None:
    """Return the plane, cm, and (<xx>, <xx'>, <x'x'>) in cm and rad for both axes."""
    x = [
        taking.number(f"{key}X", least=low)
        for key, low in (("emittance", 0.0), ("twissAlpha", -1e30), ("twissBeta", 0.0))
    ]
    y = [
        taking.number(f"{key}Y", least=low)
        for key, low in (("emittance", 0.0), ("twissAlpha", -1e30), ("twissBeta", 0.0))
    ]
    plane = taking.number("emittanceRefPlaneDistance")
    if plane is None or any(one is None for one in x):
        taking.problem(f"{taking.what}: the emittance model is not complete",
                       allowed=EMITTANCE)  # fmt: skip
        return None
    axes = []
    for own in (x, [b if b is not None else a for a, b in zip(x, y, strict=True)]):
        emittance, alpha, beta = (one or 0.0 for one in own)
        if not beta > 0:
            taking.problem(f"{taking.what}: beta of Twiss must be positive", given=f"{beta:g}")
            return None
        axes.append((emittance * beta, -emittance * alpha, emittance * (1 + alpha * alpha) / beta))
    return plane, (axes[0], axes[1])


def _sigma_squared(taking: Taking) -> tuple[float, tuple[Triple, Triple]] | None:
    """Return the same from sigma^2 = a + b z + c z^2 about the isocentre: <xx'> = b/2, <x'x'> = c."""
    row = taking.read(["sigmaSqrModel"], lambda text, where: [as_number(word, where) for word in as_list(text, where)])
    single = [taking.number(key) for key in SIGMA_KEYS]
    values = single if row is None else [*row, *[None] * (7 - len(row))]
    if (row is not None and (len(row) not in (4, 7) or any(one is not None for one in single))) or None in values[:4]:
        taking.problem(f"{taking.what}: the sigma squared model needs its values once",
                       allowed="[D_ISO,aX,bX,cX], or with aY,bY,cY")  # fmt: skip
        return None
    distance, *rest = values
    x = [one or 0.0 for one in rest[:3]]
    y = [old if new is None else new for old, new in zip(x, rest[3:], strict=True)]
    return distance or 0.0, ((x[0], x[1] / 2, x[2]), (y[0], y[1] / 2, y[2]))


def _optics_of(taking: Taking, found: tuple[float, tuple[Triple, Triple]] | None) -> Envelope | None:
    if found is None:
        return None
    plane, axes = found
    covariances = [np.array([[xx * MM_PER_CM**2, xs * MM_PER_CM], [xs * MM_PER_CM, ss]]) for xx, xs, ss in axes]
    problems: list[str] = []
    optics = tried(lambda: Optics(1.0, covariances[0], covariances[1]), problems)
    for text in problems:
        taking.problem(f"{taking.what}: {text}")
    return None if optics is None else Envelope(optics, MM_PER_CM * plane)
