"""Thin gaps between neighbouring parts: by intention or not, a user should see them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.closest import Gap, parallel_gaps
from dosewright.geometry.scene_check.pairs import chord_here
from dosewright.geometry.scene_check.placed import Placed

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Slit:
    """A gap between two neighbours, how wide (mm), and a place in it (mm, axes of the scene).

    The second is the parent where the first lies in it: then a thin layer of the parent is left there.
    """

    first: str
    second: str
    width_mm: float
    at_mm: Point
    of_parent: bool


def slits(placed: Sequence[Placed], below_mm: float) -> list[Slit]:
    """Return gaps between siblings, and between children and the outside of their parents, that are thinner."""
    found = []
    for one in parallel_gaps(placed, below_mm):
        if not _filled(placed, one):
            first, second = placed[one.first], placed[one.second]
            found.append(Slit(first.name, second.name, one.width_mm, one.at_mm, first.parent == second.index))
    return sorted(found, key=lambda slit: slit.width_mm)


def _filled(placed: Sequence[Placed], gap: Gap) -> bool:
    """Say whether a third part of the same parent stands in the gap."""
    at, phase = np.array(gap.at_mm), np.array([gap.phase])
    parent = placed[gap.first].parent
    for other in placed:
        if other.parent == parent and other.index not in (gap.first, gap.second):
            inside_box = (other.low <= at).all() and (at <= other.high).all()
            if inside_box and chord_here(other.chords(Rays(at[None], np.array([[0.0, 0.6, 0.8]])), phase))[0] > 0:
                return True
    return False


def in_words(found: Sequence[Slit]) -> list[str]:
    """Return slits as sentences, alike ones (names that differ in numbers only) together."""
    alike: dict[tuple[str, str, bool], list[Slit]] = {}
    for slit in found:
        names = sorted(re.sub(r"\d+", "#", name) for name in (slit.first, slit.second))
        alike.setdefault((names[0], names[1], slit.of_parent), []).append(slit)
    return [_words(slits_alike) for slits_alike in alike.values()]


def _words(alike: Sequence[Slit]) -> str:
    narrowest, widest = alike[0], alike[-1]
    place = ", ".join(f"{x:.3f}" for x in narrowest.at_mm)
    if narrowest.of_parent:
        what = f"a layer of {narrowest.second!r} {narrowest.width_mm:.3g} mm thin beside {narrowest.first!r}"
    else:
        what = f"a gap of {narrowest.width_mm:.3g} mm between {narrowest.first!r} and {narrowest.second!r}"
    if len(alike) == 1:
        return f"There is {what}, at ({place}) mm."
    return (f"There are {len(alike)} alike, {narrowest.width_mm:.3g} to {widest.width_mm:.3g} mm; "
            f"the narrowest is {what}, at ({place}) mm.")  # fmt: skip
