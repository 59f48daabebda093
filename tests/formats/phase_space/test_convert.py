"""Every format to every other: what `losses` does not name comes through, the rest is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.formats.phase_space.made_particles import joined, made

from dosewright.core.errors import InputError
from dosewright.core.particles import Layout, Particles, PhaseSpaceInfo
from dosewright.formats.phase_space.convert import converted
from dosewright.formats.phase_space.intake import chosen
from dosewright.formats.phase_space.open import FORMATS, create_phase_space, losses, open_phase_space

SUFFIX = {"iaea": ".IAEAheader", "egs_mode0": ".egsphsp1", "egs_mode2": ".egsphsp1", "topas_binary": ".phsp",
          "topas_limited": ".phsp", "topas_ascii": ".phsp", "gamos_text": ".txt", "native": ".h5"}  # fmt: skip
EXTRA = {"latch": "i4", "zlast_cm": "f4"}
ORIGINAL = 2**40 + 1  # more than 32 bits hold, and more than single precision does
N = 400


def beam() -> Particles:
    rng = np.random.default_rng(7)
    extra = {"latch": rng.integers(0, 2**24, N).astype(np.int32), "zlast_cm": rng.normal(0, 5, N).astype(np.float32)}
    return replace(made(N, 3, **extra), histories=rng.integers(0, 4, N))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same particles in every format."""
    folder = tmp_path_factory.mktemp("sources")
    paths = {}
    for form in FORMATS:
        paths[form] = folder / f"{form}{SUFFIX[form]}"
        with create_phase_space(paths[form], Layout(extra=EXTRA), format=form) as writer:
            writer.write(beam())
            writer.finish(ORIGINAL)
    return paths


def expected(given: Particles, form: str) -> Particles:
    """Return what a format is to make of particles."""
    histories = given.histories
    if form.startswith("egs"):
        given, _ = chosen(given, given.species <= 3)
        given = replace(given, z_cm=np.zeros(len(given), np.float32))
        histories = given.histories
    if form == "gamos_text":
        histories = np.ones(len(given), np.int64)
    elif form in ("iaea", "egs_mode0", "egs_mode2", "topas_limited"):
        histories = np.minimum(histories, 1)
    extra = given.extra
    if form == "topas_limited":
        extra = {}
    if form.startswith("egs"):
        charge = np.array([0, 0, 1 << 30, 1 << 29], np.int32)[given.species]
        latch = extra["latch"] & 0x1FFFFFFF if "latch" in extra else 0
        extra = {"latch": latch | charge} | {n: c for n, c in extra.items() if n == "zlast_cm" and form == "egs_mode2"}
    return replace(given, histories=histories, extra=extra)


def layout_of(info: PhaseSpaceInfo) -> Layout:
    return Layout(constants=info.constants, extra=info.extra, header=info.header)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_every_format_to_every_other(sources: dict[str, Path], tmp_path: Path, source: str, target: str) -> None:
    reader = open_phase_space(sources[source])
    assert reader.info.format == source
    given = joined(list(reader.batches()))
    told = " ".join(losses(reader.info, target))
    out = tmp_path / f"out{SUFFIX[target]}"
    layout = layout_of(reader.info)
    if target == "egs_mode2" and "zlast_cm" not in reader.info.extra:
        assert "would be refused" in told
        with pytest.raises(InputError, match="zlast_cm"):
            create_phase_space(out, layout, format=target)
        return
    steps: list[tuple[int, int]] = []
    writer = create_phase_space(out, layout, format=target)
    info = converted(reader, writer, progress=lambda done, of: steps.append((done, of)))
    assert steps[-1] == (len(given), len(given))
    again = open_phase_space(out)
    found, wanted = joined(list(again.batches())), expected(given, target)
    assert again.info.format == info.format == target
    assert len(found) == again.info.particles == info.particles
    for name in ("species", "x_cm", "y_cm", "z_cm", "u", "v", "weight", "histories"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_array_equal(found.w < 0, wanted.w < 0)
    np.testing.assert_allclose(found.w, wanted.w, atol=1e-6)
    exact = not target.startswith("egs")
    np.testing.assert_allclose(found.energy_MeV, wanted.energy_MeV, rtol=0, atol=0 if exact else 1e-6)
    assert exact or (given.species <= 3).all() or "were left out" in " ".join(info.problems)
    columns = list(wanted.extra.values())
    if target == "gamos_text":
        columns.sort(key=lambda column: column.dtype.kind == "f")
        assert not columns or "only the values" in told
    else:
        assert {*found.extra} == {*wanted.extra}  # IAEA puts floats first
        columns = [wanted.extra[name] for name in found.extra]
    for ours, theirs in zip(found.extra.values(), columns, strict=True):
        assert target == "gamos_text" or ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    _check_original(reader.info, info, target, told, int(given.histories.sum()))


def _check_original(source: PhaseSpaceInfo, info: PhaseSpaceInfo, target: str, told: str, counted: int) -> None:
    if source.original_histories is None:
        assert any("is not known" in problem for problem in info.problems)
    known = counted if source.original_histories is None else source.original_histories
    if target == "gamos_text":
        assert info.original_histories is None
        assert "number of original histories is left out" in told
    elif target.startswith("egs"):
        assert info.original_histories == np.float32(known)
        assert np.float32(known) == known or "seven digits" in told
    else:
        assert info.original_histories == known


def test_losses_name_what_is_lost(sources: dict[str, Path]) -> None:
    native = open_phase_space(sources["native"]).info
    assert losses(native, "native") == ()
    told = " ".join(losses(native, "egs_mode0"))
    for words in ("neutrons and", "protons are left out", "z is left out", "zlast_cm", "Where histories sent nothing",
                  "rest mass", "seven digits", "Negative weights"):  # fmt: skip
        assert words in told
    assert "zlast_cm" not in " ".join(losses(native, "egs"))
    assert losses(replace(native, original_histories=0.5, constants={"weight": 1.0}), "topas_binary") == (
        "The number of original histories is rounded to a whole one.",)  # fmt: skip
    assert any("Columns are left out: latch, zlast_cm" in one for one in losses(native, "topas_limited"))
    assert any("cannot" in one or "refused" in one for one in losses(replace(native, particles=2**31), "egs_mode0"))
    plane = replace(native, constants={"z_cm": 60.0}, counts=None)
    assert any(one == "z, 60 cm for all records, is left out." for one in losses(plane, "egs_mode0"))
    assert any("if there are any" in one for one in losses(plane, "egs_mode0"))
    with pytest.raises(InputError, match="Did you mean 'topas_binary'"):
        losses(native, "topas_binry")


def test_original_histories_may_be_given(sources: dict[str, Path], tmp_path: Path) -> None:
    writer = create_phase_space(tmp_path / "a.h5", Layout())
    info = converted(open_phase_space(sources["gamos_text"]), writer, original_histories=9999)
    assert (info.original_histories, info.problems) == (9999, ())


def test_a_reader_that_yields_too_little_is_noticed(sources: dict[str, Path], tmp_path: Path) -> None:
    reader = open_phase_space(sources["native"])
    reader.info = replace(reader.info, particles=N + 1)
    reader.batches = open_phase_space(sources["native"]).batches  # type: ignore[method-assign]
    with pytest.raises(InputError, match="as many records"):
        converted(reader, create_phase_space(tmp_path / "a.h5", Layout()))
    assert list(tmp_path.iterdir()) == []
