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
    "photoelectric": "EPDL97 subshells (xraylib); Sauter's angle; fluorescence, Auger and Coster-Kronig of K and L",
    "compton": "Klein-Nishina with incoherent scattering functions; impulse approximation for binding and broadening",
    "rayleigh": "form factors of independent atoms",
    "pair": "Bethe-Heitler with screening and Coulomb corrections; triplets as pairs",
    "collisions": "Berger-Seltzer (ICRU 37) with Sternheimer's density effect; Moller, Bhabha above the electron cut",
    "bremsstrahlung": "fitted to the evaluation of Seltzer and Berger; Koch-Motz 2BS angles",
    "elastic": "Mott partial waves with screening; small deflections condensed, large ones one by one",
    "annihilation": "Heitler in flight; two photons of 511 keV at rest",
    "photon tracking": "Woodcock; charged particles stop at every voxel face",
}


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
    off = list(settings.processes_off)
    return said | {"processes_on": [word for word in known if word not in off], "processes_off": off, "models": models}


def _cuts(prepared: Prepared, settings: CoupledSettings) -> list[dict[str, Any]]:
    _, media = media_of(prepared.phantom.voxels, settings, prepared.phantom.inserts)
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
