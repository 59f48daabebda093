"""Light fields of jaws by exact rays: where their edges are projected, and what the rays there go through."""

from dataclasses import replace
from math import exp, hypot, log

import numpy as np
import pytest
from tests.geometry.modules.rays import length_in

from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.core.modules import Jaws, Tip
from dosewright.geometry.modules.build import assumptions_of, parts_of

TUNGSTEN = Material("tungsten", 19.3, {74: 1.0})
TIPS = {
    "STRAIGHT": Tip("STRAIGHT", travel_radius_mm=330.0),
    "STRAIGHT on another circle": Tip("STRAIGHT", travel_radius_mm=300.0),
    "STRAIGHT_HORIZ": Tip("STRAIGHT_HORIZ"),
    "ROUND": Tip("ROUND", radius_mm=150.0, half_value_mm=12.0),
    "ROUND, light": Tip("ROUND", radius_mm=150.0),
    "ROUND, smaller than the jaw": Tip("ROUND", radius_mm=80.0, half_value_mm=12.0),
    "ROUND_DISP": Tip("ROUND_DISP", radius_mm=170.0, centre_below_top_mm=35.0, half_value_mm=12.0),
    "ROUND_DISP, light": Tip("ROUND_DISP", radius_mm=170.0, centre_below_top_mm=35.0),
}
FIELDS = ((-25.0, 25.0), (-5.0, 5.0), (-200.0, 200.0), (60.0, 150.0), (-120.0, -30.0))


def jaws(tip: Tip, orientation: str = "X", beam: int = -1, field: tuple[float, float] = (-50.0, 50.0)) -> Jaws:
    half = (60.0, 110.0, 39.0) if orientation == "X" else (110.0, 60.0, 39.0)
    z = -beam  # a focus that is not at zero: formulas that need it there fail
    return Jaws("jaw", orientation, tip, half, 1010.0 * z, 680.0 * z, 10.0 * z, *field, TUNGSTEN, beam=beam)


def ray(module: Jaws, edge: float, cross: float = 0.0) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """From the focus to a position at the isocentre plane, along the travel and across."""
    x, y = (edge, cross) if module.orientation == "X" else (cross, edge)
    return (0.0, 0.0, module.focus_z_mm), (x, y, module.isocentre_z_mm)


@pytest.mark.parametrize("field", FIELDS, ids=str)
@pytest.mark.parametrize(("orientation", "beam"), [("X", -1), ("X", 1), ("Y", -1), ("Y", 1)])
@pytest.mark.parametrize("name", TIPS)
def test_edges_are_projected_where_they_should_be(
    name: str, orientation: str, beam: int, field: tuple[float, float]
) -> None:
    """The ray at the edge has the half-value layer as its path, or none; 1 um further in or out it has less or more."""
    module = jaws(TIPS[name], orientation, beam, field)
    negative, positive = parts_of(module)
    for part, edge, outward in ((negative, field[0], -1.0), (positive, field[1], 1.0)):
        chord = module.tip.half_value_mm
        for cross in (0.0, 70.0):
            inside = length_in([part], *ray(module, edge - outward * 1e-3, cross))
            at = length_in([part], *ray(module, edge, cross))
            outside = length_in([part], *ray(module, edge + outward * 1e-3, cross))
            # A ray that goes across as well is longer by the secant of its angle.
            longer = hypot(hypot(edge, cross), 1000.0) / hypot(edge, 1000.0)
            if chord > 0:
                assert at == pytest.approx(chord * longer, rel=1e-6)
                assert inside < at < outside
            else:
                assert inside == 0.0
                assert outside > 0.1
                assert name.startswith("STRAIGHT") or at < 1e-2
                assert name.startswith("ROUND") or outside > 70.0


@pytest.mark.parametrize("name", [name for name, tip in TIPS.items() if tip.half_value_mm])
def test_half_of_the_beam_passes_at_the_edge(name: str) -> None:
    """With the attenuation that the half-value layer stands for, exp(-mu chord) is 1/2 there, and 1 and 0 beside it."""
    module = jaws(TIPS[name], field=(-40.0, 140.0))
    mu = log(2.0) / module.tip.half_value_mm
    for edge, outward in ((-40.0, -1.0), (140.0, 1.0)):
        seen = [exp(-mu * length_in(parts_of(module), *ray(module, edge + outward * d))) for d in (-3.0, 0.0, 40.0)]
        assert seen[0] == 1.0
        assert seen[1] == pytest.approx(0.5, abs=1e-9)
        assert seen[2] < 0.02


