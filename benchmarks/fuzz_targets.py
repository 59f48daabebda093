"""Readers to be fuzzed, each with files to begin from; add a row for a new one."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dosewright.core.particles import COLUMNS, Layout, Particles
from dosewright.formats.phase_space import native_write
from dosewright.formats.phase_space.open import create_phase_space, open_phase_space

SMALL_CHUNK = 16  # records of the HDF5 files to begin from: short files are fuzzed more often


@dataclass(frozen=True)
class Target:
    """A reader.

    Parameters
    ----------
    suffixes
        Of the files that it reads; the first one's path is given to `read`.
    read
        Reads it all, and fails if it gets what cannot be.
    seeds
        Sound files in a folder, each a tuple in the order of the suffixes.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], None]
    seeds: Callable[[Path], Iterator[tuple[Path, ...]]]


def read_phase_space(path: Path) -> None:
    """Read a phase space of any format; every value that comes out must be one that a particle can have."""
    reader = open_phase_space(path)
    found = 0
    for particles in reader.batches():
        found += len(particles)
        for name in COLUMNS:
            assert np.isfinite(getattr(particles, name)).all(), name  # noqa: S101 - what a fuzzer looks for
        assert (particles.energy_MeV >= 0).all()  # noqa: S101
        assert ((particles.species >= 1) & (particles.species <= 5)).all()  # noqa: S101
        assert (particles.histories >= 0).all()  # noqa: S101
    assert found == reader.info.particles  # noqa: S101


def some_particles(n: int, **extra: np.ndarray) -> Particles:
    """Return photons, electrons and positrons at a plane."""
    rng = np.random.default_rng(n)
    u, v = rng.uniform(-0.5, 0.5, (2, n)).astype(np.float32)
    columns = dict(zip(("x_cm", "y_cm"), rng.normal(0, 5, (2, n)).astype(np.float32), strict=True))
    return Particles(
        species=rng.integers(1, 4, n).astype(np.int8),
        energy_MeV=rng.uniform(0.1, 6, n).astype(np.float32),
        z_cm=np.full(n, 100, np.float32),
        u=u,
        v=v,
        w=np.sqrt(1 - u * u - v * v) * rng.choice(np.array([-1, 1], np.float32), n),
        weight=rng.choice(np.array([0.5, 1], np.float32), n),
        histories=rng.integers(0, 2, n),
        extra=dict(extra),
        **columns,
    )


def phase_spaces(form: str, suffixes: tuple[str, ...]) -> Callable[[Path], Iterator[tuple[Path, ...]]]:
    """Return what makes some phase spaces of a format: with and without extra columns, of both byte orders."""

    def make(folder: Path) -> Iterator[tuple[Path, ...]]:
        native_write.CHUNK = SMALL_CHUNK  # type: ignore[misc]
        columns = {"latch": np.arange(5, dtype=np.int32), "zlast_cm": np.linspace(0, 1, 5, dtype=np.float32),
                   "counter": np.arange(5) * 2**40}  # fmt: skip
        for number, names in enumerate(((), ("latch", "zlast_cm"), ("latch", "zlast_cm", "counter"))):
            if form == "egs_mode2" and not names:
                continue
            particles = some_particles(5, **{name: columns[name] for name in names})
            particles = replace(particles, histories=np.array([1, 0, 3, 1, 1]))
            extra = {name: columns[name].dtype.str[1:] for name in names}
            for big_endian in (False, True) if form in ("iaea", "egs_mode0", "egs_mode2") else (False,):
                path = folder / f"{form}{number}{big_endian}{suffixes[0]}"
                constants = {"z_cm": 100.0} if number else {}
                layout = Layout(extra=extra, constants=constants, big_endian=big_endian)
                with create_phase_space(path, layout, format=form) as writer:
                    writer.write(particles)
                    writer.finish(20)
                yield tuple(path.with_suffix(suffix) for suffix in suffixes)

    return make


PAIR, IAEA = (".header", ".phsp"), (".IAEAheader", ".IAEAphsp")
SUFFIXES = {"iaea": IAEA, "egs_mode0": (".egsphsp1",), "egs_mode2": (".egsphsp1",), "topas_binary": PAIR,
            "topas_limited": PAIR, "topas_ascii": PAIR, "gamos_text": (".txt",), "native": (".h5",)}  # fmt: skip

# Dose readers: module and function, suffixes. They begin from nothing but what `dose_seeds` finds.
DOSES = (
    ("egs_3ddose", "read_3ddose", (".3ddose",)),
    ("sqdose", "read_sqdose", (".sqdose",)),
    ("bindos", "read_bindos", (".bindos",)),
    ("egsphant", "read_egsphant", (".egsphant",)),
    ("meta_image", "read_meta_image", (".mha",)),
    ("nifti", "read_nifti", (".nii",)),
)
DOSE_TEXT = {
    "egs_3ddose": b"2 1 1\n0 1 2\n0 1\n0 1\n1.5 2.5\n0.1 0.2\n",
    "egsphant": b"1\nWATER\n0\n2 1 1\n0 1 2\n0 1\n0 1\n11\n\n1.0 1.0\n\n",
    "meta_image": b"ObjectType = Image\nNDims = 3\nDimSize = 2 1 1\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\n"
    b"ElementByteOrderMSB = False\nElementDataFile = LOCAL\n\x01\x02",
    "bindos": np.array([2, 1, 1], "<i4").tobytes() + np.array([0, 1, 2, 0, 1, 0, 1], "<f4").tobytes()
    + np.array([2, 1, 0, 2], "<i4").tobytes() + np.array([1, 2, 0.1, 0.2], "<f4").tobytes(),
}  # fmt: skip


def dose_seeds(name: str, suffix: str) -> Callable[[Path], Iterator[tuple[Path, ...]]]:
    """Return what writes a sound file of few voxels, where one is given above."""

    def make(folder: Path) -> Iterator[tuple[Path, ...]]:
        if name in DOSE_TEXT:
            path = folder / f"{name}{suffix}"
            path.write_bytes(DOSE_TEXT[name])
            yield (path,)

    return make


def targets() -> dict[str, Target]:
    """Return all readers that are there, by name."""
    found = {form: Target(form, suffixes, read_phase_space, phase_spaces(form, suffixes))
             for form, suffixes in SUFFIXES.items()}  # fmt: skip
    for module, function, suffixes in DOSES:
        if importlib.util.find_spec(f"dosewright.formats.dose.{module}"):
            read = getattr(importlib.import_module(f"dosewright.formats.dose.{module}"), function)
            found[module] = Target(module, suffixes, read, dose_seeds(module, suffixes[0]))
    return found
