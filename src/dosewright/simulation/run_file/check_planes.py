"""Mistakes in scores of phase spaces."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dosewright.core.errors import nearest
from dosewright.phase_space.histograms import THIRTEEN
from dosewright.simulation.run_file.faults import Fault
from dosewright.simulation.run_file.lines import Place
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import AnySource
from dosewright.simulation.run_file.transport_tables import VarianceReduction
from dosewright.simulation.setup.phase_space_wishes import names_of_planes, planes_of, wishes_of_score

PHASE_SPACE_KEYS = (
    "z_mm", "plane_mm", "normal", "format", "text", "kill", "backwards", "store_z", "save_every", "most_particles",
    "particles", "histograms", "histogram_axes", "extra", "extra_bits", "ignore_materials", "filter", "classify",
)  # fmt: skip
ON_THE_PLANE_MM = 1.0e-6
STARTING_ON_PLANES = ("pencil", "rectangle", "point")


def phase_space_faults(
    scores: Sequence[Score], source: AnySource | None, reduction: VarianceReduction | None
) -> list[Fault]:
    """Return planes that are missing, told twice or those of the source, and names that are one."""
    faults: list[Fault] = []
    written: dict[str, int] = {}
    for number, score in enumerate(scores):
        place = ("score", number)
        if score.quantity != "phase_space":
            if "{" in (score.name or ""):
                what = f"score[{number + 1}].name: {{z}} stands for a plane, and {score.quantity!r} has none"
                faults.append(Fault((*place, "name"), what))
            continue
        wrong = _plane_faults(score, number)
        faults += wrong
        if wrong:
            continue
        for name in names_of_planes(score):
            if name.casefold() in written:
                what = f"Scores {written[name.casefold()] + 1} and {number + 1} would write the same files"
                faults.append(Fault((*place, "name"), what, name, "names and planes of their own; {z} for the height"))
            written[name.casefold()] = number
        faults += _source_faults(score, number, source)
    if reduction is not None and (used := [key for key in ("photon_splitting", "track_length")
                                           if written and getattr(reduction, key)]):  # fmt: skip
        what = "Particles that are repeated or scored by track length cross no plane"
        faults.append(Fault(("variance_reduction", used[0]), what, getattr(reduction, used[0]), "off"))
    return faults


def _plane_faults(score: Score, number: int) -> list[Fault]:
    place, name = ("score", number), f"score[{number + 1}]"
    if (score.z_mm is None) == (score.plane_mm is None):
        what = f"{name} needs a plane" if score.z_mm is None else f"{name} has two planes, z_mm and plane_mm"
        return [Fault(place, what, None, "z_mm (a height or several), or plane_mm (a point) with its normal")]
    faults = []
    if score.normal is not None and not np.linalg.norm(score.normal) > 0.0:
        faults.append(Fault((*place, "normal"), f"{name}.normal needs a direction", list(score.normal)))
    if score.z_mm is not None and len(set(score.z_mm)) < len(score.z_mm):
        faults.append(Fault((*place, "z_mm"), f"{name}.z_mm names a plane twice", list(score.z_mm)))
    if score.z_mm is not None and score.normal not in (None, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)):
        what, allowed = f"{name}.normal is that of planes across z", "[0, 0, 1], [0, 0, -1], or plane_mm"
        faults.append(Fault((*place, "normal"), what, list(score.normal or ()), allowed))
    if score.plane_mm is not None and score.store_z is False and score.normal and any(score.normal[:2]):
        what = f"{name}.store_z: the particles of a tilted plane have no z in common"
        faults.append(Fault((*place, "store_z"), what, "false", "true"))
    if score.text and score.format == "gamos_text":
        faults.append(Fault((*place, "text"), f"{name} asks for text twice", None, "text, or format"))
    return faults + _histogram_faults(score, place, name)


def _histogram_faults(score: Score, place: Place, name: str) -> list[Fault]:
    faults = []
    if score.histogram_axes and not score.histograms:
        what, allowed = f"{name}.histogram_axes: no histograms are asked for", 'histograms = ["csv", "png", "root"]'
        faults.append(Fault((*place, "histogram_axes"), what, None, allowed))
    for histogram, axes in (score.histogram_axes or {}).items():
        where = (*place, "histogram_axes", histogram)
        if histogram not in THIRTEEN:
            what = f"{name}: there is no such histogram.{nearest(histogram, THIRTEEN)}"
            faults.append(Fault(where, what, histogram, ", ".join(THIRTEEN)))
        elif len(axes) != len(THIRTEEN[histogram]) or any(not low < high for low, high, _ in axes):
            allowed = f"{', '.join(THIRTEEN[histogram])}: [low, high, bins] each, low below high"
            faults.append(Fault(where, f"{name}: the axes of {histogram!r} are wrong", list(map(list, axes)), allowed))
    return faults


def _source_faults(score: Score, number: int, source: AnySource | None) -> list[Fault]:
    """Refuse planes through the place of a source: rounding would tell whether its particles cross them."""
    at = None if source is None or source.kind not in STARTING_ON_PLANES else getattr(source, "position_mm", None)
    if at is None:
        return []
    for plane in planes_of(score):
        normal = np.array(plane.normal) / np.linalg.norm(plane.normal)
        if abs(normal @ (np.array(at) - np.array(plane.point_mm))) < ON_THE_PLANE_MM:
            what = "A phase space lies on the place of the source, whose particles have not crossed it"
            return [Fault(("score", number), what, plane.said, "a plane beside it, 0.001 mm away or more")]
    return []


def files_of(score: Score) -> tuple[str, ...]:
    """Return the names of the files of a score of phase spaces."""
    return tuple(path.name for wish in wishes_of_score(score) for path in wish.paths(Path()))
