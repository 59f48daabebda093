"""Transformations against rotations of another package, and what stays exact."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.phase_space.made import joined, made

from dosewright.core.errors import InputError
from dosewright.core.particles import Particles
from dosewright.phase_space.transform import (
    Motion,
    Reweight,
    Step,
    ToPlane,
    Transform,
    displacement,
    reflection,
    rotation_tps,
    rotation_xyz,
)
from dosewright.phase_space.transform_words import read_transformations

SOURCE = made(200)
P = SOURCE.particles


def after(*steps: Step, particles: Particles = P) -> Particles:
    return joined(list(Transform.of(steps).over([particles])))


def places(p: Particles) -> np.ndarray:
    return np.column_stack([p.x_cm, p.y_cm, p.z_cm])


def directions(p: Particles) -> np.ndarray:
    return np.column_stack([p.u, p.v, p.w])


def test_a_displacement_moves_places_only_and_rounds_once() -> None:
    moved = after(displacement(1.0, -2.0, 100.0))
    np.testing.assert_array_equal(moved.y_cm, (P.y_cm.astype(float) - 2.0).astype(np.float32))
    np.testing.assert_array_equal(directions(moved), directions(P))


def test_xyz_turns_about_fixed_axes_in_this_order() -> None:
    moved = after(rotation_xyz(20, -35, 70))
    turn = Rotation.from_euler("xyz", (20, -35, 70), degrees=True)
    np.testing.assert_allclose(places(moved), turn.apply(places(P)), atol=1e-5)
    np.testing.assert_allclose(directions(moved), turn.apply(directions(P)), atol=1e-7)


def test_tps_turns_by_self_then_theta_then_phi() -> None:
    moved = after(rotation_tps(30, 50, 10))
    turn = Rotation.from_euler("zyz", (10, 30, 50), degrees=True)
    np.testing.assert_allclose(directions(moved), turn.apply(directions(P)), atol=1e-7)
    # A beam along z goes where spherical angles say.
    axis = replace(P[:1], u=np.float32([0]), v=np.float32([0]), w=np.float32([1]))
    polar, azimuth = np.radians(30), np.radians(50)
    expected = (np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar))
    np.testing.assert_allclose(directions(after(rotation_tps(30, 50, 10), particles=axis))[0], expected, atol=1e-7)


def test_gamos_initial_displacement_and_angles_are_d_then_rxyz() -> None:
    # Places are displaced and then turned; directions are only turned.
    moved = after(displacement(1, 2, 3), rotation_xyz(90, 0, 0))
    np.testing.assert_allclose(moved.y_cm, -(P.z_cm + 3), atol=1e-5)
    np.testing.assert_allclose(moved.z_cm, P.y_cm + 2, atol=1e-5)
    np.testing.assert_array_equal(moved.v, -P.w)


def test_the_order_matters_and_motions_become_one() -> None:
    steps = (displacement(0, 0, 10), rotation_tps(30, 0, 0), displacement(0, 0, -10))
    change = Transform.of(steps)
    assert len(change.steps) == 1
    one_by_one = P
    for step in steps:
        one_by_one = after(step, particles=one_by_one)
    np.testing.assert_allclose(places(after(*steps)), places(one_by_one), atol=3e-5)


def test_right_angles_and_mirrors_are_exact_and_four_turns_are_none() -> None:
    turned = P
    for _ in range(4):
        turned = after(rotation_xyz(0, 0, 90), particles=turned)
    np.testing.assert_array_equal(places(turned), places(P))
    mirrored = after(reflection(1, 0))
    np.testing.assert_array_equal(mirrored.x_cm, -P.x_cm)
    np.testing.assert_array_equal(mirrored.u, -P.u)
    np.testing.assert_array_equal(mirrored.w, P.w)
    np.testing.assert_array_equal(places(after(reflection(1, 1), reflection(1, 1))), places(P))


def test_particles_fly_straight_to_a_plane_after_a_tilt() -> None:
    steps = (displacement(0, 0, 89.9), rotation_tps(30, 0, 0))
    tilted, flown = after(*steps), after(*steps, ToPlane(12.0))
    assert np.ptp(tilted.z_cm) > 1
    assert (flown.z_cm == 12).all()
    way = (flown.z_cm - tilted.z_cm) / tilted.w
    np.testing.assert_allclose(flown.x_cm, tilted.x_cm + way * tilted.u, atol=1e-4)
    np.testing.assert_array_equal(flown.energy_MeV, P.energy_MeV)
    back = after(ToPlane(-89.9), particles=after(ToPlane(10.0)))
    np.testing.assert_allclose(places(back), places(P), atol=2e-4)


def test_who_never_meets_the_plane_is_left_out_and_the_history_stays() -> None:
    w = P.w.copy()
    w[:3] = 0
    change = Transform.of([ToPlane(0.0)])
    left = joined(list(change.over(replace(P, w=w)[part] for part in (slice(0, 5), slice(5, None)))))
    assert change.lost == 3
    assert len(left) == len(P) - 3
    assert left.histories.sum() == P.histories.sum()


def test_weights_are_multiplied() -> None:
    np.testing.assert_array_equal(after(Reweight(0.5)).weight, P.weight / 2)


def test_constants_follow_what_they_depend_on() -> None:
    given = {"z_cm": -89.9, "weight": 1.0}
    assert Transform.of([displacement(0, 0, 9.9)]).constants(given) == {"z_cm": -80.0, "weight": 1.0}
    assert Transform.of([rotation_xyz(0, 0, 30), Reweight(3)]).constants(given)["weight"] == 3.0
    assert "z_cm" in Transform.of([rotation_xyz(0, 0, 30)]).constants(given)
    assert Transform.of([rotation_xyz(180, 0, 0)]).constants(given)["z_cm"] == np.float32(89.9)
    assert Transform.of([rotation_xyz(1, 0, 0)]).constants(given) == {"weight": 1.0}
    assert Transform.of([rotation_xyz(90, 0, 0)]).constants(given)["y_cm"] == np.float32(89.9)
    assert Transform.of([rotation_xyz(1, 0, 0), ToPlane(5.0)]).constants(given)["z_cm"] == 5.0


def test_the_last_interaction_is_moved_as_far_as_it_is_known() -> None:
    p = replace(P, extra={"zlast_cm": np.full(len(P), -95.0, np.float32), "latch": P.extra["latch"]})
    up = after(displacement(3, 0, 10), rotation_xyz(0, 0, 45), particles=p)
    np.testing.assert_allclose(up.extra["zlast_cm"], -85.0)
    tilt = Transform.of([rotation_xyz(0, 10, 0)])
    assert list(joined(list(tilt.over([p]))).extra) == ["latch"]
    assert tilt.extra_left({"zlast_cm": "f4", "latch": "i4"}) == {"latch": "i4"}
    whole = {
        name: np.full(len(P), number, np.float32) for number, name in enumerate(("xlast_cm", "ylast_cm", "zlast_cm"))
    }
    turned = after(rotation_xyz(0, 0, 90), particles=replace(P, extra=whole))
    assert [turned.extra[name][0] for name in whole] == [-1.0, 0.0, 2.0]


def test_words_are_read_with_units_in_their_order() -> None:
    plane, d, tps = read_transformations(["plane 1*cm", "D 0 0 -10. rtps 0.5*rad 0 0"])
    assert plane == ToPlane(1.0)
    assert isinstance(d, Motion)
    assert isinstance(tps, Motion)
    assert d.shift_cm[2] == -1.0
    assert tps.turn[0, 2] == pytest.approx(np.sin(0.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shift 1 2 3", "There is no transformation of this name"),
        ("RTSP 1 2 3", "Did you mean 'RTPS'?"),
        ("D 1 2", "D needs more numbers. Given: 2. Allowed: 3."),
        ("D 1 2 x", "D needs a number here. Given: x."),
        ("rotate 5*mm", "with a unit of deg, rad"),
        ("reflect 0 0", "reflect needs the normal of its mirror"),
        ("reweight -1", "A factor on weights is positive"),
        ("plane nan", "plane needs a number here"),
    ],
)
def test_wrong_words_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        read_transformations([text])
