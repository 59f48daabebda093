"""The sums over a prefix of batches on disk, so that a killed run goes on where it was."""

from pathlib import Path
from typing import Protocol

import numpy as np

from dosewright.execution.artifact import publish, verified
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


def save(folder: Path, fingerprint: str, sums: RunSums, planes: Planes | None = None) -> None:
    """Publish the sums, unless they are there already, then remove all others; not where planes keep nothing."""
    path = folder / NAME.format(batches=sums.batches)
    kept = verified(path)
    if kept is not None and kept.get("fingerprint") == fingerprint:
        return

    at_planes = None if planes is None else planes.kept()
    if planes is not None and at_planes is None:
        return

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, **sums.arrays())  # type: ignore[arg-type]

    meta = {"batches": sums.batches, "histories": sums.histories, "sent": sums.sent, "cpu_seconds": sums.cpu_seconds}
    publish(path, write, {"fingerprint": fingerprint, **meta, **({"planes": at_planes} if at_planes else {})})
    _remove(folder, but=path)


def _remove(folder: Path, but: Path | None = None) -> None:
    for old in folder.glob("sums-*.npz"):
        if old == but:
            continue
        old.with_name(old.name + ".json").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def load(folder: Path, fingerprint: str, into: RunSums, planes: Planes | None = None) -> bool:
    """Take up the newest sums that are whole and belong to this problem; say whether there were any.

    Sums whose records at planes are gone are removed: what is recorded from now on is not theirs.
    """
    for path in sorted(folder.glob("sums-*.npz"), reverse=True):
        meta = verified(path)
        if meta is None or meta.get("fingerprint") != fingerprint:
            continue
        if planes is not None and not ("planes" in meta and planes.take_up(str(meta["planes"]))):
            _remove(folder)
            return False
        with np.load(path, allow_pickle=False) as data:
            counts = int(meta["histories"]), int(meta["batches"]), float(meta.get("cpu_seconds", 0.0))
            into.take(data, *counts, int(meta.get("sent", counts[0])))
        return True
    return False
