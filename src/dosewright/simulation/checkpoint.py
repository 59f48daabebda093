"""The sums over a prefix of batches on disk, so that a killed run goes on where it was."""

from pathlib import Path

import numpy as np

from dosewright.execution.artifact import publish, verified
from dosewright.scoring.dose_error import NONE_PASSED, Streak
from dosewright.simulation.sums import RunSums

NAME = "sums-{batches:07d}.npz"


def save(folder: Path, fingerprint: str, sums: RunSums, streak: Streak = NONE_PASSED, of_goal: str = "") -> None:
    """Publish the sums, unless they are there already, then remove all others.

    With them go the checks passed in a row, and the goal whose checks they are.
    """
    path = folder / NAME.format(batches=sums.batches)
    checks = {"goal": of_goal, "at": streak.at, "passes": streak.passes}
    kept = verified(path)
    if kept is not None and (kept.get("fingerprint"), kept.get("checks")) == (fingerprint, checks):
        return

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, **sums.arrays())  # type: ignore[arg-type]

    meta = {"batches": sums.batches, "histories": sums.histories, "sent": sums.sent, "cpu_seconds": sums.cpu_seconds}
    publish(path, write, {"fingerprint": fingerprint, **meta, "checks": checks})
    for old in folder.glob("sums-*.npz"):
        if old == path:
            continue
        old.with_name(old.name + ".json").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def load(folder: Path, fingerprint: str, into: RunSums, of_goal: str = "") -> Streak | None:
    """Take up the newest sums that are whole and belong to this problem; None where there were none.

    Returns the checks that this goal had passed in a row, none where the sums were kept under another goal.
    """
    for path in sorted(folder.glob("sums-*.npz"), reverse=True):
        meta = verified(path)
        if meta is None or meta.get("fingerprint") != fingerprint:
            continue
        with np.load(path, allow_pickle=False) as data:
            counts = int(meta["histories"]), int(meta["batches"]), float(meta.get("cpu_seconds", 0.0))
            into.take(data, *counts, int(meta.get("sent", counts[0])))
        checks = meta.get("checks") or {}
        same = checks.get("goal") == of_goal
        return Streak(int(checks["at"]), int(checks["passes"])) if same else NONE_PASSED
    return None
