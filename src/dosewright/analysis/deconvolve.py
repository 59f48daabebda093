"""What a noisy quantity would be without its noise: distributions deconvolved class by class.

Observed is y = x + s e with e a standard normal number; wanted is the distribution of x. For each class of nearly equal
s the maximum-likelihood distribution on fixed places is found by expectation and maximisation (Kiefer and Wolfowitz,
Ann. Math. Stat. 27 (1956) 887; Laird, J. Am. Stat. Assoc. 73 (1978) 805), stopped early, which keeps it smooth. Places
beyond the outermost one count as there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Smearings = list[Floats | None]

FARTHEST = 3.0
PLACES = 60  # 1/10 apart, so that -1 and 1 lie between two of them
WIDTH = 2 * FARTHEST / PLACES
CLASS_RATIO = 1.15  # from one class of s to the next
LEAST_NOISE = 0.1  # below, y is taken for x
MOST_NOISE = 3.0
CLASSES = int(np.ceil(np.log(MOST_NOISE / LEAST_NOISE) / np.log(CLASS_RATIO))) + 1  # the first holds all below
ITERATIONS = 400

PLACE: Floats = np.asarray(-FARTHEST + WIDTH * (np.arange(PLACES) + 0.5), np.float64)
INSIDE = np.abs(PLACE) < 1.0


def noise_class(s: Floats) -> Integers:
    """Return the class of each noise; 0 for what is too small to matter."""
    above = np.log(np.maximum(s, 1e-12) / LEAST_NOISE) / np.log(CLASS_RATIO)
    classes: Integers = np.clip(np.floor(above) + 1, 0, CLASSES - 1).astype(np.int64)
    return classes


def bin_of(y: Floats) -> Integers:
    """Return the bin of each observed value, the outer ones for all beyond; -1 and 1 count as inside."""
    shifted = np.where(y > 0, y - 1e-9, y + 1e-9)
    bins: Integers = np.clip(np.floor((shifted + FARTHEST) / WIDTH), 0, PLACES - 1).astype(np.int64)
    return bins


def smearing_of(edges: Floats, s: float) -> Floats:
    """Return the share of each bin of y from each bin's middle x, [bin, place]; the outer bins take all beyond."""
    open_edges = edges.copy()
    open_edges[0], open_edges[-1] = -np.inf, np.inf
    below = ndtr((open_edges[:, None] - (edges[:-1] + edges[1:]) / 2) / s)
    return np.asarray(np.diff(below, axis=0), np.float64)


def deconvolved(counts: Floats, matrix: Floats | None) -> Floats:
    """Return distributions over the places [place, case] from counts of y [bin, case]; zeros where nothing counts.

    `matrix` is the smearing; None where there is none to speak of.
    """
    total = counts.sum(axis=0)
    filled = np.flatnonzero(total > 0)
    result = np.zeros_like(counts)
    if not len(filled):
        return result
    share = counts[:, filled] / total[filled]
    if matrix is None:
        result[:, filled] = share
        return result
    found = 0.9 * share + 0.1 / len(share)
    for _ in range(ITERATIONS):
        found *= matrix.T @ (share / np.maximum(matrix @ found, 1e-300))
    result[:, filled] = found
    return result


@dataclass(frozen=True)
class Sorted:
    """Observed values sorted into classes of noise and bins."""

    noise_class: Integers
    bin: Integers

    @classmethod
    def of(cls, y: Floats, s: Floats) -> "Sorted":
        """Sort values with their noise."""
        return cls(noise_class(s), bin_of(y))

    def smearings(self, s: Floats) -> "Smearings":
        """Return the smearing of each class, by the root of the mean square of its noises; None where none counts."""
        number = np.bincount(self.noise_class, minlength=CLASSES)
        squares = np.bincount(self.noise_class, np.square(s), minlength=CLASSES)
        edges = -FARTHEST + WIDTH * np.arange(PLACES + 1.0)
        return [
            smearing_of(edges, float(np.sqrt(squares[k] / number[k]))) if k and number[k] else None
            for k in range(CLASSES)
        ]

    def part(self, where: NDArray[np.bool_]) -> "Sorted":
        """Return some of the values."""
        return Sorted(self.noise_class[where], self.bin[where])

    def counts(self) -> Floats:
        """Return how many fall where, [class, bin]."""
        counted = np.bincount(self.noise_class * PLACES + self.bin, minlength=CLASSES * PLACES)
        return counted.reshape(CLASSES, PLACES).astype(float)


def all_deconvolved(counts: Floats, smearings: Smearings) -> Floats:
    """Return the distributions of each case and class over the places, [case, class, place], from such counts."""
    found = np.zeros_like(counts)
    for number in range(CLASSES):
        if counts[:, number].any():
            found[:, number] = deconvolved(counts[:, number].T, smearings[number]).T
    return found


def shares_inside(counts: Floats, distributions: Floats) -> Floats:
    """Return the part with ``|x| <= 1`` of each case; both arguments [case, class, ...]; nan where nothing counts."""
    of_class = counts.sum(axis=2)
    inside = (distributions[:, :, INSIDE].sum(axis=2) * of_class).sum(axis=1)
    total = of_class.sum(axis=1)
    shares: Floats = np.divide(inside, total, out=np.full(len(counts), np.nan), where=total > 0)
    return shares


def drawn(y: Floats, seen: Sorted, distributions: Floats, smearings: Smearings, quantile: Floats) -> Floats:
    """Return one x for each y: that quantile of what y leaves possible under distributions [class, place].

    Values beyond the outermost place, and those of too little noise, stay as they are.
    """
    x = y.copy()
    for number in range(1, CLASSES):
        smearing = smearings[number]
        of_class = np.flatnonzero((seen.noise_class == number) & (np.abs(y) < FARTHEST))
        if smearing is None or not len(of_class):
            continue
        posterior = np.cumsum(smearing * distributions[number], axis=1)
        bins = seen.bin[of_class]
        at = quantile[of_class] * posterior[bins, -1]
        place = np.minimum((posterior[bins] < at[:, None]).sum(axis=1), PLACES - 1)
        below = np.where(place > 0, posterior[bins, place - 1], 0.0)
        part = np.clip((at - below) / np.maximum(posterior[bins, place] - below, 1e-300), 0.0, 1.0)
        x[of_class] = PLACE[place] + WIDTH * (part - 0.5)
    return x
