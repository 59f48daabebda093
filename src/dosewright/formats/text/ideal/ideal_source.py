"""Source properties text of IDEAL and GATE: distances, then polynomials in nominal energy, highest power first.

The emittance of this format is the area of the ellipse in (mm rad): pi times the root-mean-square emittance
(IDEAL manual; Grevillot et al., Phys. Med. Biol. 56, 5203, 2011).
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.ideal.gate_macro import Macro, read_macro
from dosewright.formats.text.ideal.gate_volumes import truth
from dosewright.formats.text.lines import Line, content_lines, number, sha256
from dosewright.formats.text.tabulated_beam import LARGEST_DIVERGENCE_RAD, LARGEST_SIZE_MM, inside

FILE_NAME = re.compile(r"(?P<machine>.+?)_(?P<radiation>PROTON|ION_\d+_\d+_\d+)_source_properties$", re.IGNORECASE)
DISTANCES = ("nozzle-to-isocentre distance", "SMX-to-isocentre distance", "SMY-to-isocentre distance")
POLYNOMIALS = (
    "mean energy",
    "energy spread",
    "sigma x",
    "theta",
    "sigma y",
    "phi",
    "emittance x-theta",
    "emittance y-phi",
)
SPREAD_UNITS = {"mev": False, "percent": True, "percentage": True, "%": True}
HIGHEST_ORDER = 30
SEARCHED_MEV = np.arange(1.0, 500.5, 0.5)  # where a usable energy range is looked for
AREA_TOLERANCE = 1e-3  # polynomials are fits; an area this far above pi sigma theta counts as full


@dataclass(frozen=True)
class IdealSource:
    """The polynomials of a source file; calling it with a nominal energy (MeV per nucleon) gives the beam.

    `convergent` says for x and y whether the beam converges at the source plane.
    """

    name: str
    coefficients: dict[str, NDArray[np.float64]]
    spread_in_percent: bool
    monitor: NDArray[np.float64] | None
    convergent: tuple[bool, bool]
    range_MeV: tuple[float, float]

    def __call__(self, nominal_MeV: float) -> BeamAtEnergy:
        """Return the beam of a nominal energy inside the model's range."""
        energy = inside(self.name, nominal_MeV, self.range_MeV)
        value = {name: float(np.polyval(c, energy)) for name, c in self.coefficients.items()}
        mean = value["mean energy"]
        spread = value["energy spread"] * (mean / 100.0 if self.spread_in_percent else 1.0)
        cov_x = covariance(value["sigma x"], value["theta"], value["emittance x-theta"], self.convergent[0])
        cov_y = covariance(value["sigma y"], value["phi"], value["emittance y-phi"], self.convergent[1])
        per_mu = None if self.monitor is None else float(np.polyval(self.monitor, energy))
        if per_mu is not None and per_mu <= 0:
            raise refuse(f"The monitor calibration of {self.name!r} is not positive at {energy:g} MeV", given=per_mu)
        return BeamAtEnergy(mean, spread, (Optics(1.0, cov_x, cov_y),), per_mu)


def covariance(sigma_mm: float, divergence_rad: float, area_mm_rad: float, convergent: bool) -> NDArray[np.float64]:
    """Return the covariance of (position, slope) of a phase-space ellipse of given area.

    With Twiss parameters of rms emittance e = area / pi: beta e = sigma^2, gamma e = divergence^2, and the mixed
    term -alpha e = -/+ sqrt(sigma^2 divergence^2 - e^2), negative where the beam converges.
    """
    emittance = area_mm_rad / np.pi
    mixed = np.sqrt(max((sigma_mm * divergence_rad) ** 2 - emittance**2, 0.0))
    mixed = -mixed if convergent else mixed
    return np.array([[sigma_mm**2, mixed], [mixed, divergence_rad**2]])


