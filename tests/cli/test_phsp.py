"""dosewright phsp: files looked at, changed, joined, compared; mistakes told; nothing overwritten."""

import json
from pathlib import Path

import numpy as np
import pytest
import uproot
from tests.phase_space.made import InMemory, joined, made
from typer.testing import CliRunner

from dosewright.cli.main import app
from dosewright.core.particles import Layout
from dosewright.formats.phase_space.open import create_phase_space, open_phase_space


def run(*arguments: object) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, ["phsp", *map(str, arguments)])
    return shown.exit_code, shown.stdout, shown.stderr


def written(path: Path, source: InMemory) -> Path:
    """Write a phase space with a column of its own."""
    layout = Layout(constants={"z_cm": float(source.particles.z_cm[0])}, extra={"latch": "i4"})
    with create_phase_space(path, layout) as writer:
        writer.write(source.particles)
        writer.finish(source.histories or 0)
    return path


def info(path: Path, *arguments: object) -> dict[str, object]:
    code, said, _ = run("info", path, "--json", *arguments)
    assert code == 0, said
    told: dict[str, object] = json.loads(said)
    return told


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "one.IAEAheader", made(500))


SOURCE = made(500)


def test_info_as_json_has_its_keys(file: Path) -> None:
    told = info(file)
    counts = np.bincount(SOURCE.particles.species, minlength=6)
    assert told["format"] == "iaea"
    assert told["particles"] == len(SOURCE.particles)
    species = ("photons", "electrons", "positrons", "neutrons", "protons")
    assert [told[name] for name in species] == counts[1:].tolist()
    assert told["original_histories"] == SOURCE.histories
    assert told["energy_max_MeV"] == SOURCE.particles.energy_MeV.max()
    assert told["planes_mm"] == [-899.0]
    assert told["problems"] == []
    assert told["per_original_history"]["particles"]["number"] == pytest.approx(
        len(SOURCE.particles) / SOURCE.histories
    )
    assert info(file, "--header-only")["photons"] == counts[1]


def test_info_takes_either_file_and_no_suffix(file: Path) -> None:
    told = [info(path)["particles"] for path in (file, file.with_suffix(".IAEAphsp"), file.with_suffix(""))]
    assert told == [len(SOURCE.particles)] * 3
    code, said, _ = run("info", file)
    assert code == 0
    assert "planes of constant z -899 mm" in said
    assert "per original history" in said


def test_z_of_an_egs_file_is_told_or_unknown(tmp_path: Path) -> None:
    path = tmp_path / "one.egsphsp1"
    run("convert", written(tmp_path / "one.IAEAheader", made(50)), path)
    assert info(path)["planes_mm"] == []
    assert info(path)["problems"]
    assert info(path, "--z", "600")["planes_mm"] == [600.0]


@pytest.mark.parametrize("name", ["two.IAEAheader", "two.egsphsp1", "two.phsp", "two.h5", "two.txt"])
def test_every_format_is_written_and_read(file: Path, tmp_path: Path, name: str) -> None:
    code, said, noted = run("convert", file, tmp_path / name)
    assert code == 0, noted
    back = open_phase_space(tmp_path / name)
    got = joined(list(back.batches()))
    np.testing.assert_array_equal(got.species, SOURCE.particles.species)
    np.testing.assert_allclose(got.energy_MeV, SOURCE.particles.energy_MeV, atol=1e-6)
    np.testing.assert_allclose(got.x_cm, SOURCE.particles.x_cm, rtol=1e-6)
    if not name.endswith(".txt"):  # GAMOS's text does not mark histories
        np.testing.assert_array_equal(got.histories > 0, SOURCE.particles.histories > 0)
    if name.endswith(".egsphsp1"):
        assert "Note: z, -89.9 cm for all records, is left out." in noted
    assert f"{len(SOURCE.particles):,} particles" in said


