"""Phase spaces that runs write: what they hold, whole histories, threads, limits, splitting, and kills."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.particles import PHOTON, Layout, Particles, PhaseSpaceInfo
from dosewright.execution.artifact import file_sha256
from dosewright.formats.phase_space.iaea import open_iaea
from dosewright.formats.phase_space.open import open_phase_space
from dosewright.simulation import RunFile, run_in_folder
from dosewright.simulation import run as engine
from dosewright.simulation import run_folder as folders
from dosewright.simulation.result import Result
from dosewright.simulation.run import Progress
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PencilSource, PointSource, RectangleSource
from dosewright.simulation.run_file.tables import Goals, Run
from dosewright.simulation.run_file.transport_tables import Directional, ReuseAtPlane, VarianceReduction

SCENE = """\
[scene]
fill = "vacuum"

[[part]]
name = "target"
box = { size_mm = [100.0, 100.0, 3.0] }
material = "G4_W"
centre_mm = [0.0, 0.0, 1.5]
"""
BEAM = RectangleSource(particle="electron", energy_MeV=6, position_mm=(0, 0, -10), field_mm=(2, 2))
TARGET = Phantom(size_mm=(40, 40, 20), voxel_mm=(20, 20, 10), origin_mm=(-20, -20, 0), material="G4_WATER")
ONE = Run(threads=1)


class Kept:
    """A writer that keeps what it is given."""

    def __init__(self, path: Path, layout: Layout, format: str) -> None:
        self.path, self.layout, self.format = path, layout, format
        self.parts: list[Particles] = []
        self.saved: list[float] = []
        self.histories = -1.0

    def write(self, particles: Particles) -> None:
        self.parts.append(particles)

    def save_header(self, original_histories: float) -> None:
        self.saved.append(original_histories)

    def kept(self) -> None: ...

    def finish(self, original_histories: float) -> PhaseSpaceInfo:
        self.histories = original_histories
        self.path.write_text("there")
        for other in (".IAEAphsp",) if self.format == "iaea" else ():
            self.path.with_suffix(other).write_text("there")
        return PhaseSpaceInfo(self.format, len(self), original_histories)

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *raised: object) -> None: ...

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def column(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in self.parts])


def scene(folder: Path) -> Scene:
    """Return a target of tungsten that begins at z = 0."""
    path = folder / "scene.toml"
    path.write_text(SCENE, encoding="utf-8")
    return Scene(file=str(path))


def run(folder: Path, out: str, *scores: Score, histories: int = 1000, **tables: Any) -> dict[str, Any]:
    """Run with phase spaces; return the summary."""
    more = {key: tables.pop(key) for key in ("create", "on_progress") if key in tables}
    content = {"scene": scene(folder), "source": BEAM, "goal": Goals(histories=histories), "run": ONE, **tables}
    run_in_folder(RunFile(**content, score=scores), folder / out, **more)
    said: dict[str, Any] = json.loads((folder / out / "summary.json").read_text())
    return said


def kept(folder: Path, out: str, *scores: Score, **tables: Any) -> tuple[list[Kept], dict[str, Any]]:
    """Run and keep what is written in memory; return the writers and the summary."""
    writers: list[Kept] = []

    def create(path: Path, layout: Layout, *, format: str) -> Kept:
        writers.append(Kept(path, layout, format))
        return writers[-1]

    return writers, run(folder, out, *scores, create=create, **tables)


def plane(z_mm: Any, **keys: Any) -> Score:
    return Score(quantity="phase_space", z_mm=z_mm, **keys)


def test_what_flies_through_vacuum_is_in_the_file(tmp_path: Path) -> None:
    """A parallel beam: one record for each history, as the file's own reader sees it; the phantom lies off the axes."""
    source = RectangleSource(particle="photon", energy_MeV=2, position_mm=(3, 4, -100), field_mm=(20, 10))
    said = run(tmp_path, "out", plane(-50, name="before"), source=source, phantom=TARGET, scene=None)
    reader = open_iaea(tmp_path / "out" / "before.IAEAheader")
    (batch,) = reader.batches()
    assert reader.info.original_histories == 1000 and len(batch) == 1000
    assert reader.info.constants["z_cm"] == -5.0 and np.all(batch.z_cm == -5.0)
    assert np.all(batch.histories == 1) and np.all(batch.weight == 1.0) and np.all(batch.energy_MeV == 2.0)
    assert np.all(batch.w == 1.0) and np.all(batch.species == PHOTON)
    assert -0.7 <= batch.x_cm.min() < -0.6 and 1.2 < batch.x_cm.max() <= 1.3
    assert -0.1 <= batch.y_cm.min() < 0.0 and 0.8 < batch.y_cm.max() <= 0.9
    (one,) = said["phase_spaces"]
    assert one["files"] == ["before.IAEAheader", "before.IAEAphsp"] and one["particles"] == 1000
    assert one["per_original_history"] == 1.0 and one["per_original_history_error"] == 0.0
    assert one["energy_MeV_per_original_history"] == pytest.approx(2.0)
    assert said["files_sha256"]["before.IAEAphsp"] == file_sha256(tmp_path / "out" / "before.IAEAphsp")


