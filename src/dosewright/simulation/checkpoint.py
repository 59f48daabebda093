"""The sums over a prefix of batches on disk, so that a killed run goes on where it was."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.execution.artifact import publish, verified
from dosewright.scoring.statistics import BatchSums

NAME = "sums-{batches:07d}.npz"


def save(
    folder: Path, fingerprint: str, sums: dict[str, BatchSums], account: NDArray[np.float64], cpu_seconds: float
) -> None:
    """Publish the sums, unless they are there already, then remove all others."""
    one = next(iter(sums.values()))
    arrays = {f"{name}_{part}": getattr(s, part) for name, s in sums.items() for part in ("total", "squares")}
    path = folder / NAME.format(batches=one.batches)
    kept = verified(path)
    if kept is not None and kept.get("fingerprint") == fingerprint:
        return

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, account=account, **arrays)

    meta = {"batches": one.batches, "histories": one.histories, "cpu_seconds": cpu_seconds}
    publish(path, write, {"fingerprint": fingerprint, **meta})
    for old in folder.glob("sums-*.npz"):
        if old == path:
            continue
        old.with_name(old.name + ".json").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def load(
    folder: Path, fingerprint: str, names: list[str]
) -> tuple[dict[str, BatchSums], NDArray[np.float64], float] | None:
    """Return the newest sums that are whole and belong to this problem, their account and CPU seconds, or None."""
    for path in sorted(folder.glob("sums-*.npz"), reverse=True):
        meta = verified(path)
        if meta is None or meta.get("fingerprint") != fingerprint:
            continue
        with np.load(path, allow_pickle=False) as data:
            sums = {
                n: BatchSums(data[f"{n}_total"], data[f"{n}_squares"], int(meta["histories"]), int(meta["batches"]))
                for n in names
            }
            return sums, data["account"], float(meta.get("cpu_seconds", 0.0))
    return None
