"""What phase spaces of runs hold of the past of their particles, and filters by it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulation.test_phase_space_files import ONE, TARGET, plane, run

from dosewright.core.errors import InputError
from dosewright.core.particles import ELECTRON, PHOTON, Particles
from dosewright.formats.phase_space.extra_longs import has_bits, read_summary, unpack
from dosewright.formats.phase_space.open import open_phase_space
from dosewright.simulation import RunFile, run_in_folder
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.score_tables import ScoreFilter
from dosewright.simulation.run_file.source_tables import ExtraBits, PhaseSpaceSource, RecordFilter, RectangleSource
from dosewright.simulation.run_file.tables import Goals, Run

HEAD = """\
[scene]
fill = "G4_AIR"

[[part]]
name = "target"
box = { size_mm = [60.0, 60.0, 2.0] }
material = "G4_W"
centre_mm = [0.0, 0.0, 1.0]

[[part]]
name = "filter"
box = { size_mm = [200.0, 200.0, 20.0] }
material = "G4_Cu"
centre_mm = [0.0, 0.0, 40.0]

[[part]]
name = "beside"
box = { size_mm = [10.0, 10.0, 10.0] }
material = "G4_Pb"
centre_mm = [0.0, 190.0, 40.0]
"""
FILL, IN_TARGET, IN_FILTER, BESIDE, IN_PHANTOM = range(5)
NAMES = ["(fill)", "target", "filter", "beside", "(phantom)"]
EVERYTHING = ("origin", "crossings", "interactions", "z_origin", "z_last", "z_last_no_material")
BITS = {"origin": 8, "crossings": 24, "interactions": 8}
SHIFT_MM = 30.0  # of the scene in the run
AWAY = Phantom(size_mm=(40, 40, 20), voxel_mm=(20, 20, 10), origin_mm=(-20, -20, 300), material="G4_WATER")


def head(folder: Path, shift_mm: float = 0.0) -> Scene:
    (folder / "head.toml").write_text(HEAD, encoding="utf-8")
    return Scene(file=str(folder / "head.toml"), origin_mm=(0.0, 0.0, shift_mm))


def beam(z_mm: float = -10.0) -> RectangleSource:
    return RectangleSource(particle="electron", energy_MeV=6, position_mm=(0, 0, z_mm), field_mm=(2, 2))


def read(path: Path) -> Particles:
    (batch,) = open_phase_space(path).batches()
    return batch


FORMATS = {"iaea": ".IAEAheader", "native": ".h5", "topas_binary": ".header", "topas_ascii": ".header",
           "gamos_text": ".txt"}  # fmt: skip
FILTERS: dict[str, dict[str, Any]] = {
    "all": {}, "target": {"origin": ("target",)}, "rest": {"origin": ("filter", "(fill)", "beside")},
    "through": {"crossed": ("filter",)}, "past": {"not_crossed": ("filter",)},
    "scattered": {"interacted": ("filter",), "energy_MeV": (0.5, 2.0)}, "nothing": {"origin": ("beside",)},
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What a run of the head left, in axes that are not those of the phantom."""

    folder: Path
    said: dict[str, Any]
    space: dict[str, dict[str, Any]]

    def read(self, name: str) -> Particles:
        return read(self.folder / name)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return one run with all that is asked for below."""
    folder = tmp_path_factory.mktemp("head")
    scores = [
        *(plane(100, name=word, format=word, extra=EVERYTHING, extra_bits=BITS) for word in FORMATS),
        plane(100, name="egs", format="egs_mode2"),
        *(plane(100, name=name, filter=ScoreFilter(**keys)) for name, keys in FILTERS.items()),
        plane(100, name="whole", classify="origin"),
        plane(100, name="two", classify="origin", filter=ScoreFilter(origin=("target", "filter"))),
    ]
    said = run(folder, "out", *scores, source=beam(20.0), scene=head(folder, SHIFT_MM), phantom=AWAY, histories=1500)
    return Written(folder / "out", said, {space["name"]: space for space in said["phase_spaces"]})


def test_bits_and_heights_tell_the_past(written: Written) -> None:
    """Bits of regions as the geometry has them; heights in the axes of the run."""
    found = written.read("iaea.IAEAheader")
    assert list(found.extra) == [
        "z_origin_cm", "zlast_cm", "z_last_no_material_cm", "extra_long_1", "extra_long_2", "incremental_history",
    ]  # fmt: skip
    summary = read_summary(written.folder / "iaea.summ")
    assert [list(group.regions.values()) for group in summary.longs] == [NAMES] * 3
    assert [group.bits for group in summary.longs[:2]] == [8, 24] and len(summary.floats) == 3
    assert written.space["iaea"]["extra"] == list(EVERYTHING) and "iaea.summ" in written.said["files_sha256"]
    origin, crossed, interacted = unpack(
        summary.longs, [found.extra["extra_long_1"], found.extra["extra_long_2"]]
    ).values()
    photons = found.species == PHOTON
    assert photons.sum() > 200
    assert np.all(origin.sum(axis=1) == 1) and not origin[:, [BESIDE, IN_PHANTOM]].any()
    assert np.mean(origin[photons, IN_TARGET]) > 0.8 and origin[photons, IN_FILTER].any()
    assert np.all(crossed[:, FILL]) and np.all(crossed[:, IN_TARGET]) and not crossed[:, 5:].any()
    assert np.all(interacted[photons, IN_TARGET])
    aimed = np.abs(found.x_cm) < 5.0
    aimed &= np.abs(found.y_cm) < 5.0
    assert np.all(crossed[aimed, IN_FILTER]) and not np.all(crossed[:, IN_FILTER])  # some fly past it
    z_origin, z_last, elsewhere = (found.extra[name] for name in list(found.extra)[:3])
    in_target, in_filter = origin[:, IN_TARGET], origin[:, IN_FILTER]
    shift = SHIFT_MM / 10
    assert np.all((z_origin[in_target] >= shift - 1e-6) & (z_origin[in_target] <= shift + 0.2 + 1e-6))
    assert np.all((z_origin[in_filter] >= shift + 3.0 - 1e-6) & (z_origin[in_filter] <= shift + 5.0 + 1e-6))
    assert np.all((elsewhere <= shift + 0.2 + 1e-6) | ((elsewhere >= shift + 3.0 - 1e-6) & (elsewhere <= shift + 5.0)))
    not_in_air = (z_last <= shift + 0.2) | ((z_last >= shift + 3.0) & (z_last <= shift + 5.0))
    assert np.array_equal(z_last[not_in_air], elsewhere[not_in_air]) and 0 < np.sum(~not_in_air) < 0.2 * len(z_last)
    scattered = photons & in_target & (z_last > shift + 1.0) & not_in_air
    assert scattered.sum() > 20 and np.all(interacted[scattered, IN_FILTER])


def test_all_formats_hold_the_same(written: Written) -> None:
    first, *others = (written.read(f"{word}{suffix}") for word, suffix in FORMATS.items())
    for other in others:
        wanted = [first.extra[name] for name in ("extra_long_1", "extra_long_2")]
        longs = [column for column in other.extra.values() if column.dtype.kind == "i"][:2]
        floats = [column for column in other.extra.values() if column.dtype.kind == "f"][:3]
        for one, two in zip(wanted, longs, strict=True):
            np.testing.assert_array_equal(one.astype(np.uint32), two.astype(np.uint32))
        for one, two in zip(list(first.extra.values())[:3], floats, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5)


def test_mode2_has_latch_and_zlast(written: Written) -> None:
    """Bit 0 of all photons, the target's bit 1 of all, the region of origin; primaries have none."""
    found = written.read("egs.egsphsp1")
    latch, photons = found.extra["latch"].view(np.uint32), found.species == PHOTON
    assert np.all(latch[photons] & 1) and np.all(latch >> 1 & 1) and not (latch >> BESIDE & 1).any()
    assert set((latch[photons] >> 24 & 31).tolist()) <= {FILL, IN_TARGET, IN_FILTER}
    assert np.mean(latch[photons] >> 24 & 31 == IN_TARGET) > 0.7
    charge = latch >> 29 & 3
    assert np.all(charge[photons] == 0) and np.all(charge[found.species == ELECTRON] == 2)
    np.testing.assert_array_equal(found.extra["zlast_cm"], written.read("native.h5").extra["zlast_cm"])