def test_histories_that_send_nothing_are_counted(tmp_path: Path) -> None:
    """Of each history all records stand together; what begins before it counts those without any."""
    (writer,), said = kept(tmp_path, "out", plane(10))
    begun = writer.column("histories")
    assert begun.min() == 0 and begun.max() > 1
    assert begun[0] >= 1 and begun.sum() <= 1000 == writer.histories
    (one,) = said["phase_spaces"]
    histories = np.cumsum(begun)
    weights = np.bincount(histories, writer.column("weight"), minlength=1001)[1:]
    assert one["per_original_history"] == pytest.approx(weights.mean())
    error = weights.std(ddof=1) / np.sqrt(1000)
    assert one["per_original_history_error"] == pytest.approx(error, rel=1e-6)
    assert one["photons"]["particles"] == (writer.column("species") == PHOTON).sum()
    assert one["particles"] == sum(one[kind]["particles"] for kind in ("photons", "electrons", "positrons"))


def test_the_file_is_the_same_for_any_number_of_threads_and_any_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = plane([5, 20.5], name="head", backwards=True)
    first = run(tmp_path, "one", score)
    second = run(tmp_path, "two", score, run=Run(threads=2))
    monkeypatch.setattr("dosewright.simulation.batch.ROOM", 3)
    third = run(tmp_path, "three", score)
    names = ["head_5.IAEAphsp", "head_5.IAEAheader", "head_20.5.IAEAphsp", "head_20.5.IAEAheader"]
    assert [name for one in first["phase_spaces"] for name in one["files"]] == [names[i] for i in (1, 0, 3, 2)]
    for name in names:
        assert first["files_sha256"][name] == second["files_sha256"][name] == third["files_sha256"][name]
    assert first["energy_MeV_per_primary"] == second["energy_MeV_per_primary"] == third["energy_MeV_per_primary"]


def test_a_full_file_holds_whole_histories_and_stands_for_those_alone(tmp_path: Path) -> None:
    (every,), _ = kept(tmp_path, "all", plane(10))
    (some,), said = kept(tmp_path, "some", plane(10, most_particles=100))
    count = len(some)
    assert 90 < count <= 100
    assert np.array_equal(some.column("x_cm"), every.column("x_cm")[:count])
    history = np.cumsum(every.column("histories")) - 1
    assert history[count] > history[count - 1]  # the next record begins a history
    assert some.histories == history[count]  # as many came before it
    (one,) = said["phase_spaces"]
    assert one["full"] and one["original_histories"] == some.histories


def test_planes_of_a_score_end_what_goes_through_the_last(tmp_path: Path) -> None:
    scores = plane([30, 10], name="p", kill=True), plane(40, name="behind")
    (last, first, behind), said = kept(tmp_path, "out", *scores)
    assert [one["kill"] for one in said["phase_spaces"]] == [True, False, False]
    assert [writer.path.name for writer in (last, first)] == ["p_30.IAEAheader", "p_10.IAEAheader"]
    assert len(first) >= len(last) > 0 == len(behind)


def test_tilted_planes_words_and_formats(tmp_path: Path) -> None:
    tilted = Score(quantity="phase_space", plane_mm=(0, 0, 10), normal=(0.1, 0.0, 1.0), name="t", particles=("photon",))
    flat = plane(10, name="f{z}", format="native", text=True)
    (one, two, text), _ = kept(tmp_path, "out", tilted, flat)
    assert (one.format, two.format, text.format) == ("iaea", "native", "gamos_text")
    assert (two.path.name, text.path.name) == ("f10.h5", "f10.txt")
    assert one.layout.constants == {} and two.layout.constants == {"z_cm": 1.0} and text.layout.constants == {}
    height = 0.1 * one.column("x_cm") + one.column("z_cm") - 1.0
    assert np.abs(height).max() < 1e-6 and set(one.column("species")) == {PHOTON}
    assert len(two) == len(text) >= len(one) > 0


