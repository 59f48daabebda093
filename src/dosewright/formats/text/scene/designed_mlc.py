"""Leaves of a scene file that are those of a design."""

from dataclasses import dataclass, replace

from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.modules import LeafPair, Mlc, Tip

SAME_MM = 1e-6


@dataclass(frozen=True)
class DesignedMlc:
    """A design, the openings of its leaves, and where it stands; what is None is as in the design.

    `openings_mm` holds (negative, positive) of each pair from the most negative across, or one row for all of them.
    Focus, leaves and isocentre plane keep their distances: with `focus_z_mm` or `isocentre_z_mm` all of it moves. With
    the beam along +z it is the mirror image at z = 0.
    """

    name: str
    design: str
    openings_mm: tuple[tuple[float, float], ...]
    orientation: str | None = None
    focus_z_mm: float | None = None
    isocentre_z_mm: float | None = None
    tip: Tip | None = None
    material: Material | None = None
    parent: str | None = None
    beam: int = -1
    where: str = ""

    def of(self, design: Mlc) -> Mlc:
        """Return the leaves; refuses another number of openings, and other distances."""
        mirror = 1.0 if self.beam == design.beam else -1.0
        up = self._moved_by(mirror * design.focus_z_mm, mirror * design.isocentre_z_mm)
        return replace(
            design,
            name=self.name,
            orientation=design.orientation if self.orientation is None else self.orientation,
            tip=self.tip or design.tip,
            focus_z_mm=mirror * design.focus_z_mm + up,
            isocentre_z_mm=mirror * design.isocentre_z_mm + up,
            top_z_mm=mirror * design.top_z_mm + up,
            pairs=self._pairs(design),
            material=self.material or design.material,
            parent=self.parent,
            beam=self.beam,
            where=self.where,
        )

    def _moved_by(self, focus: float, isocentre: float) -> float:
        """Return how far along z the design is moved."""
        asked = ((self.focus_z_mm, focus), (self.isocentre_z_mm, isocentre))
        ways = [z - own for z, own in asked if z is not None]
        if len(ways) == 2 and abs(ways[0] - ways[1]) > SAME_MM:
            raise refuse(
                f"The design {self.design!r} keeps its distances: focus_z_mm or isocentre_z_mm moves all of it",
                given=f"focus at z = {self.focus_z_mm:g} mm, isocentre plane at {self.isocentre_z_mm:g} mm",
                allowed=f"{focus - isocentre:g} mm from the isocentre plane to the focus",
                where=self.where,
            )
        return ways[0] if ways else 0.0

    def _pairs(self, design: Mlc) -> tuple[LeafPair, ...]:
        """Return the pairs of the design, opened; blocks stay."""
        leaves = [k for k, pair in enumerate(design.pairs) if design.profiles[pair.profile - 1].kind == "LEAF"]
        rows = self.openings_mm * len(leaves) if len(self.openings_mm) == 1 else self.openings_mm
        if len(rows) != len(leaves):
            raise refuse(f"The design {self.design!r} has another number of pairs of leaves than there are openings",
                         given=f"{len(rows)} rows of openings_mm", allowed=f"{len(leaves)}, or 1 for all of them",
                         where=self.where)  # fmt: skip
        pairs = list(design.pairs)
        for k, (negative, positive) in zip(leaves, rows, strict=True):
            pairs[k] = replace(pairs[k], negative_mm=negative, positive_mm=positive)
        return tuple(pairs)
