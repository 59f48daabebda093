"""Words of the run file that are known and not available: refused by name, never ignored."""

from typing import Any

from dosewright.simulation.run_file.faults import Fault, key_text
from dosewright.simulation.run_file.lines import Place
from dosewright.simulation.run_file.score_tables import QUANTITIES
from dosewright.simulation.run_file.values import PARTICLES

WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("source", "particle"): ("helium", "carbon"),
    ("score", "quantity"): ("fluence",),
    ("run", "device"): ("cuda",),
}
NOT_YET = "is not available yet"
AVAILABLE = {
    ("source", "particle"): ", ".join(PARTICLES),
    ("score", "quantity"): ", ".join(QUANTITIES),
    ("run", "device"): "cpu",
}


def take_out_later_words(content: dict[str, Any]) -> list[Fault]:
    """Remove from the content what is known and not available; return a fault for each.

    What remains can be checked on its own, so that all other mistakes are listed too.
    """
    faults = []
    for section in ("phantom", "source", "transport", "run"):
        if isinstance(content.get(section), dict):
            faults += _taken(content[section], (section,), section)
    scores = content.get("score")
    for number, score in enumerate(scores if isinstance(scores, list) else []):
        if isinstance(score, dict):
            faults += _taken(score, ("score", number), "score")
    return faults


def _taken(table: dict[str, Any], place: Place, section: str) -> list[Fault]:
    faults = []
    for key in [k for k in table if (section, k) in WORDS]:
        if not _is_later(table[key], WORDS[section, key]):
            continue
        place_of_key, allowed = (*place, key), AVAILABLE[section, key]
        faults.append(Fault(place_of_key, f"{key_text(place_of_key)}: {table[key]!r} {NOT_YET}", None, allowed))
        table[key] = allowed.split(", ")[0]
    return faults


def _is_later(word: Any, words: tuple[str, ...]) -> bool:
    return isinstance(word, str) and (word in words or ("helium" in words and word.startswith("ion:")))