def test_histograms_are_written_with_the_axes_asked_for(tmp_path: Path) -> None:
    axes = {"Energy": [[0, 8, 16]], "R vs Energy": [[0, 5, 10], [0, 8, 4]]}
    score = Score.model_validate(
        {"quantity": "phase_space", "name": "h", "z_mm": 8.0, "histograms": ["csv", "png", "root"],
         "histogram_axes": axes, "format": "egs_mode0"}
    )  # fmt: skip
    said = run(tmp_path, "run", score, histories=200)
    assert {"h.csv", "h.png", "h.root"} <= {*said["files_sha256"]}
    assert (tmp_path / "run" / "h.png").stat().st_size > 20_000
    rows = [line.split(",") for line in (tmp_path / "run" / "h.csv").read_text().splitlines()]
    energy = [row for row in rows if row[0] == "PhaseSpace: 8: ALL: Energy at Zstop"]
    assert [row[1] for row in energy[:3]] == ["-inf", "0", "0.5"] and len(energy) == 16 + 2
    (plane,) = said["phase_spaces"]
    assert sum(float(row[5]) for row in energy) == pytest.approx(plane["particles"], rel=1e-6)
    assert len([row for row in rows if row[0] == "PhaseSpace: 8: gamma: X at Zstop"]) == 100 + 2


def test_every_format_is_written_and_read_again(tmp_path: Path) -> None:
    """What each file says of number, species, energies and weights; histories where the format holds them."""
    words = ("iaea", "native", "egs_mode0", "topas_binary", "topas_limited", "topas_ascii", "gamos_text")
    for word in words:
        said = run(tmp_path, word, plane(10, name="a", format=word, backwards=True))
        path = tmp_path / word / said["phase_spaces"][0]["files"][0]
        reader = open_phase_space(path)
        batches = list(reader.batches())
        assert reader.info.format == word and sum(map(len, batches)) == said["phase_spaces"][0]["particles"] > 300
        if word == "iaea":
            (first,) = batches
        (batch,) = batches
        assert np.array_equal(batch.species, first.species)
        assert batch.energy_MeV == pytest.approx(first.energy_MeV, rel=3e-6)
        assert batch.x_cm == pytest.approx(first.x_cm, abs=1e-6) and batch.w == pytest.approx(first.w, abs=1e-6)
        if word in ("iaea", "native", "topas_binary", "topas_ascii"):
            assert np.array_equal(batch.histories, first.histories) and first.histories.max() > 1
        if word != "gamos_text":
            assert reader.info.original_histories == 1000


def test_headers_are_saved_as_asked(tmp_path: Path) -> None:
    (writer,), _ = kept(tmp_path, "out", plane(10, save_every=300))
    assert writer.saved == [300.0, 600.0, 900.0]


def test_a_killed_run_leaves_what_its_header_counts(tmp_path: Path) -> None:
    """The process ends at once after 600 of 1000 histories; the last header was saved after them."""
    child = os.fork()
    if child == 0:

        def die(progress: Progress) -> None:
            if progress.histories >= 600:
                os._exit(9)

        run(tmp_path, "out", plane(10, save_every=200), on_progress=die)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (left,) = (tmp_path / "out").glob(".*.IAEAheader")
    reader = open_iaea(left)
    assert reader.info.original_histories == 600
    (saved,) = reader.batches()
    (whole,), said = kept(tmp_path, "whole", plane(10))
    assert np.array_equal(saved.x_cm, whole.column("x_cm")[: len(saved)]) and len(saved) > 100
    assert not (tmp_path / "out" / "summary.json").exists()
    again = run(tmp_path, "out", plane(10, save_every=200))  # begins anew
    assert again["phase_spaces"][0]["particles"] == said["phase_spaces"][0]["particles"]


def dies(folder: Path, at: int, *scores: Score, **tables: Any) -> None:
    """Run in a process that ends at once after so many histories."""
    child = os.fork()
    if child == 0:

        def die(progress: Progress) -> None:
            if progress.histories >= at:
                os._exit(9)

        run(folder, "killed", *scores, **tables, on_progress=die)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files, hidden ones among them, but of the summary, which tells the time."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".json"}


