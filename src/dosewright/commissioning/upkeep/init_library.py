"""A working library made from what comes with the package: folders, configuration with comments, examples."""

import getpass
import os
import re
import shutil
from pathlib import Path

from dosewright.commissioning.site.library_folder import CACHE, CONFIGURATION, FOLDERS, PACKAGED, SETTINGS
from dosewright.commissioning.site.library_materials import MATERIALS_TOML
from dosewright.commissioning.upkeep.settings_text import commented_toml
from dosewright.core.errors import refuse
from dosewright.core.whole_file import write_whole_text

FOLDER_MODE, FILE_MODE = 0o755, 0o644  # everybody reads, the owner writes: roles and models depend on it

LIBRARY_TEXT = """# The library of this site. What lies in beam_models/, ct/ and phantoms/ belongs to it.
name = "{name}"

# A CT that no protocol claims by its DICOM keywords is refused unless a default is named; reports say so.
# default_ct_protocol = "generic"

# Beam models, CT protocols and phantoms that come with the package follow those of this library.
# with_packaged = false

# Which beam model belongs to which machine (TreatmentMachineName of the plans) and radiation type.
# [[machine]]
# name = "GANTRY1"
# radiation = "PROTON"
# beam_model = "generic"                   # a file of beam_models/, without suffix
"""

MATERIALS_TEXT = """# Media of this site beside what `dosewright query -M` lists; GATE databases (*.db) may lie here .
# [[material]]
# name = "RESIN_A"
# density_g_cm3 = 1.19
# mass_fractions = {H = 0.08, C = 0.60, O = 0.32}
# citation = "data sheet of the maker"
"""

ARTIFICIAL_CT = """# For CTs made on a computer: air and water, with the densities of these media.
name = "artificial"
source = "air below -500 HU, water above"

[match]
SeriesDescription = "QA"

[intervals]
lower_hu = [-1024.0, -500.0]
material = ["G4_AIR", "G4_WATER"]
upper_hu = 3000.0
"""

USER_TEXT = """
# Who made this library. Without any [[user]] everyone has the research role.
[[user]]
acronym = "{acronym}"
name = "{name}"
role = "commissioning"
system_user = "{account}"
"""


def init_library(folder: Path, *, name: str = "", account: str | None = None) -> list[Path]:
    """Make a library in a new or empty folder; return the files, relative to it.

    Parameters
    ----------
    name
        Of the library; the folder's by default.
    account
        The operating-system user that gets the commissioning role; by default the one who asks.

    Raises
    ------
    InputError
        A folder that holds something, or cannot be made or written to.
    """
    _refuse_occupied(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, *(folder / one for one in FOLDERS), folder / "ct" / CACHE):
            place.mkdir(exist_ok=True)
            place.chmod(FOLDER_MODE)
        texts = {
            CONFIGURATION: LIBRARY_TEXT.format(name=_text(name or folder.absolute().name)),
            SETTINGS: commented_toml() + _user(account or _account()),
            MATERIALS_TOML: MATERIALS_TEXT,
            "ct/artificial.toml": ARTIFICIAL_CT,
        }
        for file, text in texts.items():
            write_whole_text(folder / file, text)
        copied = ("beam_models/generic.toml", "ct/generic.toml", "phantoms/water_box.toml")
        for file in copied:
            shutil.copyfile(PACKAGED / file, folder / file)
        for file in (*texts, *copied):
            (folder / file).chmod(FILE_MODE)
    except OSError as error:
        raise refuse(
            "The library cannot be made", given=os.strerror(error.errno or 0), where=folder.absolute()
        ) from error
    return [Path(file) for file in (*texts, *copied)]


def _refuse_occupied(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        held = "a file" if not folder.is_dir() else ", ".join(sorted(one.name for one in folder.iterdir())[:5])
        raise refuse("A library is made in a new or empty folder; nothing was changed", given=f"{folder.absolute()}: "
                     f"{held}", allowed="an empty folder, or one that does not exist")  # fmt: skip


def _user(account: str) -> str:
    letters = re.sub(r"[^A-Za-z0-9]", "", account)[:3].upper() or "ME"
    return USER_TEXT.format(acronym=letters, name=_text(re.sub(r"\s", "_", account)), account=_text(account))


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return str(os.getuid()) if hasattr(os, "getuid") else "me"


def _text(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
