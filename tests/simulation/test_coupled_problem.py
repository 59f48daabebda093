"""Problems of photons, electrons and positrons: media, cuts, energies, fingerprint."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.leaving import Leaving
from dosewright.simulation.coupled_problem import ROUNDED_UP, SPECIES, coupled_problem, media_of
from dosewright.simulation.coupled_settings import CoupledSettings, RegionCuts
from dosewright.simulation.problem import Problem
from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.setup.beam_source import BeamSource, beam_source
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

WATER, AIR, TUNGSTEN = named("G4_WATER"), named("G4_AIR"), named("G4_W")
EDGES = (np.array([0.0, 2.0, 4.0]), np.array([0.0, 3.0]), np.array([0.0, 1.0, 3.0, 4.0]))
SETTINGS = CoupledSettings(regions=(RegionCuts("target", electron_cut_MeV=0.01, range_rejection_MeV=1.5),))


def voxels() -> Voxels:
    """Water of two densities, and tungsten as a target; air does not occur."""
    material = np.array([[[0, 0]], [[2, 2]], [[3, 0]]], np.uint8)
    density = np.array([[[1.0, 1.3]], [[19.3, 19.3]], [[19.0, 0.9]]], np.float32)
    return Voxels(EDGES, Rigid.identity(), material, density, (WATER, AIR, TUNGSTEN, TUNGSTEN))


def source(energy: float = 6.0) -> BeamSource:
    return beam_source(PencilSource(particle="photon", energy_MeV=energy, position_mm=(2, 1, -5)))


@cache
def problem(settings: CoupledSettings = SETTINGS) -> Problem:
    made = source()
    return coupled_problem(
        voxels=voxels(),
        source=made.packed,
        particle="photon",
        weights=made.weights,
        to_patient=made.to_patient,
        settings=settings,
        inserts=("", "", "target", ""),
    )


def test_only_media_that_occur_are_kept_with_the_density_of_their_voxels() -> None:
    kept, media = media_of(voxels(), SETTINGS, ("", "", "target", ""))
    assert [(m.material.name, m.insert) for m in media] == [("G4_WATER", ""), ("G4_W", "target"), ("G4_W", "")]
    assert [m.material.density_g_cm3 for m in media] == pytest.approx([3.2 / 3, 19.3, 19.0])
    assert [m.largest_density_g_cm3 / ROUNDED_UP for m in media] == pytest.approx([1.3, 19.3, 19.0])
    assert kept.material.ravel().tolist() == [0, 0, 1, 1, 2, 0]
    assert [m.name for m in kept.materials] == ["G4_WATER", "G4_W", "G4_W"]
    assert [m.cuts.electron_MeV for m in media] == [0.2, 0.01, 0.2]


def test_cuts_and_tables_are_those_of_the_media() -> None:
    packed = problem().packed
    assert packed.cuts.photon == pytest.approx([0.01] * 3)
    assert packed.cuts.electron == pytest.approx([0.2, 0.01, 0.2])
    assert packed.cuts.rejection == pytest.approx([0, 1.5, 0])
    assert packed.photons.attenuation.total.shape[0] == 3
    assert packed.max_step_cm == pytest.approx(0.5)
    assert packed.kerma.size == 0


def test_no_voxel_attenuates_more_than_the_largest_coefficient() -> None:
    """Woodcock tracking needs it: at the densities as packed, which are rounded."""
    packed = problem().packed
    words = packed.geometry.voxels[: packed.geometry.voxel_first[0]]
    density = (words & np.int32(-256)).view(np.float32).astype(float)
    for word, rho in zip(words, density, strict=True):
        assert np.all(packed.photons.attenuation.total[word & 0xFF] * rho <= packed.photons.attenuation.largest)


def test_the_species_is_that_of_the_particle() -> None:
    assert SPECIES == {"photon": PHOTON, "electron": ELECTRON, "positron": POSITRON}
    assert problem().packed.species == PHOTON


def test_masses_are_those_of_the_voxels() -> None:
    made = problem()
    assert made.score_shape == (2, 1, 3)
    assert made.mass_g[1, 0] == pytest.approx([0.2 * 0.3 * 0.2 * 19.3] * 2)
    assert made.mass_g[0, 0, 1] == pytest.approx(0.2 * 0.3 * 0.1 * 1.3)


def test_all_changes_are_told_apart() -> None:
    packed = problem().packed
    others = [
        problem(settings=replace(SETTINGS, processes_off=("rayleigh",))),
        *(
            replace(problem(), packed=packed._replace(**change))
            for change in (
                {"species": ELECTRON},
                {"leaving": Leaving(10, 6.0, 2)},
                {"max_step_cm": 0.1},
                {"cuts": packed.cuts._replace(rejection=np.ones(3, np.float32))},
                {"cuts": packed.cuts._replace(electron=np.ones(3, np.float32))},
                {"kerma": packed.photons.attenuation.total},
            )
        ),
    ]
    prints = {one.fingerprint() for one in (problem(), *others)}
    assert len(prints) == 1 + len(others)


def by_track_length(energy: float) -> Problem:
    made = source(energy)
    edges = (np.arange(3) * 5.0, np.arange(2) * 5.0, np.arange(3) * 1.0)
    material = np.array([[[0, 1]], [[0, 0]]], np.uint8)
    density = np.where(material == 1, AIR.density_g_cm3, 1.0).astype(np.float32)
    return coupled_problem(
        voxels=Voxels(edges, Rigid.identity(), material, density, (WATER, AIR)),
        source=made.packed,
        particle="photon",
        weights=made.weights,
        to_patient=made.to_patient,
        settings=CoupledSettings(track_length=True),
    )


def test_track_length_needs_electrons_that_stay_in_their_voxels() -> None:
    """In water electrons of 100 keV travel 0.143 mm, of 150 keV 0.282 mm (ESTAR); the smallest voxels have 1 mm."""
    made = by_track_length(0.1)
    (said,) = made.assumptions
    assert said.startswith("By track length the dose in G4_AIR is kerma: electrons travel 13")
    assert made.packed.kerma.shape == made.packed.photons.attenuation.total.shape
    assert np.all(made.packed.cuts.electron >= 0.1)
    with pytest.raises(InputError, match=r"electrons of 0\.15 MeV travel 0\.28\d* mm in G4_WATER") as refused:
        by_track_length(0.15)
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize("energy", [0.0009, 50.5])
def test_energies_beyond_the_tables_are_refused(energy: float) -> None:
    made = source(energy)
    with pytest.raises(InputError, match=r"Allowed: 0\.001 to 50 MeV"):
        coupled_problem(
            voxels=voxels(),
            source=made.packed,
            particle="photon",
            weights=made.weights,
            to_patient=made.to_patient,
            settings=SETTINGS,
        )
