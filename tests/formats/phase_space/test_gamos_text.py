"""Phase spaces of GAMOS as text."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import joined, made, same

from dosewright.core.errors import InputError
from dosewright.core.particles import Layout, Particles
from dosewright.formats.phase_space import gamos_lines
from dosewright.formats.phase_space.gamos_text import create_gamos_text, open_gamos_text

LINE = "22 1.5 0.1 -0.2 100 0.6 0 -0.8 0.5"


def written(path: Path, particles: Particles, layout: Layout) -> Path:
    with create_gamos_text(path, layout) as writer:
        for start in range(0, len(particles), 7):
            writer.write(particles[start : start + 7])
        writer.finish(1000)
    return path


def read(path: Path) -> Particles:
    return joined(list(open_gamos_text(path).batches(size=5)))


def test_a_line_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{LINE}\n-11 2 0 0 0 0 0 1 1\n\n 2212 3e0 0 0 0 0 1 0 1")
    found = read(tmp_path / "a")
    assert found.species.tolist() == [1, 3, 5]
    assert (found.energy_MeV.tolist(), found.w[0], found.weight[0]) == ([1.5, 2, 3], np.float32(-0.8), 0.5)
    assert (found.x_cm[0], found.y_cm[0], found.z_cm[0], found.u[0]) == tuple(np.float32([0.1, -0.2, 100, 0.6]))
    info = open_gamos_text(tmp_path / "a").info
    assert (info.particles, info.original_histories, info.extra) == (3, None, {})
    assert any("histories" in problem for problem in info.problems)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    extra = {
        "extra_long_1": np.arange(40, dtype=np.int32) - 3,
        "extra_long_2": np.arange(40, dtype=np.int64) * 10**9,
        "extra_float_1": np.float32(np.linspace(-1, 1, 40)),
    }
    particles = replace(made(40, **extra), histories=np.ones(40, np.int64))
    path = written(tmp_path / "a.txt", particles, Layout(extra={n: c.dtype.str[1:] for n, c in extra.items()}))
    same(read(path), particles)
    words = path.read_text().splitlines()[0].split()
    assert int(words[0]) in (22, 11, -11, 2112, 2212)
    assert [float(word) for word in words[1:9]] == pytest.approx(
        [float(getattr(particles, n)[0]) for n in ("energy_MeV", "x_cm", "y_cm", "z_cm", "u", "v", "w", "weight")]
    )


def test_blocks_and_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    particles = replace(made(100), histories=np.ones(100, np.int64))
    path = written(tmp_path / "a.txt", particles, Layout())
    monkeypatch.setattr(gamos_lines, "BLOCK_BYTES", 1000)
    reader = open_gamos_text(path)
    assert len(reader.lines.starts) > 5
    for first, count in ((0, None), (13, 40), (99, 5), (100, None)):
        parts = list(reader.batches(first, count, 7))
        expected = particles[first : 100 if count is None else first + count]
        assert sum(map(len, parts)) == len(expected)
        if parts:
            same(joined(parts), expected)


def test_lines_with_code_and_energy_twice(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("22 1.5 0.1 -0.2 100 22 1.5 0.6 0 -0.8 0.5  9 \n11 2 0 0 0 11 2 0 0 1 1 8\n")
    found = read(tmp_path / "a")
    assert (found.u.tolist(), found.weight.tolist()) == ([np.float32(0.6), 0], [0.5, 1])
    assert found.extra["extra_long_1"].tolist() == [9, 8]
    assert any("twice" in problem for problem in open_gamos_text(tmp_path / "a").info.problems)


def test_a_word_that_turns_out_a_fraction_late(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"{LINE} 3\n" * 1000 + f"{LINE} 0.5\n")
    assert open_gamos_text(tmp_path / "a").info.extra == {"extra_float_1": "f4"}


def test_an_empty_file(tmp_path: Path) -> None:
    with create_gamos_text(tmp_path / "a", Layout()) as writer:
        assert writer.finish(0).particles == 0
    assert list(open_gamos_text(tmp_path / "a").batches()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("22 1 2 3\n", "nine words"),
        (f"{LINE}\n{LINE} 1\n", "not of one length"),
        (f"{LINE}\n22 1.5 0.1 -0.2 100\n0.6 0 -0.8 0.5\n", "not of one length"),
        (f"{LINE}\n".replace("1.5", "nan"), "Record 0.*energy"),
        (f"{LINE}\n".replace("1.5", "-1.5"), "negative energy"),
        (f"{LINE}\n".replace("1.5", "one"), "cannot be read"),
        (f"{LINE}\n".replace("22 ", "13 "), "unknown particle"),
        (f"{LINE}\n".replace("-0.8", "-0.7"), "unit vector"),
        (f"{LINE}\n".replace("0.1", "1e60"), "x_cm"),
        (f"{LINE} 1234567890123456\n", "more digits"),
        ("22\0" + LINE, "no text"),
        ("2" * 70_000, "no text of lines"),
    ],
)
def test_damage_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(InputError, match=says):
        read(tmp_path / "a")


def test_a_constant_that_is_none_and_a_failure_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="z_cm"):
        written(tmp_path / "a", made(3), Layout({"z_cm": 1}))
    with pytest.raises(InputError, match="missing"):
        written(tmp_path / "a", made(3), Layout(extra={"latch": "i4"}))
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.lists(st.sampled_from(["22", "1.5", "0", "-1", "1", "nan", "1e400", "x", "\n", "\r"]), max_size=14),
            max_size=4,
        ).map(lambda rows: "\n".join(" ".join(row) for row in rows).encode()),
    )
)  # fmt: skip
def test_garbage_is_refused_or_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    try:
        reader = open_gamos_text(tmp_path / "a")
        found = list(reader.batches())
    except InputError:
        return
    assert sum(map(len, found)) == reader.info.particles