def test_filters_share_particles_out(written: Written) -> None:
    """Origins add up to the whole; what crossed the filter and what did not, too; energies are cut where asked."""
    count = {name: written.space[name]["particles"] for name in FILTERS}
    assert count["all"] == count["target"] + count["rest"] == count["through"] + count["past"]
    assert min(count[name] for name in ("target", "rest", "through", "past", "scattered")) > 10
    energy = {name: written.space[name]["energy_MeV_per_original_history"] for name in FILTERS}
    assert energy["all"] == pytest.approx(energy["through"] + energy["past"])
    energies = written.read("scattered.IAEAheader").energy_MeV
    assert energies.min() >= 0.5 and energies.max() <= 2.0
    assert written.space["target"]["filter"] == {"origin": ["target"]} and "filter" not in written.space["all"]
    assert all(written.space[name]["original_histories"] == 1500 for name in FILTERS)
    nothing = [text for text in written.said["warnings"] if text.startswith("Nothing")]
    assert len(nothing) == 1 and nothing[0].startswith("Nothing that the filter of nothing lets by")


def test_classes_are_phase_spaces_of_their_own(written: Written) -> None:
    """The whole, and what each region made; with a filter by origin of those regions alone."""
    count = {name: space["particles"] for name, space in written.space.items() if name.startswith(("whole", "two"))}
    assert list(count) == ["whole", "whole_fill", "whole_target", "whole_filter", "whole_beside", "whole_phantom",
                           "two", "two_target", "two_filter"]  # fmt: skip
    assert count["whole"] == sum(number for name, number in count.items() if name.startswith("whole_"))
    assert count["two"] == count["whole_target"] + count["whole_filter"] and count["whole_beside"] == 0
    assert len(written.read("whole_target.IAEAheader")) == count["whole_target"] == count["two_target"] > 50


