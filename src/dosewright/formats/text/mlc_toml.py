"""Designs of multi-leaf collimators as TOML: an `Mlc` with all leaves closed."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.modules import LeafPair, LeafProfile, Mlc, Tip
from dosewright.formats.text.checked_toml import Checked, read_checked

MOST_PAIRS = 1000


class TipTable(Checked):
    """The end of the leaves, as in `core.modules.Tip`."""

    kind: str
    radius_mm: float = 0.0
    centre_below_top_mm: float = 0.0
    half_value_mm: float = 0.0
    travel_radius_mm: float = 0.0
    positions_mm: list[list[float]] = Field(default_factory=list)


class ProfileTable(Checked):
    """The outline of a leaf: (z below the top, cross)."""

    kind: str = "LEAF"
    points_mm: list[list[float]]


class MaterialTable(Checked):
    """What leaves are made of: mass fractions by element symbol or name."""

    name: str
    density_g_cm3: float = Field(gt=0)
    mass_fractions: dict[str, float] = Field(min_length=1)


class MlcTable(Checked):
    """A design as it stands; `pairs` holds (how many, of which profile), from the most negative across."""

    name: str
    label: str
    sources: list[str] = Field(default_factory=list)
    orientation: Literal["X", "Y"]
    focused: bool
    half_length_mm: float
    focus_z_mm: float
    cross_focus_mm: float = 0.0
    isocentre_z_mm: float = 0.0
    top_z_mm: float
    gap_z_mm: float
    cross_gap_mm: float
    cross_start_mm: float
    pairs: list[list[int]] = Field(min_length=1)
    tip: TipTable
    profile: list[ProfileTable] = Field(min_length=1)
    material: MaterialTable


def read_mlc(path: Path, atomic_number: Callable[[str], int]) -> Mlc:
    """Read a design, all leaves closed; `atomic_number` knows elements by symbol or name.

    Raises `InputError` with the file and what is wrong.
    """
    table = read_checked(path, MlcTable)
    where = path.name
    for row in table.pairs:
        if len(row) != 2 or not 1 <= row[0] <= MOST_PAIRS:
            raise refuse("A row of pairs is how many pairs and the number of their profile", given=row,
                         allowed=f"such as [40, 1], at most {MOST_PAIRS} pairs", where=where)  # fmt: skip
    tip = table.tip.model_dump() | {"positions_mm": _points(table.tip.positions_mm, where)}
    fractions = {atomic_number(element): share for element, share in table.material.mass_fractions.items()}
    return Mlc(
        name=table.name,
        focused=table.focused,
        orientation=table.orientation,
        tip=Tip(**tip, where=where),
        half_length_mm=table.half_length_mm,
        focus_z_mm=table.focus_z_mm,
        cross_focus_mm=table.cross_focus_mm,
        isocentre_z_mm=table.isocentre_z_mm,
        top_z_mm=table.top_z_mm,
        gap_z_mm=table.gap_z_mm,
        cross_gap_mm=table.cross_gap_mm,
        cross_start_mm=table.cross_start_mm,
        profiles=tuple(LeafProfile(one.kind, _points(one.points_mm, where), where) for one in table.profile),
        pairs=tuple(LeafPair(profile, 0.0, 0.0) for count, profile in table.pairs for _ in range(count)),
        material=Material(table.material.name, table.material.density_g_cm3, fractions),
        where=where,
    )


def _points(rows: list[list[float]], where: str) -> tuple[tuple[float, float], ...]:
    for row in rows:
        if len(row) != 2:
            raise refuse("A point has two coordinates", given=row, where=where)
    return tuple((x, y) for x, y in rows)
