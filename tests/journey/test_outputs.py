"""Every switch of the settings' [output], and what settings make of a dose, on one calculated case."""

import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.core.mask import mask
from dosewright.formats.dicom.dose import read_dose
from dosewright.formats.dose.mhd import read_mhd
from dosewright.formats.text.site_settings import Calculation, MachineCorrection, Output, SiteSettings
from dosewright.workflow import pipeline
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.goals import Goals
from dosewright.workflow.memory import Load, within_memory
from dosewright.workflow.postprocess.outputs import write_outputs
from dosewright.workflow.preprocess.case import open_case
from dosewright.workflow.request import Wishes

SITE = SiteSettings(
    calculation=Calculation(rbe_factor_protons=1.3, dose_to="medium", remove_dose_outside_external=True),
    correction=[MachineCorrection(machine="GENERIC", dose_factor=0.97, weight_polynomial=[0.001, 0.9])],
    output=Output(**dict.fromkeys(Output.model_fields, True)),
)
COMMAND = Path(sys.executable).with_name("dosewright")
BEAMS = ("beam1", "beam2")
OF_PHYSICAL = {
    "dicom": ("physical", "standard_deviation"),
    "mhd": ("physical", "to_water", "standard_deviation", "uncertainty"),
}


@dataclass
class Done:
    """One calculation with every output, and what its files were written from."""

    folder: JobFolder
    summary: dict[str, Any]
    written_from: tuple[Any, ...]


