"""Many points or rays at once: kernels that fill arrays."""

from dosewright.core.jit import kernel
from dosewright.core.shared import shared
from dosewright.geometry.scene.cell_rays import BEYOND_CM
from dosewright.geometry.scene.trace import BEYOND, VOXELS, ahead, crossed, locate, nearest, part_of
from dosewright.geometry.trace import Ray, advance


@kernel
def locate_all(scene, points, phase, found):
    """Fill the cell of every point (n, 3)."""
    scene = shared(scene)
    for k in range(len(points)):
        found[k] = locate(scene, points[k, 0], points[k, 1], points[k, 2], phase)


@kernel
def nearest_all(scene, points, enough, phase, found):
    """Fill a lower bound of the distance from every point (n, 3) to the nearest boundary."""
    scene = shared(scene)
    for k in range(len(points)):
        x, y, z = points[k, 0], points[k, 1], points[k, 2]
        found[k] = nearest(scene, locate(scene, x, y, z, phase), Ray(x, y, z, 0.0, 0.0, 1.0), enough, phase)


@kernel
def follow(scene, ray, longest, phase, distances, cells):
    """Fill the distances of the boundaries on a ray and the cell before each and after the last; return how many.

    A ray that starts on a boundary, or that goes over two at once, has no cell in between.
    """
    scene = shared(scene)
    cell = locate(scene, ray.x, ray.y, ray.z, phase)
    cells[0] = cell
    gone, count = 0.0, 0
    while count < len(distances):
        way = ahead(scene, cell, ray, longest - gone, phase)
        gone += way
        if gone >= longest:
            break
        ray, cell = crossed(scene, advance(ray, way), phase)
        distances[count] = gone
        gone += BEYOND_CM
        count += 1
        cells[count] = cell
    return count


@kernel
def path_lengths(scene, rays, longest, phase, lengths, boundaries):
    """Add the path of every ray (n, 6) in each part, and last in what fills the scene; count boundaries per ray.

    The box of voxels is no part.
    """
    scene = shared(scene)
    for k in range(len(rays)):
        ray = Ray(rays[k, 0], rays[k, 1], rays[k, 2], rays[k, 3], rays[k, 4], rays[k, 5])
        cell = locate(scene, ray.x, ray.y, ray.z, phase)
        gone, count = 0.0, 0
        while gone < longest:
            way = ahead(scene, cell, ray, longest - gone, phase)
            part = part_of(scene, cell)
            if cell != BEYOND and part != VOXELS:
                lengths[part] += way
            gone += way
            if gone >= longest:
                break
            ray, cell = crossed(scene, advance(ray, way), phase)
            gone += BEYOND_CM
            count += 1
        boundaries[k] = count
