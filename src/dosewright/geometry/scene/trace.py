"""Where a particle is in a scene, and how far it is to the next boundary: kernels.

A scene is packed to convex cells (intersections of half-spaces, balls, cylinders and cones, less the insides of other
such surfaces) in a tree of boxes. Lengths in cm. Where parts turn, `phase` is the angle (rad) at which a history meets
them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FILL, BEYOND = -1, -2  # instead of a cell: what fills the scene; outside its world


class SceneTables(NamedTuple):
    """A scene packed for the kernels; no cells: there is none."""

    cells: NDArray[np.int32]
