"""Particles moved, turned, mirrored, reweighted, and flown straight to a plane."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import rotation_about
from dosewright.core.particles import COLUMNS, Particles
from dosewright.phase_space.histories import Kept, begun

LAST = ("xlast_cm", "ylast_cm", "zlast_cm")  # extra columns that are places: of the last interaction
SNAP = 1e-15  # what the cosine of a right angle is short of zero; such elements of a matrix are 0, 1 or -1


@dataclass(frozen=True)
class Motion:
    """A rigid motion, mirrored or not: places become ``turn @ place + shift_cm``, directions ``turn @ direction``."""

    turn: NDArray[np.float64]
    shift_cm: NDArray[np.float64]

    def then(self, later: "Motion") -> "Motion":
        """Return this motion followed by another one."""
        return Motion(snapped(later.turn @ self.turn), later.turn @ self.shift_cm + later.shift_cm)


@dataclass(frozen=True)
class Reweight:
    """All weights multiplied by a factor."""

    factor: float


@dataclass(frozen=True)
class ToPlane:
    """Every particle flown along its line, forth or back and without loss of energy, to a plane of constant z."""

    z_cm: float


Step = Motion | Reweight | ToPlane


def displacement(x_cm: float, y_cm: float, z_cm: float) -> Motion:
    """Return GAMOS's D: a displacement."""
    return Motion(np.eye(3), np.array([x_cm, y_cm, z_cm], float))


def rotation_xyz(x_deg: float, y_deg: float, z_deg: float) -> Motion:
    """Return GAMOS's RXYZ: right-handed turns about the fixed axes x, then y, then z."""
    return Motion(
        snapped(rotation_about("z", z_deg) @ rotation_about("y", y_deg) @ rotation_about("x", x_deg)), np.zeros(3)
    )


def rotation_tps(theta_deg: float, phi_deg: float, self_deg: float) -> Motion:
    """Return GAMOS's RTPS: turns about z by `self`, then about y by `theta`, then about z by `phi`."""
    return Motion(
        snapped(rotation_about("z", phi_deg) @ rotation_about("y", theta_deg) @ rotation_about("z", self_deg)),
        np.zeros(3),
    )


def reflection(x: float, y: float) -> Motion:
    """Return the reflection in the plane through the beam axis whose normal is (x, y), as for EGS files."""
    normal = np.array([x, y, 0.0]) / np.hypot(x, y)
    return Motion(snapped(np.eye(3) - 2 * np.outer(normal, normal)), np.zeros(3))


def snapped(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix whose elements are 0, 1 and -1 where only rounding keeps them from it."""
    whole = np.round(matrix)
    return np.where(np.abs(matrix - whole) < SNAP, whole, matrix)


@dataclass
class Transform:
    """Steps, in their order, on one batch after another.

    Parameters
    ----------
    lost
        Records left out because their line does not meet the plane.
    """

    steps: tuple[Step, ...]
    lost: int = 0
    _kept: Kept = field(default_factory=Kept)

    @classmethod
    def of(cls, steps: Sequence[Step]) -> "Transform":
        """Return a transform; motions that follow each other become one."""
        joined: list[Step] = []
        for step in steps:
            if joined and isinstance(step, Motion) and isinstance(joined[-1], Motion):
                step = joined.pop().then(step)  # type: ignore[union-attr]
            joined.append(step)
        return cls(tuple(joined))

    def over(self, batches: Iterable[Particles]) -> Iterator[Particles]:
        """Yield the batches transformed."""
        for particles in begun(batches):
            moved = particles
            for step in self.steps:
                moved = applied(step, moved)
            meets = np.isfinite(moved.x_cm) & np.isfinite(moved.y_cm) if self._flies() else None
            if meets is not None and (self._kept.owed or not meets.all()):
                self.lost += len(meets) - int(meets.sum())
                moved = self._kept.of(moved, meets)
            yield moved

    def constants(self, given: dict[str, float]) -> dict[str, float]:
        """Return which columns are constant afterwards, of those that were: what depends on others no longer is."""
        one = Particles(**{
            name: np.array([given.get(name, np.nan)], np.float32) for name in COLUMNS
        })  # type: ignore[arg-type]  # fmt: skip
        for step in self.steps:
            one = applied(step, one)
        after = {name: float(getattr(one, name)[0]) for name in COLUMNS}
        return {name: value for name, value in after.items() if not np.isnan(value)}

    def extra_left(self, given: dict[str, str]) -> dict[str, str]:
        """Return the extra columns that stay, with types: a place of which too little is stored to turn it goes."""
        left = dict(given)
        for step in self.steps:
            if isinstance(step, Motion):
                left = {name: kind for name, kind in left.items() if name not in LAST or name in movable(step, left)}
        return left

    def _flies(self) -> bool:
        return any(isinstance(step, ToPlane) for step in self.steps)


def applied(step: Step, particles: Particles) -> Particles:
    """Return the particles after one step; places that no line reaches are not finite."""
    if isinstance(step, Reweight):
        return replace(particles, weight=particles.weight * np.float32(step.factor))
    if isinstance(step, ToPlane):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            way = (step.z_cm - particles.z_cm.astype(np.float64)) / particles.w
            x = (particles.x_cm + way * particles.u).astype(np.float32)
            y = (particles.y_cm + way * particles.v).astype(np.float32)
        return replace(particles, x_cm=x, y_cm=y, z_cm=np.full_like(particles.z_cm, step.z_cm))
    last = movable(step, particles.extra)
    extra = {name: column for name, column in particles.extra.items() if name not in LAST or name in last}
    if last:
        stored = tuple(particles.extra.get(name, particles.x_cm).astype(np.float32) for name in LAST)
        extra |= {name: _combined(step.turn[i], stored, step.shift_cm[i]) for name, i in last.items()}
    place = _turned(step.turn, (particles.x_cm, particles.y_cm, particles.z_cm), step.shift_cm)
    direction = _turned(step.turn, (particles.u, particles.v, particles.w), np.zeros(3))
    names = ("x_cm", "y_cm", "z_cm", "u", "v", "w")
    moved: dict[str, Any] = dict(zip(names, place + direction, strict=True))
    return replace(particles, **moved, extra=extra)


def movable(motion: Motion, extra: Container[str]) -> dict[str, int]:
    """Return the coordinates of the last interaction that a motion can be done to, with their rows of the matrix."""
    return {
        name: row for row, name in enumerate(LAST)
        if name in extra and all(other in extra for other, factor in zip(LAST, motion.turn[row], strict=True) if factor)
    }  # fmt: skip


def _turned(
    turn: NDArray[np.float64], columns: tuple[NDArray[np.float32], ...], shift: NDArray[np.float64]
) -> list[NDArray[np.float32]]:
    """Return ``turn @ columns + shift``, rounded once; a column that only keeps its place or sign stays exact."""
    return [_combined(row, columns, by) for row, by in zip(turn, shift, strict=True)]


def _combined(
    row: NDArray[np.float64], columns: tuple[NDArray[np.float32], ...], by: np.float64
) -> NDArray[np.float32]:
    terms = [(factor, column) for factor, column in zip(row, columns, strict=True) if factor]
    (first, column), *others = terms
    if not others and not by and abs(first) == 1.0:
        return column if first > 0 else -column
    total = column.astype(np.float64)
    total *= first
    for factor, column in others:
        total += factor * column
    total += by
    return total.astype(np.float32)
