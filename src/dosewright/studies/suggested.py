"""The largest cuts that lose less than a share of what reaches a target."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.studies.collected import Smallest
from dosewright.studies.target import Share, Target

Truth = NDArray[np.bool_]

HALVINGS = 30  # of the share that each cut may lose, for all to lose less than that together
DIGITS = 3  # of the energy of a cut


@dataclass(frozen=True)
class Cut:
    """A cut in a region for one kind of particles: energy (MeV) and range (cm), infinite where any will do.

    Parameters
    ----------
    met
        Share of the target particles that any cut here could lose.
    smallest_MeV, smallest_cm
        Up to here nothing is lost.
    lost
        The share that the cut alone loses.
    """

    region: int
    kind: int
    met: Share
    smallest_MeV: float
    smallest_cm: float
    energy_MeV: float
    range_cm: float
    lost: Share


@dataclass(frozen=True)
class Common:
    """One range (cm) for all regions, for one kind of particles or all (None), and the share that it loses.

    Every target particle counts once, by the smallest range that it or an ancestor had anywhere.
    """

    kind: int | None
    range_cm: float
    lost: Share


@dataclass(frozen=True)
class Together:
    """Cuts that lose less than a share of the target particles all together.

    Parameters
    ----------
    energies_MeV
        By region and kind; what is missing may have any cut. Rounded down to three digits.
    allowed
        What each alone may lose.
    lost
        What all lose.
    """

    energies_MeV: dict[tuple[int, int], float]
    allowed: float
    lost: Share


def cuts_of(target: Target, smallest: Smallest, allowed: float) -> tuple[Cut, ...]:
    """Return the largest cut of each region and kind that alone loses less than a share."""
    return tuple(_cut(target, smallest.at(*place), *place, allowed) for place in smallest.places)


def _cut(target: Target, here: Smallest, region: int, kind: int, allowed: float) -> Cut:
    energy = target.largest_cut(here.of, here.energy_MeV, allowed)
    return Cut(
        region=region,
        kind=kind,
        met=target.share(target.lost_below(here.of, here.energy_MeV, np.inf)),
        smallest_MeV=float(here.energy_MeV.min()),
        smallest_cm=float(here.range_cm.min()),
        energy_MeV=energy,
        range_cm=target.largest_cut(here.of, here.range_cm, allowed),
        lost=target.share(target.lost_below(here.of, here.energy_MeV, energy)),
    )


def common_ranges(target: Target, smallest: Smallest, allowed: float, kinds: int) -> tuple[Common, ...]:
    """Return the largest range for all regions, for each kind of particles and for all of them."""
    return tuple(_common(target, smallest, kind, allowed) for kind in (*range(kinds), None))


def _common(target: Target, smallest: Smallest, kind: int | None, allowed: float) -> Common:
    chosen = np.ones(smallest.of.shape, np.bool_) if kind is None else smallest.kind == kind
    shortest = np.full(target.weight.shape, np.inf)
    np.minimum.at(shortest, smallest.of[chosen], smallest.range_cm[chosen])
    of = np.flatnonzero(np.isfinite(shortest))
    range_cm = target.largest_cut(of, shortest[of], allowed)
    return Common(kind, range_cm, target.share(target.lost_below(of, shortest[of], range_cm)))


def together(target: Target, smallest: Smallest, allowed: float) -> Together:
    """Return cuts of all regions and kinds that lose less than a share together, each allowed to lose as much."""
    here = {place: smallest.at(*place) for place in smallest.places}
    none, each, most = 0.0, allowed, allowed
    for _ in range(HALVINGS):
        if target.share(_lost(target, here, _energies(target, here, each))).value < allowed:
            none = each
        else:
            most = each
        each = (none + most) / 2
    energies = _energies(target, here, none)
    return Together(energies, none, target.share(_lost(target, here, energies)))


def _energies(target: Target, here: dict[tuple[int, int], Smallest], allowed: float) -> dict[tuple[int, int], float]:
    """Return the largest cuts that each lose less than a share, rounded down; those that may be any are missing."""
    cuts = {place: target.largest_cut(one.of, one.energy_MeV, allowed) for place, one in here.items()}
    return {place: rounded_down(cut) for place, cut in cuts.items() if np.isfinite(cut)}


def _lost(target: Target, here: dict[tuple[int, int], Smallest], energies_MeV: dict[tuple[int, int], float]) -> Truth:
    """Say which target particles are lost by any of some cuts; where one is missing, by whatever it is."""
    lost = np.zeros(target.weight.shape, np.bool_)
    for place, one in here.items():
        lost |= target.lost_below(one.of, one.energy_MeV, energies_MeV.get(place, np.inf))
    return lost


def rounded_down(energy_MeV: float) -> float:
    """Return an energy with few digits, never more."""
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(energy_MeV)))
    return float(f"{np.floor(energy_MeV * scale) / scale:.{DIGITS}g}")
