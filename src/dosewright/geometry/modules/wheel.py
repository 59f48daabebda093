"""Range modulator wheels: a hub, and blades that are staircases of layers."""

from collections.abc import Iterator
from itertools import accumulate

import numpy as np

from dosewright.core.modules import RangeModulator
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Tube
from dosewright.geometry.modules.placed import Placed, united


def parts_of_wheel(wheel: RangeModulator) -> tuple[Part, ...]:
    """Return the wheel as one part of the module's name.

    Step s of a blade, from thickness s - 1 to thickness s, spans the share of the blade's sector that the weights from
    s on add up to: so each thickness is met in its share of a turn, and none in what the weights leave. All layers of a
    blade begin at the same angle; the first blade at the x axis.
    """
    whole = wheel.thickness_mm[-1]
    hub = Placed(Tube(wheel.hub_outer_mm, whole, wheel.hub_inner_mm), Placement())
    shape = united([hub, *_layers(wheel)]).shape
    place = Placement(wheel.centre_mm)
    return (Part(wheel.name, shape, wheel.material, place, wheel.parent, turns=wheel.turns, where=wheel.where),)


def _layers(wheel: RangeModulator) -> Iterator[Placed]:
    """Yield the layers of all blades, from the lower face of the hub upward."""
    sector = 360.0 / wheel.blades
    shares = list(accumulate(reversed(wheel.weights)))[::-1]  # what the weights from a step on add up to
    bottom = -0.5 * wheel.thickness_mm[-1]
    for blade in range(wheel.blades):
        for low, high, share in zip((0.0, *wheel.thickness_mm), wheel.thickness_mm, shares, strict=False):
            layer = Tube(wheel.outer_mm, high - low, wheel.hub_outer_mm, blade * sector, min(sector * share, sector))
            yield Placed(layer, Placement((0.0, 0.0, bottom + 0.5 * (low + high)), np.eye(3)))
