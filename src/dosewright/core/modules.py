"""Modules of a beam line as the numbers that describe them; `geometry.modules` makes parts of them.

Lengths in mm, IEC 61217. ``beam`` is the direction of flight along z: -1 (the convention) or +1.
"""

from dataclasses import dataclass

from dosewright.core.matter import Material

TIPS = ("STRAIGHT", "STRAIGHT_HORIZ", "ROUND", "ROUND_DISP", "ROUND_DISP_POSFILE")
ORIENTATIONS = ("X", "Y")


@dataclass(frozen=True)
class Tip:
    """The end of a jaw or leaf.

    `kind` is one of `TIPS`. `radius_mm` of the round ones; `centre_below_top_mm` from the top of the leaf to the centre
    of the circle (ROUND_DISP, ROUND_DISP_POSFILE); `half_value_mm` is the chord in the leaf of the ray that defines the
    field edge (ROUND, ROUND_DISP); `travel_radius_mm` of the circle that a straight leaf moves on; `positions_mm` pairs
    of opening and position of the tip, both projected to the isocentre plane (ROUND_DISP_POSFILE).
    """

    kind: str
    radius_mm: float = 0.0
    centre_below_top_mm: float = 0.0
    half_value_mm: float = 0.0
    travel_radius_mm: float = 0.0
    positions_mm: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Jaws:
    """A pair of jaws that moves along x or y; the openings are projected from the focus to the isocentre plane."""

    name: str
    orientation: str
    tip: Tip
    half_size_mm: tuple[float, float, float]
    focus_z_mm: float
    centre_z_mm: float
    isocentre_z_mm: float
    negative_mm: float
    positive_mm: float
    material: Material
    parent: str | None = None
    beam: int = -1
    where: str = ""


@dataclass(frozen=True)
class LeafProfile:
    """The outline of a leaf across its travel: (z below the top, negative downward; cross), in order.

    `kind` is ``LEAF``, or ``BLOCK`` for a leaf that fills its whole travel and has no tip.
    """

    kind: str
    points_mm: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LeafPair:
    """Which profile (from 1), and the openings at the isocentre plane."""

    profile: int
    negative_mm: float
    positive_mm: float


@dataclass(frozen=True)
class Mlc:
    """A multi-leaf collimator; see section 11.3 of the design paper on formats for the order of the numbers.

    `focused`: the sides of leaves point at the cross focus. Leaves begin at `cross_start_mm` and follow with
    `cross_gap_mm` between them, both at the plane `gap_z_mm` below (negative) the top.
    """

    name: str
    focused: bool
    orientation: str
    tip: Tip
    half_length_mm: float
    focus_z_mm: float
    cross_focus_mm: float
    isocentre_z_mm: float
    top_z_mm: float
    gap_z_mm: float
    cross_gap_mm: float
    cross_start_mm: float
    profiles: tuple[LeafProfile, ...]
    pairs: tuple[LeafPair, ...]
    material: Material
    parent: str | None = None
    beam: int = -1
    where: str = ""


@dataclass(frozen=True)
class RangeModulator:
    """A wheel of stepped blades: radii, steps of thickness and the share of a turn each has; it turns with the beam on.

    Thicknesses ascend; what the weights leave of a turn is open.
    """

    name: str
    hub_inner_mm: float
    hub_outer_mm: float
    outer_mm: float
    blades: int
    thickness_mm: tuple[float, ...]
    weights: tuple[float, ...]
    material: Material
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    parent: str | None = None
    turns: bool = True
    where: str = ""


MODULES: dict[str, type] = {"jaws": Jaws, "mlc": Mlc, "range_modulator": RangeModulator}  # by their word in files
