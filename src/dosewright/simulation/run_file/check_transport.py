"""Mistakes between a source's particle and the rest: processes, regions and scores that are not of its kind."""

from collections.abc import Callable, Sequence

from dosewright.core.errors import nearest
from dosewright.simulation.kerma import HIGHEST_MEV
from dosewright.simulation.run_file.check_planes import PHASE_SPACE_KEYS
from dosewright.simulation.run_file.faults import Fault
from dosewright.simulation.run_file.particles import ABILITIES
from dosewright.simulation.run_file.phantom_tables import Box, Phantom, Slab
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import AnySource, Energetic, PhaseSpaceSource
from dosewright.simulation.run_file.transport_tables import Region, Transport, VarianceReduction
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.simulation.setup.scene import PlacedScene
from dosewright.simulation.setup.spectrum import energies_MeV
from dosewright.simulation.setup.text_phantom import media_in, read_text_phantom
from dosewright.transport.copies import MOST_COPIES

SPECTRUM_KEYS = ("particle", "energy_bins", "energy_max_MeV", "angle_bins")
GRID_KEYS = ("size_mm", "voxel_mm", "origin_mm")
OWNERS: dict[str, tuple[tuple[str, ...], Callable[[Score], bool]]] = {
    "a grid of voxels": (GRID_KEYS, lambda score: score.has_voxels),
    "spectra": (SPECTRUM_KEYS, lambda score: score.quantity == "spectrum"),
    "phase spaces": (PHASE_SPACE_KEYS, lambda score: score.quantity == "phase_space"),
}
MOST_LISTED = 30


def transport_faults(transport: Transport, source: AnySource | None) -> list[Fault]:
    """Return processes and regions that the particle of the source does not know, and regions named twice."""
    names = [region.name for region in transport.region]
    faults = [
        Fault(("transport", "region", n, "name"), "Two regions have one name", name, "a name of its own for each")
        for n, name in enumerate(names)
        if name in names[:n]
    ]
    if source is None:
        return faults
    able = ABILITIES[source.particle]
    faults += [
        Fault(("transport", "processes_off"), f"{word!r} is no process of {able.name}", None, ", ".join(able.processes))
        for word in transport.processes_off
        if word not in able.processes
    ]
    if names and not able.regions:
        what = f"transport.region means nothing to {able.name}: there are no cuts by region for them"
        faults.append(Fault(("transport", "region"), what))
    return faults


def region_faults(
    transport: Transport, phantom: Phantom | None, scene: PlacedScene | None, resolvers: Resolvers
) -> list[Fault]:
    """Return regions that nothing in the phantom or the scene has the name of, and names that mean two things."""
    inserts = [] if phantom is None else [
        (("phantom", key, n), one) for key in ("slab", "box") for n, one in enumerate(getattr(phantom, key))
    ]  # fmt: skip
    if not inserts and not transport.region:
        return []
    materials = _materials(phantom, scene, resolvers)
    parts = () if scene is None else scene.names
    faults = [
        Fault((*place, "name"), f"An insert must not have the name of a {kind}", one.name)
        for place, one in inserts
        for kind, names in (("material", materials), ("part of the scene", parts))
        if one.name in names
    ]
    known = [*dict.fromkeys([*materials, *(one.name for _, one in inserts if one.name is not None), *parts])]
    for n, region in enumerate(transport.region):
        place = ("transport", "region", n)
        if all(cut is None for key, cut in region if key != "name"):
            what, keys = "The region has no cut of its own", [key for key in Region.model_fields if key != "name"]
            faults.append(Fault(place, what, repr(region.name), ", ".join(keys)))
        if region.name not in known:
            what = f"No {_matter(phantom, scene)} has this name.{nearest(region.name, known)}"
            faults.append(Fault((*place, "name"), what, repr(region.name), _listed(known)))
        elif region.name in materials and region.name in parts:
            what = "A region must not have the name of a material and of a part of the scene"
            faults.append(Fault((*place, "name"), what, repr(region.name)))
    return faults


def _matter(phantom: Phantom | None, scene: PlacedScene | None) -> str:
    """Say what regions may be named after."""
    if scene is None:
        return "material, slab or box of the phantom"
    return "material, part or module of the scene" + ("" if phantom is None else ", slab or box of the phantom")


