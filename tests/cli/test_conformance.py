"""The declared DICOM attributes on the terminal and as JSON."""

import json

from typer.testing import CliRunner

from dosewright.cli.main import app


def test_text_and_json_say_the_same() -> None:
    text = CliRunner().invoke(app, ["conformance"])
    tables = json.loads(CliRunner().invoke(app, ["conformance", "--json"]).output)
    assert text.exit_code == 0
    photons = "RT Plan (photons or electrons)"
    assert set(tables) == {"RT Ion Plan", "CT Image", "RT Structure Set", "RT Dose", photons}
    count = 0
    for table in tables.values():
        for lines in table.values():
            count += len(lines)
            assert all(line["tag"] in text.output and line["keyword"] in text.output for line in lines)
    assert len(text.output.splitlines()) == count + 2 * len(tables)
    (units,) = [line for line in tables["RT Dose"]["read"] if line["keyword"] == "DoseUnits"]
    assert units["tag"] == "(3004,0002)"
    assert units["vr"] == "CS"
    assert units["tests"] == ["tests/formats/dicom/test_dose.py::test_what_is_refused"]
