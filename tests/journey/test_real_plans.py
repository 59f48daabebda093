"""Real plans from the data folder: the figures of docs/measured, with bounds. Slow ones need minutes."""

import numpy as np
import pytest
from benchmarks import real_depth_dose, real_ramp, real_refusals, real_water_phantom
from benchmarks.real_common import Settings

FEW = 40_000


@pytest.fixture
def settings(tmp_path, shared_data):
    return Settings(uncertainty_percent=5.0, primaries=400_000, work=tmp_path, threads=0)


def refusal(name: str, command: str, settings: Settings, shared_data):
    place = real_refusals.PLANS[name]
    if not shared_data.joinpath(*place).exists():
        pytest.skip(f"{place[0]} is missing")
    return real_refusals.said((command,), shared_data.joinpath(*place), settings.work / "out")


@pytest.mark.parametrize("command", ["calc", "lint"])
def test_line_scanning_is_refused_beam_by_beam_with_what_to_do(command, settings, shared_data):
    run = refusal("Line scanning (ion-line-scanning)", command, settings, shared_data)
    words = " ".join(run.output.split())
    assert run.exit_code == 2
    for beam in ("1S070", "2S110", "3S150", "4S190", "5S230"):
        assert f"beam '{beam}'" in words
    assert words.count("Scan mode LINE") == 5
    assert "Export the plan as spot scanning" in words
    assert words.count("has no meterset") == 4
    assert not (settings.work / "out").exists()


@pytest.mark.parametrize("command", ["calc", "lint"])
def test_an_aperture_and_a_range_shifter_without_settings_are_refused_together(command, settings, shared_data):
    run = refusal("Plan with an aperture, meterset in particles (ion-rtip-demo)", command, settings, shared_data)
    words = " ".join(run.output.split())
    assert run.exit_code == 2
    assert "refused for 2 reasons" in words
    assert "does not say what it is made of (MaterialID)" in words
    assert "Range shifter '40mm'" in words
    assert "export the plan with its settings" in words


def test_the_water_phantom_s_broken_references_are_bridged(settings):
    run = real_water_phantom.calculated(settings, full_ct=False, primaries=FEW)
    warnings = " ".join(run.summary["warnings"])
    for said in (
        "No structure set of this plan was found",
        "1 dose with a dangling reference was taken",
        "Patient position HFS was taken: ASSUMED",
        "The dose grid reaches beyond the CT (0.5 mm left, 0.5 mm anterior, 0.5 mm superior)",
        "EFFECTIVE; it was divided by the RBE of 1.1",
    ):
        assert said in warnings
    compared = real_water_phantom.as_exported(run)
    np.testing.assert_allclose(compared.ours.grid.origin_mm, (0.5, -0.5, 0.5))
    assert compared.integral_ratio > 1.1  # the reference is physical dose under the label EFFECTIVE


def test_the_water_phantom_s_dose_agrees_voxel_by_voxel(settings):
    run = real_water_phantom.calculated(settings, full_ct=True, primaries=FEW)
    compared = real_water_phantom.voxel_by_voxel(run)
    np.testing.assert_allclose(compared.ours.grid.origin_mm, (0.0, 0.0, 0.0))
    assert compared.integral_ratio == pytest.approx(1.0, abs=0.03)
    ours, theirs = (compared.depth(image)[2:6].mean() for image in (compared.ours, compared.theirs))
    assert ours / theirs == pytest.approx(1.0, abs=0.04)


@pytest.mark.slow
def test_ramp_fields_agree_with_raystation_in_dose_range_and_width(settings):
    plan = real_ramp.restored_plan(settings.work / "plan03")
    run = real_ramp.calculated(plan, real_ramp.VARIANTS[0], settings)
    at = np.arange(-100.5, 101.0, 1.0)
    for pair in real_ramp.pairs(run, plan):
        assert pair.ratio.value == pytest.approx(1.0, abs=0.02)
        plain, _, other = real_ramp.gammas(pair, 3.0, 3.0)
        assert plain > 75.0  # 5 % noise against a tolerance of 3 %
        assert other > 99.0
        width = [real_ramp.lateral_edges(image, 0)[0] for image in (pair.ours, pair.theirs)]
        assert width[0] == pytest.approx(width[1], abs=0.5)
        if pair.name != "plan":
            towards = 1 if pair.name == "beam1" else -1
            ours, theirs = (real_ramp.depth_line(image, at)[::towards] for image in (pair.ours, pair.theirs))
            assert real_ramp.shift_mm(ours, theirs, at, at > -70)[0] == pytest.approx(0.0, abs=0.5)


@pytest.mark.slow
def test_mono_energetic_depth_dose_lies_among_the_published_codes(settings):
    case = real_depth_dose.CASES[1]
    ours, _ = real_depth_dose.ours(case, real_depth_dose.DENSITIES_G_CM3[0], settings)
    for code in ("sh12a", "openshieldhit"):
        theirs = real_depth_dose.published(case, code, "dose_p1")
        assert ours.r80_mm == pytest.approx(theirs.r80_mm, abs=0.7)
        assert ours.mean(case.plateau_mm) == pytest.approx(theirs.mean(case.plateau_mm), rel=0.025)
        assert ours.integral == pytest.approx(theirs.integral, rel=0.02)
        assert ours.top == pytest.approx(theirs.top, rel=0.04)
