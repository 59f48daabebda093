"""Writers that go on where another process was: the file is that of one that was never stopped, byte for byte."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.formats.phase_space.made_particles import made

from dosewright.core.particles import Layout, Particles, PhaseSpaceWriter
from dosewright.formats.phase_space.losses import FORMATS
from dosewright.formats.phase_space.open import create_phase_space

EXTRA = {"latch": "i4", "zlast_cm": "f4"}
WORDS = [word for word in FORMATS if word != "native"]


def beam(records: int) -> Particles:
    """Return all five species: EGSnrc leaves two of them out, histories of theirs counted with the next."""
    particles = made(records)
    extra = {"latch": np.arange(records, dtype=np.int32), "zlast_cm": particles.x_cm * 2}
    return replace(particles, z_cm=np.full(records, 9, np.float32), extra=extra)


def create(folder: Path, word: str) -> PhaseSpaceWriter:
    suffix = {"iaea": ".IAEAheader", "gamos_text": ".txt"}.get(word, ".egsphsp1" if "egs" in word else ".phsp")
    layout = Layout(constants={"z_cm": 9.0} if word != "gamos_text" else {}, extra=EXTRA)
    return create_phase_space(folder / f"a{suffix}", layout, format=word)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("before", [0, 1, 333])
def test_another_process_goes_on(tmp_path: Path, word: str, before: int) -> None:
    particles = beam(1000)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    with create(whole, word) as writer:
        for part in (particles[:before], particles[before:]):
            writer.write(part)
        at_once = writer.finish(9000)
    with pytest.raises(KeyboardInterrupt), create(stopped, word) as writer:
        writer.write(particles[:before])
        kept = json.dumps(writer.kept())
        writer.write(particles[500:700])  # cut off again
        writer.save_header(3000)
        raise KeyboardInterrupt
    assert files(stopped)
    with create(stopped, word) as writer:
        assert writer.take_up(json.loads(kept))
        writer.write(particles[before:])
        assert writer.finish(9000) == at_once
    assert files(stopped) == files(whole)


@pytest.mark.parametrize("word", WORDS)
def test_what_is_not_as_it_was_kept_is_not_gone_on_with(tmp_path: Path, word: str) -> None:
    with create(tmp_path, word) as writer:
        writer.write(beam(100))
        kept = writer.kept()
        assert kept is not None
    (left,) = (path for path in tmp_path.iterdir() if path.suffix != ".header" or path.stat().st_size > 1000)
    sound = left.read_bytes()
    for wrong in (sound[:-1], sound[:-1] + bytes([sound[-1] ^ 1]), None):
        left.unlink()
        if wrong is not None:
            left.write_bytes(wrong)
        with create(tmp_path, word) as writer:
            assert not writer.take_up(kept)


def test_hdf5_is_not_gone_on_with(tmp_path: Path) -> None:
    with create_phase_space(tmp_path / "a.h5", Layout()) as writer:
        assert writer.kept() is None and not writer.take_up({})
    assert not files(tmp_path)
