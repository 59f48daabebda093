"""Deliveries written for tests: three boxes, two fields with pencil beams, and the directives of a test."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.delivery.steps import Delivery, Step, read_delivery

HEAD = """region: phantom ; O = [1,2,3] ; L = [10,20,30] ; pivot = [0.5,0.5,0] ; material = water
region: gantry ; L = [1,1,1] ; material = vacuum ; lAdaptiveSize = t
region: RS ; O = [0,0,-20] ; f = [0,1,0] ; u = [0,0,1] ; L = [5,5,2] ; material = PMMA
field: 1 ; O = [0,0,-50]
field: 2 ; O = [0,-50,0] ; f = [0,1,0] ; u = [0,0,1]
pb: 1 1 ; N = 1e6
pb: 2 1 ; N = 2e6
pb: 3 1 ; N = 4e6
pb: 7 2 ; N = 8e6
pb: halo 2 ; N = 16e6
"""
LINES = HEAD.count("\n")


def read(folder: Path, text: str) -> Delivery:
    path = folder / "fred.inp"
    path.write_text(HEAD + text)
    return read_delivery(path)


def steps(folder: Path, text: str) -> list[Step]:
    return list(read(folder, text).steps())


def step(folder: Path, text: str) -> Step:
    """Return the only step of some directives."""
    (one,) = steps(folder, text)
    return one


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        read(folder, text)
    return refused.value.problems
