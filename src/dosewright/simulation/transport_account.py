"""Which cuts, processes and models made a result, for its summary."""

from typing import Any

from dosewright.simulation.coupled_problem import media_of
from dosewright.simulation.coupled_settings import CoupledSettings, MaterialCuts
from dosewright.simulation.problem import TransportSettings
from dosewright.simulation.run_file.particles import ABILITIES
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.setup.prepare import Prepared
from dosewright.simulation.setup.scene import PlacedScene

PROTON_MODELS = {
    "energy loss": "Bethe's formula with shell and Bloch corrections; losses above the delta cut one by one",
    "scattering": "screened Rutherford, small deflections condensed, large ones one by one",
    "nuclear": "elastic scattering; cascade of nucleons, then evaporation",
}
COUPLED_MODELS = {
    "photon cross sections": "XCOM (xraylib) to 0.8 MeV, formulas above; pairs from Bethe-Heitler, triplets from Haug",
    "photoelectric": "subshells; Sauter's angle; fluorescence, Auger and Coster-Kronig transitions of K, L and M",
    "compton": "Klein-Nishina times incoherent scattering functions; impulse approximation for binding and motion",
    "rayleigh": "form factors of independent atoms",
    "pair": "Bethe-Heitler with screening; triplets as pairs",
    "collisions": "Berger-Seltzer with Sternheimer's density effect; Moller and Bhabha one by one above the cut",
    "impact ionisation": "Casnati-Tartari-Baraldi with a correction fitted to Bote and others",
    "bremsstrahlung": "a fit to Seltzer and Berger; Koch-Motz 2BS angles",
    "elastic": "Dirac partial waves in screened fields; small deflections condensed, large ones one by one",
    "annihilation": "Heitler in flight; two photons of 511 keV at rest",
    "tracking": "photons by Woodcock's method; electrons and positrons end a step at every voxel face",
}
KERMA = {"dose": "kerma of photons by track length; electrons are absorbed where they are made"}
IN_SCENE = {
    "tracking in solids": "photons by optical depth from boundary to boundary; electrons and positrons end a step at "
    "every boundary",
}
REPEATED = "each flight of a photon interacts at {} places, and what it sets free is scored at all of them"


def transport_account(run_file: RunFile, prepared: Prepared) -> dict[str, Any]:
    """Return the cuts that held, by material where they may differ, the processes off, and the models used."""
    settings = prepared.settings
    said: dict[str, Any] = {"particle": run_file.source.particle, "max_step_mm": settings.max_step_mm}
    if isinstance(settings, CoupledSettings):
        said["cuts"] = _cuts(prepared, settings)
    else:
        said |= _proton_cuts(run_file, settings)
    known = ABILITIES[run_file.source.particle].processes
    models = COUPLED_MODELS if isinstance(settings, CoupledSettings) else PROTON_MODELS
    if isinstance(settings, CoupledSettings) and settings.track_length:
        models = models | KERMA
    if isinstance(settings, CoupledSettings) and settings.photon_splitting:
        models = models | {"tracking": REPEATED.format(settings.photon_splitting)}
    if isinstance(settings, CoupledSettings) and prepared.scene is not None:
        models = models | IN_SCENE
    off = list(settings.processes_off)
    return said | {"processes_on": [word for word in known if word not in off], "processes_off": off, "models": models}


def _cuts(prepared: Prepared, settings: CoupledSettings) -> list[dict[str, Any]]:
    """Return the cuts of each medium, of the voxels and of the scene."""
    phantom = prepared.phantom
    media = () if phantom is None else media_of(phantom.voxels, settings, phantom.inserts)[1]
    of_voxels = [
        _medium(medium.material.name, medium.material.density_g_cm3, medium.cuts,
                {"insert": medium.insert} if medium.insert else {})
        for medium in media
    ]  # fmt: skip
    return of_voxels + ([] if prepared.scene is None else _scene_cuts(prepared.scene, settings))


def _scene_cuts(scene: PlacedScene, settings: CoupledSettings) -> list[dict[str, Any]]:
    """Return the cuts of what parts are made of; parts with cuts of their own are named."""
    found: list[dict[str, Any]] = []
    named = {region.name for region in settings.regions}
    for part in scene.parts:
        material = part.material or scene.fill
        if material is not None:
            own = {"part": part.name} if part.name in named else {"part": ""}
            density = part.density_g_cm3 or material.density_g_cm3
            found.append(_medium(material.name, density, settings.cuts_in(material.name, part.name), own))
    if scene.fill is not None:
        fill = scene.fill
        found.append(_medium(fill.name, fill.density_g_cm3, settings.cuts_in(fill.name), {"part": ""}))
    return [entry for number, entry in enumerate(found) if entry not in found[:number]]


def _medium(name: str, density_g_cm3: float, cuts: MaterialCuts, own: dict[str, str]) -> dict[str, Any]:
    return {
        "material": name,
        **own,
        "density_g_cm3": round(density_g_cm3, 6),
        "photon_cut_MeV": cuts.photon_MeV,
        "electron_cut_MeV": cuts.electron_MeV,
        "range_rejection_MeV": cuts.rejection_MeV,
    }


def _proton_cuts(run_file: RunFile, settings: TransportSettings) -> dict[str, Any]:
    delta = run_file.transport.model_dump(mode="json")["delta_cut_MeV"]
    return {"proton_cut_MeV": settings.proton_cut_MeV, "delta_cut_MeV": delta}
