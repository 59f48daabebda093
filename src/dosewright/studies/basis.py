"""What studies have in common: what they stand on, and the folder that they are written to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import refuse
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_summary import input_hashes


@dataclass(frozen=True)
class Basis:
    """What a study stands on: the seed of its run, and the SHA-256 of the files that the run read."""

    seed: int
    inputs_sha256: Mapping[str, str]

    @classmethod
    def of(cls, run_file: RunFile) -> "Basis":
        """Return what a run stands on."""
        return cls(run_file.run.seed, input_hashes(run_file))


def refuse_used(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder that holds files of these names already, or is none."""
    if folder.exists() and not folder.is_dir():
        raise refuse("The output is not a folder", given=folder)
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise refuse("The output folder holds a study already", given=", ".join(there), allowed="a new folder",
                     where=folder)  # fmt: skip