def test_the_table_of_positions_places_the_tip() -> None:
    """The tip at the height of the circle's centre is projected where the table says; the negative jaw mirrors it."""
    table = ((-50.0, -50.3), (0.0, 0.1), (100.0, 98.0), (200.0, 193.0))
    tip = Tip("ROUND_DISP_POSFILE", radius_mm=150.0, centre_below_top_mm=30.0, positions_mm=table)
    module = jaws(tip, field=(-100.0, 150.0))
    height = 680.0 + 39.0 - 30.0
    for part, projected, outward in zip(parts_of(module), (-98.0, 145.5), (-1.0, 1.0), strict=True):
        at = projected * (1010.0 - height) / 1000.0
        whole = length_in([part], (at - 1.0, 0.0, height), (at + 1.0, 0.0, height))
        assert whole == pytest.approx(120.0)
        through = [length_in([part], (at + outward * d, 0.0, 1000.0), (at + outward * d, 0.0, 0.0)) for d in (-1e-4, 1)]
        assert through[0] == 0.0
        assert through[1] == pytest.approx(2.0 * np.sqrt(150.0**2 - 149.0**2), rel=1e-6)
    with pytest.raises(InputError, match="field edge 210 mm is an opening of 210 mm"):
        replace(module, positive_mm=210.0)


def test_a_straight_jaw_moves_around_the_focus() -> None:
    """Its face keeps its distance from the focus, and its body is turned, not sheared."""
    module = jaws(Tip("STRAIGHT", travel_radius_mm=330.0), field=(-100.0, 200.0))
    for part, edge in zip(parts_of(module), (-100.0, 200.0), strict=True):
        turn = part.placement.rotation
        assert np.linalg.det(turn) == pytest.approx(1.0)
        angle = np.arctan2(edge, 1000.0)
        middle = np.array([np.sin(angle), 0.0, -np.cos(angle)]) * 330.0 + [0.0, 0.0, 1010.0]
        towards_body = np.sign(edge) * np.array([np.cos(angle), 0.0, np.sin(angle)])
        across_body = length_in([part], middle - towards_body, middle + towards_body)
        assert across_body == pytest.approx(120.0)
        along_face = middle + 1e-6 * towards_body
        assert length_in([part], [0.0, 0.0, 1010.0] + 1e-6 * towards_body, along_face) == pytest.approx(78.0)


def test_a_level_jaw_stays_level() -> None:
    negative, positive = parts_of(jaws(Tip("STRAIGHT_HORIZ"), field=(-150.0, 150.0)))
    for part in (negative, positive):
        for u in (60.0, 100.0):
            x = u if part is positive else -u
            assert length_in([part], (x, 0.0, 900.0), (x, 0.0, 0.0)) == pytest.approx(78.0)


@pytest.mark.parametrize("name", TIPS)
def test_closed_jaws_do_not_overlap(name: str) -> None:
    """Tips whose edges lie inside them are moved apart until they touch; that is said."""
    for field in ((0.0, 0.0), (90.0, 90.0), (-80.0, -79.9)):
        module = jaws(TIPS[name], field=field)
        negative, positive = parts_of(module)
        for z in np.linspace(642.0, 718.0, 39):
            line = ((0.0, 0.0, z), (1.0, 0.0, z))
            both = length_in([negative, positive], *line)
            apart = length_in([negative], *line) + length_in([positive], *line)
            assert both == pytest.approx(apart, abs=1e-9)
        # Away from the axis the ray crosses aslant, and the chords leave room between the tips.
        assert bool(assumptions_of(module)) == bool(module.tip.half_value_mm and field == (0.0, 0.0))


def test_the_two_directions_of_flight_mirror_each_other() -> None:
    for tip in TIPS.values():
        one, other = (parts_of(jaws(tip, "X", beam, (-70.0, 20.0))) for beam in (-1, 1))
        rng = np.random.default_rng(3)
        for _ in range(40):
            p, q = rng.uniform(-150, 150, (2, 3)) + np.array([0.0, 0.0, 680.0])
            mirror = np.array([1.0, 1.0, -1.0])
            for a, b in zip(one, other, strict=True):
                assert length_in([a], p, q) == pytest.approx(length_in([b], p * mirror, q * mirror), abs=1e-7)