def test_transform_tilts_and_flies_to_a_plane(file: Path, tmp_path: Path) -> None:
    tilted, flown = tmp_path / "tilted.IAEAheader", tmp_path / "flown.IAEAheader"
    code, _, noted = run("transform", file, tilted, "-t", "D 0 0 899 RTPS 30 0 0")
    assert code == 0
    assert "no common plane any more" in noted
    assert "z is not that of a few planes" in run("info", tilted)[1]
    assert run("transform", file, flown, "-t", "D 0 0 899", "-t", "RTPS 30 0 0 plane 50")[0] == 0
    assert info(flown)["planes_mm"] == [50.0]
    assert info(flown)["original_histories"] == SOURCE.histories


def test_sampling_keeps_histories(file: Path, tmp_path: Path) -> None:
    code, _, noted = run("sample", file, tmp_path / "s.h5", "-r", 2)
    assert (code, noted) == (0, "")
    told = info(tmp_path / "s.h5")
    assert 0.4 < told["original_histories"] / SOURCE.histories < 0.6
    assert told["weights"] == [0.25, 1.0]
    code, _, noted = run("sample", file, tmp_path / "p.h5", "-r", 2, "--particles")
    assert "Histories are torn apart" in noted
    assert info(tmp_path / "p.h5")["original_histories"] == SOURCE.histories
    assert info(tmp_path / "p.h5")["weights"] == [0.5, 2.0]


def test_shuffling_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    assert run("shuffle", file, tmp_path / "sh.IAEAheader", "--seed", 7)[0] == 0
    got = joined(list(open_phase_space(tmp_path / "sh.IAEAheader").batches()))
    assert sorted(got.extra["latch"]) == sorted(SOURCE.particles.extra["latch"])
    assert (got.extra["latch"] != SOURCE.particles.extra["latch"]).any()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_sum_ps_prints_what_gamos_prints(tmp_path: Path) -> None:
    sources = made(300, 1), made(200, 2)
    names = [written(tmp_path / f"ps.{i}.IAEAheader", source).name for i, source in enumerate(sources)]
    (tmp_path / "list").write_text("\n".join(names) + "\n")
    code, said, noted = run("sumPS", tmp_path / "list", tmp_path / "total.10x10")
    assert code == 0, noted
    lines = said.splitlines()
    n = [len(source.particles) for source in sources]
    original = [source.histories for source in sources]
    assert lines[0].startswith("Opening phase space contained in     ")
    assert lines[1] == f"PARTICLES {n[0]} NPART_TOT {n[0]} NPARTORIG_TOT {original[0]:.10g}"
    assert lines[4] == f"PARTICLES {n[1]} NPART_TOT {sum(n)} NPARTORIG_TOT {sum(original):.10g}"
    assert lines[5].startswith(f"RATIO {n[1] / original[1]:.6g} +- ")
    assert lines[5].endswith(f" RATIO_TOT {sum(n) / sum(original):.6g}")
    assert f"* * * * N Particles   = {sum(n)}" in lines
    assert f"* * * * N Original Histories =  {sum(original):.10g}" in lines
    told = info(tmp_path / "total.10x10.IAEAheader")
    assert (told["particles"], told["original_histories"]) == (sum(n), sum(original))


