"""A phantom of IDEAL: its .cfg with the dose grid and the texts, its .mac with the solids."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.solids import Solid
from dosewright.formats.text.ideal.gate_geometry import MacroShape, half_extents
from dosewright.formats.text.ideal.gate_macro import Macro, read_macro
from dosewright.formats.text.ideal.labels import Taking, read_sections, refuse_other_sections

Named = Callable[[str], Material]
Triple = tuple[float, float, float]
AXES = ("x", "y", "z")
SECTIONS = ("documentation", "dose grid")
TOLERANCE_MM = 1e-3
MOST_VOXELS = 10_000  # along one axis
TRIAL_MOVE_MM = (1.0, 2.0, 4.0)


@dataclass(frozen=True)
class IdealPhantom:
    """A phantom as its two files describe it.

    Parameters
    ----------
    name, description
        Name of the files; the name that people see.
    tooltip, help_text
        Further texts.
    size_mm, counts
        Extent of the dose grid along x, y, z, centred on the origin, and its voxels.
    dose_to_water
        Dose is to water, else to the medium.
    solids
        In the axes of the macro's room (y down, z towards the gantry axis, origin at the isocentre), unmoved.
    notes
        What was read and has no effect here, as sentences.
    files
        All files that were read.
    """

    name: str
    description: str
    size_mm: Triple
    counts: tuple[int, int, int]
    dose_to_water: bool
    solids: tuple[Solid, ...]
    tooltip: str = ""
    help_text: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def read_ideal_phantom(cfg: Path, mac: Path, named: Named) -> IdealPhantom:
    """Read the pair of files of a phantom; all problems are listed together.

    The solid of the phantom's own name carries the dose grid: a size that differs from the grid's is refused.
    """
    problems: list[str] = []
    if cfg.stem != mac.stem:
        problems.append(str(refuse("The two files of a phantom must have one name", given=f"{cfg.name}, {mac.name}")))
    texts, size, counts, to_water = _read_cfg(cfg, problems)
    size_known = not problems
    macro = tried(lambda: _macro(mac, (0.0, 0.0, 0.0)), problems)
    solids = tried(lambda: macro.solids(named), problems) if macro else None
    notes: list[str] = []
    if macro is not None and solids is not None:
        tried(lambda: _check_grid(mac, solids, size if size_known else None, cfg), problems)
        tried(lambda: _check_moves(mac, solids, named, notes), problems)
    if problems or macro is None or solids is None:
        raise InputError(*problems)
    return IdealPhantom(
        name=mac.stem,
        description=texts[0] or mac.stem,
        size_mm=size,
        counts=counts,
        dose_to_water=to_water,
        solids=solids,
        tooltip=texts[1],
        help_text=texts[2],
        notes=(*notes, *macro.ignored),
        files=(cfg, *macro.files),
    )


def _read_cfg(cfg: Path, problems: list[str]) -> tuple[tuple[str, str, str], Triple, tuple[int, int, int], bool]:
    sections = tried(lambda: read_sections(cfg), problems)
    if sections is None:
        return ("", "", ""), (1.0, 1.0, 1.0), (1, 1, 1), True
    refuse_other_sections(sections, SECTIONS, problems)
    taking = Taking(sections.get("documentation"), problems)
    texts = (taking.text("GUI name", ""), taking.text("tooltip", ""), taking.text("help text", ""))
    taking.refuse_rest()
    taking = Taking(sections.get("dose grid"), problems)
    size = [taking.number(f"{axis} grid size [mm]", 1.0, least=1e-3, most=1e5) for axis in AXES]
    counts = [taking.number(f"number of {axis} voxels", 1, least=1, most=MOST_VOXELS, whole=True) for axis in AXES]
    to_water = taking.switch("dose to water", True)
    taking.refuse_rest()
    if taking.defaults and not problems:
        where = taking.section.where if taking.section else cfg.name
        problems.append(
            str(
                refuse(
                    "The dose grid of a phantom is not complete", given=f"no {'; '.join(taking.defaults)}", where=where
                )
            )
        )
    return texts, (size[0], size[1], size[2]), (int(counts[0]), int(counts[1]), int(counts[2])), to_water


def _macro(mac: Path, move_mm: Triple) -> Macro:
    """Return the macro with the phantom moved by what its aliases say."""
    aliases = {f"{mac.stem}_move_{axis}": f"{value:g}" for axis, value in zip(AXES, move_mm, strict=True)}
    root = mac.parent.parent if mac.parent.name == "phantoms" else mac.parent
    return read_macro(mac, root=root, aliases={**aliases, "phantom_name": mac.stem})


def _check_grid(mac: Path, solids: tuple[Solid, ...], size_mm: Triple | None, cfg: Path) -> None:
    """Refuse a phantom without the solid of its name, or whose solid is not where and as large as the dose grid."""
    own = next((one for one in solids if one.name == mac.stem), None)
    if own is None:
        names = [one.name for one in solids]
        raise refuse(f"The macro of a phantom must build the volume {mac.stem!r}.{nearest(mac.stem, names)}",
                     given=", ".join(names) or "no volume", where=mac.name)  # fmt: skip
    if np.abs(own.centre_mm).max() > TOLERANCE_MM:
        raise refuse(f"The volume {own.name!r} must lie at the origin while it is not moved", given=own.centre_mm,
                     allowed=f"setTranslation {{{mac.stem}_move_x}} {{{mac.stem}_move_y}} {{{mac.stem}_move_z}} mm",
                     where=mac.name)  # fmt: skip
    if np.abs(np.abs(own.rotation).max(axis=0) - 1.0).max() > 1e-6:
        raise refuse(f"The volume {own.name!r} must be parallel to its dose grid", given="another rotation",
                     allowed="turns by multiples of 90 degrees", where=mac.name)  # fmt: skip
    if size_mm is None:
        return
    built = 2.0 * half_extents(cast(MacroShape, own.shape), own.rotation)  # a macro makes no others
    for axis, wanted, found in zip(AXES, size_mm, built, strict=True):
        if abs(wanted - found) > TOLERANCE_MM:
            raise refuse(f"The {axis} size of the phantom is given twice, and the two differ",
                         given=f"{wanted:g} mm in {cfg.name}, {found:g} mm in {mac.name}", allowed="the same",
                         where=f"{cfg.name}, {mac.name}")  # fmt: skip


def _check_moves(mac: Path, solids: tuple[Solid, ...], named: Named, notes: list[str]) -> None:
    """See whether the aliases move the phantom by the millimetres they hold."""
    moved = _macro(mac, TRIAL_MOVE_MM).solids(named)
    if not solids:
        return  # refused already
    if len(moved) != len(solids):
        raise refuse("A phantom must not depend on where it lies", given=f"{len(solids)} volumes, moved {len(moved)}",
                     where=mac.name)  # fmt: skip
    steps = np.array([np.subtract(b.centre_mm, a.centre_mm) for a, b in zip(solids, moved, strict=True)])
    if np.abs(steps - TRIAL_MOVE_MM).max() <= TOLERANCE_MM:
        return
    if np.abs(steps).max() <= TOLERANCE_MM:
        notes.append(
            f"{mac.name} does not use the aliases {mac.stem}_move_x, _y, _z; its phantom is moved all the same."
        )
        return
    worst = steps[int(np.abs(steps - TRIAL_MOVE_MM).max(axis=1).argmax())]
    raise refuse("The aliases of a phantom must move all of it along x, y, z, in mm",
                 given=f"a move by {_row(worst)} mm for {_row(TRIAL_MOVE_MM)}",
                 allowed=f"setTranslation {{{mac.stem}_move_x}} {{{mac.stem}_move_y}} {{{mac.stem}_move_z}} mm",
                 where=mac.name)  # fmt: skip


def _row(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
