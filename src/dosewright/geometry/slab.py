"""A slab of material across the beam, between the beam model's plane and the patient."""

from dataclasses import dataclass

from dosewright.core.errors import refuse
from dosewright.core.matter import Material


@dataclass(frozen=True)
class Slab:
    """A plate normal to the beam axis; positions along gantry z from the isocentre (mm), upstream positive."""

    material: Material
    density_g_cm3: float
    upstream_mm: float
    downstream_mm: float

    def __post_init__(self) -> None:
        if not self.upstream_mm > self.downstream_mm:
            raise refuse(
                "A slab's upstream face must lie above its downstream face",
                given=f"{self.upstream_mm:g} and {self.downstream_mm:g} mm",
            )

    @property
    def thickness_mm(self) -> float:
        """Geometric thickness, mm."""
        return self.upstream_mm - self.downstream_mm
