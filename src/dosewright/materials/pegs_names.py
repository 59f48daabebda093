"""Names of media in PEGS4 data of EGSnrc, and the media of ours that stand for them.

The two data sets that come with EGSnrc name a medium by what it is and by the lowest total energy of electrons in their
tables, such as LUNG521ICRU (0.521 MeV) and LUNG700ICRU (0.700 MeV), with density effects of ICRU Report 37 (1984)
(DOSXYZnrc user's manual, NRC PIRS-794). Density does not come from the name: a phantom has its own in each voxel.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.matter import Material
from dosewright.materials.elements import elements
from dosewright.materials.library import named

_DATA_SET = re.compile(r"^(?P<base>[A-Z0-9-]+?)(521|700)ICRU$")
_TISSUES_AND_PLASTICS = {
    "AIR": "G4_AIR",
    "H2O": "G4_WATER",
    "LUNG": "G4_LUNG_ICRP",
    "ICRUTISSUE": "G4_TISSUE_SOFT_ICRU-4",
    "ICRPBONE": "G4_BONE_CORTICAL_ICRP",
    "PMMA": "G4_PLEXIGLASS",
    "170C": "G4_GRAPHITE",
    "MYLAR": "G4_MYLAR",
    "KAPTON": "G4_KAPTON",
    "TEFLON": "G4_TEFLON",
    "LEXAN": "G4_POLYCARBONATE",
}


def pegs_medium(name: str) -> Material | None:
    """Return the medium of ours that stands for a name of PEGS4 data, or None where it is no such name."""
    if name.upper() == "VACUUM":
        return named("G4_Galactic")
    found = _DATA_SET.match(name.upper())
    if found is None:
        return None
    base = found["base"]
    if base in _TISSUES_AND_PLASTICS:
        return named(_TISSUES_AND_PLASTICS[base])
    symbols = {one.symbol.upper(): one.symbol for one in elements().values()}
    return named(f"G4_{symbols[base]}") if base in symbols else None


def known_pegs_names() -> tuple[str, ...]:
    """Return the names that have a medium of ours, without those of elements."""
    return tuple(f"{base}{energy}ICRU" for base in _TISSUES_AND_PLASTICS for energy in (521, 700))


def media_of(
    names: Sequence[str], said: Mapping[str, str], material: Callable[[str], Material]
) -> tuple[tuple[Material, ...], tuple[str, ...]]:
    """Return the medium of ours for each name, and a sentence for each that is one of PEGS4 data and nobody explained.

    Parameters
    ----------
    names
        Names as the phantom has them.
    said
        What the user says they mean: names of ours.
    material
        How a name of ours is looked up; it refuses unknown ones.

    Raises
    ------
    InputError
        Every name without a medium, every word of `said` that is no name of the phantom or means nothing.
    """
    problems: list[str] = []
    for word in [word for word in said if word not in names]:
        what = f"The phantom has no medium of this name.{nearest(word, names)}"
        problems.append(str(refuse(what, given=repr(word), allowed=", ".join(names))))
    media: list[Material] = []
    sentences = []
    for name in names:
        of_pegs = None if name in said else pegs_medium(name)
        if of_pegs is not None:
            media.append(of_pegs)
            sentences.append(f"Medium {name} of the phantom was taken as {of_pegs.name}, by its name alone.")
            continue
        try:
            media.append(material(said.get(name, name)))
        except InputError as refused:
            hint = nearest(name, known_pegs_names())
            problems += refused.problems if name in said else [
                str(refuse(f"The medium {name!r} of the phantom is none of ours.{hint}",
                           allowed=f'a line that says what it is, such as {name} = "G4_WATER", in [phantom.media]'))
            ]  # fmt: skip
    if problems:
        raise InputError(*problems)
    return tuple(media), tuple(sentences)
