"""Particles that reached a target, and the shares of them that cuts lose."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]

# Nothing of n has a chance of 5 % where three were expected: Hanley, Lippman-Hand, JAMA 249, 1743 (1983).
RULE_OF_THREE = 3.0


class Share(NamedTuple):
    """A share of the weight of target particles, and its standard error over histories."""

    value: float
    error: float


class Target(NamedTuple):
    """Particles that reached a target, by the number of their history; arrays of one length.

    Those of one history are not independent, and belong together in every error.
    """

    history: Whole
    species: Whole
    weight: Array

    @property
    def total(self) -> float:
        """Their weight."""
        return float(self.weight.sum())

    @property
    def independent(self) -> float:
        """How many particles of equal weight and histories of their own would tell as much (Kish, 1965)."""
        if not self.weight.size:
            return 0.0
        _, of = np.unique(self.history, return_inverse=True)
        return float(self.total**2 / (np.bincount(of, self.weight) ** 2).sum())

    @property
    def unseen(self) -> float:
        """What may be lost, with 95 % confidence at most, where nothing was met: the rule of three."""
        return RULE_OF_THREE / self.independent

    def share(self, lost: Truth) -> Share:
        """Return the share that is lost.

        The error is that of a ratio of sums over histories (Cochran, Sampling Techniques, 3rd ed. 1977, 2.11).
        """
        _, of = np.unique(self.history, return_inverse=True)
        histories = int(of.max()) + 1
        all_of, lost_of = np.bincount(of, self.weight), np.bincount(of, self.weight * lost)
        value = float(lost_of.sum() / all_of.sum())
        spread = float(((lost_of - value * all_of) ** 2).sum())
        error = np.sqrt(spread * histories / max(histories - 1, 1)) / self.total
        return Share(value, float(error))

    def lost_below(self, of: Whole, value: Array, cut: float) -> Truth:
        """Say which are lost where a cut ends what lies below it: `value` belongs to the particles `of`."""
        lost = np.zeros(self.weight.shape, np.bool_)
        lost[of[value < cut]] = True
        return lost

    def largest_cut(self, of: Whole, value: Array, allowed: float) -> float:
        """Return the largest cut that loses less than a share, infinite where none loses as much.

        `value` is the smallest of each of the particles `of`, which are named once.
        """
        order = np.argsort(value, kind="stable")
        lost = np.cumsum(self.weight[of[order]])
        fewer = int(np.searchsorted(lost, allowed * self.total))
        return float(value[order[fewer]]) if fewer < len(order) else np.inf
