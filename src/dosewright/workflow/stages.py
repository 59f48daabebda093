"""Stamps of finished stages: a stage is skipped while its inputs are unchanged and its files intact."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dosewright
from dosewright.execution.artifact import file_sha256, write_json
from dosewright.workflow.folder import JobFolder


@dataclass(frozen=True)
class Stamp:
    """What a finished stage left: its inputs' hash, its files' hashes, its time, and some facts."""

    stage: str
    inputs_sha256: str
    outputs: dict[str, str]
    seconds: float
    facts: dict[str, Any]


def digest(inputs: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain values, whatever the order of their keys."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=True, allow_nan=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def arrays_sha256(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of arrays, their kinds and shapes."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(f"{array.dtype}{array.shape}".encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()


def finished(folder: JobFolder, stage: str, inputs: Mapping[str, Any]) -> Stamp | None:
    """Return the stamp of a stage, or None where it must run: other inputs, other version, or files that changed."""
    try:
        stored = json.loads(folder.stamp(stage).read_text(encoding="utf-8"))
        same = stored["inputs_sha256"] == digest({"version": dosewright.__version__, **inputs})
        outputs = dict(stored["outputs"])
        stamp = Stamp(stage, stored["inputs_sha256"], outputs, float(stored["seconds"]), dict(stored["facts"]))
        intact = all(file_sha256(folder.path / name) == hashed for name, hashed in outputs.items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return stamp if same and intact else None


@dataclass
class StageClock:
    """Times one stage and stamps it."""

    folder: JobFolder
    stage: str
    inputs: Mapping[str, Any]
    started: float

    @classmethod
    def start(cls, folder: JobFolder, stage: str, inputs: Mapping[str, Any]) -> "StageClock":
        """Begin a stage: its former stamp goes first."""
        folder.stamp(stage).unlink(missing_ok=True)
        return cls(folder, stage, inputs, time.monotonic())

    def done(self, files: Sequence[Path], facts: Mapping[str, Any] | None = None) -> Stamp:
        """Stamp the stage with the files it made."""
        outputs = {p.relative_to(self.folder.path).as_posix(): file_sha256(p) for p in files}
        hashed = digest({"version": dosewright.__version__, **self.inputs})
        stamp = Stamp(self.stage, hashed, outputs, round(time.monotonic() - self.started, 3), dict(facts or {}))
        content = {
            "stage": self.stage,
            "version": dosewright.__version__,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": stamp.seconds,
            "inputs_sha256": hashed,
            "inputs": self.inputs,
            "outputs": outputs,
            "facts": stamp.facts,
        }
        write_json(self.folder.stamp(self.stage), content)
        return stamp
