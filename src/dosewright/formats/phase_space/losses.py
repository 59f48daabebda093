"""What each format of phase space cannot hold, told before anything is written."""

import numpy as np

from dosewright.core.errors import nearest, refuse
from dosewright.core.particles import ELECTRON, NEUTRON, POSITRON, PROTON, SPECIES, PhaseSpaceInfo
from dosewright.formats.phase_space.egs import EGS_SPECIES, MAX_PARTICLES
from dosewright.formats.phase_space.iaea import iaea_losses

EGS = "egs"
FORMATS = ("iaea", "egs_mode0", "egs_mode2", "topas_binary", "topas_limited", "topas_ascii", "gamos_text", "native")
COUNTING_EMPTY = ("topas_binary", "topas_ascii", "native", "iaea")
UNSIGNED_WEIGHTS = ("egs_mode0", "egs_mode2", "topas_binary", "topas_ascii", "topas_limited")
HELD_COLUMNS = {"egs_mode0": ("latch",), "egs_mode2": ("latch", "zlast_cm"), "topas_limited": ()}


def known_format(word: str) -> str:
    """Return a format's word; an unknown one is refused. ``egs`` stands for the mode that the columns ask for."""
    if word not in (*FORMATS, EGS):
        raise refuse(
            f"Unknown format of a phase space.{nearest(word, FORMATS)}", given=word, allowed=", ".join(FORMATS)
        )
    return word


def held_species(format: str) -> tuple[int, ...]:
    """Return the species that a format can hold."""
    return EGS_SPECIES if format.startswith(EGS) else tuple(SPECIES)


def losses(info: PhaseSpaceInfo, format: str) -> tuple[str, ...]:
    """Return what a file of this format made of a phase space would not hold, a sentence each.

    Parameters
    ----------
    format
        One of `FORMATS`, or ``egs``: MODE2 where there is a column ``zlast_cm``, else MODE0.
    """
    if known_format(format) == EGS:
        format = "egs_mode2" if "zlast_cm" in info.extra else "egs_mode0"
    told: list[str] = []
    if format == "iaea":
        told += iaea_losses(info)
    elif format.startswith(EGS):
        told += _egs(info, format)
    elif format == "gamos_text":
        told += _gamos_text(info)
    told += _columns(info, format)
    if format in ("egs_mode0", "egs_mode2", "topas_limited") and info.format in COUNTING_EMPTY:
        told.append("Where histories sent nothing is left out; the number of original histories is kept.")
    if format in UNSIGNED_WEIGHTS and info.format not in UNSIGNED_WEIGHTS and info.constants.get("weight", -1) < 0:
        told.append("Negative weights, if there are any, are refused: their sign has another meaning there.")
    if format.startswith("topas") and info.original_histories is not None and info.original_histories % 1:
        told.append("The number of original histories is rounded to a whole one.")
    if info.format == "iaea" and format not in ("iaea", "native") and info.header:
        told.append(f"What else the header says is left out: {', '.join(info.header)}.")
    return tuple(told)


def _egs(info: PhaseSpaceInfo, format: str) -> list[str]:
    told = []
    strange = {SPECIES[code]: (info.counts or {}).get(code, 0) for code in (NEUTRON, PROTON)}
    if info.counts is not None and any(strange.values()):
        told.append(f"{' and '.join(f'{n} {name}s' for name, n in strange.items() if n)} are left out.")
    elif info.counts is None and not info.format.startswith(EGS):
        told.append("Neutrons and protons, if there are any, are left out.")
    if "z_cm" in info.constants:
        told.append(f"z, {info.constants['z_cm']:g} cm for all records, is left out.")
    else:
        told.append("z is left out, though it may differ from record to record.")
    charged = info.counts is None or info.counts.get(ELECTRON, 0) or info.counts.get(POSITRON, 0)
    if charged and not info.format.startswith(EGS):
        told.append("Energies of electrons and positrons are stored with the rest mass, to seven digits.")
    original = info.original_histories
    if original is not None and float(np.float32(original)) != original:
        told.append("The number of original histories is stored to seven digits.")
    if info.particles > MAX_PARTICLES:
        told.append(f"The file would be refused: it can hold {MAX_PARTICLES} records, and there are {info.particles}.")
    if format == "egs_mode2" and "zlast_cm" not in info.extra:
        told.append("The file would be refused: MODE2 needs a column zlast_cm.")
    return told


def _gamos_text(info: PhaseSpaceInfo) -> list[str]:
    told = ["The number of original histories is left out, and where each begins: every particle will be one."]
    if info.extra:
        told.append(f"Of the columns {', '.join(info.extra)} only the values are kept, whole numbers first, no names.")
    return told


def _columns(info: PhaseSpaceInfo, format: str) -> list[str]:
    if format not in HELD_COLUMNS:
        return []
    left_out = [name for name in info.extra if name not in HELD_COLUMNS[format]]
    return [f"Columns are left out: {', '.join(left_out)}."] if left_out else []
