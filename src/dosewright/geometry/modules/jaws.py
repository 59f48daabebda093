"""Jaws: two blocks of metal that face each other."""

from dosewright.core.modules import Jaws
from dosewright.core.scene import Part
from dosewright.geometry.modules.leaf import Bar, level_pair, round_pair, turned_boxes
from dosewright.geometry.modules.placed import Axes


def parts_of_jaws(jaws: Jaws) -> tuple[Part, ...]:
    """Return the jaw on the negative and that on the positive side, ``NAME_negative`` and ``NAME_positive``."""
    axes = Axes.of(jaws.orientation, jaws.beam)
    tip, half = jaws.tip_in_leaf(), jaws.half_width_mm
    bar = Bar(((-half, tip.low), (half, tip.low), (half, tip.high), (-half, tip.high)), tip)
    make = {"STRAIGHT": turned_boxes, "STRAIGHT_HORIZ": level_pair}.get(tip.kind, round_pair)
    pair = make(bar, axes, jaws.negative_mm, jaws.positive_mm)
    return tuple(
        Part(f"{jaws.name}_{side}", one.shape, jaws.material, one.placement, jaws.parent, where=jaws.where)
        for side, one in zip(("negative", "positive"), pair, strict=True)
    )
