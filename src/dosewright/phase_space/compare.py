"""Two phase spaces side by side: per quantity, whether they differ by more than their statistics allow.

Numbers and energy per original history are compared by their errors over histories. Distributions are compared in
bins that hold about as many particles each, as shares of all particles of the class, by chi square with the whole
covariance matrix of the bins over histories: particles of one history are correlated, and a test that takes them as
independent finds differences where there are none. With so many histories Hotelling's statistic is chi square (T. W.
Anderson, An Introduction to Multivariate Statistical Analysis, 3rd ed. 2003, section 5.4). A shift that is small in
every bin shows in the mean rank, which is tested beside it; the smaller probability is doubled for the two chances. All
tests together are judged by Holm's method (Scand. J. Stat. 6 (1979) 65).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, erfc

from dosewright.analysis.history_products import HistoryProducts
from dosewright.core.particles import SPECIES, Particles
from dosewright.phase_space.histories import Numbering, begun
from dosewright.phase_space.look import Look
from dosewright.phase_space.quantities import QUANTITIES
from dosewright.phase_space.statistics import Statistics

DISTRIBUTIONS = ("Energy", "X", "Y", "R", "Vx", "Vy", "Vz", "Weight")
FINE, OF_SPECIES = 60, 10  # bins at first, of all particles and of each species; joined where the test is made
BINS = 20  # of a test, at most
ENOUGH = 25.0  # histories, in effect, that both would have in each bin if they were alike


@dataclass(frozen=True)
class Verdict:
    """One quantity of both.

    Parameters
    ----------
    particles
        ``ALL`` or a species.
    quantity
        ``number``, ``weight`` or ``energy`` per history, or the name of a distribution.
    first, second
        Its value per history, or its mean over particles, in each.
    error
        One standard deviation of ``second - first`` for values per history; None for distributions.
    chi_square, freedom
        What was tested, and its degrees of freedom.
    p
        Probability of as large a chi square if both were alike; for distributions the smaller one of that and of as
        large a difference of mean ranks, times two; None with too few particles to tell.
    p_together
        The same for all tests together (Holm).
    """

    particles: str
    quantity: str
    first: float
    second: float
    error: float | None
    chi_square: float
    freedom: int
    p: float | None
    p_together: float | None = None

    def word(self, significance: float) -> str:
        """Return ``alike``, ``differ`` or ``too few``, for a probability with which alike ones may be told apart."""
        if self.p_together is None:
            return "too few"
        return "differ" if self.p_together < significance else "alike"


@dataclass
class Side:
    """One of the two while it is read.

    Parameters
    ----------
    edges
        Between the bins of each distribution, the same for both.
    """

    edges: dict[str, NDArray[np.float64]]
    statistics: Statistics = field(default_factory=Statistics)
    original_histories: float = 0.0
    _numbering: Numbering = field(default_factory=Numbering)
    _products: dict[str, HistoryProducts] = field(init=False)
    _moments: dict[str, NDArray[np.float64]] = field(init=False)
    _covariances: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._products = {q: HistoryProducts.empty(len(SPECIES) * (len(e) + 1)) for q, e in self.edges.items()}
        self._moments = {quantity: np.zeros((2, len(SPECIES))) for quantity in self.edges}

    def read(self, batches: Iterable[Particles], original_histories: float | None) -> None:
        """Read all records; without a number of original histories those count that sent something."""
        for particles in begun(batches):
            self.statistics.add(particles)
            numbers = self._numbering.of(particles)
            row = np.clip(particles.species, 1, len(SPECIES)).astype(np.int32) - 1
            for quantity, edges in self.edges.items():
                values = QUANTITIES[quantity](particles)
                weights = np.ones_like(particles.weight) if quantity == "Weight" else particles.weight
                bins = row * (len(edges) + 1) + np.searchsorted(edges, values, side="right").astype(np.int32)
                self._products[quantity].add(bins, weights, numbers)
                self._moments[quantity][0] += np.bincount(row, weights, len(SPECIES))
                self._moments[quantity][1] += np.bincount(row, weights * values, len(SPECIES))
        self.original_histories = original_histories or float(self._numbering.seen)

    def mean(self, quantity: str, rows: list[int]) -> float:
        """Return the mean of a quantity over the particles of some species."""
        weights, values = self._moments[quantity][:, rows].sum(axis=1)
        return float(values / weights) if weights else float("nan")

    def scored(self, quantity: str, rows: list[int]) -> "Scored":
        """Return what the particles of some species add up to in the bins of a quantity."""
        products, bins = self._products[quantity], len(self.edges[quantity]) + 1
        shape, histories = (len(SPECIES), bins), self.original_histories
        if quantity not in self._covariances:
            self._covariances[quantity] = products.covariance(histories).reshape(shape * 2)
        covariance = self._covariances[quantity][rows][:, :, rows].sum(axis=(0, 2))
        return Scored(products.sums.reshape(shape)[rows].sum(axis=0), covariance * histories**2, histories)


@dataclass(frozen=True)
class Scored:
    """Sums in bins, with their covariance matrix, from so many original histories."""

    sums: NDArray[np.float64]
    covariance: NDArray[np.float64]
    original_histories: float

    def joined(self, groups: NDArray[np.float64]) -> "Scored":
        """Return the same with bins put together, `groups` [groups, bins]."""
        return Scored(groups @ self.sums, groups @ self.covariance @ groups.T, self.original_histories)

    def histories(self) -> float:
        """Return how many histories that all send the same would know the sum of all bins as well."""
        total = float(self.sums.sum())
        squares = float(self.covariance.sum()) + total**2 / self.original_histories
        return total**2 / squares if total > 0 else 0.0

    def shares(self) -> NDArray[np.float64]:
        """Return the share of each bin."""
        shares: NDArray[np.float64] = self.sums / self.sums.sum()
        return shares

    def share_covariance(self) -> NDArray[np.float64]:
        """Return the covariance matrix of the shares, by their slopes."""
        total = self.sums.sum()
        slope = (np.eye(len(self.sums)) - np.outer(self.shares(), np.ones(len(self.sums)))) / total
        covariance: NDArray[np.float64] = slope @ self.covariance @ slope.T
        return covariance


def common_edges(looks: tuple[Look, Look]) -> dict[str, NDArray[np.float64]]:
    """Return edges between bins that hold about as many of the particles seen in both, of all and of each species."""
    found = {}
    for quantity in DISTRIBUTIONS:
        values = np.concatenate([look.values(quantity) for look in looks])
        species = np.concatenate([look.species(quantity) for look in looks])
        edges = [_quantiles(values, FINE)] + [_quantiles(values[species == kind], OF_SPECIES) for kind in SPECIES]
        found[quantity] = np.unique(np.concatenate(edges))
    return found


def _quantiles(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.quantile(values, np.arange(count) / count, method="lower") if len(values) else np.zeros(0)


def compared(first: Side, second: Side) -> list[Verdict]:
    """Return a verdict for everything that both can be compared in."""
    species = [code for code in SPECIES if first.statistics.count(code) + second.statistics.count(code)]
    classes = {"ALL": 0, **{SPECIES[code]: code for code in species}}
    if len(species) == 1:
        del classes["ALL"]
    tests = [
        test for name, code in classes.items() for what in ("number", "weight", "energy_MeV")
        if (test := _per_history(first, second, name, code, what)) is not None
    ]  # fmt: skip
    for name, code in classes.items():
        rows = [code - 1] if code else list(range(len(SPECIES)))
        tests += [_distribution(first, second, name, rows, quantity) for quantity in DISTRIBUTIONS]
    return judged_together(tests)


def _per_history(first: Side, second: Side, name: str, code: int, what: str) -> Verdict | None:
    a, b = (side.statistics.per_history(what, side.original_histories, code) for side in (first, second))
    counts = [side.statistics.count(code) for side in (first, second)]
    if what == "weight" and [a.total, b.total] == counts:
        return None  # all weights are 1: this is the number again
    # One particle more or less: what a count of none or one still leaves open.
    one = (abs(a.total) + abs(b.total)) / sum(counts)
    errors = (a.error, b.error, one / first.original_histories, one / second.original_histories)
    error = float(np.sqrt(np.nansum(np.square(errors))))
    chi_square = ((b.mean - a.mean) / error) ** 2 if error > 0 else 0.0
    p = float(erfc(np.sqrt(chi_square / 2)))
    return Verdict(name, what, a.mean, b.mean, error, chi_square, 1, p)


def _distribution(first: Side, second: Side, name: str, rows: list[int], quantity: str) -> Verdict:
    means = first.mean(quantity, rows), second.mean(quantity, rows)
    fine = first.scored(quantity, rows), second.scored(quantity, rows)
    known = min(scored.histories() for scored in fine)
    if known < ENOUGH:
        return Verdict(name, quantity, *means, None, 0.0, 0, None)
    share = (fine[0].shares() + fine[1].shares()) / 2
    groups = joined_bins(share, max(1 / BINS, ENOUGH / known))
    if len(groups) == 1:
        same = np.count_nonzero(share) == 1  # one value, and both have it
        return Verdict(name, quantity, *means, None, 0.0, 0, 1.0 if same else None)
    a, b = (scored.joined(groups) for scored in fine)
    # One history more or less in each bin: what a count of none still leaves open.
    spread = a.share_covariance() + b.share_covariance()
    spread += np.eye(len(groups)) * (a.histories() ** -2 + b.histories() ** -2)
    apart = b.shares() - a.shares()
    freedom = len(apart) - 1  # shares add up to one: the last says nothing new
    chi_square = float(apart[:-1] @ np.linalg.solve(spread[:-1, :-1], apart[:-1]))
    # What shifts a little everywhere is seen best in the mean rank.
    both = (a.shares() + b.shares()) / 2
    rank = np.cumsum(both) - both / 2 - 0.5
    trend = float((rank @ apart) ** 2 / (rank @ spread @ rank))
    p = min(1.0, 2 * min(float(chdtrc(freedom, chi_square)), float(chdtrc(1, trend))))
    return Verdict(name, quantity, *means, None, chi_square, freedom, p)


def joined_bins(share: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Return which bins are put together, [groups, bins], so that each group holds `least` of everything."""
    groups: list[list[int]] = [[]]
    held = 0.0
    for number, part in enumerate(share):
        if held >= least:
            groups.append([])
            held = 0.0
        groups[-1].append(number)
        held += part
    if len(groups) > 1 and held < least:
        last = groups.pop()
        groups[-1] += last
    joined = np.zeros((len(groups), len(share)))
    for row, group in enumerate(groups):
        joined[row, group] = 1.0
    return joined


def judged_together(tests: list[Verdict]) -> list[Verdict]:
    """Return the tests with the probabilities that hold for all of them together (Holm)."""
    order = sorted((i for i, test in enumerate(tests) if test.p is not None), key=lambda i: tests[i].p or 0.0)
    together, judged = 0.0, list(tests)
    for rank, i in enumerate(order):
        together = max(together, min(1.0, (len(order) - rank) * (tests[i].p or 0.0)))
        judged[i] = replace(tests[i], p_together=together)
    return judged
