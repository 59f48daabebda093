"""A new direction in double precision."""

from dosewright.core.jit import inlined
from dosewright.geometry.trace import Ray
from dosewright.transport.scattering import turned_by


@inlined
def deflected(ray, cosine, sine, azimuth):
    """Return the ray turned by a polar angle; azimuth is uniform in (0, 1), a negative sine the other side of it."""
    u, v, w = turned_by(ray.u, ray.v, ray.w, cosine, sine, azimuth)
    return Ray(ray.x, ray.y, ray.z, u, v, w)
