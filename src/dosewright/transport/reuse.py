"""A plane behind which a particle goes on as several of a share of its weight, mirrored in turn."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

AS_IT_IS, MIRROR_X, MIRROR_Y, MIRROR_XY = range(4)


class Reuse(NamedTuple):
    """How many a particle becomes, how they are mirrored, and the way from the axes of the box to the run's (3, 4; cm).

    The plane is the one of `CoupledProblem.planes` at which particles repeat.
    """

    copies: float
    mirror: int
    axes: NDArray[np.float64]


NO_REUSE = Reuse(1.0, AS_IT_IS, np.eye(3, 4))
