"""The dry run: tables for people, values for programs, and pictures."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from tests.delivery.deliveries import LINES, read, steps

from dosewright.delivery.draw import MOST_BEAMS, _beam_lines, draw_step
from dosewright.delivery.dry_run import input_text, input_values, step_text, step_values

TEXT = """deactivate: RS
transform: phantom shift_by 0 0 5
transform: phantom rotate y 90 self
transform: phantom rotate y -90 self
transform: field_2 rotate x -90
deliver: field_1
run_script: a.py
deactivate: field_1
deliver: pb 7 2
mcsMode = 2
varianceReduction: maxNumIterations = 5
"""


def test_a_step_as_tables(tmp_path: Path) -> None:
    delivery = read(tmp_path, TEXT)
    first, second = (step_text(delivery, step) for step in delivery.steps())
    assert first.splitlines() == [
        f"Step 1 (fred.inp, line {LINES + 6}): field_1 with 3 pencil beams, 7e+06 particles",
        "",
        "  region   there  origin (cm)  left    up     front",
        "  phantom  yes    1 2 8        1 0 0   0 1 0  0 0 1",
        "  gantry   yes    0 0 0        1 0 0   0 1 0  0 0 1",
        "  RS       no     0 0 -20      -1 0 0  0 0 1  0 1 0",
        "  field_1  yes    0 0 -50      1 0 0   0 1 0  0 0 1",
        "  field_2  yes    0 0 50       -1 0 0  0 1 0  0 0 -1",
        "",
        "  field    pencil beam  particle  MeV  particles  histories",
        "  field_1  1            proton    100  1e+06      10000",
        "  field_1  2            proton    100  2e+06      10000",
        "  field_1  3            proton    100  4e+06      10000",
        "",
        f"Script: a.py (fred.inp, line {LINES + 7})",
    ]
    assert "field_1  no " in second and "  field_2  7 " in second
    assert step_text(delivery, next(delivery.steps()), 0).count("\n") == 1


def test_many_pencil_beams_are_one_row_unless_asked_for(tmp_path: Path) -> None:
    delivery = read(tmp_path, "for(i in range(10,40))<\npb: $i 1 ; T = ${100+i} ; N = 1e5\nfor>")
    (step,) = delivery.steps()
    assert "  field_1  1 ... 39 (33)  proton    100 to 139  1e+07      330000" in step_text(delivery, step)
    assert "  field_1  39  " in step_text(delivery, step, 4)


def test_an_input_as_lines_and_values(tmp_path: Path) -> None:
    delivery = read(tmp_path, TEXT)
    text = input_text(delivery)
    assert "3 regions, 2 fields, 5 pencil beams; the room is filled with vacuum" in text
    assert "Repeated by fixed iterations, at most 5 iterations" in text
    assert "Not done here" in text and "mcsMode = 2" in text and "it may change the dose" in text
    values = input_values(delivery)
    assert (values["regions"], values["fields"], values["pencil_beams"]) == (3, 2, 5)
    assert values["unsupported"] == [
        {"what": "mcsMode = 2", "where": f"fred.inp, line {LINES + 10}", "changes_dose": True}
    ]


def test_a_step_as_values_in_mm(tmp_path: Path) -> None:
    delivery = read(tmp_path, TEXT)
    values = step_values(delivery, next(delivery.steps()))
    phantom = values["regions"][0]
    assert phantom == {"name": "phantom", "active": True, "origin_mm": [10.0, 20.0, 80.0], "left": [1.0, 0.0, 0.0],
                       "up": [0.0, 1.0, 0.0], "front": [0.0, 0.0, 1.0]}  # fmt: skip
    assert values["fields"][0]["particles"] == 7e6
    assert [beam["particles"] for beam in values["fields"][0]["pencil_beams"]] == [1e6, 2e6, 4e6]
    assert values["scripts"] == ["a.py"]


def test_a_picture_shows_regions_and_pencil_beams(tmp_path: Path) -> None:
    delivery = read(tmp_path, TEXT)
    first = next(delivery.steps())
    draw_step(delivery, first, tmp_path / "step.png")
    pixels = imread(tmp_path / "step.png")
    assert pixels.shape[1] == 1500

    def has(colour: tuple[float, float, float]) -> bool:
        return bool((np.abs(pixels[..., :3] - colour).max(axis=2) < 0.05).any())

    assert has((0, 0x72 / 255, 0xB2 / 255))  # the phantom, the first region
    assert has((0xE6 / 255, 0x9F / 255, 0))  # fields


def test_pencil_beams_are_drawn_from_where_they_begin_and_where_they_go(tmp_path: Path) -> None:
    text = "pb: 50 2 ; P = [1,2,3] ; v = [1,0,0]\ntransform: field_2 rotate z 90\ndeliver: pb 50 2"
    (step,) = steps(tmp_path, text)
    # Left of field 2 is -x, up z, front y; turned about z: left -y, up z, front -x; its origin goes to x = 50.
    (line,) = _beam_lines(step.fields[0], step.placements["field_2"], 7.0)
    assert np.allclose(line, [[50 - 3, -1, 2], [50 - 3, -8, 2]])


def test_of_very_many_pencil_beams_an_even_choice_is_drawn(tmp_path: Path) -> None:
    (step,) = steps(tmp_path, "for(i in range(10,1500))<\npb: $i 1 ; P.x = $i\nfor>\ndeliver: field_1")
    lines = _beam_lines(step.fields[0], step.placements["field_1"], 1.0)
    assert lines.shape == (MOST_BEAMS, 2, 3)
    assert lines[-1, 0, 0] == pytest.approx(1499)