def test_sum_of_two_planes_stores_z(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{z}.IAEAheader", made(100, z_cm=z)) for z in (10.0, 20.0)]
    assert run("sum", *paths, "-o", tmp_path / "both.IAEAheader")[0] == 0
    assert info(tmp_path / "both.IAEAheader")["planes_mm"] == [100.0, 200.0]


def test_beams_are_combined_by_their_weights(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{i}.IAEAheader", made(n, i)) for i, n in enumerate((400, 100))]
    output = tmp_path / "beams.IAEAheader"
    assert run("combine", *paths, "-o", output, "-w", 1, "-w", 3)[0] == 0
    each = [info(path)["per_original_history"]["particles"]["weight"] for path in paths]
    both = info(output)["per_original_history"]["particles"]["weight"]
    assert both == pytest.approx(each[0] + 3 * each[1], rel=1e-6)
    code, _, noted = run("combine", *paths, "-o", tmp_path / "x.h5", "-w", 1)
    assert code == 2
    assert "Every phase space needs a weight. Given: 1. Allowed: 2." in noted


def test_analyse_writes_histograms(file: Path, tmp_path: Path) -> None:
    code, said, noted = run("analyse", file, "-o", tmp_path / "h", "--axis", "Energy=0:8:16", "--bins", 40, "--hadrons")
    assert code == 0, noted
    assert "per original history" in said
    with uproot.open(tmp_path / "h.root") as root:
        assert len(root.keys()) == 6 * 13
        energy = root["PhaseSpace: -899: gamma: Energy at Zstop"]
        assert len(energy.values()) == 16
        assert len(root["PhaseSpace: -899: ALL: XY at Zstop"].axis(0).edges()) == 41
    assert (tmp_path / "h.csv").stat().st_size > 1000
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    assert run("plot", file, "-o", tmp_path / "p.png")[0] == 0


def test_analyse_ps_takes_gamos_switches(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "histos.root"
    limits = ("-EMax", 6, "-RMax", 150, "-NBins", 30, "-verb", "warning")
    code, said, noted = run("analysePS", "-f", file.with_suffix(""), "-NRead", 700, "-fOut", out, *limits)
    assert code == 0, noted
    lines = said.splitlines()
    assert lines[0] == f"READING FILE {file.with_suffix('')}"
    assert lines[1].startswith("ORIGINAL HISTORIES= ")
    assert lines[2].startswith("N PARTICLES= 700 PER ORIG_HIST= ")
    assert lines[-1] == f"=== saving histograms in file === {out}"
    assert "700 of" in noted
    with uproot.open(out) as root:
        assert root["PhaseSpace: -899: ALL: Energy at Zstop"].axis().edges()[[0, -1]].tolist() == [0.0, 6.0]
        assert root["PhaseSpace: -899: ALL: X at Zstop"].axis().edges()[[0, -1]].tolist() == [-15.0, 15.0]
        assert len(root["PhaseSpace: -899: ALL: R at Zstop"].values()) == 30
    code, said, _ = run("analysePS", file, "-NRead", 3, "-verb", "debug", "-fOut", tmp_path / "d")
    assert code == 0
    assert sum(" MeV, at " in line for line in said.splitlines()) == 3
    assert "-NRead" in run("analysePS", "-help")[1]


def test_compare_tells_apart_and_ends_with_4(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a.IAEAheader", made(5000, 1)), written(tmp_path / "b.IAEAheader", made(5000, 2))
    c = written(tmp_path / "c.IAEAheader", made(5000, 3, shift_cm=1.0, z_cm=10.0))
    code, said, _ = run("compare", a, b)
    assert code == 0, said
    assert said.splitlines()[-1].startswith("Alike: none of")
    code, said, noted = run("compare", a, c)
    assert code == 4
    assert "They differ in X of ALL" in said
    assert "Note: They do not lie in one plane: z is -899 mm and 100 mm." in noted
    code, said, _ = run("compare", a, c, "--json")
    told = json.loads(said)
    assert (code, told["differ"]) == (4, True)
    assert {row["quantity"] for row in told["tests"] if row["verdict"] == "differ"} >= {"X"}


def test_repair_makes_a_header_anew(file: Path, tmp_path: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace("$PHOTONS:\n", "$PHOTONS:\n1"))
    output = tmp_path / "repaired.IAEAheader"
    code, said, noted = run("repair", file, output)
    assert code == 0, noted
    assert "Wrong: " in said
    assert info(output)["particles"] == len(SOURCE.particles)


def test_repair_is_told_what_no_header_says(file: Path, tmp_path: Path) -> None:
    file.unlink()
    output = tmp_path / "repaired.IAEAheader"
    code, _, noted = run("repair", file.with_suffix(".IAEAphsp"), output, "--histories", 70_000, "--z", 250)
    assert code == 0, noted
    told = info(output)
    assert (told["original_histories"], told["z_mm"]) == (70_000, [250.0, 250.0])


def test_no_input_is_overwritten_even_by_force(file: Path) -> None:
    before = file.with_suffix(".IAEAphsp").read_bytes()
    for command in (("shuffle",), ("transform", "-t", "D 0 0 1"), ("sample", "-r", 2), ("convert",), ("repair",)):
        code, _, noted = run(command[0], file, file.with_suffix(".IAEAphsp"), *command[1:], "--force")
        assert code == 2
        assert "The output would overwrite an input" in noted
    code, _, noted = run("sum", file, file, "-o", file.parent / "sub" / ".." / file.name, "--force")
    assert code == 2
    assert file.with_suffix(".IAEAphsp").read_bytes() == before


def test_what_is_there_is_replaced_by_force_only(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "two.IAEAheader"
    assert run("convert", file, output)[0] == 0
    code, _, noted = run("convert", file, output)
    assert code == 2
    assert "The output is there already" in noted
    assert run("convert", file, output, "--force")[0] == 0
    (tmp_path / "p.png").touch()
    assert "The output is there already" in run("plot", file, "-o", tmp_path / "p.png")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "none.IAEAheader"), "none.IAEAheader"),
        (("convert", "FILE", "out.xyz"), "The suffix does not say which format to write"),
        (("convert", "FILE", "out.h5", "--format", "iea"), "Did you mean 'iaea'?"),
        (("convert", "FILE", "nowhere/out.h5"), "The folder of the output is missing"),
        (("transform", "FILE", "out.h5", "-t", "RTSP 1 2 3"), "Did you mean 'RTPS'?"),
        (("analyse", "FILE", "--axis", "Enrgy=0:6:60"), "Did you mean 'Energy'?"),
        (("analyse", "FILE", "--axis", "XY=0:6:60"), "LOW:HIGH:BINS,LOW:HIGH:BINS"),
        (("analyse", "FILE", "--axis", "X=6:0:60"), "The axes of X are wrong"),
        (("analyse", "FILE", "-o", "h", "--write", "pgn"), "Did you mean 'png'?"),
        (("analysePS", "FILE", "-verb", "wraning"), "Did you mean 'warning'?"),
        (("analysePS",), "Name the phase space once"),
        (("sumPS", "none", "out"), "The list of files cannot be read"),
    ],
)
def test_mistakes_are_told(
    file: Path, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    before = sorted(file.parent.iterdir())
    code, _, noted = run(*(str(file) if argument == "FILE" else argument for argument in arguments))
    assert code == 2
    assert message in noted
    assert sorted(file.parent.iterdir()) == before


REAL = {  # counts of photons, electrons, positrons and original histories, from the headers and the notes beside them
    "phsp-egsnrc/iaea.IAEAheader": (578, 241, 12, 3774, [600.0]),
    "phsp-gamos/linac_6MV_10k/test_-899.IAEAheader": (114, 0, 0, 10_000, [-899.0]),
    "phsp-gamos/xray_140kV/xray.IAEAheader": (2166, 0, 0, 1e9, [100.0]),
    "phsp-egsnrc/EX16MVp.egsphsp1": (2542, 1239, 101, 15_000, []),
    "phsp-egsnrc/EX10MeVe.egsphsp1": (5854, 2227, 4, 50_000, []),
    "phsp-small-misc/topas/iso_binary.phsp": (0, 7, 0, 100, [0.0]),
    "phsp-small-misc/topas/iso_limited.header": (0, 7, 0, 100, [0.0]),
    "phsp-small-misc/topas/iso_ascii.phsp": (0, 7, 0, 100, [0.0]),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_with_the_right_numbers(shared_data: Path, name: str) -> None:
    told = info(shared_data / name)
    found = (told["photons"], told["electrons"], told["positrons"], told["original_histories"], told["planes_mm"])
    assert found == REAL[name]
