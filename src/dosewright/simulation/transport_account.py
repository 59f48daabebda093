"""Which cuts, processes and models made a result, for its summary."""

from typing import Any

from dosewright.simulation.coupled_problem import media_of
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.problem import TransportSettings
from dosewright.simulation.run_file.particles import ABILITIES
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.setup.prepare import Prepared

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
    off = list(settings.processes_off)
    return said | {"processes_on": [word for word in known if word not in off], "processes_off": off, "models": models}


def _cuts(prepared: Prepared, settings: CoupledSettings) -> list[dict[str, Any]]:
    phantom = prepared.phantom
    _, media = media_of(phantom.voxels, settings, phantom.inserts)
    return [
        {
            "material": medium.material.name,
            **({"insert": medium.insert} if medium.insert else {}),
            "density_g_cm3": round(medium.material.density_g_cm3, 6),
            "photon_cut_MeV": medium.cuts.photon_MeV,
            "electron_cut_MeV": medium.cuts.electron_MeV,
            "range_rejection_MeV": medium.cuts.rejection_MeV,
        }
        for medium in media
    ]


def _proton_cuts(run_file: RunFile, settings: TransportSettings) -> dict[str, Any]:
    delta = run_file.transport.model_dump(mode="json")["delta_cut_MeV"]
    return {"proton_cut_MeV": settings.proton_cut_MeV, "delta_cut_MeV": delta}
