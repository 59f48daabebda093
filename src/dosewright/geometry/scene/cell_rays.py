"""One cell and a ray: kernels. The ray is in the axes of the cell's group; lengths in cm."""

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.scene.intersect import (
    PARALLEL,
    below,
    ends_inside,
    outside_by,
    plane_height,
    plane_slope,
    span_inside,
    within,
)
from dosewright.geometry.trace import advance

BEYOND_CM = 1.0e-8  # how far a ray is put over a boundary

# Columns of `SceneTables.cells`.
FIRST_PLANE, PLANES, FIRST_CURVED, CURVED, DEPTH, PART, MATERIAL, GROUP, DEEPER = range(9)  # columns of `cells`


@inlined
def holds(scene, cell, ray):
    """Say whether a cell holds a ray as it goes on; the ray is in the axes of the cell's group."""
    start = scene.cells[cell, FIRST_PLANE]
    for i in range(start, start + scene.cells[cell, PLANES]):
        if not below(plane_height(scene.planes, i, ray), plane_slope(scene.planes, i, ray)):
            return False
    start = scene.cells[cell, FIRST_CURVED]
    for i in range(start, start + scene.cells[cell, CURVED]):
        if within(scene.curved, i, ray) != (scene.curved[i, 8] > 0.0):
            return False
    return True


@inlined
def leaves_cell(scene, cell, ray, longest):
    """Return the distance at which a ray leaves the cell it is in; the ray is in the axes of the cell's group."""
    start = scene.cells[cell, FIRST_PLANE]
    for i in range(start, start + scene.cells[cell, PLANES]):
        slope = plane_slope(scene.planes, i, ray)
        if slope > PARALLEL:
            longest = min(longest, plane_height(scene.planes, i, ray) / slope)
    start = scene.cells[cell, FIRST_CURVED]
    for i in range(start, start + scene.cells[cell, CURVED]):
        if scene.curved[i, 8] > 0.0 and ends_inside(scene.curved, i, ray, longest):
            continue
        span = span_inside(scene.curved, i, ray)
        if scene.curved[i, 8] > 0.0:
            longest = min(longest, span.leave)
        elif span.enter < span.leave and span.enter + span.leave > 0.0:  # not just left
            longest = min(longest, span.enter)
    return max(longest, 0.0)


@inlined
def enters_cell(scene, cell, ray, longest):
    """Return the distance at which a ray enters a cell it is not in, `longest` where not before."""
    enter, leave = 0.0, longest
    start = scene.cells[cell, FIRST_PLANE]
    for i in range(start, start + scene.cells[cell, PLANES]):
        height, slope = plane_height(scene.planes, i, ray), plane_slope(scene.planes, i, ray)
        if slope > PARALLEL:
            leave = min(leave, height / slope)
        elif slope < -PARALLEL:
            enter = max(enter, height / slope)
        elif height < 0.0:
            return longest
        if enter >= leave:
            return longest
    first, last = scene.cells[cell, FIRST_CURVED], scene.cells[cell, FIRST_CURVED] + scene.cells[cell, CURVED]
    holes = 0
    for i in range(first, last):
        if scene.curved[i, 8] > 0.0:
            span = span_inside(scene.curved, i, ray)
            enter, leave = max(enter, span.enter), min(leave, span.leave)
            if enter >= leave:
                return longest
        else:
            holes += 1
    for _ in range(holes):  # each may begin where another one ends
        before = enter
        for i in range(first, last):
            if scene.curved[i, 8] <= 0.0:
                span = span_inside(scene.curved, i, ray)
                if span.enter <= enter < span.leave:
                    enter = span.leave
        if enter >= leave:
            return longest
        if enter == before:
            break
    if enter > 0.0:
        return enter
    return 0.0 if holds(scene, cell, advance(ray, BEYOND_CM)) else longest


@kernel
def distance_inside(scene, cell, ray, enough):
    """Return a lower bound of the distance from a point in a cell to its surface."""
    start = scene.cells[cell, FIRST_PLANE]
    for i in range(start, start + scene.cells[cell, PLANES]):
        enough = min(enough, plane_height(scene.planes, i, ray))
    start = scene.cells[cell, FIRST_CURVED]
    for i in range(start, start + scene.cells[cell, CURVED]):
        enough = min(enough, -scene.curved[i, 8] * outside_by(scene.curved, i, ray))
    return max(enough, 0.0)


@kernel
def distance_outside(scene, cell, ray):
    """Return a lower bound of the distance from a point to a cell."""
    far = 0.0
    start = scene.cells[cell, FIRST_PLANE]
    for i in range(start, start + scene.cells[cell, PLANES]):
        far = max(far, -plane_height(scene.planes, i, ray))
    start = scene.cells[cell, FIRST_CURVED]
    for i in range(start, start + scene.cells[cell, CURVED]):
        far = max(far, scene.curved[i, 8] * outside_by(scene.curved, i, ray))
    return far
