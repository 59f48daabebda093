"""Deliveries as steps: what is delivered when, which scripts, and every mistake before anything is handed out."""

import itertools
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.delivery.deliveries import HEAD, LINES, problems, read, step, steps
from tests.formats.text.fred.fred_texts import DECKS, PLAN, TURNED_PATIENT, deck, written

from dosewright.core.errors import InputError
from dosewright.core.frame import gantry_to_patient
from dosewright.delivery.steps import Step, read_delivery
from dosewright.formats.text.fred.scope import Budget


def delivered(one: Step) -> list[tuple[str, list[str]]]:
    return [(field.name, [beam.id for beam in field.beams]) for field in one.fields]


ALL = [("field_1", ["1", "2", "3"]), ("field_2", ["7", "halo"])]


def test_everything_is_delivered_where_nothing_is_said(tmp_path: Path) -> None:
    one = step(tmp_path, "transform: phantom shift_by 1 0 0")
    assert (one.number, delivered(one), one.where) == (1, ALL, "the end of the input")
    assert delivered(step(tmp_path, "deliver: all")) == ALL
    assert [field.particles for field in one.fields] == [7e6, 24e6]


def test_fields_groups_and_pencil_beams(tmp_path: Path) -> None:
    text = """group: fields field_2 field_1
deliver: field_2, field_1
deliver: fields
deliver: pb 3 1
deliver: pb halo 2
deliver: pb 1:3 field_1
deliver: pb 7:7 2
"""
    found = steps(tmp_path, text)
    assert [delivered(one) for one in found] == [
        ALL[::-1], ALL[::-1], [("field_1", ["3"])], [("field_2", ["halo"])], [("field_1", ["1", "2", "3"])],
        [("field_2", ["7"])],
    ]  # fmt: skip
    assert [one.number for one in found] == [1, 2, 3, 4, 5, 6]
    assert found[2].where == f"fred.inp, line {LINES + 4}"


def test_every_step_has_the_setup_of_its_own_moment(tmp_path: Path) -> None:
    text = """deactivate: field_2
deliver: field_1
transform: phantom shift_by 1 0 0
deactivate: field_1 RS
activate: field_2
deliver: field_2
transform: phantom shift_by 1 0 0
"""
    first, second = steps(tmp_path, text)
    assert (first.placements["phantom"].translation[0], second.placements["phantom"].translation[0]) == (10, 20)
    assert first.active - second.active == {"field_1", "RS"}
    assert second.active - first.active == {"field_2"}


def test_scripts_belong_to_the_step_before_them(tmp_path: Path) -> None:
    text = """run_script: first.sh
postdelivery_script: last.py
add_searchpath: /a b
deliver: field_1
run_script: one.py, two.sh
add_searchpath: c
run_script: three.sh
deliver: field_2
run_script: four.sh
postdelivery_script: end.sh
"""
    one, two = steps(tmp_path, text)
    assert [call.name for call in one.before] == ["first.sh"]
    assert [(call.name, call.folders) for call in one.after] == [
        ("one.py", ("/a", "b")), ("two.sh", ("/a", "b")), ("three.sh", ("c", "/a", "b"))
    ]  # fmt: skip
    assert ([call.name for call in two.before], [call.name for call in two.after]) == ([], ["four.sh"])
    assert [call.name for call in read(tmp_path, text).at_end] == ["last.py", "end.sh"]


def test_steps_come_one_by_one_and_can_be_had_again(tmp_path: Path) -> None:
    delivery = read(tmp_path, "for(i in range(1,1001))<\ntransform: phantom move_to $i 0 0\ndeliver: pb 1 1\nfor>")
    three = list(itertools.islice(delivery.steps(), 3))
    assert [one.placements["phantom"].translation[0] for one in three] == [10, 20, 30]
    assert sum(1 for _ in delivery.steps()) == 1000


