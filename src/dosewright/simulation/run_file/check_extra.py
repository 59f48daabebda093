"""Mistakes in what phase spaces are asked to hold of the past of their particles."""

from collections.abc import Sequence

from dosewright.core.errors import nearest
from dosewright.simulation.extra_information import LONGS, MODE2, MOST_BITS
from dosewright.simulation.past import LATCH_REGIONS
from dosewright.simulation.regions import Regions
from dosewright.simulation.run_file.faults import Fault
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.setup.phase_space_wishes import chosen_of, extra_of, wishes_of_score

HOLDING = ("iaea", "native", "gamos_text", "topas_binary", "topas_ascii")
IGNORING = "z_last_no_material"
MOST_LISTED = 30


def extra_faults(scores: Sequence[Score], regions: Regions | None) -> list[Fault]:
    """Return words, bits and regions that do not fit; without `regions` those that the score alone shows."""
    faults: list[Fault] = []
    for number, score in enumerate(scores):
        if score.quantity == "phase_space":
            faults += _word_faults(score, number)
            if regions is not None:
                faults += _region_faults(score, number, regions) + _name_faults(score, number, regions)
    return faults + ([] if faults or regions is None else _file_faults(scores, regions))


def _file_faults(scores: Sequence[Score], regions: Regions) -> list[Fault]:
    """Return phase spaces of classes that would have the name of another."""
    written: set[str] = set()
    faults = []
    for number, score in enumerate(scores):
        wishes = wishes_of_score(score) if score.quantity == "phase_space" else ()
        for name in [one.name.casefold() for wish in wishes for one in (wish, *wish.classes(regions))]:
            if name in written:
                what = f"score[{number + 1}].classify: two phase spaces would have one name"
                faults.append(Fault(("score", number, "name"), what, name, "another name of the score or of a part"))
            written.add(name)
    return faults


def _word_faults(score: Score, number: int) -> list[Fault]:
    place, name, wish = ("score", number), f"score[{number + 1}]", extra_of(score)
    faults = []
    if len(set(wish.words)) < len(wish.words):
        faults.append(Fault((*place, "extra"), f"{name}.extra names one twice", list(wish.words)))
    if wish.words and (score.format or HOLDING[0]) not in HOLDING:
        what = f"{name}.extra: the format holds no such columns"
        if score.format == MODE2:
            what = f"{name}.extra: EGSnrc's MODE2 holds LATCH and ZLAST alone, without being asked"
        faults.append(Fault((*place, "extra"), what, score.format, ", ".join(HOLDING)))
    for word in wish.bits:
        if word not in wish.words:
            what = f"{name}.extra_bits has bits of what is not in extra"
            faults.append(Fault((*place, "extra_bits"), what, word, ", ".join(w for w in wish.words if w in LONGS)))
    bits = sum(wish.bits_of(word) for word in wish.longs)
    if bits > MOST_BITS:
        what = f"{name}.extra asks for more bits than two whole numbers have; extra_bits gives each its own number"
        faults.append(Fault((*place, "extra"), what, bits, f"{MOST_BITS} bits in all"))
    if score.ignore_materials is not None and IGNORING not in wish.words:
        what = f"{name}.ignore_materials belongs to {IGNORING}, which is not in extra"
        faults.append(Fault((*place, "ignore_materials"), what, list(score.ignore_materials)))
    energies = chosen_of(score).energy_MeV
    if energies is not None and energies[0] > energies[1]:
        what = f"{name}.filter.energy_MeV is a range from low to high"
        faults.append(Fault((*place, "filter", "energy_MeV"), what, list(energies)))
    return faults


def _region_faults(score: Score, number: int, regions: Regions) -> list[Fault]:
    """Return groups of bits that have too few for the regions."""
    wish, place, names = extra_of(score), ("score", number, "extra_bits"), regions.names
    faults = []
    for word in wish.longs:
        bits = wish.bits_of(word)
        if len(names) > bits:
            what = f"score[{number + 1}].extra: {word} has no bit for the region {names[bits]!r} of index {bits}"
            faults.append(Fault(place, what, f"{bits} bits", f"{len(names)} bits, for regions 0 to {len(names) - 1}"))
    if len(names) - 1 > LATCH_REGIONS and any(MODE2 in made.formats for made in wishes_of_score(score)):
        what = f"LATCH has bits for regions 1 to {LATCH_REGIONS}, and {names[LATCH_REGIONS + 1]!r} has the next index"
        faults.append(Fault(("score", number, "format"), what, MODE2, ", ".join(HOLDING)))
    return faults


def _name_faults(score: Score, number: int, regions: Regions) -> list[Fault]:
    """Return regions and materials that there are none of."""
    chosen, faults = chosen_of(score), []
    for key in ("origin", "crossed", "not_crossed", "interacted"):
        for name in getattr(chosen, key):
            if name not in regions.names:
                what = f"score[{number + 1}].filter.{key}: no region has this name.{nearest(name, regions.names)}"
                faults.append(Fault(("score", number, "filter", key), what, name, _listed(regions.names)))
    materials = tuple(dict.fromkeys(regions.material_of.values()))
    for name in score.ignore_materials or ():
        if name not in materials:
            what = f"score[{number + 1}].ignore_materials: nothing is made of it.{nearest(name, materials)}"
            faults.append(Fault(("score", number, "ignore_materials"), what, name, _listed(materials)))
    return faults


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
