"""The files of a study of the dose that cuts would move: images, profiles, a picture, the summary last."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright import __version__
from dosewright.core.grid import Image
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.core.whole_file import write_whole_text
from dosewright.execution.artifact import file_sha256, private_folder, write_atomically, write_json
from dosewright.formats.dose.mhd import write_mhd
from dosewright.simulation.result_files import place_of
from dosewright.studies.basis import refuse_used
from dosewright.studies.dose_study import DoseStudy, carried_of

Array = NDArray[np.float64]

SCHEMA = "dosewright.cut_dose_study/1"
SUMMARY, PROFILES, PICTURE = "carried.json", "carried.csv", "carried.png"
IMAGES = ("dose.mhd", "carried.mhd")
NAMES = (SUMMARY, PROFILES, *IMAGES)
PERCENT = 100.0
DPI = 130


def write_study(study: DoseStudy, folder: Path, run_file: Path) -> dict[str, Any]:
    """Write all files of a study into a folder; return the summary."""
    refuse_used(folder, NAMES)
    private_folder(folder)
    place = place_of(study.prepared, study.result)
    if place.grid is None:
        raise ValueError("a dose without voxels")
    files, unit = [], f"Gy per {study.prepared.problem.per}"
    for name, dose in zip(IMAGES, (study.result.dose_Gy, carried_of(study.result)), strict=True):
        write_mhd(folder / name, Image(place.grid, dose), extra={"Unit": unit, **place.keys})
        files += [folder / name, (folder / name).with_suffix(".raw")]
    write_whole_text(folder / PROFILES, profiles_text(study))
    figure = picture(study)
    write_atomically(folder / PICTURE, lambda temporary: figure.savefig(temporary, dpi=DPI))
    said = summary(study, run_file)
    said["warnings"] += place.warnings
    said["files_sha256"] = {path.name: file_sha256(path) for path in (*files, folder / PROFILES, folder / PICTURE)}
    write_json(folder / SUMMARY, said)
    return said


def profiles(study: DoseStudy) -> list[tuple[str, Array, Array, Array]]:
    """Return axis, middles of layers (mm, axes of the phantom), their energy and what of it was carried (MeV/primary).

    Layers are whole: single voxels would be noise.
    """
    phantom = study.prepared.phantom
    if phantom is None:
        return []
    mass = study.prepared.problem.mass_g / MEV_PER_G_IN_GY
    energies = [dose * mass for dose in (study.result.dose_Gy, carried_of(study.result))]
    found = []
    for axis, edges in zip("xyz", phantom.voxels.edges_mm, strict=True):
        others = tuple(n for n, other in enumerate("zyx") if other != axis)
        middle = (np.asarray(edges)[1:] + np.asarray(edges)[:-1]) / 2
        of_all, of_carried = (energy.sum(axis=others) for energy in energies)
        found.append((axis, middle, of_all, of_carried))
    return found


def profiles_text(study: DoseStudy) -> str:
    """Return the profiles as a table."""
    lines = ["axis,mm,energy_MeV_per_primary,carried_MeV_per_primary"]
    for axis, places, energy, carried in profiles(study):
        lines += [f"{axis},{x:.9g},{a:.9g},{b:.9g}" for x, a, b in zip(places, energy, carried, strict=True)]
    return "\n".join(lines) + "\n"


def picture(study: DoseStudy) -> Figure:
    """Draw the energy of layers along the three axes and what of it was carried, and below its share."""
    figure = Figure(figsize=(13, 7), layout="constrained")
    above, below = figure.subplots(2, 3, sharex="col")
    for column, (axis, places, energy, carried) in enumerate(profiles(study)):
        above[column].plot(places, energy, color="#22303a", lw=1.0, label="all")
        above[column].plot(places, carried, color="#D55E00", lw=1.0, label="carried")
        share = np.divide(carried, energy, out=np.zeros_like(energy), where=energy > 0) * PERCENT
        below[column].plot(places, share, color="#D55E00", lw=1.0)
        below[column].set_xlabel(f"{axis} (mm)")
    above[0].set_ylabel("energy in a layer (MeV per primary)")
    below[0].set_ylabel("carried (%)")
    above[0].legend(frameon=False, fontsize=8)
    figure.suptitle(f"What {said_cuts(study)} would leave elsewhere, by layers", fontsize=11)
    return figure


def said_cuts(study: DoseStudy) -> str:
    """Return the cuts in words."""
    asked = (("photons", study.photon), ("electrons", study.electron))
    return "cuts of " + " and ".join(f"{cut.said} for {name}" for name, cut in asked if cut is not None)


def summary(study: DoseStudy, run_file: Path) -> dict[str, Any]:
    """Return the study as plain values."""
    carried, shares = study.result.carried, study.local_shares()
    if carried is None:
        raise ValueError("what is carried was not scored")
    return {
        "schema": SCHEMA,
        "version": __version__,
        "run_file": run_file.name,
        "run_file_sha256": file_sha256(run_file),
        "inputs_sha256": dict(study.basis.inputs_sha256),
        "seed": study.basis.seed,
        "way": study.way,
        "photon_cut": None if study.photon is None else study.photon.said,
        "electron_cut": None if study.electron is None else study.electron.said,
        "cuts_MeV": {name: {"photon": cuts[0], "electron": cuts[1]} for name, cuts in study.energies_MeV.items()},
        "histories": study.result.histories,
        "unit": f"Gy per {study.prepared.problem.per}",
        "carried_percent": carried.share * PERCENT,
        "carried_error_percent": carried.share_uncertainty * PERCENT,
        "of_voxels_above_half_of_the_maximum": {
            "voxels": int(shares.size),
            "mean_percent": float(shares.mean()) * PERCENT if shares.size else None,
            "largest_percent": float(shares.max()) * PERCENT if shares.size else None,
        },
        "warnings": [*study.prepared.warnings, *study.result.warnings],
    }


def table(said: dict[str, Any]) -> str:
    """Return the main figures of a summary in words."""
    local = said["of_voxels_above_half_of_the_maximum"]
    lines = [f"{said['histories']:,} histories; cuts (MeV) by material:"]
    lines += [
        f"  {name}: photon {cut['photon']:.4g}, electron {cut['electron']:.4g}"
        for name, cut in said["cuts_MeV"].items()
    ]
    lines.append(
        f"Carried out of the voxel where it would have stayed: {said['carried_percent']:.4g} ±"
        f" {said['carried_error_percent']:.2g} % of all energy."
    )
    if local["voxels"]:
        lines.append(
            f"Of {local['voxels']:,} voxels above half of the maximum: {local['mean_percent']:.4g} % of the dose on"
            f" average, {local['largest_percent']:.4g} % at most (with its noise)."
        )
    return "\n".join(lines)
