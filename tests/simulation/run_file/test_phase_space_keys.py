"""The keys of a phase space in the run file, with a file of records that others wrote."""

from pathlib import Path

import numpy as np
import pytest
from tests.sources.phase_spaces import InMemory, particles

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.simulation import read_run_file, run_in_folder
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.source_tables import PhaseSpaceSource
from dosewright.simulation.run_file.write import resolved_content, to_toml
from dosewright.simulation.setup.phase_space_source import phase_space_source, way_of
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers

TEXT = """\
[phantom]
size_mm = [20, 20, 40]
voxel_mm = [2, 2, 1]
origin_mm = [-10, -10, 0]
material = "G4_WATER"

[source]
kind = "phase_space"
file = "beam.phsp"

[goal]
histories = 1e3
"""
ALL_KEYS = """\
reuse = 4
recycle = 2
mirror = "xy"
skip = 3
transform = [["D", 1, 2, 3], ["RXYZ", 0, 90, 0], ["RTPS", 10, 20, 30]]
original_histories = 1e3
long_bits = 32

[source.filter]
species = ["photon", "electron"]
energy_MeV = [0.1, 6]

[[source.filter.bits]]
column = "latch"
any = [1, 5]
none = [0]
"""
MEMORY = Resolvers(
    phase_space=lambda path, bits: InMemory(particles(10, z_cm=2.0, extra={"latch": np.zeros(10, np.int32)}), 100.0)
)


def written(folder: Path, keys: str = "") -> Path:
    (folder / "beam.phsp").touch()
    path = folder / "run.toml"
    path.write_text(TEXT.replace('"beam.phsp"\n', f'"beam.phsp"\n{keys}'), encoding="utf-8")
    return path


def problems(folder: Path, keys: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        read_run_file(written(folder, keys), resolvers=MEMORY)
    return refused.value.problems


def test_the_defaults(tmp_path: Path) -> None:
    source = read_run_file(written(tmp_path), resolvers=MEMORY).source
    assert isinstance(source, PhaseSpaceSource) and source.file == str(tmp_path / "beam.phsp")
    assert (source.reuse, source.recycle, source.mirror, source.skip) == ("auto", 0, "none", 0)
    records = phase_space_source(source, MEMORY).records
    assert (records.original_histories, records.passes, records.reuse) == (100.0, 1, None)
    assert records.selection.species == (1, 2, 3, 4, 5)


def test_all_keys_and_the_file_they_become(tmp_path: Path) -> None:
    run = read_run_file(written(tmp_path, ALL_KEYS), resolvers=MEMORY)
    beam = phase_space_source(run.source, MEMORY)  # type: ignore[arg-type]
    records = beam.records
    assert (records.original_histories, records.passes, records.reuse, records.mirror, records.skip) == (
        1000.0, 3, 4, "xy", 3,
    )  # fmt: skip
    assert records.selection.species == (1, 2) and records.selection.energy_MeV == (0.1, 6)
    assert records.selection.bits[0].any == (1, 5) and records.selection.bits[0].none == (0,)
    assert any("the run file says 1000, the phase space 100" in said for said in beam.warnings)
    out = tmp_path / "out"
    out.mkdir()
    content = resolved_content(run, out)
    assert content["source"]["file"] == "../beam.phsp"
    (out / "run.toml").write_text(to_toml(content), encoding="utf-8")
    assert resolved_content(read_run_file(out / "run.toml", resolvers=MEMORY), out) == content


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("reuse = 'often'", "source.reuse"),
        ("reuse = 0", "source.reuse"),
        ("reuse = 20000", "source.reuse"),
        ("recycle = -1", "source.recycle is out of range"),
        ("mirror = 'z'", "source.mirror is not a known word"),
        ("skip = 10", "source.skip leaves nothing of the phase space"),
        ("transform = [['T', 1, 2, 3]]", "source.transform[1]"),
        ("transform = [['D', 1, 2]]", "source.transform[1]"),
        ("particle = 'photon'", "source.particle does not belong to kind 'phase_space'"),
        ("energy_MeV = 6", "source.energy_MeV does not belong to kind 'phase_space'"),
        ("long_bits = 16", "source.long_bits"),
        ("[source.filter]\nspecies = ['muon']", "source.filter.species"),
        ("[source.filter]\nspecies = ['proton']", "Protons of a phase space cannot be followed"),
        ("[source.filter]\nenergy_MeV = [2, 1]", "source.filter.energy_MeV is no range"),
        ("[[source.filter.bits]]\ncolumn = 'latches'\nall = [1]", "Did you mean 'latch'?"),
        ("[[source.filter.bits]]\ncolumn = 'latch'\nall = [64]", "at most 63"),
        ("[[source.filter.bits]]\ncolumn = 'latch'", "names none"),
        ("[variance_reduction]\nphoton_splitting = 9", "Photons are not split for this"),
        ("[variance_reduction]\ntrack_length = true", "no dose by track length"),
        ("[variance_reduction]\nxy_limits = 'auto'", "does not say which way its beam runs"),
        ("[[score]]\nquantity = 'letd'", "'letd' is nothing that the particles of a phase space score"),
        ("[[score]]\nquantity = 'spectrum'\nparticle = 'photon'", "energy_max_MeV' is missing"),
        ("[transport]\nprocesses_off = ['nuclear']", "is no process of the particles of a phase space"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, keys: str, said: str) -> None:
    found = problems(tmp_path, keys + "\n")
    assert any(said in one for one in found), found
    assert all("Where: run.toml, line" in one for one in found), found


def test_keys_of_a_phase_space_belong_to_it_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace('kind = "phase_space"\nfile = "beam.phsp"', (
        'kind = "pencil"\nparticle = "photon"\nenergy_MeV = 6\nposition_mm = [0, 0, -10]\nreuse = 3'
    )))  # fmt: skip
    with pytest.raises(InputError, match=r"source\.reuse does not belong to kind 'pencil' but to phase_space"):
        read_run_file(path)


