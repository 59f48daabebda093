"""Parts of a scene made from the numbers of its modules."""

from collections.abc import Callable
from typing import Any, Final

from dosewright.core.errors import InputError, refuse
from dosewright.core.modules import Jaws, Mlc, RangeModulator
from dosewright.core.part_tree import tree_problems
from dosewright.core.passive_modules import (
    Aperture,
    Applicator,
    Block,
    Compensator,
    ConvergingCollimator,
    RangeShifter,
    Snout,
    Wedge,
)
from dosewright.core.scene import Module, Part, Scene
from dosewright.geometry.modules.blocks import parts_of_block
from dosewright.geometry.modules.converging import parts_of_converging
from dosewright.geometry.modules.jaws import parts_of_jaws
from dosewright.geometry.modules.leaf import moved_apart
from dosewright.geometry.modules.mlc import parts_of_mlc
from dosewright.geometry.modules.plates import (
    parts_of_aperture,
    parts_of_applicator,
    parts_of_compensator,
    parts_of_range_shifter,
    parts_of_snout,
    parts_of_wedge,
)
from dosewright.geometry.modules.wheel import parts_of_wheel

BUILDERS: Final[dict[type, Callable[[Any], tuple[Part, ...]]]] = {
    Jaws: parts_of_jaws,
    Mlc: parts_of_mlc,
    RangeModulator: parts_of_wheel,
    RangeShifter: parts_of_range_shifter,
    Snout: parts_of_snout,
    Aperture: parts_of_aperture,
    Compensator: parts_of_compensator,
    Wedge: parts_of_wedge,
    Block: parts_of_block,
    Applicator: parts_of_applicator,
    ConvergingCollimator: parts_of_converging,
}


def parts_of(module: Module) -> tuple[Part, ...]:
    """Return what a module is made of; every name begins with that of the module."""
    if type(module) not in BUILDERS:
        known = ", ".join(kind.__name__ for kind in BUILDERS)
        raise refuse(f"Nothing is known to build of the module {module.name!r}", given=type(module).__name__,
                     allowed=known)  # fmt: skip
    return BUILDERS[type(module)](module)


def all_parts(scene: Scene) -> tuple[Part, ...]:
    """Return the parts of a scene and those of its modules; names given twice and missing parents are refused."""
    parts = [*scene.parts, *(part for module in scene.modules for part in parts_of(module))]
    if problems := tree_problems(parts):
        raise InputError(*problems)
    return tuple(parts)


def assumptions_of(module: Module) -> tuple[str, ...]:
    """Return what was assumed in making the parts of a module, as sentences: closed leaves that touch."""
    if isinstance(module, Jaws):
        apart = moved_apart(module.tip_in_leaf(), module.negative_mm, module.positive_mm)
        return (f"Jaws {module.name!r} touch: each stands {apart:.3g} mm farther out than asked.",) if apart > 0 else ()
    if not isinstance(module, Mlc):
        return ()
    moved = {
        number: moved_apart(module.tip_in_leaf(pair.profile), pair.negative_mm, pair.positive_mm)
        for number, pair in enumerate(module.pairs, 1)
        if module.profiles[pair.profile - 1].kind == "LEAF"
    }
    pairs = [number for number, apart in moved.items() if apart > 0]
    if not pairs:
        return ()
    return (
        f"MLC {module.name!r}: the leaves of {len(pairs)} of {len(module.pairs)} pairs touch, each up to "
        f"{max(moved.values()):.3g} mm farther out than asked.",
    )
