"""The public face: every listed name can be had, and importing it costs nothing."""

import subprocess
import sys

import dosewright


def test_every_public_name_is_there() -> None:
    for name in dosewright.__all__:
        assert getattr(dosewright, name).__doc__


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, dosewright; print([m for m in ('numba', 'pydicom', 'scipy', 'matplotlib') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
