"""Corners of convex bodies: a kernel."""

from dosewright.core.jit import kernel


@kernel
def fill_corners(planes, room, parallel, points):
    """Fill the points where three of the planes (n, 4: normal, distance) meet and that lie below all the others.

    A point may lie above a plane by `room`; planes whose normals span less than `parallel` meet nowhere. Returns how
    many were found, those beyond the length of `points` (k, 3) left out.
    """
    count, n = 0, len(planes)
    for i in range(n):
        a, b, c, d = planes[i, 0], planes[i, 1], planes[i, 2], planes[i, 3]
        for j in range(i + 1, n):
            e, f, g, h = planes[j, 0], planes[j, 1], planes[j, 2], planes[j, 3]
            p, q, r = b * g - c * f, c * e - a * g, a * f - b * e
            for k in range(j + 1, n):
                volume = p * planes[k, 0] + q * planes[k, 1] + r * planes[k, 2]
                if abs(volume) <= parallel:
                    continue
                s, t, u, v = planes[k, 0], planes[k, 1], planes[k, 2], planes[k, 3]
                x = (d * (f * u - g * t) + h * (t * c - u * b) + v * p) / volume
                y = (d * (g * s - e * u) + h * (u * a - s * c) + v * q) / volume
                z = (d * (e * t - f * s) + h * (s * b - t * a) + v * r) / volume
                below = True
                for m in range(n):
                    if x * planes[m, 0] + y * planes[m, 1] + z * planes[m, 2] - planes[m, 3] >= room:
                        below = False
                        break
                if below:
                    if count < len(points):
                        points[count, 0], points[count, 1], points[count, 2] = x, y, z
                    count += 1
    return count