def test_threads_change_no_file(tmp_path: Path) -> None:
    for threads in (1, 2):
        score = plane(100, name="head", extra=EVERYTHING, extra_bits=BITS)
        run(tmp_path, f"out{threads}", score, source=beam(), scene=head(tmp_path), run=Run(threads=threads))
    for name in ("head.IAEAphsp", "head.summ"):
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def faults(folder: Path, **keys: Any) -> str:
    tables = {"scene": head(folder), "source": beam(), "goal": Goals(histories=10), "run": ONE}
    with pytest.raises(InputError) as raised:
        check(RunFile(**tables, phantom=AWAY, score=(plane(100, **keys),)))
    return str(raised.value)


@pytest.mark.parametrize(("keys", "said"), [
    ({"extra": ("origin",), "format": "egs_mode0"}, "the format holds no such columns"),
    ({"extra": ("z_last",), "format": "egs_mode2"}, "LATCH and ZLAST alone"),
    ({"extra": ("origin", "origin")}, "names one twice"),
    ({"extra": ("origin",), "extra_bits": {"crossings": 8}}, "bits of what is not in extra"),
    ({"extra": ("origin", "crossings", "interactions")}, "more bits than two whole numbers have"),
    ({"extra": ("origin",), "extra_bits": {"origin": 4}}, r"no bit for the region '(phantom)' of index 4"),
    ({"extra": ("z_last",), "ignore_materials": ("G4_AIR",)}, "belongs to z_last_no_material"),
    ({"extra": ("z_last_no_material",), "ignore_materials": ("G4_Fe",)}, "nothing is made of it"),
    ({"filter": ScoreFilter(origin=("targt",))}, "Did you mean 'target'"),
    ({"filter": ScoreFilter(energy_MeV=(2.0, 1.0))}, "from low to high"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    assert said in faults(tmp_path, **keys)


def test_classes_do_not_overwrite_other_scores(tmp_path: Path) -> None:
    scores = (plane(100, name="a", classify="origin"), plane(90, name="a_target"))
    tables = {"scene": head(tmp_path), "source": beam(), "goal": Goals(histories=10), "run": ONE}
    with pytest.raises(InputError, match="two phase spaces would have one name"):
        check(RunFile(**tables, score=scores))


def test_regions_are_phantom_and_what_is_around_it_where_there_is_no_scene(tmp_path: Path) -> None:
    """Behind water: photons of the source have interacted in it or come straight from the source."""
    source = RectangleSource(particle="photon", energy_MeV=2, position_mm=(0, 0, -100), field_mm=(20, 20))
    score = plane(40, name="behind", extra=("origin", "interactions", "z_last"), extra_bits={"interactions": 8})
    run(tmp_path, "out", score, source=source, phantom=TARGET, scene=None, histories=2000)
    found = read(tmp_path / "out" / "behind.IAEAheader")
    longs = [found.extra["extra_long_1"], found.extra["extra_long_2"]]
    assert [group.regions for group in read_summary(tmp_path / "out" / "behind.summ").longs] == [
        {0: "(fill)", 1: "(phantom)"}, {0: "(fill)", 1: "(phantom)"},
    ]  # fmt: skip
    direct = (found.species == PHOTON) & (found.energy_MeV == 2.0)
    assert np.all(has_bits(longs, [0])[direct]) and not has_bits(longs, [33])[direct].any() and direct.sum() > 1500
    np.testing.assert_array_equal(found.extra["zlast_cm"][direct], np.float32(-10.0))
    z_last = found.extra["zlast_cm"][has_bits(longs, [33])]
    assert len(z_last) > 50 and np.all((z_last > 0.0) & (z_last < 2.0 + 1e-5))


def test_doses_by_origin_add_up(tmp_path: Path) -> None:
    """A head written with bits of origin, and the dose of what each of its regions sends out: their sum is the whole.

    Half of the beam misses the target and hits the filter. Each use of a particle has random numbers of its own in each
    run; lead takes most of its energy, so that the sum is known to 0.5 %, and agrees within 1.5 %.
    """
    score = plane(51, name="head", extra=("origin",), kill=True)
    edge = beam().model_copy(update={"position_mm": (30.0, 0.0, -10.0)})
    run(tmp_path, "head", score, source=edge, scene=head(tmp_path), histories=3000)
    lead = Phantom(size_mm=(800, 800, 80), voxel_mm=(800, 800, 80), origin_mm=(-400, -400, 52), material="G4_Pb")
    doses = []
    for bits in ([], [IN_TARGET], [IN_FILTER], [FILL]):
        chosen = RecordFilter(bits=(ExtraBits(column="extra_long_1", all=tuple(bits)),) if bits else ())
        source = PhaseSpaceSource(file=str(tmp_path / "head" / "head.IAEAheader"), reuse=20, filter=chosen)
        dose = RunFile(phantom=lead, source=source, goal=Goals(max_minutes=5), run=ONE)
        result = run_in_folder(dose, tmp_path / f"dose{bits}")
        doses.append(float(result.dose_Gy.sum()))
    assert min(doses[1:3]) > 0.2 * doses[0] and doses[3] > 0.05 * doses[0]
    assert sum(doses[1:]) == pytest.approx(doses[0], rel=0.015, abs=0.0)


def test_a_phase_space_begins_a_past_of_its_own(tmp_path: Path) -> None:
    """Particles of one history, each used three times: all made on the plane that they were recorded on."""
    run(tmp_path, "head", plane(100, name="head", kill=True), source=beam(), scene=head(tmp_path), histories=600)
    source = PhaseSpaceSource(file=str(tmp_path / "head" / "head.IAEAheader"), reuse=3)
    score = plane(200, name="far", extra=("z_origin", "origin"), format="native")
    run(tmp_path, "out", score, source=source, scene=None, phantom=AWAY, goal=Goals(max_minutes=5))
    before, after = read(tmp_path / "head" / "head.IAEAheader"), read(tmp_path / "out" / "far.h5")
    assert len(after) == 3 * len(before) > 400
    np.testing.assert_array_equal(after.extra["z_origin_cm"], np.float32(10.0))
    assert np.all(after.extra["extra_long_1"] == 1)
