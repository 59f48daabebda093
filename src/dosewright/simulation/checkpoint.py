"""The sums over a prefix of batches on disk, so that a killed run goes on where it was."""

from pathlib import Path
from typing import Protocol

import numpy as np

from dosewright.execution.artifact import publish, verified
from dosewright.scoring.dose_error import NONE_PASSED, Streak
from dosewright.simulation.sums import RunSums
from dosewright.simulation.work import AtPlanes

NAME = "sums-{batches:07d}.npz"


class Planes(Protocol):
    """What is made of what goes through planes, and goes on with a resumed run."""

    def add(self, found: AtPlanes) -> None:
        """Take what one batch recorded."""
        ...

    def kept(self) -> str | None:
        """Return what another process needs to go on; None: it could not."""
        ...

    def take_up(self, kept: str) -> bool:
        """Go on with what another process has kept; False, and as new, where that is not there any more."""
        ...


def save(
    folder: Path,
    fingerprint: str,
    sums: RunSums,
    streak: Streak = NONE_PASSED,
    of_goal: str = "",
    planes: Planes | None = None,
) -> None:
    """Publish the sums, unless they are there already, then remove all others; not where planes keep nothing.

    With them go the checks passed in a row, and the goal whose checks they are.
    """
    path = folder / NAME.format(batches=sums.batches)
    checks = {"goal": of_goal, "at": streak.at, "passes": streak.passes}
    kept = verified(path)
    if kept is not None and (kept.get("fingerprint"), kept.get("checks")) == (fingerprint, checks):
        return

    at_planes = None if planes is None else planes.kept()
    if planes is not None and at_planes is None:
        return

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, **sums.arrays())  # type: ignore[arg-type]

    meta = {"batches": sums.batches, "histories": sums.histories, "sent": sums.sent, "cpu_seconds": sums.cpu_seconds}
    of_planes = {"planes": at_planes} if at_planes else {}
    publish(path, write, {"fingerprint": fingerprint, **meta, "checks": checks, **of_planes})
    _remove(folder, but=path)


def _remove(folder: Path, but: Path | None = None) -> None:
    for old in folder.glob("sums-*.npz"):
        if old == but:
            continue
        old.with_name(old.name + ".json").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def load(
    folder: Path, fingerprint: str, into: RunSums, of_goal: str = "", planes: Planes | None = None
) -> Streak | None:
    """Take up the newest sums that are whole and belong to this problem; None where there were none.

    Returns the checks that this goal had passed in a row, none where the sums were kept under another goal. Sums whose
    records at planes are gone are removed: what is recorded from now on is not theirs.
    """
    for path in sorted(folder.glob("sums-*.npz"), reverse=True):
        meta = verified(path)
        if meta is None or meta.get("fingerprint") != fingerprint:
            continue
        if planes is not None and not ("planes" in meta and planes.take_up(str(meta["planes"]))):
            _remove(folder)
            return None
        with np.load(path, allow_pickle=False) as data:
            counts = int(meta["histories"]), int(meta["batches"]), float(meta.get("cpu_seconds", 0.0))
            into.take(data, *counts, int(meta.get("sent", counts[0])))
        checks = meta.get("checks") or {}
        same = checks.get("goal") == of_goal
        return Streak(int(checks["at"]), int(checks["passes"])) if same else NONE_PASSED
    return None
