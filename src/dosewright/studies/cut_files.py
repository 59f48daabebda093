"""The files of a study of cuts: tables, pictures, cuts for a run file, and the summary that vouches for them, last."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dosewright import __version__
from dosewright.core.units import MM_PER_CM
from dosewright.core.whole_file import write_whole_text
from dosewright.execution.artifact import file_sha256, private_folder, write_atomically, write_json
from dosewright.studies.basis import refuse_used
from dosewright.studies.collected import KINDS
from dosewright.studies.cut_picture import picture
from dosewright.studies.cut_study import CutStudy, WayStudy
from dosewright.studies.cut_text import PERCENT, csv_text, finite, rows_of, toml_text
from dosewright.transport.tracks import PHOTON

SCHEMA = "dosewright.cut_study/1"
SUMMARY, TABLE, RUN_CUTS = "cuts.json", "cuts.csv", "cuts.toml"
PICTURE = "cuts_{way}.png"
NAMES = (SUMMARY, TABLE, RUN_CUTS)
DPI = 130


def write_study(study: CutStudy, folder: Path, run_file: Path) -> dict[str, Any]:
    """Write all files of a study into a folder; return the summary."""
    refuse_used(folder, NAMES)
    private_folder(folder)
    write_whole_text(folder / TABLE, csv_text(study))
    write_whole_text(folder / RUN_CUTS, toml_text(study))
    files = [folder / TABLE, folder / RUN_CUTS]
    for way in study.ways:
        files.append(folder / PICTURE.format(way=way))
        _draw(picture(study, way), files[-1])
    said = summary(study, run_file)
    said["files_sha256"] = {path.name: file_sha256(path) for path in files}
    write_json(folder / SUMMARY, said)
    return said


def _draw(figure: Figure, path: Path) -> None:
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=DPI))


def summary(study: CutStudy, run_file: Path) -> dict[str, Any]:
    """Return the study as plain values; energies in MeV, lengths in mm, null where any cut will do."""
    target = study.target
    kinds = KINDS["production"]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "run_file": run_file.name,
        "run_file_sha256": file_sha256(run_file),
        "inputs_sha256": dict(study.basis.inputs_sha256),
        "seed": study.basis.seed,
        "plane": {
            "z_mm": study.plane.z_mm,
            "forward": study.plane.forward,
            "half_width_mm": None if study.plane.half_width_mm is None else list(study.plane.half_width_mm),
        },
        "lose_percent": study.lose_percent,
        "histories": study.histories,
        "target_particles": len(target.weight),
        "independent_particles": target.independent,
        "unseen_percent_95": target.unseen * PERCENT,
        "weight_per_history": {
            kind: float(target.weight[target.species == PHOTON + n].sum() / study.histories)
            for n, kind in enumerate(kinds)
        },
        "regions": [
            {"name": region.name, "materials": list(region.materials), "run_file_name": region.run_name}
            for region in study.regions.regions
        ],
        "ways": {way: _way(study, way, of) for way, of in study.ways.items()},
        "run_file_regions": [cut.model_dump(exclude_none=True) for cut in study.run_cuts()],
        "warnings": list(study.warnings),
    }


def _way(study: CutStudy, way: str, of: WayStudy) -> dict[str, Any]:
    cuts = [{key: value for key, value in row.items() if key != "way"} for row in rows_of(study) if row["way"] == way]
    numbers = of.found.numbers[: int(of.found.numbers.nonzero()[0].max(initial=0)) + 1]
    common = [
        {
            "particle": "all" if one.kind is None else KINDS[way][one.kind],
            "range_mm": finite(one.range_cm * MM_PER_CM),
            **_lost(one.lost.value, one.lost.error),
        }
        for one in of.common
    ]
    return {
        "cuts": cuts,
        "one_range_everywhere": common,
        "together": {"each_percent": of.together.allowed * PERCENT, **_lost(*of.together.lost)},
        "entries_per_particle_weight": numbers.tolist(),
        "pairs_of_regions_weight": of.found.pairs.tolist(),
    }


def _lost(value: float, error: float) -> dict[str, float]:
    return {"lost_percent": value * PERCENT, "lost_error_percent": error * PERCENT}
