"""The report: complete, self-contained, safe against names from DICOM, and content with missing parts."""

import re
import stat
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.frame import gantry_to_patient
from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure
from dosewright.geometry.overrides import OverrideUse
from dosewright.geometry.patient_report import MaterialUse, PatientReport
from dosewright.workflow.report.data import (
    BeamRow,
    DosePair,
    DvhCurve,
    DvhRow,
    Factor,
    GammaRate,
    GammaResult,
    HighDoseRatio,
    LayerRow,
    ReportData,
)
from dosewright.workflow.report.findings import findings
from dosewright.workflow.report.page import report_page, write_report
from dosewright.workflow.report.style import style
from dosewright.workflow.report.tables import audit, beam_table
from dosewright.workflow.report.views import views

NASTY = "<script>alert('x')</script>\"&$\\frac{"
CT_GRID = Grid((180, 210, 70), (1.0, 1.0, 2.5), (-90.0, -105.0, -85.0))
DOSE_GRID = Grid((80, 96, 66), (2.0, 2.0, 2.0), (-79.0, -95.0, -65.0))


def points(grid):
    k, j, i = np.indices(grid.array_shape)
    return np.moveaxis(grid.to_patient(np.stack([i, j, k], axis=-1).astype(float)), -1, 0)


def head_ct():
    x, y, z = points(CT_GRID)
    radius = np.sqrt((x / 72) ** 2 + (y / 90) ** 2 + (z / 105) ** 2)
    texture = np.random.default_rng(1).normal(0, 15, CT_GRID.array_shape)
    hu = np.where(radius < 1, 35 + texture, -1000)
    hu = np.where((radius > 0.86) & (radius < 0.94), 900 + texture, hu)
    hu = np.where((np.hypot(x, y + 55) < 14) & (z < -5), -980, hu)
    return Image(CT_GRID, hu.astype(np.int16))


def beam_dose(transform, peak, shift=0.0):
    """A field of 50 mm with a spread-out peak around the isocentre, Gy."""
    p = transform.inverse().points(np.moveaxis(np.array(points(DOSE_GRID)), 0, -1))
    depth = -p[..., 2] + shift
    lateral = 1 / (1 + np.exp((np.hypot(p[..., 0], p[..., 1]) - 26) / 2.2))
    along = (0.62 + 0.38 / (1 + np.exp(-(depth + 27) / 4))) / (1 + np.exp((depth - 27) / 1.6))
    return peak * lateral * along


def circle(radius, z, centre=(0.0, 0.0), squeeze=1.0):
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return np.column_stack(
        [centre[0] + radius * np.cos(t), centre[1] + squeeze * radius * np.sin(t), np.full(t.size, z)]
    )


def ball(number, name, kind, radius, centre, squeeze=1.0):
    heights = np.arange(-85.0, 88.0, 2.5)
    inside = [z for z in heights if abs(z - centre[2]) < radius]
    contours = [circle(np.sqrt(radius**2 - (z - centre[2]) ** 2), z, centre, squeeze) for z in inside]
    return Structure(number, name, kind, tuple(contours))


def dvh_curve(dose, where):
    values = np.sort(dose[where])
    axis = np.linspace(0, dose.max(), 200)
    volume = 100 * (1 - np.searchsorted(values, axis) / values.size)
    metrics = {f"D{v} (Gy)": float(np.percentile(values, 100 - v)) for v in (98, 95, 50, 2)}
    metrics["V20Gy (%)"] = float(100 * (values >= 20).mean())
    return DvhCurve(axis, volume, float(values.mean()), float(values.min()), float(values.max()), metrics)


