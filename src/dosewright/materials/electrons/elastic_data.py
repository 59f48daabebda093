"""The packaged table of elastic scattering, made by ``python -m benchmarks.elastic_table``."""

import hashlib
import io
import json
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import DosewrightError
from dosewright.materials.elements import TABLES

TABLE = "elastic_scattering.npz"


@cache
def stored(name: str) -> NDArray[np.float64]:
    """Return one array of the table, once its SHA-256 agrees with the index.

    ``steps``: whole numbers [electron or positron, Z - 1, energy, node], differences along the nodes; ``weights``: of
    the Yukawas of the atoms' fields, [Z - 1, Yukawa].
    """
    data = (TABLES / TABLE).read_bytes()
    expected = json.loads((TABLES / "index.json").read_text(encoding="utf-8"))[TABLE]["sha256"]
    if hashlib.sha256(data).hexdigest() != expected:
        raise DosewrightError(f"The packaged table {TABLE} differs from its index; the installation is damaged.")
    with np.load(io.BytesIO(data)) as arrays:
        return np.asarray(arrays[name], float)
