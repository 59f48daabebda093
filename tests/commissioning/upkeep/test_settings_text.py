"""settings.toml with comments and the page of the docs are made from the schema and cannot drift from it."""

import re
from pathlib import Path

from dosewright.commissioning.upkeep.settings_text import commented_toml, settings_page, tables
from dosewright.formats.text.checked_toml import known_keys, read_checked
from dosewright.formats.text.site_settings import SiteSettings

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def uncommented(text: str) -> str:
    return "\n".join(re.sub(r"^# (?=\[|\w+ = )", "", line) for line in text.splitlines())


def test_taking_the_comment_signs_away_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(commented_toml())
    assert read_checked(path, SiteSettings) == SiteSettings()
    path.write_text(uncommented(commented_toml()))
    assert read_checked(path, SiteSettings) == SiteSettings()
    assert sum(line.startswith(("#", "")) for line in path.read_text().splitlines()) > 60


def test_every_key_of_the_schema_is_there() -> None:
    found = {key.path for table in tables() for key in table.keys}
    places = {table.name for table in tables()}
    for place in ["", *places]:
        parts = tuple(place.split(".")) if place else ()
        for key in known_keys(SiteSettings, parts):
            path = f"{place}.{key}" if place else key
            assert path in found or any(one == path or one.startswith(f"{path}.") for one in places), path
    page = settings_page()
    for table in tables():
        for key in table.keys:
            assert f"| `{key.name}` |" in page
            assert re.search(rf"^##? {key.name} = ", commented_toml(), re.MULTILINE)


def test_the_page_of_the_docs_is_that_of_the_schema() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert page == settings_page(), "write it anew: see the docstring of settings_page"