MISTAKES = {
    "transform: phanton shift_by 1 0 0": "unknown region. Did you mean 'phantom'",
    "transform: phantom shft_by 1 0 0": "unknown action. Did you mean 'shift_by'",
    "transform: shift_by 1 0 0": "no region is named",
    "transform: phantom shift_by 1 0": "three numbers are missing",
    "transform: phantom shift_by 1 0 z": "Expected a number",
    "transform: phantom shift_by 1 0 1e10": "Expected a number",
    "transform: phantom shift_by 1 0 0 gantrie": "Did you mean 'gantry'",
    "transform: phantom shift_by 1 0 0 self self": "too many words",
    "transform: phantom rotate z": "the angle is missing",
    "transform: phantom rotate w 30": "three numbers are missing",
    "transform: phantom rotate [0,0,0] 30": "the axis has no length",
    "transform: phantom rotate 0 0 0 30": "the axis has no length",
    "transform: phantom rotate z 1e30": "Expected a number",
    "transform: room shift_by 1 0 0": "the room stays",
    "transform: all shift_by 1 0 0": "unknown region",
    "transform: phantom shift_by 1 0 0 ; a = b": "has no keys",
    "group: g RS\ntransform: phantom rotate z 1 g": "a group has no frame",
    "group: phantom RS": "a name of its own",
    "group: g RS\ngroup: G RS": "a name of its own",
    "group: all RS": "a name of its own",
    "group: g g": "unknown region",
    "group: g": "no region is named",
    "transform: g rotate z 1\ngroup: g RS": "unknown region",
    "set_parent: gantri RS": "Did you mean 'gantry'",
    "set_parent: gantry": "no region is named",
    "group: g RS\nset_parent: g phantom": "a group has no frame",
    "activate: RS2": "Did you mean 'RS'",
    "deactivate:": "no region is named",
    "restore: 0": "Nothing was saved",
    "save_regions: 1\nrestore: 2": "Nothing was saved in this slot. Given: 2. Allowed: 1",
    "save_regions: 10": "Expected a whole number",
    "save_regions: -1": "Expected a whole number",
    "save_regions:": "expected one slot",
    "deactivate: field_2\ndeliver: all": "a field is not active. Given: field_2",
    "deactivate: all": "a field is not active. Given: field_1, field_2",
    "deactivate: field_1\ndeliver: pb 1 1": "a field is not active",
    "deliver: field_3": "unknown region. Did you mean 'field_",
    "deliver: phantom": "this is no field",
    "deliver: field_1 field_1": "named twice",
    "deliver:": "nothing is named",
    "deliver: pb 4 1": "no such pencil beams. Given: 4. Allowed: 3 pencil beams, 1 to 3",
    "deliver: pb 2:5 1": "no such pencil beams. Given: 4, 5",
    "deliver: pb 3:1 1": "not in order",
    "deliver: pb 1:1e14 1": "no such pencil beams. Given: 4, 5, 6, 7, 8",
    "deliver: pb 1:x 1": "Expected a number",
    "deliver: pb 1 3": "unknown field",
    "deliver: pb 1": "needs a number and a field",
    "field: 3 ; L=[1,1,1]\ndeliver: field_3": "the field has no pencil beams",
    "run_script:": "no script is named",
    "run_script: a.exe": "no interpreter",
    "add_searchpath:": "no folder is named",
    "delivr: all": "Did you mean 'deliver'",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, text)
    assert any(MISTAKES[text] in one for one in found)
    assert all(re.search(r"Where: (fred.inp, line \d+|the end of the input)", one) for one in found)


def test_all_mistakes_of_a_script_are_told_at_once(tmp_path: Path) -> None:
    text = "transform: a rotate z 1\nrestore: 3\ndeliver: pb 9 1\nregion: b ; x = 1\ntransform: RS rotate [0,0,0] 1"
    lines = {int(one.rstrip(".").rpartition(" ")[2]) for one in problems(tmp_path, text)}
    assert lines == {LINES + n for n in range(1, 6)}


def test_what_a_broken_line_may_have_defined_is_not_missed(tmp_path: Path) -> None:
    (one,) = problems(tmp_path, "region: $name ; L = [1,1,1] ; material = air\ntransform: table shift_by 1 0 0")
    assert "Unknown name" in one


