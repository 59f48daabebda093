"""Multi-leaf collimators: leaf profiles placed side by side, focused across, each with its tip."""

from dosewright.core.modules import Mlc
from dosewright.core.scene import Part
from dosewright.geometry.modules.leaf import Bar, block, level_pair, revolved_pair, round_pair
from dosewright.geometry.modules.placed import Axes, Placed


def parts_of_mlc(mlc: Mlc) -> tuple[Part, ...]:
    """Return the leaves, pair by pair from the most negative across: ``NAME_k_negative`` and ``NAME_k_positive``.

    A block is one part, ``NAME_k_block``. `k` counts from 1.
    """
    axes = Axes.of(mlc.orientation, mlc.beam)
    make = {"STRAIGHT": revolved_pair, "STRAIGHT_HORIZ": level_pair}.get(mlc.tip.kind, round_pair)
    parts: list[Part] = []
    for number, (pair, (start, _)) in enumerate(zip(mlc.pairs, mlc.sides_mm(), strict=True), 1):
        profile = mlc.profiles[pair.profile - 1]
        bar = Bar(mlc.outline_mm(pair.profile, start), mlc.tip_in_leaf(pair.profile))
        leaves: dict[str, Placed] = {}
        if profile.kind == "BLOCK":
            leaves["block"] = block(bar, axes)
        else:
            leaves["negative"], leaves["positive"] = make(bar, axes, pair.negative_mm, pair.positive_mm)
        parts += [
            Part(f"{mlc.name}_{number}_{word}", one.shape, mlc.material, one.placement, mlc.parent, where=mlc.where)
            for word, one in leaves.items()
        ]
    return tuple(parts)
