"""`dosewright approve` from the command line: who may, what is shown, what the record holds."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dosewright.cli.main import app
from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.commissioning.upkeep.approval import approval_of, content_sha256, problem_of, record_of
from dosewright.workflow.users import account_of

USERS = "".join(
    f'[[user]]\nacronym = "{acronym}"\nname = "{name}"\nrole = "{role}"\nsystem_user = "{account}"\n'
    for acronym, name, role, account in (
        ("AS", "asmith", "clinical", account_of(os.getuid())),
        ("BJ", "bjones", "commissioning", account_of(os.getuid())),
        ("CK", "cking", "commissioning", "another"),
    )
)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for kind in ("beam_models", "ct", "phantoms"):
        (tmp_path / kind).mkdir()
        for path in (PACKAGED / kind).glob("*.toml"):
            (tmp_path / kind / path.name).write_bytes(path.read_bytes())
    (tmp_path / "settings.toml").write_text("[calculation]\nthreads = 2\n" + USERS)
    (tmp_path / "settings.toml").chmod(0o644)
    return tmp_path


def run(library: Path, *arguments: str, login: str = "BJ") -> tuple[int, str]:
    shown = CliRunner().invoke(app, ["approve", *arguments, "-s", str(library), "-l", login])
    return shown.exit_code, shown.output


def test_a_beam_model_is_shown_approved_edited_and_revoked(library: Path) -> None:
    code, said = run(library, "generic", "--kind", "beam", "--comment", "spring QA")
    assert code == 0, said
    path = library / "beam_models" / "generic.toml"
    sha256 = Library.open(library).beam_model("generic").sha256
    assert f"SHA-256: {content_sha256(path)}" in said
    assert f"As read, with its materials, generic: {sha256}" in said
    assert "70 to 230 MeV" in said
    assert "Provenance: the file says none." in said
    assert "approved by bjones (commissioning)" in said
    assert problem_of(path, sha256) is None
    path.write_text(path.read_text().replace("1.21e", "1.22e") + "# edited\n")
    now = Library.open(library).beam_model("generic").sha256
    assert "has changed since it was approved by bjones" in (problem_of(path, now) or "")
    assert run(library, "generic", "--kind", "beam", "--revoke")[0] == 0
    assert approval_of(path) is None


def test_ct_protocols_phantoms_and_settings(library: Path) -> None:
    assert run(library, "generic", "--kind", "ct")[0] == 0
    assert run(library, "water_box")[0] == 0
    assert run(library, "settings")[0] == 0
    opened = Library.open(library)
    assert problem_of(library / "ct" / "generic.toml", opened.ct_protocol("generic").sha256) is None
    assert problem_of(library / "phantoms" / "water_box.toml", opened.phantom("water_box").sha256) is None
    assert record_of(library / "settings.toml").is_file()


def test_a_protocol_of_several_files(library: Path, shared_data: Path) -> None:
    ct = library / "ct"
    for path in (shared_data / "beam-models" / "ideal-template").glob("*[lS]*"):
        (ct / path.name).write_bytes(path.read_bytes())
    code, said = run(library, str(ct / "hlut.conf"), "--json")
    assert code == 0, said
    protocols = json.loads(said)["models"]
    assert protocols
    for name, sha256 in protocols.items():
        assert Library.open(library).ct_protocol(f"{ct / 'hlut.conf'}:{name}").sha256 == sha256
        assert problem_of(ct / "hlut.conf", sha256) is None
    density = ct / "Schneider2000DensitiesTable.txt"
    density.write_text(density.read_text().replace("1.0762", "1.0862"))
    changed = [
        problem_of(ct / "hlut.conf", Library.open(library).ct_protocol(f"{ct / 'hlut.conf'}:{name}").sha256)
        for name in protocols
    ]
    assert any("has changed" in (one or "") for one in changed)


@pytest.mark.parametrize(
    ("arguments", "login", "said"),
    [
        (("generic", "--kind", "beam"), "AS", "The role clinical of asmith may not approve a model"),
        (("generic", "--kind", "beam"), "nobody", "is not in the site's settings"),
        (("generic", "--kind", "beam"), "CK", "belongs to another account"),
        (("generic",), "BJ", "'generic' names several things; add --kind. Given: beam, ct."),
        (("generik",), "BJ", "There is nothing of this name to approve. Did you mean 'generic'? Given: 'generik'."),
        (("generic", "--kind", "beem"), "BJ", "Unknown kind. Given: 'beem'."),
        ((str(PACKAGED / "beam_models" / "generic.toml"),), "BJ", "copy it into a library of your own first"),
        (("water_box", "--revoke"), "BJ", "no approval record to revoke"),
    ],
)
def test_refusals(library: Path, arguments: tuple[str, ...], login: str, said: str) -> None:
    code, shown = run(library, *arguments, login=login)
    assert code == 2
    assert said in shown


def test_a_broken_model_is_not_approved(library: Path) -> None:
    path = library / "beam_models" / "broken.toml"
    path.write_text("name = 'broken'\n")
    code, said = run(library, "broken")
    assert code == 2
    assert "'plane_mm' is missing" in said
    code, said = run(library, str(path), "--kind", "ct")
    assert code == 2
    assert not record_of(path).exists()