@pytest.mark.parametrize(("gantry", "couch"), [(0, 0), (90, 0), (0, 90), (90, 90), (225.5, 0), (37, -21), (300, 75)])
def test_gantry_and_couch_of_fredtools_agree_with_iec_61217(tmp_path: Path, gantry: float, couch: float) -> None:
    # Field above the patient, in DICOM axes; gantry about z, patient shifted by minus the isocentre, minus the couch.
    iso, sad, spot = np.array([31.0, -42.0, 57.0]), 2000.0, (25.0, -40.0)
    path = tmp_path / "fred.inp"
    path.write_text(f"""region: phantom ; L=[30,30,30] ; material=water
region: RS ; O = [0,-30,0] ; f=[0,1,0] ; u=[0,0,1] ; material=PMMA
region: gantry ; L = [1,1,1] ; lAdaptiveSize=t ; material = vacuum
field: 1 ; O = [0,{-sad / 10},0] ; f = [0,1,0] ; u = [0,0,1]
pb: 1 1 ; P = [{-spot[0] / 10},{spot[1] / 10},0]
group: fields field_1
group: NozzleGroup RS
set_parent: gantry fields NozzleGroup
save_regions: 0
transform: NozzleGroup shift_by 0 -10 0
transform: gantry rotate z {gantry}
transform: phantom shift_by {-iso[0] / 10:+} {-iso[1] / 10:+} {-iso[2] / 10:+}
transform: phantom rotate y {-couch:+}
deactivate: fields, NozzleGroup
activate: field_1 RS
deliver: field_1
restore: 0
""")
    (one,) = read_delivery(path).steps()
    into = gantry_to_patient(gantry_deg=gantry, couch_deg=couch, patient_position="HFS", isocenter_mm=iso)
    patient = one.placements["phantom"].inverse()
    placed = one.placements["field_1"]
    beam = one.fields[0].beams[0]
    start = patient.points(placed.points(np.array(beam.position_mm)))
    way = patient.directions(placed.directions(np.array(beam.direction)))
    assert np.allclose(start, into.points(np.array([*spot, sad])), atol=1e-6)
    assert np.allclose(start + sad * way, into.points(np.array([*spot, 0.0])), atol=1e-6)
    assert np.allclose(patient.points(one.placements["RS"].translation), into.points((0, 0, 400.0)), atol=1e-6)


@pytest.mark.parametrize("name", DECKS)
def test_the_real_decks_are_delivered_under_a_turned_patient(shared_data: Path, tmp_path: Path, name: str) -> None:
    delivery = read_delivery(deck(shared_data, tmp_path, name))
    first, second = delivery.steps()
    assert [[field.name for field in one.fields] for one in (first, second)] == [["field_0"], ["field_1"]]
    count = {"matrad": 7, "pyradplan": 6}[name]
    assert [field.particles for one in (first, second) for field in one.fields] == [count, count]
    assert (first.active, second.active) == ({"Phantom", "field_0"}, {"Phantom", "field_1"})
    # The field comes from +y; at gantry angle 180 the patient is turned, so that the beam comes from behind.
    beam = first.placements["field_0"].directions((0, 0, 1))
    assert np.allclose(beam, (0, -1, 0))
    seen = [one.placements["Phantom"].inverse().directions(beam) for one in (first, second)]
    assert np.allclose(seen, [(0, 1, 0), (0, -1, 0)])  # along y of the image, which points to the back of the patient


SNIPPETS = [line for text in (HEAD, *MISTAKES) for line in text.splitlines()]


@settings(max_examples=150, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(alphabet="adeglnpr_: 0123[],\n", max_size=30)), max_size=15)
)
def test_any_delivery_is_read_or_refused(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "fred.inp"
    path.write_text(HEAD + "\n".join(lines))
    began = time.monotonic()
    try:
        found = read_delivery(path, budget=Budget(20_000, 2_000))
    except InputError as refused:
        assert refused.problems
    else:
        assert all(one.fields and {f.name for f in one.fields} <= one.active for one in found.steps())
    assert time.monotonic() - began < 2.0


EDITS = st.tuples(
    st.booleans(),
    st.floats(0, 1),
    st.integers(0, 12),
    st.sampled_from(["", "(", ")", "[", "]", "<", ">", "$", "{", "}", "'", ";", ":", "=", "%", "//", "0", "-1", "1e30",
                     "\n", "for>", "if(1)<", "restore: 3", "deliver: all", " Phantom", " self", "\0", "ü"]),
)  # fmt: skip


@settings(max_examples=200, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, min_size=1, max_size=3))
def test_mutated_decks_are_read_or_refused(tmp_path: Path, edits: list[tuple[bool, float, int, str]]) -> None:
    texts = {True: PLAN, False: TURNED_PATIENT.format(plan="plan.inp")}
    for of_plan, place, cut, put in edits:
        at = int(place * len(texts[of_plan]))
        texts[of_plan] = texts[of_plan][:at] + put + texts[of_plan][at + cut :]
    written(tmp_path, texts[True], "plan.inp")
    began = time.monotonic()
    try:
        found = read_delivery(written(tmp_path, texts[False]), budget=Budget(20_000, 2_000))
    except InputError as refused:
        assert refused.problems
    else:
        assert all(one.fields for one in found.steps())
    assert time.monotonic() - began < 2.0


def test_the_deck_that_is_mutated_is_right(tmp_path: Path) -> None:
    written(tmp_path, PLAN, "plan.inp")
    (one,) = read_delivery(written(tmp_path, TURNED_PATIENT.format(plan="plan.inp"))).steps()
    assert [field.particles for field in one.fields] == [3.5]