@pytest.fixture(scope="module")
def done(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Done:
    seen: list[tuple[Any, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        packaged = Library.open(PACKAGED)
        patch.setattr(Library, "open", lambda *_: set_up(packaged, SITE))
        patch.setattr(pipeline, "write_outputs", lambda *given: (seen.append(given[:4]), write_outputs(*given))[1])
        wishes = Wishes(tiny.folder, Goals(histories=6000), threads=1, output=tmp_path_factory.mktemp("done") / "out")
        outcome = pipeline.calculate(open_case(wishes))
    return Done(outcome.folder, outcome.summary, seen[0])


def set_up(library: Library, settings: SiteSettings) -> Library:
    """Return a library with other settings."""
    return replace(library, content=replace(library.content, settings=settings))


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in (".dcm", ".mhd")}


def expected(switch: str) -> set[str]:
    """Return the dose files that hang on a switch."""
    container, _, kind = switch.partition("_")
    whole = {"dicom": ".dcm", "mhd": ".mhd"}
    if kind == "rbe":
        return {f"{container}/{beam}_effective{whole[container]}" for beam in BEAMS}
    if kind == "physical":
        return {f"{container}/{beam}_{name}{whole[container]}" for beam in BEAMS for name in OF_PHYSICAL[container]}
    if kind == "plan":
        ends = (*OF_PHYSICAL[container], "effective")
        return {f"{container}/plan_{name}{whole[container]}" for name in ends}
    if kind in ("unscaled", "scaled"):
        return {f"mhd/{beam}_{kind}.mhd" for beam in BEAMS}
    return {"mass": {"mhd/mass_density.mhd"}, "dose_mask": {"mhd/dose_mask.mhd"}}.get(switch, set())


@pytest.mark.parametrize("switch", [name for name in Output.model_fields if name not in ("gamma", "user_log")])
def test_each_switch_writes_its_files_and_no_others(done: Done, tmp_path: Path, switch: str) -> None:
    case, *rest = done.written_from
    only = SITE.model_copy(update={"output": Output(**{name: name == switch for name in Output.model_fields})})
    folder = JobFolder(tmp_path)
    (tmp_path / "mhd").mkdir()
    (tmp_path / "mhd" / "plan_physical.raw").write_bytes(b"of a former run")
    write_outputs(replace(case, library=set_up(case.library, only)), *rest, folder)
    assert expected(switch)
    assert names(tmp_path) == expected(switch)
    assert ("mhd/plan_physical.raw" in {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}) == (
        switch == "mhd_plan"
    )


def test_with_all_switches_on_everything_is_there(done: Done) -> None:
    everything = set().union(*(expected(switch) for switch in Output.model_fields))
    found = names(done.folder.path)
    assert everything <= found
    assert {name for name in found - everything if "gamma" not in name} == set()
    assert any("gamma" in name for name in found)
    assert done.folder.user_log.is_file()
    assert done.summary["settings"]["outputs"] == list(Output.model_fields)
    assert "user_log.txt" in done.summary["files_sha256"]


def test_without_gamma_and_user_log_there_are_none(tiny: Any, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "library.toml").write_text('name = "site"\nwith_packaged = true\n')
    (library / "settings.toml").write_text("[output]\ngamma = false\nuser_log = false\nmhd_physical = false\n")
    finished = tiny.calc(
        tmp_path / "out", "-s", str(library), "-c", "generic", "-n", "600", "-b", "1", "--write", "mass"
    )
    assert finished.returncode == 0, finished.stderr
    found = names(tmp_path / "out")
    assert not any("gamma" in name for name in found)
    assert not (tmp_path / "out" / "user_log.txt").exists()
    assert {"mhd/mass_density.mhd", "dicom/beam1_physical.dcm"} <= found
    assert "mhd/beam1_physical.mhd" not in found
    summary = tiny.summary(tmp_path / "out")
    assert summary["gamma"] == []


def mhd(done: Done, name: str) -> np.ndarray:
    return np.asarray(read_mhd(done.folder.mhd(name)).values, float)


def test_corrections_scale_dose_and_weights_and_are_said(done: Done) -> None:
    """Particles and doses against the plan by hand: p(E) = 0.9 + 0.001 E multiplies the weights, 0.97 the dose."""
    per_mu = {72.0: 6.3389e7 + 0.2 * (7.023e7 - 6.3389e7), 80.0: 7.023e7}  # as in test_calc
    planned = sum(20 * spots / 27 * per_mu[e] * (0.9 + 0.001 * e) for e, spots in ((72.0, 9), (80.0, 18)))
    for beam in done.summary["beams"]:
        assert beam["particles_per_fraction"] == pytest.approx(planned, rel=1e-3)
        assert beam["weight_factors"] == pytest.approx([0.972, 0.98])
        assert beam["correction"]["dose_factor"] == 0.97
        name = f"beam{beam['number']}"
        scale = beam["particles_per_fraction"] * 2 * 0.97 / beam["histories"]
        assert mhd(done, f"{name}_scaled") == pytest.approx(mhd(done, f"{name}_unscaled") * scale, rel=1e-5)
    said = " ".join(done.summary["assumptions"])
    assert "the dose is multiplied by the site's factor 0.97 for machine 'GENERIC' with PROTON" in said
    assert "multiplies the spot weights by 0.972 to 0.98" in said
    report = done.folder.report.read_text()
    assert "dose factor of the site" in report
    assert "highest weight factor" in report
    log = done.folder.log.read_text()
    assert "weights times 0.972 to 0.98 included, times the dose factor 0.97." in log


def test_dose_outside_the_external_is_removed_and_the_mask_says_where(done: Done) -> None:
    case, target, _, _ = done.written_from
    inside = mask(case.external, target.score.grid)
    assert np.array_equal(mhd(done, "dose_mask") == 1, inside)
    assert 0 < inside.sum() < inside.size
    for name in ("plan_physical", "beam1_effective", "beam2_to_water", "plan_uncertainty"):
        assert not mhd(done, name)[~inside].any(), name
    assert mhd(done, "beam1_scaled")[~inside].any()  # as it was before
    assert mhd(done, "beam1_physical")[inside] == pytest.approx(mhd(done, "beam1_scaled")[inside], rel=1e-6)
    assert any("outside Body (EXTERNAL) are set to zero" in said for said in done.summary["assumptions"])
    assert done.summary["outside_removed"] is True


def test_the_dose_is_that_to_medium_and_the_rbe_factor_that_of_the_site(done: Done) -> None:
    _, _, _, treatment = done.written_from
    assert np.array_equal(mhd(done, "plan_physical").astype(np.float32), treatment.plan.to_medium.values)
    physical = read_dose(done.folder.dicom("plan_physical"))
    effective = read_dose(done.folder.dicom("plan_effective"))
    top = float(physical.image.values.max())
    assert np.asarray(effective.image.values) == pytest.approx(1.3 * np.asarray(physical.image.values), abs=1e-6 * top)
    assert done.summary["dose"].startswith("physical dose to medium in Gy")
    assert "1.3 times" in done.summary["dose"]
    assert any("divided by the RBE of 1.3" in said for said in done.summary["warnings"])
    assert any("not to water (--dose-to)" in said for said in done.summary["assumptions"])


def test_the_mass_file_is_the_density_that_was_calculated(done: Done) -> None:
    _, target, _, _ = done.written_from
    density = mhd(done, "mass_density")
    assert np.allclose(density, target.patient.voxels.density_g_cm3)
    assert read_mhd(done.folder.mhd("mass_density")).grid.matches(target.patient.report.grid)
    assert density.max() == pytest.approx(1.0, abs=0.1)


def test_the_user_log_holds_settings_figures_and_files(done: Done) -> None:
    text = done.folder.user_log.read_text()
    for words in (
        "# Beam 1: Top", "# Beam 2: Side", "# Settings", "# Performance", "# Files", "# Models", "# Warnings",
        "goals.top_voxels", "calculation.air_margin_mm", "dose correction factor", ": 0.97",
        "primaries per CPU s", "dicom/plan_physical.dcm", "gamma 3 % / 3 mm global", "Not for clinical use",
    ):  # fmt: skip
        assert words in text, words
    for name in ("Secret", "IDENTITY"):
        assert name not in text
    assert max(len(line) for line in text.splitlines()) < 2000


def test_what_does_not_fit_is_refused_and_fewer_threads_are_taken_where_they_fit(
    tiny: Any, tmp_path: Path, done: Done
) -> None:
    case, target, _, _ = done.written_from
    load = Load.of(case, target)
    wanted = replace(case, request=replace(case.request, threads=64))
    fewer, memory = within_memory(wanted, target, load.estimate_MB(5) + 1e-6)
    assert (fewer.request.threads, memory.threads, memory.wanted) == (5, 5, 64)
    assert "5 of 64 threads are taken, since more would not fit." in fewer.warnings[-1]
    assert within_memory(wanted, target, 1e9)[0] is wanted
    (tmp_path / "library.toml").write_text('name = "site"\nwith_packaged = true\n')
    (tmp_path / "settings.toml").write_text("[memory]\nmost_MB = 100\n")
    refused = tiny.calc(tmp_path / "out", "-s", str(tmp_path), "-c", "generic", "-n", "600")
    assert refused.returncode == 2
    assert "would not fit into memory, even with one thread" in refused.stderr
    assert not (tmp_path / "out").exists()


# Runs a command and prints its memory; a command that the tests themselves ran would begin with theirs.
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.mark.slow
def test_the_estimate_of_memory_holds_for_a_small_run(tiny: Any, tmp_path: Path) -> None:
    """Never below what a run uses, and at most 25 % above; the first run compiles, which takes memory of its own."""
    first = tiny.start(tmp_path / "first", "-n", "2000", "-j", "1")
    _, said = first.communicate()
    assert first.returncode == 0, said
    second = [COMMAND, "calc", tiny.folder, "-o", tmp_path / "second", "-n", "2000", "-j", "1"]
    ended = subprocess.run([sys.executable, "-c", MEASURED, *second], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    estimate = float(re.search(r"Memory: about ([\d,]+) MB", ended.stderr)[1].replace(",", ""))  # type: ignore[index]
    used = int(ended.stdout.splitlines()[-1]) * 1024 / 1e6
    assert used <= estimate <= 1.25 * used
