"""Limits of x and y taken from a scene: as wide as its parts are, from one to the next."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.scene import Part
from dosewright.core.xy_limits import XyLimits
from dosewright.geometry.scene.cells import cells_of, placed

Array = NDArray[np.float64]
FROM = "the parts of the scene"
NO_LIMIT = np.inf
ALONG_Z = 1.0 - 1.0e-9  # cosine of an axis to z


def limits_of(parts: Sequence[Part], beam: int = -1) -> XyLimits:
    """Return limits of a scene: each part that lies in no other limits |x| and |y| from its start to that of the next.

    They follow one another along the `beam` (-1 or +1 along z). A part that is not over yet where the next one starts
    counts there as well. Before the first nothing is limited, nor beyond the end of the last.
    """
    boxes = [_extent(part) for part in parts if part.parent is None]
    if not boxes:
        raise refuse("Limits of x and y need a scene with parts", given="none")
    spans = [(*sorted((beam * low[2], beam * high[2])), *np.maximum(-low, high)[:2]) for low, high in boxes]
    planes = sorted({start for start, *_ in spans} | {max(end for _, end, *_ in spans)})
    limits = [_widest(spans, start) for start in planes[:-1]]
    if beam > 0:
        rows = [(planes[0], NO_LIMIT, NO_LIMIT), *((z, *xy) for z, xy in zip(planes[1:], limits, strict=True))]
    else:
        along = [(-z, *xy) for z, xy in zip(planes, limits, strict=False)]
        rows = [(-planes[-1], NO_LIMIT, NO_LIMIT), *reversed(along)]
    return XyLimits(tuple((float(z), float(x), float(y)) for z, x, y in rows), FROM)


def _widest(spans: Sequence[tuple[float, ...]], start: float) -> tuple[float, float]:
    last = max(begin for begin, *_ in spans if begin <= start)
    there = [(x, y) for begin, end, x, y in spans if begin <= start < end or begin == last]
    return max(x for x, _ in there), max(y for _, y in there)


def _extent(part: Part) -> tuple[Array, Array]:
    """Return the box around a part, mm; of one that turns, around all its turns."""
    frame = placed(part.placement)
    cells = cells_of(part.shape, frame)
    low: Array = np.min([cell.low_mm for cell in cells], axis=0)
    high: Array = np.max([cell.high_mm for cell in cells], axis=0)
    if part.turns:
        centre = frame.translation
        axes = 2 if abs(frame.rotation[2, 2]) > ALONG_Z else 3
        reach = np.linalg.norm(np.maximum(np.abs(low - centre), np.abs(high - centre))[:axes])
        low[:axes] = np.minimum(low, centre - reach)[:axes]
        high[:axes] = np.maximum(high, centre + reach)[:axes]
    return low, high
