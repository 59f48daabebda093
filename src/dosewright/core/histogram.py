"""A histogram along one or two axes, and which part of a dose one is asked for."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse

Array = NDArray[np.float64]
Range = tuple[int, int]


@dataclass(frozen=True)
class Histogram:
    """A value in each bin.

    Parameters
    ----------
    name
        As it is called in files.
    edges
        Limits of the bins along one or two axes, ascending; they may be uneven.
    labels
        What each axis shows, with its unit.
    values
        One axis [n], two axes [n, m].
    errors
        One standard deviation each, or None.
    of
        What the values are, with their unit.
    """

    name: str
    edges: tuple[Array, ...]
    labels: tuple[str, ...]
    values: Array
    errors: Array | None = None
    of: str = ""

    def __post_init__(self) -> None:
        bins = tuple(len(edges) - 1 for edges in self.edges)
        if len(bins) not in (1, 2) or len(self.labels) != len(bins) or self.values.shape != bins:
            raise refuse("A histogram's values must fit its bins", given=self.values.shape, allowed=bins)
        if self.errors is not None and self.errors.shape != bins:
            raise refuse("A histogram's errors must fit its bins", given=self.errors.shape, allowed=bins)


class DoseCut(NamedTuple):
    """Which voxels of a dose go into a histogram, and along which axes it runs.

    `kind` is ``1X``, ``1Y``, ``1Z``, ``2XY``, ``2XZ`` or ``2YZ``; `voxels` are the first and the last along x, y and z,
    counted from 0, both included.
    """

    kind: str
    name: str
    voxels: tuple[Range, Range, Range]


KINDS = ("1X", "1Y", "1Z", "2XY", "2XZ", "2YZ")
