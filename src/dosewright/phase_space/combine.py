"""Several phase spaces as one: what they have in common, and weights where they are beams of their own."""

from collections.abc import Sequence
from dataclasses import replace

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import Particles, PhaseSpaceInfo


def beam_factors(shares: Sequence[float], original_histories: Sequence[float]) -> list[float]:
    """Return the factor on the weights of each phase space, so that together they are a sum of beams.

    Per original history of all together, beam i then sends ``shares[i]`` times what it sends per history of its own.
    Where the shares are those of the histories, all factors are 1: parts of one run.
    """
    if len(shares) != len(original_histories):
        raise refuse("Every phase space needs a weight", given=len(shares), allowed=len(original_histories))
    problems = [f"A weight of a phase space is positive. Given: {share}." for share in shares if not 0 < share < 1e30]
    if problems:
        raise InputError(*problems)
    together = sum(original_histories)
    return [share * together / histories for share, histories in zip(shares, original_histories, strict=True)]


def common_constants(each: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the columns that are constant, with one value, in all."""
    first, *others = each
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def common_extra(each: Sequence[PhaseSpaceInfo]) -> tuple[dict[str, str], list[str]]:
    """Return the extra columns that all have, with one type, and the names of those that are left out."""
    first, *others = [info.extra for info in each]
    common = {name: kind for name, kind in first.items() if all(other.get(name) == kind for other in others)}
    return common, sorted({name for info in each for name in info.extra} - set(common))


def only_extra(particles: Particles, names: Sequence[str]) -> Particles:
    """Return particles with these extra columns only."""
    return replace(particles, extra={name: particles.extra[name] for name in names})
