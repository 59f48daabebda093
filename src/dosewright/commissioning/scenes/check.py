"""A scene looked at: overlaps, protrusions, slits, lost rays, and what every part is and weighs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dosewright.commissioning.scenes.opened import OpenedScene
from dosewright.commissioning.scenes.slits import Slit, slits
from dosewright.commissioning.scenes.slits import in_words as slits_in_words
from dosewright.commissioning.scenes.tracking import LostRay, lost_rays
from dosewright.geometry.scene.volumes import free_volume
from dosewright.geometry.scene_check.families import Conflict, overlaps, protrusions
from dosewright.geometry.scene_check.placed import Placed, place
from dosewright.geometry.scene_check.problems import in_words, overlap_words, protrusion_words

RAYS = 1000  # followed through the scene
PER_PAIR = 64  # of a thousand rays, through each pair of parts
SLIT_MM = 0.5  # gaps that are thinner are told
TOLD = 20  # lost rays told one by one


@dataclass(frozen=True)
class PartRow:
    """One part: what it is made of, the box around it (mm, axes of the scene), volume and mass without what lies in it.

    Errors are relative standard errors, 0 where the volume is a formula's; density and mass are None for a part of what
    fills the scene.
    """

    name: str
    parent: str | None
    material: str | None
    density_g_cm3: float | None
    low_mm: tuple[float, ...]
    high_mm: tuple[float, ...]
    volume_mm3: float
    relative_error: float
    mass_g: float | None


@dataclass(frozen=True)
class SceneCheck:
    """All that was found in a scene; `problems` keep it from being used, `notes` do not."""

    file: str
    sha256: str
    rays: int
    rows: tuple[PartRow, ...]
    tree_problems: tuple[str, ...]
    overlapping: tuple[Conflict, ...]
    protruding: tuple[Conflict, ...]
    empty: tuple[str, ...]
    lost: tuple[LostRay, ...]
    slits: tuple[Slit, ...]
    followed: bool
    said: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in sentences."""
        return (
            *self.tree_problems,
            *self.empty,
            *in_words(self.overlapping, overlap_words),
            *in_words(self.protruding, protrusion_words),
            *(ray.words() for ray in self.lost[:TOLD]),
            *([f"... and {len(self.lost) - TOLD} more lost rays."] if len(self.lost) > TOLD else []),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be known, in sentences."""
        told = [*self.said, *slits_in_words(self.slits)]
        if not self.followed:
            told.append("No ray was followed through the scene: parts must be right first.")
        full = [row.name for row in self.rows if row.volume_mm3 <= 0]
        return (*told, *(f"The part {name!r} is filled by what lies in it." for name in full))

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "rays": self.rays if self.followed else 0,
            "problems": self.problems,
            "notes": self.notes,
            "parts": [asdict(row) for row in self.rows],
            "overlaps": [asdict(one) for one in self.overlapping],
            "protrusions": [asdict(one) for one in self.protruding],
            "lost_rays": [asdict(one) for one in self.lost],
            "slits": [asdict(one) for one in self.slits],
        }

    def text(self) -> str:
        """Return it as text."""
        lines = [f"{self.file}: {len(self.rows)} parts" if self.file else f"{len(self.rows)} parts"]
        widest = max((len(row.name) for row in self.rows), default=4)
        head = f"  {'part':{widest}}  {'material':24} {'g/cm3':>8} {'cm3':>11} {'g':>11} {'error':>8}  box (mm)"
        lines += [head, *(_line(row, widest) for row in self.rows)]
        lines += [f"  note: {one}" for one in self.notes]
        if not self.problems:
            rays = f"{self.rays} rays followed, none lost. " if self.followed else ""
            return "\n".join([*lines, f"{rays}No problem was found."])
        count = len(self.problems)
        return "\n".join([*lines, "One problem:" if count == 1 else f"{count} problems:",
                          *(f"  - {one}" for one in self.problems)])  # fmt: skip


def check_scene(opened: OpenedScene, rays: int = RAYS, slit_mm: float = SLIT_MM) -> SceneCheck:
    """Look at all parts of a scene, those of its modules too; the same at every call.

    `rays` are followed through the scene; through pairs of neighbours go as many in proportion. Gaps thinner than
    `slit_mm` are told.
    """
    parts = opened.parts
    placed, tree_problems = place(parts)
    rows = tuple(_row(part, placed) for part in placed)
    bare = [part for part, row in zip(placed, rows, strict=True) if row.volume_mm3 <= 0]
    empty = tuple(_empty(part) for part in bare if not _has_volume(part))
    per_pair = max(PER_PAIR * rays // RAYS, PER_PAIR)
    overlapping, protruding = overlaps(placed, per_pair, closer=True), protrusions(placed, per_pair)
    right = not (tree_problems or empty or overlapping or protruding)
    lost = lost_rays(parts, placed, rays) if right else []
    return SceneCheck(
        file=opened.file,
        sha256=opened.sha256,
        rays=rays,
        rows=rows,
        tree_problems=tree_problems,
        overlapping=tuple(overlapping),
        protruding=tuple(protruding),
        empty=empty,
        lost=tuple(lost),
        slits=tuple(slits(placed, slit_mm)),
        followed=right and bool(placed),
        said=opened.notes,
    )


def _has_volume(part: Placed) -> bool:
    return bool((part.high > part.low).all()) and free_volume(part, ()).mm3 > 0


def _empty(part: Placed) -> str:
    where = f" Where: {part.part.where}." if part.part.where else ""
    return f"The part {part.name!r} has no volume: no ray meets it.{where}"


def _row(part: Placed, placed: Sequence[Placed]) -> PartRow:
    volume = free_volume(part, [one for one in placed if one.parent == part.index])
    material = part.part.material
    density = part.part.density_g_cm3
    if density is None and material is not None:
        density = material.density_g_cm3
    mass = None if density is None else volume.mm3 / 1000 * density
    low, high = tuple(part.low.tolist()), tuple(part.high.tolist())
    name = material.name if material else None
    return PartRow(part.name, part.part.parent, name, density, low, high, volume.mm3, volume.relative_error, mass)


def _line(row: PartRow, widest: int) -> str:
    density = "" if row.density_g_cm3 is None else f"{row.density_g_cm3:.4g}"
    mass = "" if row.mass_g is None else f"{row.mass_g:.4g}"
    error = f"{100 * row.relative_error:.2f} %" if row.relative_error > 0 else "exact"
    box = " ".join(f"{a}: {low:.2f} {high:.2f}" for a, low, high in zip("xyz", row.low_mm, row.high_mm, strict=True))
    return (f"  {row.name:{widest}}  {row.material or 'as around':24} {density:>8} {row.volume_mm3 / 1000:>11.4g} "
            f"{mass:>11} {error:>8}  {box}")  # fmt: skip
