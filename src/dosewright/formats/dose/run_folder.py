"""The dose of a run folder: its MetaImages, and what ``summary.json`` says of them."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dosewright.core.dose_file import PER_HISTORY, DoseFile
from dosewright.core.errors import refuse
from dosewright.formats.dose.meta_image import UNCERTAINTY, UNIT_WORDS, read_meta_image

RUN: Final = "run"
SUMMARY: Final = "summary.json"
DOSES: Final = ("dose", "dose_to_water")  # what is taken where a run scored both


def read_run_folder(folder: Path) -> DoseFile:
    """Read the dose of a finished run with its uncertainty and histories; files that were changed are refused."""
    summary = _summary(folder)
    scores = [s for s in summary.get("scores", []) if isinstance(s, dict) and s.get("quantity") in DOSES]
    if not scores:
        raise refuse("The run holds no dose", where=folder)
    score = min(scores, key=lambda s: DOSES.index(s["quantity"]))
    name = _image_of(score, summary, folder)
    _unchanged(folder, name, summary)
    dose = read_meta_image(folder / name)
    if dose.uncertainty is None:
        raise refuse("The run holds no uncertainty of its dose", where=folder)
    histories = summary.get("histories")
    if not isinstance(histories, int) or histories < 1:
        raise refuse("The summary of the run says no number of histories", given=histories, where=folder / SUMMARY)
    said = [f"{name} was taken of {len(scores)} doses."] if len(scores) > 1 else []
    if score["quantity"] == "dose_to_water":
        said.append("The dose is dose to water.")
    unit = UNIT_WORDS.get(str(score.get("unit")), PER_HISTORY)
    if unit != dose.unit:
        raise refuse("The summary and the image say different units", given=score.get("unit"), where=folder)
    return replace(dose, histories=float(histories), format=RUN, assumed=(*said,))


def _summary(folder: Path) -> dict[str, Any]:
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise refuse(f"The folder holds no finished run: its {SUMMARY} cannot be read", given=type(error).__name__,
                     where=folder) from error  # fmt: skip
    if not isinstance(summary, dict):
        raise refuse(f"The {SUMMARY} is that of no run", where=folder)
    return summary


def _image_of(score: dict[str, Any], summary: dict[str, Any], folder: Path) -> str:
    """Return the name of the MetaImage of a score."""
    name = str(score.get("file"))
    if Path(name).name != name or not name.endswith(".mhd") or name not in summary.get("files_sha256", {}):
        raise refuse(f"The {SUMMARY} names no dose", given=name, where=folder)
    return name


def _unchanged(folder: Path, name: str, summary: dict[str, Any]) -> None:
    stem = Path(name).stem
    for file in (name, f"{stem}.raw", f"{stem}{UNCERTAINTY}.mhd", f"{stem}{UNCERTAINTY}.raw"):
        try:
            digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        except OSError as error:
            raise refuse("A file of the run is missing", given=file, where=folder) from error
        if digest != summary["files_sha256"].get(file):
            raise refuse("A file of the run is not the one that the run wrote (its SHA-256 differs)", given=file,
                         where=folder)  # fmt: skip
