"""Tissues of reports of ICRU and of Woodard and White, with densities and citations."""

import csv
from dataclasses import dataclass
from importlib.resources import files

from dosewright.core.matter import Material
from dosewright.materials.library import named, read_fractions


@dataclass(frozen=True)
class Tissue:
    """A tissue, its group (``lung``, ``soft``, ``bone``) and where its composition was published."""

    medium: Material
    group: str
    citation: str


def tissues() -> tuple[Tissue, ...]:
    """Return all tissues, in the order of their groups and densities."""
    text = files("dosewright.commissioning.hlut_fit").joinpath("tissues.csv").read_text(encoding="utf-8")
    return tuple(
        Tissue(
            Material(row["name"], float(row["density_g_cm3"]), read_fractions(row["mass_fractions"])),
            row["group"],
            row["citation"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def anchors() -> dict[str, Material]:
    """Return the media between which densities go in straight lines (Schneider, Bortfeld, Schlegel 2000).

    Air, adipose tissue 3, adrenal gland, small intestine, connective tissue; red and yellow marrow in equal masses,
    cortical bone.
    """
    by_name = {one.medium.name: one.medium for one in tissues()}

    def as_anchor(name: str, density: float) -> Material:
        return Material(name, density, named(name).mass_fractions)

    return {
        "air": as_anchor("SCHNEIDER_AIR", 1.21e-3),
        "adipose": as_anchor("SCHNEIDER_ADIPOSE_ADRENAL_1", 0.93),
        "adrenal": as_anchor("SCHNEIDER_ADIPOSE_ADRENAL_5", 1.03),
        "intestine": by_name["small intestine wall"],
        "connective": as_anchor("SCHNEIDER_CONNECTIVE_TISSUE", 1.12),
        "marrow": mixed(by_name["red marrow"], by_name["yellow marrow"], 0.5),
        "cortical": by_name["cortical bone"],
    }


def mixed(one: Material, other: Material, share: float) -> Material:
    """Return two media mixed, `share` of the mass being of the first, their volumes adding."""
    numbers = {*one.mass_fractions, *other.mass_fractions}
    fractions = {
        z: share * one.mass_fractions.get(z, 0.0) + (1 - share) * other.mass_fractions.get(z, 0.0) for z in numbers
    }
    density = 1.0 / (share / one.density_g_cm3 + (1 - share) / other.density_g_cm3)
    return Material(f"{one.name} and {other.name}", density, fractions)