def read_ideal_source(
    path: Path,
    *,
    machine: str | None = None,
    radiation: str | None = None,
    convergent: tuple[bool, bool] | None = None,
    energy_range_MeV: tuple[float, float] | None = None,
) -> BeamModel:
    """Read a source properties text.

    Parameters
    ----------
    path
        ``<Machine>_<RADTYPE>_source_properties.txt``, or any name where `machine` and `radiation` are given.
    convergent
        For x and y; None looks into ``<Machine>_beamline_details.mac`` beside the file, else assumes divergence.
    energy_range_MeV
        Nominal energies the model was made for; None takes the longest range in which the polynomials make sense.
    """
    named = FILE_NAME.match(path.stem)
    machine = machine if machine is not None else (named["machine"] if named else "")
    radiation = radiation or (named["radiation"].upper() if named else "PROTON")
    assumptions = (
        [] if named else [f"The name of {path.name} does not say machine and radiation; {radiation} is taken."]
    )
    if convergent is None:
        convergent, said = _convergence(path, machine, radiation)
        assumptions.append(said)
    distances, coefficients, in_percent, monitor = _parse(path)
    span = _energy_range(path, _usable_ranges(coefficients, in_percent), energy_range_MeV, assumptions)
    source = IdealSource(path.stem, coefficients, in_percent, monitor, convergent, span)
    return BeamModel(
        name=path.stem,
        machine=machine,
        radiation=radiation,
        plane_mm=distances[0],
        scanning_mm=(distances[1], distances[2]),
        energy_range_MeV=span,
        at=source,
        medium="air",
        source=f"IDEAL source properties {path.name}",
        assumptions=tuple(assumptions),
        sha256=sha256(path),
    )


Parsed = tuple[list[float], dict[str, NDArray[np.float64]], bool, NDArray[np.float64] | None]


def _parse(path: Path) -> Parsed:
    lines = content_lines(path)
    if len(lines) < len(DISTANCES):
        raise refuse("The source file ends before its three distances", where=path.name)
    distances = [
        number(line.text, line.where, f"the {what} in mm") for line, what in zip(lines, DISTANCES, strict=False)
    ]
    if min(distances) <= 0:
        raise refuse("The distances of a source file must be positive", given=distances, where=path.name)
    rest = lines[len(DISTANCES) :]
    coefficients, in_percent = {}, True
    for name in POLYNOMIALS:
        if name == "energy spread" and rest and not _is_number(rest[0].text):
            in_percent = _spread_unit(rest[0])
            rest = rest[1:]
        coefficients[name], rest = _polynomial(name, rest, path)
    monitor = None
    if rest:
        monitor, rest = _polynomial("monitor calibration", rest, path)
    if rest:
        raise refuse("The source file goes on after its last polynomial", given=repr(rest[0].text), where=rest[0].where)
    return distances, coefficients, in_percent, monitor


def _polynomial(name: str, lines: list[Line], path: Path) -> tuple[NDArray[np.float64], list[Line]]:
    if not lines:
        raise refuse(f"The source file ends before the polynomial of {name}", where=path.name)
    order = number(lines[0].text, lines[0].where, f"the order of the polynomial of {name}")
    if order != int(order) or not 0 <= order <= HIGHEST_ORDER:
        raise refuse(f"The order of the polynomial of {name} must be a whole number from 0 to {HIGHEST_ORDER}",
                     given=lines[0].text, where=lines[0].where)  # fmt: skip
    values = lines[1 : int(order) + 2]
    if len(values) < int(order) + 1:
        raise refuse(f"The polynomial of {name} lacks coefficients", given=len(values), allowed=int(order) + 1,
                     where=lines[0].where)  # fmt: skip
    return np.array([number(v.text, v.where, f"a coefficient of {name}") for v in values]), lines[int(order) + 2 :]


def _is_number(text: str) -> bool:
    try:
        number(text, "")
    except InputError:
        return False
    return True


def _spread_unit(line: Line) -> bool:
    if line.text.casefold() not in SPREAD_UNITS:
        raise refuse(
            "Unknown unit of the energy spread", given=repr(line.text), allowed="MeV, percent", where=line.where
        )
    return SPREAD_UNITS[line.text.casefold()]