def _listed(known: Sequence[str]) -> str:
    """List names, of many the first ones."""
    more = len(known) - MOST_LISTED
    return ", ".join(known[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _materials(phantom: Phantom | None, scene: PlacedScene | None, resolvers: Resolvers) -> list[str]:
    """Return the names of all materials, as the run file and as the library write them."""
    names = [] if scene is None else [material.name for material in scene.materials]
    if phantom is None:
        return names
    inserts: list[Slab | Box] = [*phantom.slab, *phantom.box]
    of_inserts = [insert.material for insert in inserts]
    asked = of_inserts if phantom.material is None else [phantom.material, *of_inserts]
    names = [*asked, *(resolvers.material(name).name for name in asked), *names]
    if phantom.egsphant is not None or phantom.g4dcm is not None:
        names += [material.name for material in media_in(phantom, read_text_phantom(phantom), resolvers)[0]]
    if phantom.hlut is not None:
        names += [material.name for material in resolvers.ct_protocol(phantom.hlut).materials]
    return [*dict.fromkeys(names)]


def score_kind_faults(scores: Sequence[Score], source: AnySource | None) -> list[Fault]:
    """Return scores that the particle of the source does not know, keys of another quantity, and bins that differ."""
    faults: list[Fault] = []
    for number, score in enumerate(scores):
        place = ("score", number)
        if source is not None and score.quantity not in (able := ABILITIES[source.particle]).quantities:
            what = f"score[{number + 1}].quantity: {score.quantity!r} is nothing that {able.name} score"
            faults.append(Fault((*place, "quantity"), what, None, ", ".join(able.quantities)))
        faults += [
            Fault((*place, key), f"score[{number + 1}].{key} belongs to {owner}, not to {score.quantity!r}")
            for owner, (keys, owns) in OWNERS.items()
            for key in keys
            if getattr(score, key) is not None and not owns(score)
        ]
        if score.quantity == "spectrum" and score.particle is None:
            what, allowed = f"The key 'score[{number + 1}].particle' is missing", "photon, electron, positron"
            faults.append(Fault(place, what, None, allowed))
        if score.quantity == "spectrum" and score.energy_max_MeV is None and isinstance(source, PhaseSpaceSource):
            what = f"The key 'score[{number + 1}].energy_max_MeV' is missing: the bins of a phase space have no end"
            faults.append(Fault(place, what))
    spectra = [n for n, score in enumerate(scores) if score.quantity == "spectrum"]
    if len({(scores[n].energy_bins, scores[n].energy_max_MeV, scores[n].angle_bins) for n in spectra}) > 1:
        what, allowed = "The spectra of a run share their bins", "the same bins for all; or two runs"
        faults.append(Fault(("score", spectra[-1]), what, "different bins", allowed))
    return faults


def splitting_faults(reduction: VarianceReduction, source: AnySource | None, scores: Sequence[Score]) -> list[Fault]:
    """Return why photons cannot be split: it is the dose in a phantom's own voxels that is found so.

    That the phantom is uniform is looked at when it is set up.
    """
    if not reduction.photon_splitting:
        return []
    place = ("variance_reduction", "photon_splitting")
    why: list[tuple[object, str]] = []
    if reduction.photon_splitting == 1:
        why.append((1, f"0, or 2 to {MOST_COPIES}"))
    if source is not None and (source.particle != "photon" or not isinstance(source, Energetic)):
        why.append((f"a source of {ABILITIES[source.particle].name}", "a source of photons"))
    if any(score.quantity == "spectrum" for score in scores):
        why.append(("a score of what leaves the phantom", "dose, dose_to_water, energy"))
    if any(score.size_mm is not None for score in scores):
        why.append(("a score with a grid of its own", "the phantom's own voxels"))
    if reduction.track_length:
        why.append(("track_length", "one of the two"))
    return [Fault(place, "Photons are not split for this", given, allowed) for given, allowed in why]


def track_length_faults(
    reduction: VarianceReduction, source: AnySource | None, scores: Sequence[Score], transport: Transport
) -> list[Fault]:
    """Return why the dose cannot be scored by track length: it is the kerma of photons in the phantom's own voxels.

    That electrons stay in their voxels is looked at when the phantom is set up.
    """
    if not reduction.track_length:
        return []
    place = ("variance_reduction", "track_length")
    why = []
    if source is not None and (source.particle != "photon" or not isinstance(source, Energetic)):
        why.append((f"a source of {ABILITIES[source.particle].name}", "a source of photons"))
    elif isinstance(source, Energetic) and (highest := energies_MeV(source)[1]) > HIGHEST_MEV:
        why.append((f"photons of {highest:g} MeV", f"photons up to {HIGHEST_MEV:g} MeV"))
    if any(score.quantity == "dose_to_water" for score in scores):
        why.append(("a score of dose_to_water", "dose to the medium"))
    if any(score.size_mm is not None for score in scores):
        why.append(("a score with a grid of its own", "the phantom's own voxels"))
    if any(region.photon_cut_MeV is not None for region in transport.region):
        why.append(("a region with a photon_cut_MeV of its own", "one photon_cut_MeV"))
    return [Fault(place, "There is no dose by track length for this", given, allowed) for given, allowed in why]