def test_a_missing_file_is_one_mistake(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "beam.phsp").unlink()
    with pytest.raises(InputError) as refused:
        read_run_file(path)
    (one,) = refused.value.problems
    assert "The file of source.file does not exist" in one


def test_a_file_of_no_format_is_refused_at_its_line(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "beam.phsp").write_bytes(b"nothing that anybody writes" * 99)
    with pytest.raises(InputError) as refused:
        read_run_file(path)
    assert all("source.file" in one and "run.toml, line 9" in one for one in refused.value.problems)


def test_steps_are_done_in_their_order() -> None:
    assert way_of(()).points(np.array([1.0, 2, 3])) == pytest.approx([1, 2, 3])
    way = way_of((("D", 10, 0, 0), ("RXYZ", 0, 0, 90), ("D", 0, 0, 5)))
    assert way.points(np.zeros(3)) == pytest.approx([0, 10, 5])
    assert way.directions(np.array([1.0, 0, 0])) == pytest.approx([0, 1, 0])
    turned = way_of((("RXYZ", 20, 30, 40),)).rotation
    x, y, z = (rotation_about(axis, angle) for axis, angle in zip("xyz", (20, 30, 40), strict=True))
    np.testing.assert_allclose(turned, z @ y @ x, atol=1e-12)
    tps = way_of((("RTPS", 20, 30, 40),)).rotation
    theta, phi, own = rotation_about("y", 20), rotation_about("z", 30), rotation_about("z", 40)
    np.testing.assert_allclose(tps, phi @ theta @ own, atol=1e-12)
    np.testing.assert_allclose(tps @ [0, 0, 1], [np.sin(np.radians(20)) * np.cos(np.radians(30)),
                                                  np.sin(np.radians(20)) * np.sin(np.radians(30)),
                                                  np.cos(np.radians(20))], atol=1e-12)  # fmt: skip


def test_a_phase_space_of_an_accelerator_goes_into_water(tmp_path: Path, shared_data: Path) -> None:
    """The 114 photons that GAMOS's tutorial head sends past z = -899 mm, of 10 000 histories, into a wide slab below.

    The header says their mean energy, 1.115 MeV; all of it must start, per history. Eight uses must change nothing
    in what starts, nor a filter that keeps all.
    """
    file = shared_data / "phsp-gamos" / "linac_6MV_10k" / "test_-899.IAEAheader"
    text = f"""
        [phantom]
        size_mm = [2100, 2100, 300]
        voxel_mm = [2100, 2100, 100]
        origin_mm = [-1050, -1050, -1200]
        material = "G4_WATER"
        [source]
        kind = "phase_space"
        file = "{file}"
        reuse = 8
        [source.filter]
        species = ["photon"]
        [goal]
        max_minutes = 5
        [run]
        threads = 1
    """
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    run = read_run_file(path)
    check(run, WITHOUT_LIBRARY)
    result = run_in_folder(run, tmp_path / "out")
    assert result.histories == 10_000 and result.records is not None
    assert (result.records.photons, result.records.uses, result.records.particles) == (114, 8, 114)
    assert result.energy["started"] == pytest.approx(114 * 1.115 / 10_000, rel=1e-3)
    dose = result.dose_Gy[::-1, 0, 0]
    assert dose[0] > dose[1] > dose[2] > 0.3 * dose[0]
    assert result.relative_uncertainty.min() > 0.05  # 114 particles, however often they are used
