"""ARCHITECTURE.md has one line for every file of the package, and none for files that are not there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "dosewright"
FLOOR = re.compile(r"^\d  (\w+/)")
ROW = re.compile(r"^( {4,})([\w.]+/?)(?: |$)")


def listed() -> set[str]:
    """Return the paths that the list of files spells out by its indents."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths, floor, folders = set(), "", {}
    for line in text.split("## Files")[1].split("```text\n")[1].split("```")[0].splitlines():
        if found := FLOOR.match(line):
            floor, folders = found[1], {}
        elif found := ROW.match(line):
            indent, name = len(found[1]), found[2]
            folders = {at: folder for at, folder in folders.items() if at < indent}
            path = floor + "".join(folders[at] for at in sorted(folders)) + name
            if name.endswith("/"):
                folders[indent] = name
            else:
                paths.add(path)
    return paths


def test_every_file_has_its_line() -> None:
    there = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    python = {path for path in listed() if path.endswith(".py")}
    assert sorted(there - python) == []
    assert sorted(python - there) == []
