"""A range compensator of a plan as columns of material."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.plan import Compensator, IonBeam
from dosewright.core.solids import Device, Relief, Solid
from dosewright.geometry.beam.projection import Projection
from dosewright.geometry.beam.range_shifter import relative_stopping_power

Array = NDArray[np.float64]
Named = Callable[[str], Material]

RATIO_TOLERANCE = 0.02  # 1 mm in 5 cm of plastic


def compensator_devices(
    beam: IonBeam, projection: Projection, named: Named
) -> tuple[tuple[Device, ...], tuple[str, ...]]:
    """Return the compensators of a beam and what was assumed of them."""
    devices, said = [], []
    for one in beam.compensators:
        material = named(one.material)
        devices.append(Device(one.id or f"{one.number}", "compensator", tuple(_solids(one, projection, material))))
        said += _said(one, material)
    return tuple(devices), tuple(said)


def _said(one: Compensator, material: Material) -> list[str]:
    name = one.id or f"{one.number}"
    said = [
        f"Compensator {name!r}: its position is taken as the middle of its first column, and beyond its columns there "
        "is none of it."
    ]
    if one.milling_tool_mm is not None:
        said.append(
            f"Compensator {name!r}: its thicknesses are taken as those of the finished piece; its milling tool of "
            f"{one.milling_tool_mm:g} mm was not followed."
        )
    ratio, own = one.stopping_power_ratio, relative_stopping_power(material)
    if ratio is not None and abs(own / ratio - 1.0) > RATIO_TOLERANCE:
        said.append(
            f"Compensator {name!r}: the plan gives its material a stopping power of {ratio:g} times water's, "
            f"{material.name} has {own:.3f}; the material was used."
        )
    return said


def _solids(one: Compensator, projection: Projection, material: Material) -> list[Solid]:
    """Return the columns as one relief or, where they follow the rays, as a stack of slices."""
    lower, upper = _surfaces(one)
    x_edges, lower, upper = _cells(one, lower, upper)
    rows = lower.shape[0]
    y_edges = one.first_mm[1] + one.spacing_mm[0] * (0.5 - np.arange(rows + 1.0))
    there = upper > lower
    low, high = float(lower[there].min()), float(upper[there].max())
    reach = float(max(np.abs(x_edges).max(), np.abs(y_edges).max()))
    turn = projection.limiting_device_deg
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    rotation[np.abs(rotation) < 1e-12] = 0.0
    solids = []
    for bottom, top in projection.slices(low, high, reach, divergent=one.divergent):
        scale = projection.scale((bottom + top) / 2 if one.divergent else one.tray_mm)
        along = (c**2 * scale[0] + s**2 * scale[1], s**2 * scale[0] + c**2 * scale[1])
        down, up = np.clip(lower, bottom, top)[::-1], np.clip(upper, bottom, top)[::-1]
        relief = Relief(x_edges * along[0], y_edges[::-1] * along[1], down, up)
        solids.append(Solid("columns", relief, material, material.density_g_cm3, rotation=rotation))
    return solids


def _surfaces(one: Compensator) -> tuple[Array, Array]:
    """Return the heights of the lower and the upper end of every column."""
    if one.upper_mm is not None:
        return one.upper_mm - one.thickness_mm, one.upper_mm
    tray = np.full_like(one.thickness_mm, one.tray_mm)
    if one.mounting == "SOURCE_SIDE":
        return tray, tray + one.thickness_mm
    return tray - one.thickness_mm, tray


def _cells(one: Compensator, lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    """Return x edges that fit every row, and the surfaces in the cells between them; shifted rows need more edges."""
    columns = lower.shape[1]
    even = one.first_mm[0] + one.spacing_mm[1] * (np.arange(columns + 1.0) - 0.5)
    if abs(one.column_offset_mm) < 1e-6:
        return even, lower, upper
    shifted = even + one.column_offset_mm
    edges = np.unique(np.round(np.concatenate([even, shifted]), 6))
    middles = (edges[1:] + edges[:-1]) / 2
    fine_lower, fine_upper = np.zeros((2, lower.shape[0], middles.size))
    for row in range(lower.shape[0]):
        own = shifted if row % 2 else even  # the second row is the first of the even-numbered ones
        column = np.searchsorted(own, middles, side="right") - 1
        there = (column >= 0) & (column < columns)
        fine_lower[row, there], fine_upper[row, there] = lower[row, column[there]], upper[row, column[there]]
    return edges, fine_lower, fine_upper
