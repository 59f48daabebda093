"""Names of directives and of settings that stand alone: done here, known to FRED only, or unknown."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from dosewright.core.errors import nearest, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.fred.directives import Directive, Setting
from dosewright.formats.text.fred.taking import Unsupported

DEFINITIONS = ("region", "field", "pb", "pbmaster", "material", "matColumns", "mat", "varianceReduction")
DELIVERY = ("transform", "group", "set_parent", "activate", "deactivate", "save_regions", "restore", "deliver",
            "run_script", "add_searchpath", "postdelivery_script")  # fmt: skip
NOT_DONE_DIRECTIVES = {"verbose": False, "plugin": True, "pxs": False, "allowOverlapping": True}
PREPROCESSED = ("def", "func", "include", "for", "if", "else")
NUMBERS = ("nprim", "lUseInternalHU2Mat", "lAllowHUClamping")
OF_DEFAULT_BEAM = ("pbParticle", "pbE", "pbEu", "pbPSpread", "pbESpread", "pbXsec", "pbFWHM", "pbFWHMx", "pbFWHMy",
                   "pbFWHMa", "pbRmin", "pbRmax")  # fmt: skip
SWITCHES = ("lTracking_fluc", "lTracking_nuc", "lTracking_mcs")  # processes that can be switched off
PROCESSES = ("lTracking_dEdx", "lTracking_nuc_el", "lTracking_nuc_inel")  # others
NOT_DONE = {
    **dict.fromkeys((*PROCESSES, "mcsMode", "IonizPotential", "WaterIpot", "stoppowPathlengthCutoff", "stoppowDTmax",
                     "allowOverlapping"), True),
    **dict.fromkeys(("lRBE_write_DoseBio", "lRBE_write_Alpha", "lRBE_write_Beta", "lRBE_write_RBE", "lRBE_McNamara",
                     "lRBE_Carabe", "lRBE_Wedenberg", "lRBE_Wilkens", "lRBE_Chen", "RBE_Constant", "lplotray",
                     "ijFormatVersion", "lWriteIJPerPrim"), False),
}  # fmt: skip
Made = TypeVar("Made")


def check_names(directives: Sequence[Directive], problems: list[str]) -> list[Unsupported]:
    """Return directives that are not done here; those that FRED does not know are problems."""
    known = (*DEFINITIONS, *DELIVERY, *NOT_DONE_DIRECTIVES)
    unsupported = []
    for one in directives:
        if one.name in NOT_DONE_DIRECTIVES:
            what = f"{one.name}: {' '.join(one.words)}".strip()
            unsupported.append(Unsupported(what[:80], one.where, NOT_DONE_DIRECTIVES[one.name]))
        elif one.name and one.name not in known:
            hint = nearest(one.name, (*known, *PREPROCESSED))
            problems += refuse(f"Unknown directive.{hint}", given=f"{one.name}:", allowed=", ".join(known),
                               where=one.where).problems  # fmt: skip
    return unsupported


def settings_alone(directives: Sequence[Directive], problems: list[str],
                   unsupported: list[Unsupported]) -> dict[str, Setting]:  # fmt: skip
    """Return the settings that stand alone by key; those not done here are added to `unsupported`."""
    known = (*NUMBERS, *SWITCHES, *OF_DEFAULT_BEAM, *NOT_DONE)
    found: dict[str, Setting] = {}
    for one in (setting for directive in directives if not directive.name for setting in directive.settings):
        if one.key in NOT_DONE:
            as_usual = one.key in PROCESSES and one.text.casefold() in ("t", "true")
            reason = "all processes are followed anyway" if as_usual else ""
            what = f"{one.key} = {one.text[:60]}"
            unsupported.append(Unsupported(what, one.where, NOT_DONE[one.key] and not as_usual, reason))
        elif one.key not in known:
            problems += refuse(f"Unknown key.{nearest(one.key, known)}", given=one.key, allowed=", ".join(known),
                               where=one.where).problems  # fmt: skip
        elif one.key in found:
            problems += refuse(f"{one.key!r} stands twice", given=f"first in {found[one.key].where}",
                               where=one.where).problems  # fmt: skip
        else:
            found[one.key] = one
    return found


def value_of(settings: dict[str, Setting], key: str, reader: Callable[[str, str], Made],
             problems: list[str]) -> Made | None:  # fmt: skip
    """Return a setting that stands alone as a reader makes it, or None."""
    one = settings.get(key)
    own: list[str] = []
    found = None if one is None else tried(lambda: reader(one.text, one.where), own)
    problems += [f"{key}: {text}" for text in own]
    return found
