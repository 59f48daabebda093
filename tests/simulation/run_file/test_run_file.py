"""The run file: what it takes, what it refuses and how it says so, and the file it becomes."""

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.scoring.dose_error import DoseErrorGoal, DoseErrorMeasure
from dosewright.simulation import RunFile, read_run_file
from dosewright.simulation.run_file.goals import goal_of
from dosewright.simulation.run_file.lines import key_lines, line_of
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.source_tables import PencilSource, PointSource, VolumeSource
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.run_file.write import resolved_content, to_toml
from dosewright.simulation.setup.prepare import transport_settings

GOOD = """\
[phantom]
size_mm = [20, 20, 40]
voxel_mm = [2, 2, 1]
origin_mm = [-10, -10, 0]
material = "G4_WATER"

[source]
kind = "pencil"
particle = "proton"
energy_MeV = 70
position_mm = [0, 0, -10]

[goal]
histories = 1e3
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, **keywords: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        read_run_file(written(folder, text), **keywords)
    return refused.value.problems


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    run = read_run_file(written(tmp_path, GOOD))
    assert run.goal.histories == 1000
    assert isinstance(run.source, PencilSource)
    assert (run.source.direction, run.source.sigma_mm, run.source.divergence_mrad) == ((0, 0, 1), (0, 0), (0, 0))
    t = run.transport
    assert (t.photon_cut_MeV, t.electron_cut_MeV, t.proton_cut_MeV) == (0.01, 0.2, 0.5)
    assert (t.delta_cut_MeV, t.max_step_mm, t.processes_off) == (0.2, 5.0, ())
    assert [s.file_name for s in run.score] == ["dose"]
    assert (run.run.seed, run.run.threads) == (1, 0)


@pytest.mark.parametrize(
    ("old", "new", "said", "line"),
    [
        ("size_mm", "size_cm", "Unknown key 'phantom.size_cm'. Did you mean 'size_mm'?", 2),
        ("[20, 20, 40]", "[20, 20]", "phantom.size_mm has too few values", 2),
        ("[20, 20, 40]", "[20, 20, 40, 1]", "phantom.size_mm has the wrong number of values. Given: 4", 2),
        ("[20, 20, 40]", "[20, 20, -4]", "phantom.size_mm[3] is out of range. Given: -4. Allowed: above 0", 2),
        ("[20, 20, 40]", "[20, 20, 40.5]", "The voxels do not fill the size along z. Given: 1 mm in 40.5 mm", 3),
        ("[20, 20, 40]", "[20, 20, inf]", "phantom.size_mm[3]", 2),
        ("[2, 2, 1]", "[1e-5, 1e-5, 1e-3]", "too many voxels along x", 3),
        ('"G4_WATER"', '"G4_WATR"', "Did you mean 'G4_WATER'?", 5),
        ('"G4_WATER"', "1.0", "phantom.material has the wrong type. Given: 1.0. Allowed: text in quotes", 5),
        ("origin_mm = [-10, -10, 0]", "", "The keys 'phantom.origin_mm' are missing", 1),
        ('material = "G4_WATER"', "", "'phantom.material' is missing", 1),
        ('material = "G4_WATER"', 'material = "G4_WATER"\nhlut = "x"', "belongs to an image", 6),
        ('material = "G4_WATER"', 'material = "G4_WATER"\nimage = "x.mhd"', "contradicts phantom.image", 2),
        ('material = "G4_WATER"', 'material = "G4_WATER"\nedges_mm.z = [0, 2, 1]', "must ascend", 6),
        ('material = "G4_WATER"', 'material = "G4_WATER"\nedges_mm.z = [0, 2, 41]', "contradicts size_mm", 6),
        ('material = "G4_WATER"', 'material = "G4_WATER"\ndensity_g_cm3 = 100', "at most 25", 6),
        ("pencil", "pensil", "source.kind is not a known word. Did you mean 'pencil'?", 8),
        ("proton", "protn", "Did you mean 'proton'?", 9),
        ("energy_MeV = 70", "energy_MeV = 70\nfield_mm = [1, 1]", "does not belong to kind 'pencil' but to", 11),
        ("energy_MeV = 70", "energy_MeV = 700", "source.energy_MeV is out of range", 10),
        ("energy_MeV = 70", "energy_MeV = 0.3", "above proton_cut_MeV (0.5)", 10),
        ("energy_MeV = 70", "energy_MeV = 340\nenergy_spread_percent = 1", "5 sigmas", 10),
        ("energy_MeV = 70", 'energy_MeV = "70"', "source.energy_MeV has the wrong type", 10),
        ("energy_MeV = 70", "energy_MeV = true", "source.energy_MeV has the wrong type", 10),
        ("energy_MeV = 70", "", "needs energy_MeV or spectrum. Given: neither", 7),
        ("energy_MeV = 70", 'spectrum = "s.csv"', "The file of source.spectrum does not exist", 10),
        ("energy_MeV = 70", "energy_MeV = 70\ndirection = [0, 0, 0]", "has no length", 11),
        ("energy_MeV = 70", "energy_MeV = 70\ncorrelation = [0.5, 0]", "needs a sigma_mm", 11),
        ("energy_MeV = 70", "energy_MeV = 70\ncorrelation = [1.5, 0]", "at most 1", 11),
        ("[goal]", "[goals]", "Unknown table or key 'goals'. Did you mean 'goal'?", 13),
        ("histories = 1e3", "", "A run needs a goal", 13),
        ("histories = 1e3", "histories = 0", "goal.histories is out of range. Given: 0. Allowed: at least 1", 14),
        ("histories = 1e3", "histories = 10.5", "Allowed: a whole number", 14),
        ("histories = 1e3", "max_seconds = 3", "Unknown key 'goal.max_seconds'", 14),
        ("histories = 1e3", "histories = 1e3\n[run]\nseed = -1", "run.seed is out of range", 16),
        ("histories = 1e3", "histories = 1e3\n[transport]\nmax_step_mm = 0", "transport.max_step_mm is out of", 16),
        (
            "histories = 1e3",
            "histories = 1e3\n[transport]\ndelta_cut_MeV = 'of'",
            "Did you mean 'off'? Given: 'of'",
            16,
        ),
        ("histories = 1e3", "histories = 1e3\n[transport]\ndelta_cut_MeV = 'on'", "Allowed: off, a number", 16),
        ("histories = 1e3", "histories = 1e3\n[transport]\ndelta_cut_MeV = 0.001", "at least 0.01", 16),
        ("histories = 1e3", "histories = 1e3\n[transport]\ndelta_cut_MeV = nan", "delta_cut_MeV is out of range", 16),
        ("histories = 1e3", "histories = 1e3\n[transport]\ndelta_cut_MeV = true", "Allowed: a number", 16),
        ("histories = 1e3", "histories = 1e3\n[[score]]\nquantity = 'LETd'", "Did you mean 'letd'? Given: 'LETd'", 16),
        ("histories = 1e3", "histories = 1e3\n[[score]]\nquantity = 'let_t'", "Did you mean 'lett'?", 16),
        ("histories = 1e3", "histories = 1e3\n[[score]]\nquantity = 'LET'", "dose_to_water, energy, letd, lett", 16),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str, line: int) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert any(said in one and f"run.toml, line {line}." in one for one in found), found


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("[variance_reduction]\nphoton_splitting = 3", "Photons are not split for this. Given: a source of protons"),
        ("[variance_reduction]\ntrack_length = true", "no dose by track length for this. Given: a source of protons"),
        ('[[score]]\nquantity = "fluence"', "score[1].quantity: 'fluence' is not available yet"),
        (
            '[[score]]\nquantity = "phase_space"\nplane_mm = [0, 0, 1]',
            "score[1].quantity: 'phase_space' is nothing that protons score",
        ),
        ('[run]\ndevice = "cuda"', "run.device: 'cuda' is not available yet. Allowed: cpu"),
    ],
)
def test_known_words_of_later_are_refused_by_name(tmp_path: Path, added: str, said: str) -> None:
    found = problems(tmp_path, f"{GOOD}\n{added}\n")
    assert any(said in one and "run.toml, line" in one for one in found), found


@pytest.mark.parametrize("particle", ["carbon", "ion:8,16"])
def test_other_particles_are_not_there_yet(tmp_path: Path, particle: str) -> None:
    found = problems(tmp_path, GOOD.replace("proton", particle))
    allowed = "Allowed: proton, photon, electron, positron. Where: run.toml, line 9."
    assert found == (f"source.particle: {particle!r} is not available yet. {allowed}",)


def test_a_goal_for_the_error_of_every_voxel(tmp_path: Path) -> None:
    plain = read_run_file(written(tmp_path, f"{GOOD}dose_error_percent = 2\n")).goal
    asked = goal_of(plain)
    assert asked.dose_error == DoseErrorGoal(2.0) and asked.histories == plain.histories
    more = "dose_error_percent = 2\ndose_error_cutoff_percent = 20\ndose_error_reference_Gy = 3.0\n"
    found = read_run_file(written(tmp_path, GOOD + more))
    assert goal_of(found.goal, 1e6).dose_error == DoseErrorGoal(2.0, DoseErrorMeasure(20.0, True, 3e-6))
    local = "dose_error_percent = 2\ndose_error_type = 'local'\n"
    assert goal_of(read_run_file(written(tmp_path, GOOD + local)).goal).dose_error == DoseErrorGoal(
        2.0, DoseErrorMeasure(relative_to_maximum=False)
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("dose_error_type = 'local'", ["goal.dose_error_type says how dose errors are told, and none is a goal"]),
        (
            "dose_error_cutoff_percent = 10\ndose_error_reference_Gy = 2",
            ["goal.dose_error_cutoff_percent says how", "goal.dose_error_reference_Gy says how"],
        ),
        ("dose_error_percent = 1\ndose_error_type = 'voxel'", ["goal.dose_error_type"]),
        ("dose_error_percent = 0", ["goal.dose_error_percent"]),
        ("dose_error_percent = 1\ndose_error_cutoff_percent = 100", ["goal.dose_error_cutoff_percent"]),
        ("dose_error_percent = 1\ndose_error_reference_Gy = inf", ["goal.dose_error_reference_Gy"]),
        (
            "dose_error_percent = 1\ndose_error_type = 'local'\ndose_error_reference_Gy = 2",
            ["goal.dose_error_reference_Gy is for global errors"],
        ),
    ],
)
def test_dose_errors_that_cannot_be_are_refused(tmp_path: Path, lines: str, said: list[str]) -> None:
    found = problems(tmp_path, f"{GOOD}{lines}\n")
    assert len(found) == len(said)
    assert all(words in one for words, one in zip(said, found, strict=True))


def test_what_is_off_may_be_written(tmp_path: Path) -> None:
    off = "[variance_reduction]\nphoton_splitting = 0\ntrack_length = false\nxy_limits = 'off'\n"
    assert read_run_file(written(tmp_path, f"{GOOD}\n{off}")).variance_reduction.xy_limits == "off"


def test_all_mistakes_come_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("20, 40]", "20]").replace("WATER", "WATR").replace("proton", "helium").replace("1e3", "'x'")
    text += '\n[[phantom.slab]]\nz_mm = [3, 1]\nmaterial = "nothing"\n[other]\n[source2]\n'
    found = problems(tmp_path, text)
    lines = [int(one.rsplit("line ", 1)[1].rstrip(".")) for one in found]
    assert lines == sorted(lines) == [2, 5, 9, 14, 17, 18, 19, 20]


def test_the_command_line_is_named_where_it_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert read_run_file(path, overrides={("goal", "histories"): 5e4, ("run", "seed"): None}).goal.histories == 50_000
    with pytest.raises(InputError, match="Where: the command's --histories"):
        read_run_file(path, overrides={("goal", "histories"): "many"})


def test_scores_share_a_grid_and_no_name(tmp_path: Path) -> None:
    own = "size_mm = [4, 4, 4]\nvoxel_mm = [1, 1, 1]\norigin_mm = [0, 0, 0]\n"
    fine = f"{GOOD}[[score]]\n{own}[[score]]\nname = 'b'\nquantity = 'energy'\n{own}"
    assert len(read_run_file(written(tmp_path, fine)).score) == 2
    assert "share one grid" in problems(tmp_path, f"{GOOD}[[score]]\n{own}[[score]]\nname = 'b'\n")[0]
    assert "same files" in problems(tmp_path, f"{GOOD}[[score]]\n[[score]]\nquantity = 'energy'\nname = 'Dose'\n")[0]
    clash = problems(tmp_path, f"{GOOD}[[score]]\n[[score]]\nname = 'dose_uncertainty'\n")
    assert "same files" in clash[0]
    outside = own.replace("[0, 0, 0]", "[0, 0, 50]")
    assert "outside the phantom along z" in problems(tmp_path, f"{GOOD}[[score]]\n{outside}")[0]
    assert "becomes a file name" in problems(tmp_path, f"{GOOD}[[score]]\nname = '../x'\n")[0]


def test_the_resolved_file_is_the_same_run(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("low_MeV,high_MeV,weight\n60,70,1\n")
    text = GOOD.replace("energy_MeV = 70", 'spectrum = "s.csv"') + (
        "[phantom.edges_mm]\nz = [0, 0.1, 40]\n"
        '[[phantom.slab]]\nz_mm = [0, 0.1]\nmaterial = "G4_Ti"\n'
        "[[phantom.box]]\nx_mm = [0, 2]\ny_mm = [-10, 10]\nz_mm = [0, 40]\nmaterial = 'G4_LUNG_ICRP'\n"
        'density_g_cm3 = 0.26\n[transport]\nprocesses_off = ["nuclear"]\n'
    )
    run = read_run_file(written(tmp_path, text))
    out = tmp_path / "out"
    out.mkdir()
    content = resolved_content(run, out)
    assert content["source"]["spectrum"] == "../s.csv"
    assert content["phantom"]["density_g_cm3"] == 1.0
    assert content["phantom"]["slab"][0]["density_g_cm3"] == pytest.approx(4.54)
    assert content["score"] == [{"quantity": "dose", "name": "dose"}]
    (out / "run.toml").write_text(to_toml(content), encoding="utf-8")
    again = read_run_file(out / "run.toml")
    assert resolved_content(again, out) == content
    assert tomllib.loads((out / "run.toml").read_text())["transport"]["processes_off"] == ["nuclear"]


@pytest.mark.parametrize(("text", "cut"), [('"off"', np.inf), ("0.05", 0.05), ("1", 1.0)])
def test_the_delta_cut_may_be_off(tmp_path: Path, text: str, cut: float) -> None:
    run = read_run_file(written(tmp_path, f"{GOOD}[transport]\ndelta_cut_MeV = {text}\n"))
    assert run.transport.delta_cut_MeV == cut
    assert transport_settings(run).delta_cut_MeV == cut
    check(run)
    content = resolved_content(run, tmp_path)
    assert content["transport"]["delta_cut_MeV"] == ("off" if np.isinf(cut) else cut)
    again = read_run_file(written(tmp_path, to_toml(content)))
    assert again.transport == run.transport


@pytest.mark.parametrize(
    ("quantities", "let"), [(["dose", "energy"], False), (["letd"], True), (["lett", "dose"], True)]
)
def test_let_is_scored_where_a_score_asks_for_it(tmp_path: Path, quantities: list[str], let: bool) -> None:
    scores = "".join(f"[[score]]\nquantity = '{q}'\n" for q in quantities)
    run = read_run_file(written(tmp_path, GOOD + scores))
    assert [s.file_name for s in run.score] == quantities
    assert transport_settings(run).let is let


def test_a_run_written_in_python_is_checked_alike() -> None:
    phantom = Phantom(size_mm=(10, 10, 10), voxel_mm=(1, 1, 1), origin_mm=(0, 0, 0), material="G4_WATER")
    source = VolumeSource(particle="proton", energy_MeV=9.0, position_mm=(5, 5, 5), shape="box", extent_mm=(1, 1, 1))
    check(RunFile(phantom=phantom, source=source, goal=Goals(histories=10)))
    with pytest.raises(InputError, match="A run needs a goal"):
        check(RunFile(phantom=phantom, source=source, goal=Goals()))


def test_a_field_beside_the_axis_is_refused(tmp_path: Path) -> None:
    point = GOOD.replace('"pencil"', '"point"').replace(
        "[goal]", "field_mm = [10, 10]\nfield_at_mm = [0, 1, 0]\ndirection = [0, 0, 1]\n[goal]"
    )
    assert "off the axis" in problems(tmp_path, point)[0]
    run = read_run_file(written(tmp_path, point.replace("direction = [0, 0, 1]", "")))
    assert isinstance(run.source, PointSource)


def test_lines_of_keys() -> None:
    text = (
        '# title\na = 1\n[b]\n"c d" = """\n[not.a.table]\nx = 1\n""" \ne.f = [ # [[\n  1,\n  "]",\n]\ng = {h = 2}\n'
        "[[b.list]]\nk = 1\n[[b.list]]\nk = 2\n[b.list.deep]\nm = '#'\n[ z ] # end ]\n"
    )
    lines = key_lines(text)
    assert lines == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c d"): 4,
        ("b", "e"): 8,
        ("b", "e", "f"): 8,
        ("b", "g"): 12,
        ("b", "list"): 13,
        ("b", "list", 0): 13,
        ("b", "list", 0, "k"): 14,
        ("b", "list", 1): 15,
        ("b", "list", 1, "k"): 16,
        ("b", "list", 1, "deep"): 17,
        ("b", "list", 1, "deep", "m"): 18,
        ("z",): 19,
    }
    assert line_of(lines, ("b", "g", "h")) == 12
    assert line_of(lines, ("nothing",)) is None


def test_what_is_no_file_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_run_file(tmp_path / "none.toml")
    for text in ("[a", "a = 1\na = 2", "\0", "phantom = 3\nsource = 'x'\ngoal = []\nscore = {}\nrun = 1"):
        problems(tmp_path, text)


NAMES = st.text(alphabet="abc", min_size=1, max_size=3)
TABLES = st.recursive(
    st.dictionaries(NAMES, st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2), max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | st.lists(inner, min_size=1, max_size=3) | st.integers(), max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # making tables is slow on a busy machine, and no fault
@given(TABLES)
def test_every_key_is_found_on_its_line(content: dict[str, Any]) -> None:
    text = to_toml(content)
    lines = key_lines(text)
    for place in _keys(tomllib.loads(text), ()):
        assert str(place[-1]) in text.split("\n")[lines[place] - 1]
        assert lines[place] == line_of(lines, place)


def _keys(content: dict[str, Any], place: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Places of all values that are no tables."""
    for key, value in content.items():
        entries = value if isinstance(value, list) else [value]
        for number, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield from _keys(entry, (*place, key, number) if isinstance(value, list) else (*place, key))
        if not any(isinstance(entry, dict) for entry in entries):
            yield (*place, key)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    place=st.sampled_from(
        [("phantom", k) for k in ("size_mm", "edges_mm", "slab", "box", "image", "material", "density_g_cm3", "hlut")]
        + [("source", k) for k in ("kind", "particle", "energy_MeV", "spectrum", "position_mm", "direction", "file")]
        + [("goal", "histories"), ("score", "x"), ("transport", "processes_off"), ("run", "seed"), ("phantom", "q")]
    ),
    value=VALUES,
    whole=st.booleans(),
)
def test_anything_else_is_refused_and_never_breaks(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str], value: Any, whole: bool
) -> None:
    path = written(tmp_path_factory.getbasetemp(), GOOD)
    if whole:
        content = tomllib.loads(GOOD)
        content[place[0]] = value
        with contextlib.suppress(AttributeError, ValueError):  # not every value can be written as TOML
            path.write_text(to_toml(content))
            tomllib.loads(path.read_text())
        with contextlib.suppress(InputError):
            read_run_file(path)
    else:
        with contextlib.suppress(InputError):
            read_run_file(path, overrides={place: value})
