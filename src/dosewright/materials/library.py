"""Media by name: water, air, plastics, tissues, metals and every element."""

from functools import cache

from dosewright.core.errors import nearest, refuse
from dosewright.core.matter import Material
from dosewright.materials.elements import element, elements, read_table


def named(name: str) -> Material:
    """Return a medium by its name or by a common word for it.

    Names are those of the NIST list (``G4_WATER``, ``G4_Ti``, ...) and a few more; common words are ``water``,
    ``PMMA``, ``Lexan`` and their like. They are written exactly so: another case is answered with what is meant, as
    in Geant4, for databases of a site tell names apart by it. Unknown names raise `InputError` with the nearest.
    """
    key = _by_word().get(name.strip())
    if key is None:
        hint = nearest(name, [*known_names(), *_common_words()])
        raise refuse(f"Unknown material.{hint}", given=repr(name), allowed="a name that `dosewright query -M` lists")
    return _media()[key]


def written_exactly(word: str) -> str:
    """Return the known name or common word that a word is but for its case; else the word itself.

    For the words of other programs, such as the material of a plan's aperture, who write them as they like.
    """
    folded = {known.casefold(): known for known in reversed(_by_word())}
    return word if word.strip() in _by_word() else folded.get(word.strip().casefold(), word)


def known_names() -> tuple[str, ...]:
    """Return the proper names of all media, mixtures first, then the elements by atomic number."""
    return tuple(_media())


def citation(name: str) -> str:
    """Return where the composition and values of a medium were published."""
    proper = named(name).name
    of_mixtures = {row["name"]: row["citation"] for row in read_table("media.csv")}
    return of_mixtures.get(proper, "ICRU Report 37 (1984), table 4.3; density NIST, tables of X-ray attenuation")


def read_fractions(text: str) -> dict[int, float]:
    """Return mass fractions by atomic number from ``"H 0.111 O 0.889"``."""
    words = text.split()
    return {element(s).Z: float(w) for s, w in zip(words[::2], words[1::2], strict=True)}


@cache
def _media() -> dict[str, Material]:
    media = {}
    for row in read_table("media.csv"):
        own = row["mean_excitation_eV"]
        fractions = read_fractions(row["mass_fractions"])
        media[row["name"]] = Material(row["name"], float(row["density_g_cm3"]), fractions, float(own) if own else None)
    for one in elements().values():
        name = f"G4_{one.symbol}"
        media[name] = Material(name, one.density_g_cm3, {one.Z: 1.0}, one.mean_excitation_eV)
    return media


@cache
def _common_words() -> dict[str, str]:
    words = {}
    for row in read_table("media.csv"):
        for word in filter(None, (part.strip() for part in row["aliases"].split(";"))):
            words[word] = row["name"]
    for one in elements().values():
        words[one.name] = f"G4_{one.symbol}"
    words["Aluminum"] = "G4_Al"
    return words


@cache
def _by_word() -> dict[str, str]:
    return {**_common_words(), **{name: name for name in _media()}}


def mcsquare_material(code: int) -> Material:
    """Return the medium that a material code of an MCsquare file means."""
    by_code = {int(row["code"]): row["name"] for row in read_table("mcsquare_codes.csv")}
    if code not in by_code:
        known = ", ".join(str(c) for c in by_code)
        raise refuse("This MCsquare material code has no counterpart in the library", given=code, allowed=known)
    return named(by_code[code])
