"""The compiled run of photons, electrons and positrons and the same functions in plain Python give the same answer."""

from pathlib import Path

import numpy as np

from .test_agreement import histories

PROGRAM = """
import sys
import numpy as np
from tests.transport.coupled_flights import coupled, run_coupled

tallies = []
with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
    for particle, number in (("photon", 10), ("electron", 2), ("positron", 2)):
        for first in range(number):
            tally = run_coupled(coupled(particle), 1, first=first)
            tallies.append(np.concatenate([part.ravel() for part in tally]))
np.save(sys.argv[1], tallies)
"""


def test_compiled_and_plain_python_agree(tmp_path: Path) -> None:
    """Ten photons, two electrons and two positrons of 20 keV to 2 MeV in water and bone, one by one: energy and dose to
    water of every voxel.

    Fused multiplication leaves other last digits, some 1e-6 at the end of a history. A step may then end on another
    side of a threshold and the history go its own way from there: two may, the others must not.
    """
    compiled, plain = histories(tmp_path, PROGRAM), histories(tmp_path, PROGRAM, NUMBA_DISABLE_JIT="1")
    assert compiled.shape == plain.shape
    apart = np.abs(compiled - plain).max(axis=1) / np.abs(compiled).max(axis=1)
    assert np.all(np.sort(apart)[:-2] < 1e-5), apart
    assert np.count_nonzero(apart) > 4  # those with electrons, which single precision makes differ
