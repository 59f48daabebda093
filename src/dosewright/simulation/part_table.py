"""What each part of a scene received, as a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.execution.artifact import write_atomically
from dosewright.geometry.scene.volumes import Volume, free_volume
from dosewright.geometry.scene_check.placed import Placed, place
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.result import PartEnergies
from dosewright.simulation.setup.scene import VACUUM, PlacedScene

NAME = "parts.csv"
COLUMNS = (
    "part", "material", "density_g_cm3", "energy_MeV_per_primary", "standard_error_percent", "volume_cm3",
    "volume_error_percent", "mass_g", "dose_Gy_per_primary",
)  # fmt: skip
FILL_NAME = "(fill)"
MM3_PER_CM3 = 1000.0
PHANTOM = "(phantom)"


@dataclass(frozen=True)
class PartRow:
    """One line of the table; energies and doses are per primary, errors relative; None where there is no such thing."""

    name: str
    material: str
    density_g_cm3: float | None
    energy_MeV: float
    energy_error: float
    volume: Volume | None

    @property
    def mass_g(self) -> float | None:
        """Mass, where the volume is known and there is matter in it."""
        if self.volume is None or not self.density_g_cm3:
            return None
        return self.volume.mm3 / MM3_PER_CM3 * self.density_g_cm3

    @property
    def dose_Gy(self) -> float | None:
        """Mean dose in the part."""
        return self.energy_MeV * MEV_PER_G_IN_GY / self.mass_g if self.mass_g else None


def part_rows(scene: PlacedScene, voxels: Voxels | None, energies: PartEnergies) -> tuple[PartRow, ...]:
    """Return a row for each part in the order of its index, and one for what fills the scene.

    The volume of a part is what parts inside it and the phantom leave of it; that of the fill is not known.
    """
    known = {part.name: part for part in scene.parts}
    placed = {one.name: one for one in place([*scene.parts, *_as_part(voxels, scene.to_run)])[0]}
    rows = []
    for name, energy, error in zip(
        energies.names, energies.energy_MeV[:-1], energies.relative_uncertainty[:-1], strict=True
    ):
        part, one = known[name], placed[name]
        material = part.material or scene.fill
        density = part.density_g_cm3 or (material.density_g_cm3 if material else None)
        volume = free_volume(one, _inside(one, placed))
        rows.append(PartRow(name, material.name if material else VACUUM, density, float(energy), float(error), volume))
    fill = scene.fill
    of_fill = (float(energies.energy_MeV[-1]), float(energies.relative_uncertainty[-1]))
    name, density = (fill.name, fill.density_g_cm3) if fill else (VACUUM, None)
    return (*rows, PartRow(FILL_NAME, name, density, *of_fill, None))


def _as_part(voxels: Voxels | None, scene_to_run: Rigid) -> tuple[Part, ...]:
    """Return the box of the voxels as a part of the scene."""
    if voxels is None:
        return ()
    low, high = ([float(edges[end]) for edges in voxels.edges_mm] for end in (0, -1))
    size = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
    to_scene = voxels.frame.then(scene_to_run.inverse())
    x, y, z = to_scene.points(np.array([(a + b) / 2 for a, b in zip(low, high, strict=True)]))
    return (Part(PHANTOM, Box(size), None, Placement((float(x), float(y), float(z)), to_scene.rotation)),)


def _inside(one: Placed, placed: dict[str, Placed]) -> tuple[Placed, ...]:
    """Return what cuts a part: what lies in it, and the phantom where their boxes meet."""
    children = [other for other in placed.values() if other.part.parent == one.name]
    phantom = placed.get(PHANTOM)
    meets = phantom is not None and bool((phantom.low < one.high).all() and (phantom.high > one.low).all())
    return (*children, *([phantom] if meets and phantom is not None else []))


def write_parts(folder: Path, rows: tuple[PartRow, ...]) -> Path:
    """Write the table; what is not known stays empty. Returns the file."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        room = row.volume
        of_room = (None, None) if room is None else (room.mm3 / MM3_PER_CM3, 100 * room.relative_error)
        numbers = (row.density_g_cm3, row.energy_MeV, 100 * row.energy_error, *of_room, row.mass_g, row.dose_Gy)
        cells = [row.name, row.material, *("" if number is None else f"{number:.9g}" for number in numbers)]
        lines.append(",".join(_quoted(cell) for cell in cells))
    text = "\n".join(lines) + "\n"
    path = folder / NAME
    write_atomically(path, lambda to: _write_text(to, text))
    return path


def _quoted(cell: str) -> str:
    """Quote a cell that would be two, or none."""
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n\r') else cell


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
