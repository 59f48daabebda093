"""Windows of a field about an axis: nothing of the field is left out, and each side is touched."""

import numpy as np
import pytest

from dosewright.geometry.trace import Ray
from dosewright.transport.aim import Field, aimed, along, towards, window

RNG = np.random.default_rng(5)


def any_ray() -> Ray:
    return Ray(*RNG.normal(0.0, 20.0, 2), RNG.uniform(-20.0, 20.0), *unit(RNG.normal(size=3)))


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.sqrt((v * v).sum())


def any_field(ray: Ray) -> Field:
    x, y = RNG.normal(0.0, 20.0, 2)
    a, b = RNG.exponential(20.0, 2)
    return Field(x - a, x + a, y - b, y + b, ray.z + RNG.choice([-1, 1]) * RNG.exponential(30.0))


def polar(seen, ray: Ray, x: np.ndarray, y: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    """Return the turns of points of a plane, and their azimuths from the start of the window, in [-pi, 3 pi)."""
    d = np.stack([x - ray.x, y - ray.y, np.full_like(x, z - ray.z)])
    d /= np.sqrt((d * d).sum(0))
    a, b = np.array([seen.ax, seen.ay, seen.az]) @ d, np.array([seen.bx, seen.by, seen.bz]) @ d
    azimuth = (np.arctan2(b, a) - seen.start + 0.5 * (2 * np.pi - seen.span)) % (2 * np.pi)
    return 1.0 - np.array([seen.u, seen.v, seen.w]) @ d, azimuth - 0.5 * (2 * np.pi - seen.span)


def test_a_window_holds_the_field_and_no_more_than_it_must() -> None:
    full = 0
    edge = np.linspace(0.0, 1.0, 401)
    for _ in range(400):
        ray = any_ray()
        field = any_field(ray)
        seen = window(field, ray)
        width, height = field.x1 - field.x0, field.y1 - field.y0
        x = np.concatenate([field.x0 + edge * width] * 2 + [np.full(401, field.x0), np.full(401, field.x1)])
        y = np.concatenate([np.full(401, field.y0), np.full(401, field.y1)] + [field.y0 + edge * height] * 2)
        turn, azimuth = polar(seen, ray, x, y, field.z)
        assert seen.low - 1e-9 <= turn.min()
        assert turn.max() <= seen.high + 1e-9
        inside = aimed(field, ray), aimed(field, Ray(*ray[:3], *(-np.array(ray[3:]))))
        assert seen.low == pytest.approx(0.0 if inside[0] else turn.min(), abs=2e-3)
        assert seen.high == pytest.approx(2.0 if inside[1] else turn.max(), abs=2e-3)
        if any(inside):
            full += 1
            assert seen.span == 2.0 * np.pi
        else:
            assert azimuth.min() == pytest.approx(0.0, abs=1e-6)
            assert azimuth.max() == pytest.approx(seen.span, abs=1e-6)
    assert 20 < full < 380


def test_directions_of_a_window_are_those_asked_for() -> None:
    for _ in range(50):
        ray = any_ray()
        seen = window(any_field(ray), ray)
        turn = RNG.uniform(0.0, 2.0)
        away = along(seen, ray, turn, RNG.uniform())
        assert 1.0 - np.dot(away[3:], ray[3:]) == pytest.approx(turn, abs=1e-12)
        assert np.dot(away[3:], away[3:]) == pytest.approx(1.0, abs=1e-14)


def test_what_is_aimed() -> None:
    field = Field(-1.0, 1.0, -2.0, 2.0, 10.0)
    assert aimed(field, Ray(0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    assert not aimed(field, Ray(0.0, 0.0, 0.0, 0.0, 0.0, -1.0))
    assert not aimed(field, Ray(0.0, 0.0, 11.0, 0.0, 0.0, 1.0))
    assert not aimed(field, Ray(1.1, 0.0, 0.0, 0.0, 0.0, 1.0))
    assert aimed(field, Ray(5.0, 5.0, 20.0, *unit(np.array([-5.0, -5.0, -10.0]))))
    assert aimed(field, towards(field, Ray(40.0, -3.0, 0.0, 0.0, 0.0, 1.0)))
