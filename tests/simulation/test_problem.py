"""Problems packed for the kernels: geometry, scoring, and a fingerprint that sees all that matters."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.core.solids import Device
from dosewright.geometry.beam.range_shifter import plate
from dosewright.geometry.trace import BEAMLINE, PATIENT, medium_of
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import scored_voxel
from dosewright.simulation.pack import pack_geometry
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem, proton_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import PencilBeams

Array = NDArray[np.float64]

WATER, AIR, PLASTIC, BONE = (named(n) for n in ("G4_WATER", "G4_AIR", "G4_POLYCARBONATE", "G4_BONE_CORTICAL_ICRP"))
GRID = Grid((4, 5, 6), (5.0, 4.0, 3.0), (-7.5, -8.0, -7.5))


def _voxels(grid: Grid = GRID, materials: tuple[Material, ...] = (WATER, BONE)) -> Voxels:
    density = np.ones(grid.array_shape, np.float32)
    return Voxels.on_grid(grid, np.zeros(grid.array_shape, np.uint8), density, materials)


def _beams(start_mm: float = 100.0, medium: str = "air") -> PencilBeams:
    rows = np.zeros((2, emit.PENCIL_COLUMNS))
    rows[:, emit.X] = 0.1, -0.1
    rows[:, emit.XX] = rows[:, emit.YY] = 0.3
    rows[:, emit.MEAN_ENERGY], rows[:, emit.ENERGY_SIGMA] = 60.0, 0.4
    rows[:, emit.START_Z] = start_mm / 10
    return PencilBeams(rows, np.array([1.0, 2.0]), start_mm, medium, None, ("said",))


@dataclass(frozen=True)
class _Case:
    """The arguments of `proton_problem`, so that one can be changed at a time."""

    voxels: Voxels
    pencil_beams: PencilBeams
    beamline: tuple[Device, ...]
    to_patient: Rigid
    score_grid: Grid
    settings: TransportSettings

    def problem(self) -> Problem:
        return proton_problem(**{name: getattr(self, name) for name in self.__dataclass_fields__})


def _slab(material: Material, density_g_cm3: float, upper_mm: float, lower_mm: float) -> Device:
    """A plate across the beam between two heights."""
    device = plate("slab", material, upper_mm - lower_mm, lower_mm)
    return replace(device, solids=(replace(device.solids[0], density_g_cm3=density_g_cm3),))


SLAB = _slab(PLASTIC, 1.2, 80.0, 60.0)
CASE = _Case(_voxels(), _beams(), (SLAB,), Rigid.identity(), GRID, TransportSettings())


def _with_row(case: _Case, column: int, change: float) -> _Case:
    rows = case.pencil_beams.rows.copy()
    rows[1, column] += change
    return replace(case, pencil_beams=replace(case.pencil_beams, rows=rows))


def _with_voxel(case: _Case, **arrays: float) -> _Case:
    changed = {name: getattr(case.voxels, name).copy() for name in arrays}
    for name, value in arrays.items():
        changed[name][2, 3, 1] = value
    return replace(case, voxels=replace(case.voxels, **changed))


def _settings(**changes: Any) -> Callable[[_Case], _Case]:
    return lambda c: replace(c, settings=replace(c.settings, **changes))


MORE_EXCITABLE = replace(BONE, mean_excitation_eV=120.0)
CHANGES: dict[str, Callable[[_Case], _Case]] = {
    "one density": lambda c: _with_voxel(c, density_g_cm3=1.0001),
    "one material": lambda c: _with_voxel(c, material=1),
    "a material's excitation energy": lambda c: replace(c, voxels=replace(c.voxels, materials=(WATER, MORE_EXCITABLE))),
    "the place of the voxels": lambda c: replace(
        c, voxels=replace(c.voxels, frame=Rigid(c.voxels.frame.rotation, c.voxels.frame.translation + 0.1))
    ),
    "the size of voxels": lambda c: replace(
        c, voxels=replace(c.voxels, edges_mm=(c.voxels.edges_mm[0] * 1.001, *c.voxels.edges_mm[1:]))
    ),
    "a spot's position": lambda c: _with_row(c, emit.X, 0.001),
    "a spot's slope": lambda c: _with_row(c, emit.SLOPE_Y, 1e-4),
    "a spot's size": lambda c: _with_row(c, emit.XX, 1e-3),
    "an energy": lambda c: _with_row(c, emit.MEAN_ENERGY, 0.01),
    "an energy spread": lambda c: _with_row(c, emit.ENERGY_SIGMA, 0.01),
    "the particles of a spot": lambda c: replace(
        c, pencil_beams=replace(c.pencil_beams, particles=np.array([1.0, 2.001]))
    ),
    "the start": lambda c: replace(c, pencil_beams=_beams(start_mm=101.0)),
    "the medium": lambda c: replace(c, pencil_beams=_beams(medium="vacuum")),
    "no slab": lambda c: replace(c, beamline=()),
    "a slab's thickness": lambda c: replace(c, beamline=(_slab(PLASTIC, 1.2, 80.1, 60.0),)),
    "a slab's material": lambda c: replace(c, beamline=(_slab(WATER, 1.2, 80.0, 60.0),)),
    "a slab's density": lambda c: replace(c, beamline=(_slab(PLASTIC, 1.19, 80.0, 60.0),)),
    "the gantry": lambda c: replace(c, to_patient=Rigid(rotation_about("y", 1.0), np.zeros(3))),
    "the isocentre": lambda c: replace(c, to_patient=Rigid(np.eye(3), np.array([0.0, 0.1, 0.0]))),
    "the scored grid's place": lambda c: replace(c, score_grid=replace(GRID, origin_mm=(-7.5, -8.0, -7.4))),
    "the scored grid's spacing": lambda c: replace(c, score_grid=replace(GRID, spacing_mm=(5.0, 4.0, 2.9))),
    "the scored grid's shape": lambda c: replace(c, score_grid=replace(GRID, shape=(4, 5, 5))),
    "the scored grid's axes": lambda c: replace(c, score_grid=replace(GRID, direction=rotation_about("z", 0.5))),
    "the proton cut": _settings(proton_cut_MeV=0.6),
    "the delta cut": _settings(delta_cut_MeV=0.3),
    "the longest step": _settings(max_step_mm=1.0),
    "a process": _settings(processes_off=("nuclear",)),
    "dose to water": _settings(dose_to_water=False),
    "LET": _settings(let=True),
}


def test_the_fingerprint_is_that_of_the_content() -> None:
    again = _Case(_voxels(), _beams(), (replace(SLAB),), Rigid.identity(), replace(GRID), TransportSettings())
    assert again.problem().fingerprint() == CASE.problem().fingerprint()


@pytest.mark.parametrize("what", CHANGES)
def test_the_fingerprint_changes_with(what: str) -> None:
    assert CHANGES[what](CASE).problem().fingerprint() != CASE.problem().fingerprint()


def test_the_fingerprint_changes_with_the_compiled_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = CASE.problem()
    before = problem.fingerprint()
    monkeypatch.setattr("dosewright.simulation.problem.source_hash", lambda rooms: "another")
    assert problem.fingerprint() != before


def test_all_changes_are_told_apart() -> None:
    prints = [change(CASE).problem().fingerprint() for change in CHANGES.values()]
    assert len(set(prints)) == len(prints)


def _layers(slabs: tuple[Device, ...], start_mm: float, gap: Material | None) -> list[tuple[float, float, str, float]]:
    """What the beamline was packed to, upwards: bottom, top (mm), material, density (to four digits)."""
    g, materials = pack_geometry(_voxels(), slabs, start_mm, gap, Rigid.identity())
    edges = 10 * g.edges[g.first[BEAMLINE, 2] :][: g.cells[BEAMLINE, 2] + 1]
    media = [medium_of(word) for word in g.voxels[g.voxel_first[BEAMLINE] :]]
    rows = zip(edges[:-1], edges[1:], media, strict=True)
    return [(round(a, 6), round(b, 6), materials[m].name, float(f"{float(rho):.4g}")) for a, b, (m, rho) in rows]


def test_the_beamline_is_slabs_with_air_between_and_above() -> None:
    upper, lower = _slab(PLASTIC, 1.2, 200.0, 150.0), _slab(BONE, 1.8, 100.0, 90.0)
    air = (AIR.name, float(f"{AIR.density_g_cm3:.4g}"))
    wanted = [
        (90.0, 100.0, BONE.name, 1.8),
        (100.0, 150.0, *air),
        (150.0, 200.0, PLASTIC.name, 1.2),
        (200.0, 230.0, *air),
    ]
    assert _layers((upper, lower), 230.0, AIR) == wanted
    assert _layers((lower, upper), 230.0, AIR) == wanted, "the order in which slabs are named does not matter"


def test_slabs_that_touch_and_a_start_on_the_face_leave_no_gap() -> None:
    layers = _layers((_slab(PLASTIC, 1.2, 100.0, 90.0), _slab(BONE, 1.8, 120.0, 100.0)), 120.0, AIR)
    assert [row[:3] for row in layers] == [(90.0, 100.0, PLASTIC.name), (100.0, 120.0, BONE.name)]


def test_in_vacuum_the_gap_and_the_spaces_between_slabs_are_empty() -> None:
    assert [row[3] for row in _layers((SLAB,), 100.0, None)] == [pytest.approx(1.2), 0.0]
    geometry, materials = pack_geometry(_voxels(), (SLAB,), 100.0, None, Rigid.identity())
    assert geometry.gap_density == 0.0
    assert AIR not in materials


def test_in_air_the_gap_is_air() -> None:
    geometry, materials = pack_geometry(_voxels(), (), 100.0, AIR, Rigid.identity())
    assert materials[geometry.gap_material] == AIR
    assert geometry.gap_density == AIR.density_g_cm3
    assert geometry.cells[BEAMLINE, 0] == 0
    assert materials[:2] == [WATER, BONE], "voxels keep the numbers of their materials"


def test_media_of_pencil_beams_choose_the_gap() -> None:
    assert CASE.problem().packed.geometry.gap_density == pytest.approx(AIR.density_g_cm3)
    in_vacuum = replace(CASE, pencil_beams=_beams(medium="vacuum")).problem()
    assert in_vacuum.packed.geometry.gap_density == 0.0


def test_a_material_of_the_patient_is_not_repeated_for_a_slab() -> None:
    _, materials = pack_geometry(_voxels(), (_slab(BONE, 1.5, 80.0, 60.0),), 100.0, AIR, Rigid.identity())
    assert [m.name for m in materials] == [WATER.name, BONE.name, AIR.name]


def test_overlapping_slabs_are_refused() -> None:
    with pytest.raises(InputError, match=r"overlap, .* two things cannot be in one place"):
        pack_geometry(_voxels(), (SLAB, _slab(BONE, 1.8, 70.0, 50.0)), 100.0, AIR, Rigid.identity())
    with pytest.raises(InputError, match=r"overlap, .* two things cannot be in one place"):
        pack_geometry(_voxels(), (SLAB, SLAB), 100.0, AIR, Rigid.identity())


def test_a_beam_that_starts_inside_or_below_a_slab_is_refused() -> None:
    for start in (79.0, 50.0, -10.0):
        with pytest.raises(InputError, match=r"starts below the upstream face of what stands in it.*80 mm"):
            pack_geometry(_voxels(), (SLAB,), start, AIR, Rigid.identity())


def test_energies_beyond_the_tables_are_refused() -> None:
    with pytest.raises(InputError, match="beyond the tables"):
        _with_row(CASE, emit.MEAN_ENERGY, 289.0).problem()  # 349 MeV and five sigma
    _with_row(CASE, emit.MEAN_ENERGY, 287.0).problem()


def test_the_patient_box_is_packed_in_cm() -> None:
    g = CASE.problem().packed.geometry
    for axis in range(3):
        edges = g.edges[g.first[PATIENT, axis] :][: g.cells[PATIENT, axis] + 1]
        np.testing.assert_allclose(10 * edges, CASE.voxels.edges_mm[axis])
    assert tuple(g.cells[PATIENT]) == GRID.shape


def test_gantry_axes_become_those_of_the_box() -> None:
    turn = Rigid(rotation_about("y", 30.0) @ rotation_about("x", 10.0), np.array([3.0, -2.0, 7.0]))
    grid = replace(GRID, direction=rotation_about("z", 25.0))
    geometry, _ = pack_geometry(_voxels(grid), (), 0.0, None, turn)
    point = np.array([11.0, -5.0, 2.0])
    in_box = geometry.rotation @ point / 10 + geometry.translation
    index = in_box * 10 / np.array(grid.spacing_mm) - 0.5
    np.testing.assert_allclose(index, grid.to_index(turn.points(point)), atol=1e-9)


@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_positions_fall_into_the_scored_voxels_that_the_grid_names(tilt: float) -> None:
    voxels = _voxels(replace(GRID, direction=rotation_about("z", 15.0)))
    grid = Grid((5, 3, 4), (3.0, 6.0, 5.0), (-9.0, -6.0, -8.0), rotation_about("x", tilt))
    scoring = replace(CASE, voxels=voxels, score_grid=grid).problem().packed.scoring
    assert not scoring.same_voxels
    for point in np.random.default_rng(3).uniform(-15.0, 15.0, (300, 3)):
        i, j, k = np.floor(grid.to_index(voxels.frame.points(point)) + 0.5).astype(int)
        inside = 0 <= i < 5 and 0 <= j < 3 and 0 <= k < 4
        assert scored_voxel(scoring, *(point / 10)) == ((k * 3 + j) * 5 + i if inside else -1)


def test_masses_and_densities_are_those_of_the_scored_voxels() -> None:
    coarse = Grid((2, 5, 3), (10.0, 4.0, 6.0), (-5.0, -8.0, -6.0))
    problem = replace(_with_voxel(CASE, density_g_cm3=3.0), score_grid=coarse).problem()
    assert problem.mass_g.shape == coarse.array_shape
    assert problem.mass_g[0, 0, 0] == pytest.approx(0.24)
    assert problem.mass_g[1, 3, 0] == pytest.approx(0.24 + 2 * 0.06)
    np.testing.assert_allclose(problem.density_g_cm3, problem.mass_g / coarse.voxel_volume_cm3)
    assert problem.assumptions == ("said",)


def _rectangle() -> Source:
    nothing = np.zeros(0)
    extent, energy = np.array([1.0, 1.0, 0.0]), np.array([60.0, 0.0])
    return Source(emit.RECTANGLE, np.zeros((0, emit.PENCIL_COLUMNS)), extent, energy, nothing, nothing, nothing)


def test_phantoms_are_scored_in_their_own_uneven_voxels() -> None:
    edges = (np.array([0.0, 1, 3]), np.array([0.0, 10, 30]), np.array([0.0, 2, 5, 9]))
    shape = (3, 2, 2)
    density = np.arange(1, 13, dtype=np.float32).reshape(shape)
    voxels = Voxels(edges, Rigid.identity(), np.zeros(shape, np.uint8), density, (WATER,))
    weights, settings = np.ones(1), TransportSettings()
    problem = phantom_problem(
        voxels=voxels, source=_rectangle(), weights=weights, to_patient=Rigid.identity(), settings=settings
    )
    assert problem.packed.scoring.same_voxels
    assert problem.score_shape == (2, 2, 3)
    assert problem.score_grid is None
    assert problem.mass_g[2, 1, 0] == pytest.approx(0.4 * 2.0 * 0.1 * density[2, 1, 0])
    np.testing.assert_array_equal(problem.density_g_cm3, density)
    assert problem.packed.geometry.gap_density == 0.0


def test_phantoms_may_be_scored_on_a_grid() -> None:
    problem = phantom_problem(
        voxels=_voxels(),
        source=_rectangle(),
        weights=np.ones(1),
        to_patient=Rigid.identity(),
        settings=TransportSettings(),
        score_grid=Grid((2, 1, 1), (10.0, 20.0, 18.0), (-5.0, 0.0, 0.0)),
    )
    np.testing.assert_allclose(problem.mass_g, 3.6)
    np.testing.assert_allclose(problem.density_g_cm3, 1.0)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"proton_cut_MeV": 0.05}, "proton_cut_MeV"),
        ({"proton_cut_MeV": 25.0}, "proton_cut_MeV"),
        ({"delta_cut_MeV": 0.001}, "delta_cut_MeV"),
        ({"max_step_mm": 0.0}, "max_step_mm"),
        ({"max_step_mm": float("nan")}, "max_step_mm"),
    ],
)
def test_cuts_out_of_range_are_refused(settings: dict[str, float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        TransportSettings(**settings)  # type: ignore[arg-type]


def test_all_bad_cuts_are_listed_together() -> None:
    with pytest.raises(InputError) as caught:
        TransportSettings(proton_cut_MeV=0.0, delta_cut_MeV=0.0, max_step_mm=-1.0)
    assert len(caught.value.problems) == 3


def test_neighbouring_numbers_do_not_run_together_in_the_fingerprint() -> None:
    one = _settings(proton_cut_MeV=0.51, max_step_mm=2.0)(CASE).problem()
    other = _settings(proton_cut_MeV=0.5, max_step_mm=102.0)(CASE).problem()
    assert one.fingerprint() != other.fingerprint()
