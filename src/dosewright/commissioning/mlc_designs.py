"""Designs of multi-leaf collimators by name: those that are packaged, and those of a site's own folder."""

from pathlib import Path

from dosewright.core.errors import nearest, refuse
from dosewright.core.modules import Mlc
from dosewright.formats.text.mlc_toml import read_mlc
from dosewright.materials.elements import element

PACKAGED = Path(__file__).parent / "library" / "mlc"  # generic ones, labelled so


def known_designs(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of all designs by name; those of `folder`, a site's ``mlc/``, go before packaged ones."""
    folders = [PACKAGED, *([folder] if folder is not None and folder.is_dir() else [])]
    return {path.stem: path for one in folders for path in sorted(one.glob("*.toml"))}


def mlc_design(name: str, folder: Path | None = None) -> Mlc:
    """Return a design by name, all leaves closed; `InputError` names those there are."""
    known = known_designs(folder)
    if name not in known:
        raise refuse(f"No design of a multi-leaf collimator is called {name!r}.{nearest(name, known)}",
                     allowed=", ".join(sorted(known)))  # fmt: skip
    return read_mlc(known[name], lambda word: element(word).Z)