def _usable_ranges(coefficients: dict[str, NDArray[np.float64]], in_percent: bool) -> list[tuple[float, float]]:
    """Return the ranges of nominal energy in which sizes, spreads and emittances are those of a possible beam."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = {name: np.polyval(c, SEARCHED_MEV) for name, c in coefficients.items()}
        full = 1.0 + AREA_TOLERANCE
        usable = (value["mean energy"] > 0) & (value["energy spread"] >= 0)
        usable &= value["energy spread"] < (100.0 if in_percent else value["mean energy"])
        for sigma, slope, area in (("sigma x", "theta", "emittance x-theta"), ("sigma y", "phi", "emittance y-phi")):
            usable &= (value[sigma] >= 0) & (value[slope] >= 0) & (value[area] >= 0)
            usable &= (value[sigma] <= LARGEST_SIZE_MM) & (value[slope] <= LARGEST_DIVERGENCE_RAD)
            usable &= value[area] <= full * np.pi * value[sigma] * value[slope]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], usable, [False]]).astype(int)))
    return [(float(SEARCHED_MEV[a]), float(SEARCHED_MEV[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _energy_range(
    path: Path, spans: list[tuple[float, float]], wanted: tuple[float, float] | None, assumptions: list[str]
) -> tuple[float, float]:
    """Return the wanted range if it is usable, else the longest usable one, saying so."""
    if not spans:
        raise refuse("The polynomials describe no possible beam at any energy from 1 to 500 MeV", where=path.name)
    low, high = max(spans, key=lambda span: span[1] - span[0])
    if wanted is None:
        assumptions.append(
            "The source file names no energy range; "
            f"its polynomials describe a possible beam from {low:g} to {high:g} MeV."
        )
        return low, high
    if not low <= wanted[0] <= wanted[1] <= high:
        raise refuse(
            "The energy range exceeds that in which the polynomials make sense",
            given=wanted,
            allowed=f"{low:g} to {high:g} MeV",
            where=path.name,
        )
    return wanted


def convergence(macro: Macro, radiation: str, where: str) -> tuple[bool, bool]:
    """Return whether a radiation type converges at the source plane in x and in y, by the aliases of a macro.

    Both of IDEAL's names are known, ``<RADTYPE>_CONVERGENCE_XTHETA`` and ``<RADTYPE>_XTHETA``.
    """
    told = {name.casefold(): value for name, value in macro.aliases.items()}
    found = []
    for axis in ("XTHETA", "YPHI"):
        names = (f"{radiation}_CONVERGENCE_{axis}", f"{radiation}_{axis}")
        said = [told[name.casefold()] for name in names if name.casefold() in told]
        if not said:
            hint = nearest(names[0], macro.aliases)
            raise refuse(f"The beamline macro does not say whether the beam converges.{hint}",
                         allowed=f"/control/alias {names[0]} true, or false", where=where)  # fmt: skip
        found.append(truth(said[0], where))
    return found[0], found[1]


def _convergence(path: Path, machine: str, radiation: str) -> tuple[tuple[bool, bool], str]:
    """Return convergence of x and y from the beamline macro beside the file, and the sentence that says so."""
    details = path.with_name(f"{machine}_beamline_details.mac")
    if not machine or not details.is_file():
        return (False, False), "No beamline macro says whether the beam converges; it is taken to diverge at its plane."
    outside = path.parent.parent
    macro = read_macro(details, root=outside if (outside / "common").is_dir() else path.parent)
    if macro.volumes:
        raise refuse("A source file alone does not hold the nozzle of its machine",
                     given=f"{details.name} builds {', '.join(macro.volumes)}",
                     allowed="the beam model by its name, from a library that holds both", where=path.name)  # fmt: skip
    return convergence(macro, radiation, details.name), f"Convergence at the source plane is that of {details.name}."
