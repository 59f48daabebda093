"""Where a library is looked for, and whether it is ours or a tree of IDEAL."""

import os
from pathlib import Path

from dosewright.commissioning.site.ideal_library import SYSTEM, SYSTEM_SUFFIX, holds_ideal_tree
from dosewright.commissioning.site.library_folder import holds_library
from dosewright.core.errors import refuse

VARIABLE = "DOSEWRIGHT_LIBRARY"


def usual_place() -> Path | None:
    """Return where a library is looked for when nobody names one: the environment variable, the user's folder."""
    told = os.environ.get(VARIABLE)
    if told:
        return Path(told).expanduser()
    configuration = os.environ.get("XDG_CONFIG_HOME")
    usual = (Path(configuration) if configuration else Path.home() / ".config") / "dosewright" / "library"
    return usual if usual.is_dir() else None


def is_ideal(place: Path) -> bool:
    """Say whether a place is a system.cfg or a commissioning folder of IDEAL; one that is ours as well is refused."""
    if not place.is_dir():
        return place.is_file() and place.suffix.lower() == SYSTEM_SUFFIX
    inside = place / "cfg" / SYSTEM
    if inside.is_file() and not holds_library(place):
        raise refuse("The folder is an installation of IDEAL; name its configuration", given=place.absolute(),
                     allowed=inside)  # fmt: skip
    ideal = holds_ideal_tree(place)
    if ideal and holds_library(place):
        raise refuse("The folder holds a library of ours and a tree of IDEAL; keep them in folders of their own",
                     given=place.absolute())  # fmt: skip
    return ideal
