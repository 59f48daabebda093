"""Beams by name or number."""

import pytest

from dosewright.core.beam_choice import choose_beams

KNOWN = ((1, "Left"), (2, "3"), (3, "Right, top"), (4, "right, TOP"))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ((), {1, 2, 3, 4}),
        (("left",), {1}),
        (("3",), {2}),  # a name beats a number
        (("Right, top",), {3}),
        (("1,2",), {1, 2}),
        (("Left, 4",), {1, 4}),
    ],
)
def test_names_and_numbers(wanted: tuple[str, ...], numbers: set[int]) -> None:
    assert choose_beams(KNOWN, wanted) == (numbers, ())


def test_what_is_found_is_kept_beside_what_is_not() -> None:
    chosen, problems = choose_beams(KNOWN, ("4", "Lefft", "RIGHT, TOP"))
    assert chosen == {4}
    assert "Did you mean 'Left'? Known: 1 'Left', 2 '3'" in problems[0]
    assert "has 2 beams 'RIGHT, TOP' (-b). Use the number." in problems[1]
