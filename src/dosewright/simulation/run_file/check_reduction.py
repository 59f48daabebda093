"""Mistakes in the variance reduction of a scene: what excludes what, and what it needs."""

from pathlib import Path

from dosewright.core.errors import InputError
from dosewright.formats.text.xy_limits import read_xy_limits
from dosewright.simulation.run_file.faults import Fault, faults_from, is_there
from dosewright.simulation.run_file.particles import ABILITIES
from dosewright.simulation.run_file.source_tables import AnySource, PhaseSpaceSource
from dosewright.simulation.run_file.transport_tables import Directional, VarianceReduction
from dosewright.simulation.run_file.values import AUTO, COUPLED, OFF

SPLITTING = ("bremsstrahlung_splitting", "directional", "equal_weight")
COUNTS = ("bremsstrahlung_splitting", "russian_roulette", "voxel_splitting", "roulette_value")


def reduction_faults(reduction: VarianceReduction, source: AnySource | None, *, in_scene: bool) -> list[Fault]:
    """Return what is wrong with splitting, roulette and limits."""
    faults = [
        Fault(("variance_reduction", key), f"variance_reduction.{key} is 0 for off, or at least 2", 1)
        for key in COUNTS
        if getattr(reduction, key) == 1
    ]
    split = [key for key in SPLITTING if getattr(reduction, key)]
    if len(split) > 1:
        what = "Only one of the ways of splitting can be used at a time"
        faults.append(Fault(("variance_reduction", split[-1]), what, " and ".join(split), "one of them"))
    if reduction.russian_roulette and (reduction.directional or reduction.equal_weight):
        what = "Splitting towards a field plays a roulette of its own with electrons"
        faults.append(Fault(("variance_reduction", "russian_roulette"), what, reduction.russian_roulette, 0))
    for key in ("directional", "equal_weight"):
        table = getattr(reduction, key)
        if table is not None and table.electron_plane_mm == table.at_mm[2]:
            what = f"variance_reduction.{key}: electron_plane_mm must lie upstream of the field"
            faults.append(Fault(("variance_reduction", key), what, f"both at z = {table.at_mm[2]:g} mm"))
        elif table is not None:
            faults += _behind_field(key, table, source)
    used = [*split, *(["russian_roulette"] if reduction.russian_roulette else [])]
    used += ["voxel_splitting"] if reduction.voxel_splitting else []
    used += ["xy_limits"] if reduction.xy_limits != OFF else []
    faults += [fault for key in used for fault in _needs(key, source, in_scene=in_scene)]
    if reduction.xy_limits == AUTO and isinstance(source, PhaseSpaceSource):
        what = "variance_reduction.xy_limits: a phase space does not say which way its beam runs"
        faults.append(Fault(("variance_reduction", "xy_limits"), what, AUTO, f"{OFF}, or a file"))
    return faults + _limits_faults(reduction.xy_limits) + _reuse_faults(reduction, source)


def _behind_field(key: str, table: Directional, source: AnySource | None) -> list[Fault]:
    """Refuse a source that lies behind the field, as the electron plane says where it is looked at from."""
    place = getattr(source, "position_mm", None)
    at, plane = table.at_mm[2], table.electron_plane_mm
    if place is None or (place[2] - at) * (plane - at) >= 0.0:
        return []
    what = f"variance_reduction.{key}: the source and electron_plane_mm lie on different sides of the field"
    given = f"the source at z = {place[2]:g}, the plane at {plane:g}, the field at {at:g} mm"
    return [Fault(("variance_reduction", key, "electron_plane_mm"), what, given, "a plane between source and field")]


def _needs(key: str, source: AnySource | None, *, in_scene: bool) -> list[Fault]:
    """Return why a way cannot be used in this run: it is for photons and electrons in a scene."""
    faults = []
    if not in_scene:
        what = f"variance_reduction.{key} works in a scene, and there is none"
        faults.append(Fault(("variance_reduction", key), what, None, "a table [scene]"))
    if source is not None and not ABILITIES[source.particle].regions:
        what = f"variance_reduction.{key} is nothing for {ABILITIES[source.particle].name}"
        faults.append(Fault(("variance_reduction", key), what, None, ", ".join(COUPLED)))
    return faults


def _reuse_faults(reduction: VarianceReduction, source: AnySource | None) -> list[Fault]:
    """Return what is wrong with a plane of reuse."""
    reuse, place = reduction.reuse_at_plane, ("variance_reduction", "reuse_at_plane")
    if reuse is None:
        return []
    faults = []
    if reuse.normal not in ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0)):
        what = "The plane of reuse_at_plane lies across z"
        faults.append(Fault((*place, "normal"), what, list(reuse.normal), "[0, 0, 1] or [0, 0, -1]"))
    if source is not None and not ABILITIES[source.particle].regions:
        what = f"variance_reduction.reuse_at_plane is nothing for {ABILITIES[source.particle].name}"
        faults.append(Fault(place, what, None, ", ".join(COUPLED)))
    used = [key for key in ("photon_splitting", "track_length") if getattr(reduction, key)]
    if used:
        faults.append(Fault(place, "Nothing is used again at a plane beside this", used[0], "one of the two"))
    if source is not None and source.kind in ("pencil", "rectangle", "point") and \
            getattr(source, "position_mm", (0.0, 0.0, None))[2] == reuse.z_mm:  # fmt: skip
        what = "The plane of reuse_at_plane lies on the place of the source, whose particles have not crossed it"
        faults.append(Fault((*place, "z_mm"), what, reuse.z_mm, "a plane beside it, 0.001 mm away or more"))
    return faults


def _limits_faults(word: str) -> list[Fault]:
    place = ("variance_reduction", "xy_limits")
    if word in (OFF, AUTO):
        return []
    if not is_there(word):
        what = "The file of variance_reduction.xy_limits does not exist"
        return [Fault(place, what, word, f"{OFF}, {AUTO}, or a file of lines with z, x and y")]
    try:
        read_xy_limits(Path(word))
    except InputError as error:
        return faults_from(error, place)
    return []
