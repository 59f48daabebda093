"""Words of the run file that are known and not available: refused by name, never ignored."""

from typing import Any

from dosewright.simulation.run_file.faults import Fault, key_text
from dosewright.simulation.run_file.lines import Place
from dosewright.simulation.run_file.tables import PARTICLES, QUANTITIES

KEYS: dict[tuple[str, str], str] = {
    ("phantom", "egsphant"): "EGSnrc phantoms",
    ("goal", "voxel_error"): "goals per voxel",
    **{("source", key): "phase-space sources" for key in ("reuse", "recycle", "mirror", "skip", "transform", "filter")},
    **{("score", key): "phase-space scoring" for key in ("plane_mm", "normal", "format", "kill")},
}
WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("source", "kind"): ("phase_space",),
    ("source", "particle"): ("helium", "carbon"),
    ("score", "quantity"): ("fluence", "phase_space"),
    ("run", "device"): ("cuda",),
}
REDUCTIONS_OFF = {
    "bremsstrahlung_splitting": 0,
    "russian_roulette": 0,
    "xy_limits": "off",
    "roulette_value": None,
}
NOT_YET = "is not available yet"
AVAILABLE = {
    ("source", "kind"): "pencil, rectangle, point, volume, spots",
    ("source", "particle"): ", ".join(PARTICLES),
    ("score", "quantity"): ", ".join(QUANTITIES),
    ("run", "device"): "cpu",
}


def take_out_later_words(content: dict[str, Any]) -> list[Fault]:
    """Remove from the content what is known and not available; return a fault for each.

    What remains can be checked on its own, so that all other mistakes are listed too.
    """
    faults = []
    if content.pop("scene", None) is not None:
        faults.append(Fault(("scene",), f"The table 'scene' (solids and modules) {NOT_YET}"))
    for section in ("phantom", "source", "transport", "goal", "run"):
        if isinstance(content.get(section), dict):
            faults += _taken(content[section], (section,), section)
    scores = content.get("score")
    for number, score in enumerate(scores if isinstance(scores, list) else []):
        if isinstance(score, dict):
            faults += _taken(score, ("score", number), "score")
    return faults + _reductions(content)


def _taken(table: dict[str, Any], place: Place, section: str) -> list[Fault]:
    faults = []
    for key in [k for k in table if (section, k) in KEYS]:
        del table[key]
        faults.append(Fault((*place, key), f"{key_text((*place, key))} ({KEYS[section, key]}) {NOT_YET}"))
    for key in [k for k in table if (section, k) in WORDS]:
        if not _is_later(table[key], WORDS[section, key]):
            continue
        place_of_key, allowed = (*place, key), AVAILABLE[section, key]
        faults.append(Fault(place_of_key, f"{key_text(place_of_key)}: {table[key]!r} {NOT_YET}", None, allowed))
        table[key] = allowed.split(", ")[0]
    return faults


def _is_later(word: Any, words: tuple[str, ...]) -> bool:
    return isinstance(word, str) and (word in words or ("helium" in words and word.startswith("ion:")))


def _reductions(content: dict[str, Any]) -> list[Fault]:
    """Refuse every variance reduction that is switched on."""
    table = content.get("variance_reduction")
    if not isinstance(table, dict):
        return []
    faults = []
    for key in [k for k in table if k in REDUCTIONS_OFF and (table[k] != REDUCTIONS_OFF[k])]:
        place = ("variance_reduction", key)
        faults.append(Fault(place, f"{key_text(place)} {NOT_YET}", table.pop(key), REDUCTIONS_OFF[key]))
    return faults