BEHIND = TARGET.model_copy(update={"origin_mm": (-20, -20, 40)})
FILES = (
    plane(10, name="a", text=True, save_every=150, histograms=["csv"], extra=["origin"], classify="origin"),
    plane(10, name="b", format="egs_mode2", save_every=150),
    plane([10, 20], name="c{z}", format="topas_binary", most_particles=300),
    plane(10, name="d", format="topas_ascii", save_every=150, backwards=True),
    Score(quantity="energy"),
)


@pytest.mark.parametrize("kills", [(700,), pytest.param((700, 1300, 1100), marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_and_ends_with_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: tuple[int, ...]
) -> None:
    """What was recorded since the sums were kept last is cut off and recorded again, headers saved since among it."""
    monkeypatch.setattr(folders, "HELD_HISTORIES", 50)  # sums are kept after every ten batches
    monkeypatch.setattr(folders, "HELD_WITH_LOG", 50)
    monkeypatch.setattr(engine, "SAVE_EVERY_SECONDS", -1.0)
    whole = run(tmp_path, "whole", *FILES, histories=2000, phantom=BEHIND)
    for at in kills:
        dies(tmp_path, at, *FILES, histories=2000, phantom=BEHIND)
    begun: list[int] = []
    ended = run(tmp_path, "killed", *FILES, histories=2000, phantom=BEHIND,
                on_progress=lambda now: begun.append(now.histories))  # fmt: skip
    assert begun[0] == max(kills) // 500 * 500 + 50
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
    assert ended["phase_spaces"] == whole["phase_spaces"] and ended["files_sha256"] == whole["files_sha256"]
    assert ended["energy_MeV_per_primary"] == whole["energy_MeV_per_primary"]
    assert [one for one in ended["warnings"] if one not in whole["warnings"]] == [engine.RESUMED]
    assert whole["phase_spaces"][0]["particles"] > 500


def test_a_run_whose_kept_files_are_gone_or_in_hdf5_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SAVE_EVERY_SECONDS", -1.0)
    for number, score in enumerate((plane(10, name="a"), plane(10, name="a", format="native"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        dies(folder, 700, score)
        if number == 0:
            (left,) = (folder / "killed").glob(".a.*.IAEAphsp")
            damaged = bytearray(left.read_bytes())
            damaged[100] ^= 1
            left.write_bytes(damaged)
        begun: list[int] = []
        again = run(folder, "killed", score, on_progress=lambda now, to=begun: to.append(now.histories))
        assert begun[0] == 50 and engine.RESUMED not in again["warnings"]
        whole = run(folder, "whole", score)
        assert again["phase_spaces"] == whole["phase_spaces"]
        assert again["energy_MeV_per_primary"] == whole["energy_MeV_per_primary"]


def test_what_fails_after_it_was_kept_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SAVE_EVERY_SECONDS", -1.0)

    def fail(progress: Progress) -> None:
        if progress.histories == 700:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(tmp_path, "failed", plane(10, name="a"), on_progress=fail)
    run(tmp_path, "failed", plane(10, name="a"))
    run(tmp_path, "whole", plane(10, name="a"))
    assert files_of(tmp_path / "failed") == files_of(tmp_path / "whole")


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    def fail(progress: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(tmp_path, "out", plane(10), on_progress=fail)
    assert not list((tmp_path / "out").glob("*IAEA*")) and not list((tmp_path / "out").glob(".*IAEA*"))


@pytest.mark.slow
def test_split_photons_have_the_fluence_of_unsplit_ones(tmp_path: Path) -> None:
    """Photons in the field, per electron: number and energy within four standard errors, 3 % at most; weights 1/n."""
    field = Directional(n=50, field_mm=(200, 200), at_mm=(0, 0, 100), electron_plane_mm=20)
    means = []
    ways: dict[str, dict[str, Any]] = {
        "plain": {"histories": 12_000},
        "split": {"histories": 3000, "variance_reduction": VarianceReduction(directional=field)},
    }
    for out, tables in ways.items():
        (writer,), _ = kept(tmp_path, out, plane(100, particles=["photon"]), **tables)
        inside = (np.abs(writer.column("x_cm")) < 10) & (np.abs(writer.column("y_cm")) < 10)
        history = np.cumsum(writer.column("histories"))[inside] - 1
        weight = writer.column("weight")[inside].astype(float)
        for value in (weight, weight * writer.column("energy_MeV")[inside]):
            by_history = np.bincount(history, value, minlength=int(writer.histories))
            means.append((by_history.mean(), by_history.std(ddof=1) / np.sqrt(len(by_history))))
        if out == "split":
            assert np.median(weight) == pytest.approx(1 / 50)
    for plain, split in zip(means[:2], means[2:], strict=True):
        error = np.hypot(plain[1], split[1])
        assert error < 0.03 * plain[0] and abs(plain[0] - split[0]) < 4 * error


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"quantity": "phase_space"}, "needs a plane"),
        ({"quantity": "phase_space", "z_mm": 5, "plane_mm": (0, 0, 1)}, "two planes"),
        ({"quantity": "phase_space", "z_mm": [5, 5]}, "names a plane twice"),
        ({"quantity": "phase_space", "z_mm": 5, "normal": (0, 1, 0)}, "planes across z"),
        ({"quantity": "phase_space", "plane_mm": (0, 0, 5), "normal": (0, 0, 0)}, "needs a direction"),
        ({"quantity": "phase_space", "z_mm": 5, "size_mm": (1, 1, 1)}, "belongs to a grid of voxels"),
        ({"quantity": "phase_space", "z_mm": -10}, "on the place of the source"),
        ({"quantity": "spectrum", "particle": "photon", "kill": True}, "belongs to phase spaces"),
        ({"quantity": "spectrum", "particle": "photon", "name": "a{z}"}, "stands for a plane"),
        ({"quantity": "phase_space", "z_mm": 5, "format": "gamos_text", "text": True}, "text twice"),
        ({"quantity": "phase_space", "z_mm": 5, "histogram_axes": {"Vx": ((0, 1, 2),)}}, "no histograms are asked for"),
        (
            {"quantity": "phase_space", "z_mm": 5, "histograms": ("csv",), "histogram_axes": {"Energi": ((0, 1, 2),)}},
            "Did you mean 'Energy'",
        ),
        (
            {"quantity": "phase_space", "z_mm": 5, "histograms": ("csv",), "histogram_axes": {"XY": ((0, 1, 2),)}},
            "X, Y: ",
        ),
        (
            {"quantity": "phase_space", "z_mm": 5, "histograms": ("csv",), "histogram_axes": {"Vx": ((1, 1, 2),)}},
            "low below high",
        ),
    ],
)
def test_wrong_scores_are_told(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        run(tmp_path, "out", Score(**keys))


def test_planes_in_the_phantom_and_sources_of_protons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies from z = 0 to 20 mm"):
        run(tmp_path, "out", plane(10), phantom=TARGET, scene=None)
    protons = PencilSource(particle="proton", energy_MeV=100, position_mm=(0, 0, -50))
    with pytest.raises(InputError, match="nothing that protons score"):
        run(tmp_path, "out", plane(50), source=protons)
    photons = PointSource(
        particle="photon", energy_MeV=0.1, position_mm=(0, 0, -50), field_mm=(5, 5), field_at_mm=(0, 0, 0)
    )
    for reduction in (VarianceReduction(photon_splitting=5), VarianceReduction(track_length=True)):
        with pytest.raises(InputError, match="cross no plane"):
            run(tmp_path, "out", plane(50), source=photons, phantom=TARGET, scene=None, variance_reduction=reduction)


def test_reuse_at_a_plane_leaves_the_dose_and_makes_its_error_smaller(tmp_path: Path) -> None:
    """Ten for one in front of water: the same energy in the mean, and more of the voxels known."""
    source = PointSource(
        particle="photon", energy_MeV=2, position_mm=(0, 0, -300), field_mm=(20, 20), field_at_mm=(0, 0, 0)
    )
    results: list[Result] = []
    for reuse in (None, ReuseAtPlane(z_mm=-50, n=10, mirror="xy")):
        run_file = RunFile(
            source=source, phantom=TARGET, goal=Goals(histories=4000), run=ONE,
            variance_reduction=VarianceReduction(reuse_at_plane=reuse),
        )  # fmt: skip
        results.append(run_in_folder(run_file, tmp_path / f"out{len(results)}"))
    plain, again = (result.energy["deposited"] for result in results)
    assert again == pytest.approx(plain, rel=0.1) and abs(results[1].energy["residual"]) < 1e-4
    assert results[1].relative_uncertainty.mean() < 0.6 * results[0].relative_uncertainty.mean()
    wrong = VarianceReduction(reuse_at_plane=ReuseAtPlane(z_mm=-50, n=10, normal=(0, 1, 0)), track_length=True)
    with pytest.raises(InputError, match="lies across z") as told:
        run_in_folder(run_file.model_copy(update={"variance_reduction": wrong}), tmp_path / "wrong")
    assert "beside this" in str(told.value)
