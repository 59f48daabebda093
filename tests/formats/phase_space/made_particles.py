"""Particles made up for tests, and an IAEA reader written from the description of the format alone."""

import math
import struct
from pathlib import Path

import numpy as np

from dosewright.core.particles import COLUMNS, Particles


def made(n: int, seed: int = 1, **extra: np.ndarray) -> Particles:
    """Return particles of all species, some upstream, with a plane at 100 cm."""
    rng = np.random.default_rng(seed)
    theta, phi = np.arccos(rng.uniform(-1, 1, n)), rng.uniform(0, 2 * math.pi, n)
    u, v = (np.sin(theta) * f(phi) for f in (np.cos, np.sin))
    u, v = u.astype(np.float32), v.astype(np.float32)
    w = np.sqrt(np.maximum(1 - u.astype(float) ** 2 - v.astype(float) ** 2, 0)).astype(np.float32)
    floats = {
        "energy_MeV": rng.uniform(0.01, 18, n), "x_cm": rng.normal(0, 5, n), "y_cm": rng.normal(0, 5, n),
        "z_cm": np.full(n, 100), "u": u, "v": v, "w": np.where(np.cos(theta) < 0, -w, w),
        "weight": rng.uniform(0.1, 2, n),
    }  # fmt: skip
    return Particles(
        species=rng.integers(1, 6, n).astype(np.int8),
        histories=rng.integers(0, 2, n).astype(np.int64),
        extra=dict(extra),
        **{name: column.astype(np.float32) for name, column in floats.items()},
    )


def same(a: Particles, b: Particles) -> None:
    """Fail unless both are the same to the last bit."""
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    assert list(a.extra) == list(b.extra)
    for name, column in a.extra.items():
        np.testing.assert_array_equal(column, b.extra[name], err_msg=name)


def joined(parts: list[Particles]) -> Particles:
    """Return several runs as one."""
    extra = {name: np.concatenate([part.extra[name] for part in parts]) for name in parts[0].extra}
    return Particles(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}, extra=extra)


def read_by_description(header: Path) -> tuple[dict[str, list[str]], list[dict[str, float]]]:
    """Read an IAEA phase space record by record, by IAEA INDC(NDS)-0484 alone: blocks, and records as named numbers."""
    blocks: dict[str, list[str]] = {}
    for line in header.read_text().splitlines():
        if line.startswith("$"):
            rows = blocks.setdefault(line[1 : line.index(":")], [])
        elif line.strip() and not line.startswith("//"):
            rows.append(line.strip())
    contents = [int(row.split()[0]) for row in blocks["RECORD_CONTENTS"]]
    constants = iter(float(row.split()[0]) for row in blocks["RECORD_CONSTANT"])
    quantities = dict(zip(("x", "y", "z", "u", "v", "w", "weight"), contents, strict=False))
    fixed = {name: next(constants) for name, stored in quantities.items() if not stored}
    length = int(blocks["RECORD_LENGTH"][0])
    stored = [name for name, flag in quantities.items() if flag and name != "w"]
    floats = ["energy", *stored, *(f"f{i}" for i in range(contents[7]))]
    order = {"1234": "<", "4321": ">"}[blocks["BYTE_ORDER"][0]]
    rest = length - 1 - 4 * len(floats)
    longs = [f"l{i}" for i in range(contents[8])]
    width = "" if not longs else {4: "i", 8: "q"}[rest // contents[8]]
    layout = struct.Struct(f"{order}b{len(floats)}f{len(longs)}{width}" if longs else f"{order}b{len(floats)}f")
    assert layout.size == length
    data = header.with_suffix(".IAEAphsp").read_bytes()
    assert len(data) == int(blocks["CHECKSUM"][0]) == length * int(blocks["PARTICLES"][0])
    records = []
    for code, *values in layout.iter_unpack(data):
        record = dict(zip(["type", *floats, *longs], [abs(code), *values], strict=True)) | fixed
        record["new"] = math.copysign(1, record["energy"]) < 0
        record["energy"] = abs(record["energy"])
        if "w" not in fixed:
            size = math.sqrt(max(0.0, 1 - record["u"] ** 2 - record["v"] ** 2))
            record["w"] = -size if code < 0 else size
        records.append(record)
    return blocks, records
