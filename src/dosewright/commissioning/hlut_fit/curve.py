"""Density curve and composition intervals of a scanner from its two coefficients.

Schneider, Bortfeld, Schlegel, Phys. Med. Biol. 45, 459 (2000): two media mixed by volume lie on a straight line of
Hounsfield number and density, whatever the scanner. So the nodes of the curve are the numbers of seven media, and an
interval of composition keeps its mixture while its edges move with these numbers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.hlut_fit.attenuation import PUBLISHED, hounsfield
from dosewright.commissioning.hlut_fit.tissues import anchors
from dosewright.core.errors import refuse
from dosewright.core.matter import HounsfieldTable
from dosewright.materials.library import named

Array = NDArray[np.float64]

SOFT = ("air", "adipose", "adrenal", "intestine", "connective")
# Lower edges of the intervals and their media, for the scanner of table 6 of that paper; -950 between air and lung.
SOFT_EDGES = {-950.0: "SCHNEIDER_LUNG", -120.0: "SCHNEIDER_ADIPOSE_ADRENAL_1", -82.0: "SCHNEIDER_ADIPOSE_ADRENAL_2",
              -52.0: "SCHNEIDER_ADIPOSE_ADRENAL_3", -22.0: "SCHNEIDER_ADIPOSE_ADRENAL_4",
              8.0: "SCHNEIDER_ADIPOSE_ADRENAL_5", 19.0: "SCHNEIDER_SOFT_TISSUE",
              80.0: "SCHNEIDER_CONNECTIVE_TISSUE"}  # fmt: skip
BONE_EDGES = {(120.0 if n == 1 else 100.0 * n): f"SCHNEIDER_MARROW_BONE_{n:02d}" for n in range(1, 16)}
BELOW_AIR_HU = 50.0


def protocol(name: str, k: Sequence[float], highest_hu: float) -> HounsfieldTable:
    """Return density curve and composition intervals of a scanner with coefficients k1, k2."""
    media = anchors()
    here = dict(zip(media, hounsfield(list(media.values()), k).tolist(), strict=True))
    nodes = [(here[one], media[one].density_g_cm3) for one in SOFT]
    slope = (media["cortical"].density_g_cm3 - media["marrow"].density_g_cm3) / (here["cortical"] - here["marrow"])
    start = here["connective"] + 1.0
    for hu in (start, here["cortical"], highest_hu):
        nodes.append((hu, media["marrow"].density_g_cm3 + slope * (hu - here["marrow"])))
    hu, density = np.array(nodes).T
    if np.any(np.diff(hu) <= 0):
        raise refuse("These coefficients put tissues in an impossible order of Hounsfield numbers",
                     given=", ".join(f"{one} {here[one]:.0f} HU" for one in media))  # fmt: skip
    edges = intervals(here)
    lower = np.array([here["air"] - BELOW_AIR_HU, *edges])
    materials = ("SCHNEIDER_AIR", *edges.values())
    return HounsfieldTable(name, hu, density, lower, None, tuple(named(one) for one in materials))


def intervals(here: dict[str, float]) -> dict[float, str]:
    """Return lower edge and medium of each interval above air, for the Hounsfield numbers the anchors have here."""
    media = anchors()
    there = dict(zip(media, hounsfield(list(media.values()), PUBLISHED).tolist(), strict=True))
    soft = _moved(np.array(list(SOFT_EDGES)), [there[one] for one in SOFT], [here[one] for one in SOFT])
    bone = ("marrow", "cortical")
    hard = _moved(np.array(list(BONE_EDGES)), [there[one] for one in bone], [here[one] for one in bone])
    edges = np.round(np.concatenate([soft, hard]), 1)
    return dict(zip(edges.tolist(), [*SOFT_EDGES.values(), *BONE_EDGES.values()], strict=True))


def _moved(edges: Array, there: list[float], here: list[float]) -> Array:
    """Move edges with the anchors: a mixture keeps its shares of volume."""
    return np.asarray(np.interp(edges, there, here))