def beam_row(number, name, transform, dose, gantry, couch):
    layers = tuple(
        LayerRow(2 * i, 160.0 - 2.5 * i, 60 + i, 3.1 + 0.1 * i, 12.5 + 0.4 * i, 9.1e7 - 1e6 * i, 1.1e9 + 1e7 * i)
        for i in range(18)
    )
    return BeamRow(
        number, name, "GENERIC", "PROTON", gantry, couch, transform, "MU", 286.2, 71.1, 71.1, 2.133e10, 412_000, 1.4,
        "2 % mean uncertainty", True, layers, (Factor("fractions", 30, "from the plan"), Factor("correction", 1.0)),
        ("RS_BLOCK: slab of PMMA, 40 mm water-equivalent",), 40, 31.5, dose,
    )  # fmt: skip


def gamma_images(mc, tps):
    cut = tps > 0.1 * tps.max()
    slope = np.linalg.norm(np.gradient(tps, 2.0), axis=0)
    for percent, distance in ((3.0, 3.0), (2.0, 2.0)):
        allowed = np.hypot(percent / 100 * tps.max(), distance * slope)
        yield percent, distance, np.where(cut, np.minimum(np.abs(mc - tps) / allowed, 2), np.nan).astype(np.float32)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    iso = np.array([6.0, -4.0, 3.0])
    beams, plan_mc, plan_tps = [], 0.0, 0.0
    for number, (gantry, couch, name) in enumerate([(60.0, 0.0, "G60 left"), (320.0, 10.0, "G320 vertex")], start=1):
        to_patient = gantry_to_patient(gantry_deg=gantry, couch_deg=couch, patient_position="HFS", isocenter_mm=iso)
        tps = beam_dose(to_patient, 30.0)
        sigma = 0.014 * np.sqrt(30.0 / np.maximum(tps, 0.01))
        mc = np.maximum(beam_dose(to_patient, 30.4, 0.8) * (1 + sigma * rng.normal(size=tps.shape)), 0)
        images = (Image(DOSE_GRID, a.astype(np.float32)) for a in (mc, np.minimum(sigma, 1), tps))
        beams.append(beam_row(number, name, to_patient, DosePair(*images), gantry, couch))
        plan_mc, plan_tps = plan_mc + mc, plan_tps + tps
    sigma = np.where(plan_mc > 0.1, 0.010 * np.sqrt(60.0 / np.maximum(plan_mc, 0.1)), np.nan)
    plan = DosePair(*(Image(DOSE_GRID, a.astype(np.float32)) for a in (plan_mc, sigma, plan_tps)))
    structures = (
        ball(1, "EXTERNAL", "EXTERNAL", 100, (0.0, 0.0, 0.0), 1.1),
        ball(2, "PTV", "PTV", 26, tuple(iso)),
        ball(3, "Brainstem", "ORGAN", 14, (2.0, 28.0, -8.0)),
        ball(4, "Eye left", "ORGAN", 11, (30.0, -62.0, 2.0)),
    )
    x, y, z = points(DOSE_GRID)
    dvh = []
    for s, centre, radius in (
        (structures[1], iso, 26),
        (structures[2], (2, 28, -8), 14),
        (structures[3], (30, -62, 2), 11),
    ):
        where = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 < radius**2
        dvh.append(DvhRow(s.name, dvh_curve(plan_mc, where), dvh_curve(plan_tps, where), 0.008 * where.sum()))
    rates = (
        GammaRate("whole dose", 98.41, 81_204),
        GammaRate("PTV", 99.20, 9_102, 99.81, 0.23),
        GammaRate("Brainstem", 97.5, 1_401),
        GammaRate("Eye left", None, 0),
        GammaRate("outside all structures", 96.90, 60_777),
    )
    gammas = tuple(
        GammaResult(what, p, d, rates, image=Image(DOSE_GRID, g), note="Searched in the Monte Carlo dose.")
        for what in ("Plan", "Beam 1: G60 left")
        for p, d, g in gamma_images(plan_mc, plan_tps)
    )
    return ReportData(
        "Brain boost v3", "1.2.826.0.1.3680043.10.1.4", "2026-05-04 14:20 +02:00", "jdoe", "research", 12345, 30,
        "physical dose to water", plan, tuple(beams), head_ct(), structures, tuple(dvh), gammas,
        (HighDoseRatio("Plan", 1.0131, 0.0021, "above 50 % of the prescription", 9_871),),
        ("The reference of the dose to the plan dangles; the dose was found by its frame of reference.",
         "312 CT voxels above 3071 HU were clamped."),
        ("The meterset is monitor units; c(E) is that of the generic beam model.",
         "RBE 1.1 was divided out of the planned dose.", "Air outside EXTERNAL."),
        {"Beam model": "generic", "CT protocol": "generic", "Dose grid": "80 x 96 x 66 voxels of 2 mm",
         "Threads": "2", "Water": "I = 78 eV (ICRU 90)"},
        {"dosewright": "0.1.0", "numpy": "2.1", "numba": "0.62"},
        {"plan": "ab" * 32, "CT (177 files)": "cd" * 32},
        {"reading": "2.1 s", "transport": "63.0 s"},
        {"Patient": "DOE^JANE", "Patient ID": "0815"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(data):
    return report_page(data)


class Reader(HTMLParser):
    """Collect tags with attributes, and check that elements close in order."""

    VOID: tuple = ("meta", "img", "br", "!doctype")

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_voxels_of_the_mean_uncertainty_are_those_of_the_site(data):
    beam = replace(data.beams[0], uncertainty_voxels="voxels above 60 % of the mean of the 50 highest")
    assert "Mean uncertainty: voxels above 60 % of the mean of the 50 highest, 1 sigma." in str(beam_table((beam,)))


def test_it_is_one_file_that_needs_and_runs_nothing(page):
    tags = read(page).tags
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in tags}
    assert not re.search(r"https?://|@import|url\(|javascript:", page)
    assert all(a["src"].startswith("data:image/") for tag, a in tags if tag == "img")
    assert all(a["href"].startswith("#") for tag, a in tags if "href" in a)
    assert len(page.encode()) < 5_000_000


def test_everything_given_is_listed(data, page):
    words = "\n".join(read(page).words)
    for mapping in (data.settings, data.versions, data.hashes, data.timings, data.patient):
        for label, value in mapping.items():
            assert label in words and value in words
    expected = [data.plan_label, data.plan_uid, data.created, "jdoe (research)", "12345", data.dose_label]
    expected += [*data.warnings, *data.assumptions, "Not for clinical use", "not a medical device"]
    expected += ["1.0131", "± 0.0021", "by +1.31 %", "98.41", "81,204", "3 % / 3 mm global", "2 % / 2 mm global"]
    expected += ["412,000", "1.40", "2 % mean uncertainty", "GENERIC", "286.2", "71.1", "2.1330 × 10", "RS_BLOCK"]
    expected += ["160.00", "117.50", "9.1000 × 10", "fractions", "D95 (Gy)", "V20Gy (%)", "Brainstem", "Eye left"]
    missing = [e for e in expected if e not in words]
    assert missing == []
    assert "18 energy layers" in words and words.count("Sum of weights") == 3


def test_it_is_accessible(page):
    tags = read(page).tags
    assert all(len(a.get("alt", "")) > 20 for tag, a in tags if tag == "img")
    assert all(a.get("scope") in ("col", "row") for tag, a in tags if tag == "th")
    identities = [a["id"] for _, a in tags if "id" in a]
    assert len(identities) == len(set(identities))
    assert {a["aria-labelledby"] for tag, a in tags if tag == "section"} <= set(identities)
    assert all(a["href"][1:] in identities for tag, a in tags if tag == "a")


def test_names_from_dicom_stay_text(data):
    structures = tuple(replace(s, name=f"{NASTY}{s.number}") for s in data.structures)
    nasty = replace(
        data, plan_label=NASTY, plan_uid=NASTY, created=NASTY, user=NASTY, role=NASTY, dose_label=NASTY,
        beams=tuple(replace(b, name=NASTY, machine=NASTY, meterset_unit=NASTY, goal=NASTY, goal_reached=False,
                            factors=(Factor(NASTY, 1.0, NASTY),), devices=(NASTY,)) for b in data.beams),
        structures=structures,
        dvh=tuple(replace(r, structure=structures[i].name) for i, r in enumerate(data.dvh)),
        gammas=tuple(replace(g, comparison=NASTY, note=NASTY, rates=(GammaRate(NASTY, 50, 1),)) for g in data.gammas),
        ratios=(HighDoseRatio(NASTY, 0.9, None, NASTY, 1),),
        warnings=(NASTY,), assumptions=(NASTY,), settings={NASTY: NASTY}, versions={NASTY: NASTY},
        hashes={NASTY: NASTY}, timings={NASTY: NASTY}, patient={NASTY: NASTY},
    )  # fmt: skip
    page = report_page(nasty)
    reader = read(page)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert "<script" not in page and "alert('x')" not in page
    assert all(name not in a for _, a in reader.tags for name in ("onerror", "onload"))
    assert " ".join(reader.words).count(NASTY) > 30


@given(st.text() | st.sampled_from(['"; } body { display:none } </style><b>', "\\22 ; } @import 'x';", NASTY]))
def test_the_style_sheet_takes_no_code_from_a_plan_label(label):
    start, end = style("PLAN").split("PLAN")
    sheet = style(label)
    assert sheet.startswith(start) and sheet.endswith(end)
    assert re.fullmatch(r"[A-Za-z0-9_ .,:()+-]{0,90}", sheet[len(start) : len(sheet) - len(end)])


def test_without_planned_dose_it_says_that_nothing_was_compared(data):
    alone = replace(
        data,
        plan=replace(data.plan, tps=None),
        beams=tuple(replace(b, dose=replace(b.dose, tps=None)) for b in data.beams),
        dvh=tuple(replace(r, tps=None) for r in data.dvh),
        gammas=(),
        ratios=(),
    )
    words = " ".join(read(report_page(alone)).words)
    assert "There was no planned dose to compare with" in words and "Gamma is left out" in words
    assert "Monte Carlo minus" not in words and "Dashed" not in words


def test_everything_optional_may_be_missing(data):
    bare_beam = replace(data.beams[0], layers=(), factors=(), devices=(), meterset=None, meterset_unit="")
    bare_beam = replace(bare_beam, batches=None, wall_seconds=None, dose=None, mean_uncertainty_percent=np.nan)
    bare = ReportData("", "", "", "", "", 0, 1, "", DosePair(data.plan.mc), (bare_beam,))
    words = " ".join(read(report_page(bare)).words)
    assert "None were recorded" in words and "No structure was given" in words and "Without CT" in words
    assert "nan" not in words.split()


def test_the_account_of_voxels_and_overrides_is_shown(data):
    uses = (
        OverrideUse("Gel <i>", "G4_WATER", 1.0, 1200, {"Filling": 34}, 7),
        OverrideUse("Filling", "G4_Ti", 4.54, 40, {}, 0),
    )
    materials = (MaterialUse("G4_AIR", 3000, 0.0012), MaterialUse("G4_WATER", 1000, 1.0))
    made = PatientReport(DOSE_GRID, (-1000.0, 3071.0), 5, 1312, materials, uses, (), ())
    words = " ".join(read(report_page(replace(data, made_from=made))).words)
    for said in (
        "Gel <i>",
        "34 to Filling",
        "-1000 to 3071 were used",
        "5 voxels below the table, 1,312 above",
        "25.00",
    ):
        assert said in words, said
    without_ct = replace(made, hu_range=None, overrides=())
    words = " ".join(read(report_page(replace(data, made_from=without_ct))).words)
    assert "No materials were overridden" in words and "none were used" in words


def test_spikes_in_air_set_no_scale_and_no_place(data):
    """A dose of 1000 Gy in voxels of air beside the patient moves neither reference dose, planes nor profiles."""
    body = np.ones(DOSE_GRID.array_shape, bool)
    body[:4] = False
    spiked = np.array(data.plan.mc.values)
    spiked[:4] = 1000.0
    plan = replace(data.plan, mc=Image(DOSE_GRID, spiked), tps=None, body=body)
    clean = replace(data.plan, mc=Image(DOSE_GRID, np.where(body, data.plan.mc.values, 0)), tps=None)
    found, expected = (views(replace(data, plan=pair, gammas=())) for pair in (plan, clean))
    assert found.reference_Gy == pytest.approx(expected.reference_Gy)
    for ours, theirs in zip(found.scene.planes, expected.scene.planes, strict=True):
        assert ours.at_mm == pytest.approx(theirs.at_mm)


def test_a_dose_of_zero_is_said(data):
    zero = Image(DOSE_GRID, np.zeros(DOSE_GRID.array_shape, np.float32))
    page = report_page(replace(data, plan=DosePair(zero, None, zero), beams=()))
    assert "The dose is zero everywhere" in page


def test_a_single_slice_and_a_planned_dose_elsewhere_are_no_obstacle(data):
    values = np.zeros((1, 30, 40), np.float32)
    values[0, 10:20, 10:30] = 2.0
    slice_ = Image(Grid((40, 30, 1), (2.0, 2.0, 5.0), (-40.0, -30.0, 0.0)), values)
    elsewhere = Image(Grid((5, 5, 5), (2.0, 2.0, 2.0), (500.0, 0.0, 0.0)), np.ones((5, 5, 5), np.float32))
    thin = replace(data, plan=DosePair(slice_, slice_, elsewhere), beams=(replace(data.beams[0], dose=None),))
    words = " ".join(read(report_page(thin)).words)
    assert "The reference dose is 1 Gy, the maximum of the planning system" in words


def test_what_needs_attention_is_marked(data):
    off = replace(
        data,
        ratios=(HighDoseRatio("Plan", 0.951, 0.002, "above half", 10),),
        beams=(replace(data.beams[0], goal_reached=False),),
    )
    box = findings(off)
    words = " ".join(read(box).words)
    assert box.count('class="card look"') == 2
    assert "by −4.90 %" in words and "needs an explanation" in words and "stopped before its goal" in words
    assert findings(data).count('class="card look"') == 0


def test_layers_that_do_not_add_up_are_said_on_the_first_page(data):
    beam = replace(data.beams[0], meterset=290.0, particles=2.2e10, final_cumulative_weight=71.3)
    for part in (findings(replace(data, beams=(beam,))), audit((beam,))):
        words = " ".join(read(part).words)
        assert "the meterset of the layers add up to 286.2, the beam has 290" in words
        assert "the particles of the layers add up to 2.133e+10, the beam has 2.2e+10" in words
        assert "the weights add up to 71.1, the final cumulative weight is 71.3" in words
    assert "add up" not in findings(data) + audit(data.beams)


def test_it_is_written_for_its_owner_only_and_in_time(data, tmp_path):
    path = tmp_path / "out" / "report.html"
    seconds = []
    for _ in range(2):  # the first time libraries load as well
        started = time.process_time()
        write_report(path, data)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 8
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    assert "DOE^JANE" not in repr(data)


def test_values_that_cannot_be_are_refused(data):
    with pytest.raises(InputError, match="between 0 and 100"):
        GammaRate("PTV", 101.0, 3)
    with pytest.raises(InputError, match="one volume per dose"):
        DvhCurve(np.zeros(3), np.zeros(4), 0, 0, 0)
    with pytest.raises(InputError, match="grid of its dose"):
        DosePair(data.plan.mc, data.ct)
    with pytest.raises(InputError, match="negative"):
        HighDoseRatio("Plan", -1.0, None, "", 0)
