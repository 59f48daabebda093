"""Ratios of two scored sums over batches, such as averages of LET, and their uncertainty.

With batch sums x_i of the numerator and y_i of the denominator the estimate is ``R = X/Y``, X and Y the totals. The
deviations ``x_i - R y_i`` of independent batches of any size have no mean, so to first order (the delta method;
Cochran, Sampling Techniques, 3rd ed. 1977, 2.11)

``var(R) / R^2 = (sum x_i^2 / X^2 + sum y_i^2 / Y^2 - 2 sum x_i y_i / (X Y)) / (1 - sum y_i^2 / Y^2)``.

The last factor makes up for R being estimated from the same batches when a deviation's variance is in proportion to
y_i; it is B/(B - 1) for B equal batches. No batch is kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import kernel

Array = NDArray[np.float64]

ONE_BATCH = 1e-9  # of `1 - sum y^2 / Y^2`: below, one batch scored everything and nothing is known of the spread


@dataclass
class RatioSums:
    """Running sums over batches, and of squares and products of batches; flat arrays, one entry per voxel."""

    top: Array
    bottom: Array
    top_squares: Array
    bottom_squares: Array
    products: Array

    @classmethod
    def empty(cls, voxels: int) -> "RatioSums":
        """Return sums over no batch."""
        return cls(*(np.zeros(voxels) for _ in range(5)))

    def add(self, columns: Array, top: int, bottom: int) -> None:
        """Add one batch, columns `top` over `bottom` of its sums, [voxel, column], and clear these columns."""
        add_batch(columns, top, bottom, self.top, self.bottom, self.top_squares, self.bottom_squares, self.products)

    def ratio(self) -> Array:
        """Return the ratio, zero where nothing was scored."""
        return np.divide(self.top, self.bottom, out=np.zeros_like(self.top), where=self.bottom > 0)

    def relative_uncertainty(self) -> Array:
        """Return the relative standard error of the ratio; one where fewer than two batches scored anything."""
        relative = np.ones_like(self.top)
        scored = np.flatnonzero(self.top > 0)
        x, y = self.top[scored], self.bottom[scored]
        squares, shared = self.top_squares[scored] / x**2, self.bottom_squares[scored] / y**2
        spread = np.maximum(squares + shared - 2 * self.products[scored] / (x * y), 0.0)
        known = 1 - shared > ONE_BATCH
        relative[scored[known]] = np.sqrt(spread[known] / (1 - shared[known]))
        return relative


@kernel  # type: ignore[untyped-decorator]
def add_batch(
    columns: Array,
    top: int,
    bottom: int,
    tops: Array,
    bottoms: Array,
    top_squares: Array,
    bottom_squares: Array,
    products: Array,
) -> None:
    """Add one batch to running sums and clear it, voxel by voxel; memory of voxels it did not reach is not touched."""
    for voxel in range(columns.shape[0]):
        x, y = columns[voxel, top], columns[voxel, bottom]
        if y > 0.0:
            tops[voxel] += x
            bottoms[voxel] += y
            top_squares[voxel] += x * x
            bottom_squares[voxel] += y * y
            products[voxel] += x * y
            columns[voxel, top] = columns[voxel, bottom] = 0.0
