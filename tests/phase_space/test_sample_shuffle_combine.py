"""Drawing, shuffling and joining keep whole histories and their statistics."""

from pathlib import Path

import numpy as np
import pytest
from tests.phase_space.made import joined, made

from dosewright.core.errors import InputError
from dosewright.core.particles import Particles, PhaseSpaceInfo
from dosewright.phase_space import shuffle
from dosewright.phase_space.combine import beam_factors, common_constants, common_extra, only_extra
from dosewright.phase_space.sample import ParticleSample, Sample
from dosewright.phase_space.shuffle import Shuffle, packed, unpacked
from dosewright.phase_space.statistics import PerHistory, Statistics
from dosewright.phase_space.transform import Reweight, Transform

SOURCE = made(20_000)


def of_histories(p: Particles) -> dict[int, tuple[int, ...]]:
    """Return the records (by their latch, unique here) of each history, by its first."""
    starts = np.flatnonzero(p.histories > 0)
    return {int(run[0]): tuple(map(int, run)) for run in np.split(p.extra["latch"], starts[1:])}


@pytest.mark.parametrize("size", [1 << 17, 1000, 7])
def test_whole_histories_are_drawn(size: int) -> None:
    source = made(2000)
    drawn = Sample(0.25)
    kept = joined(list(drawn.over(source.batches(size=size))))
    all_of_them = of_histories(source.particles)
    for first, records in of_histories(kept).items():
        assert all_of_them[first] == records
    np.testing.assert_array_equal(kept.weight, source.particles.weight[kept.extra["latch"]])
    share = drawn.original_histories(source.histories or 0) / (source.histories or 1)
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4000))


def test_figures_per_history_keep_their_expectation_and_their_error_is_true() -> None:
    """Forty samples of a tenth spread about the figure of all by what each says of itself."""
    whole = figure_of(list(SOURCE.batches()), SOURCE.histories or 0)
    found = []
    for seed in range(40):
        drawn = Sample(0.1, seed)
        batches = list(drawn.over(SOURCE.batches()))
        found.append(figure_of(batches, drawn.original_histories(SOURCE.histories or 0)))
    means, errors = np.array([(f.mean, f.error) for f in found]).T
    assert abs(means.mean() - whole.mean) < 4 * errors.mean() / np.sqrt(40)
    # The sample is part of the whole: its variance about it is short by the share that is drawn.
    assert means.std(ddof=1) == pytest.approx(errors.mean() * np.sqrt(0.9), rel=4 / np.sqrt(2 * 39))


def figure_of(batches: list[Particles], histories: float) -> PerHistory:
    statistics = Statistics()
    for batch in batches:
        if len(batch):
            statistics.add(batch)
    return statistics.per_history("weight", histories)


def test_histories_that_were_not_counted_are_drawn_too() -> None:
    drawn = Sample(0.5)
    list(drawn.over(SOURCE.batches()))
    assert drawn.original_histories(1e6) == pytest.approx(5e5, abs=4 * 500)
    assert drawn.original_histories(1.8e19) == pytest.approx(0.9e19, rel=1e-12)


def test_single_particles_keep_weight_and_histories() -> None:
    kept = joined(list(ParticleSample(0.2).over(SOURCE.batches(size=777))))
    assert kept.weight.sum(dtype=float) == pytest.approx(SOURCE.particles.weight.sum(dtype=float), rel=0.04)
    lost = SOURCE.particles.histories.sum() - kept.histories.sum()
    assert 0 <= lost < 100


@pytest.mark.parametrize("pile_bytes", [1 << 25, 20_000])
def test_shuffling_permutes_whole_histories(pile_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shuffle, "PILE_BYTES", pile_bytes)
    source = made(3000)
    got = joined(list(Shuffle(len(source.particles), tmp_path).over(source.batches(size=500))))
    assert of_histories(got) == of_histories(source.particles)
    order = got.extra["latch"]
    np.testing.assert_array_equal(got.energy_MeV, source.particles.energy_MeV[order])
    np.testing.assert_array_equal(got.histories, source.particles.histories[order])
    assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.08
    assert list(tmp_path.iterdir()) == []


def test_histories_too_long_for_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shuffle, "PILE_BYTES", 1000)
    source = made(3000)
    source.particles.histories[:] = 0
    with pytest.raises(InputError, match="are they marked in this file"):
        list(Shuffle(len(source.particles), tmp_path).over(source.batches()))


def test_nothing_is_shuffled_into_nothing(tmp_path: Path) -> None:
    assert list(Shuffle(0, tmp_path).over([])) == []


def test_records_are_packed_and_unpacked() -> None:
    got = unpacked(packed(SOURCE.particles))
    np.testing.assert_array_equal(got.extra["latch"], SOURCE.particles.extra["latch"])
    np.testing.assert_array_equal(got.w, SOURCE.particles.w)


def test_beams_are_weighted_per_history_of_all() -> None:
    assert beam_factors([0.25, 0.75], [1e6, 3e6]) == [1.0, 1.0]
    one, other = made(4000, 1), made(1000, 2)
    histories = [one.histories or 0, other.histories or 0]
    factors = beam_factors([1.0, 2.0], histories)
    batches = [
        batch for source, factor in zip((one, other), factors, strict=True)
        for batch in Transform.of([Reweight(factor)]).over(source.batches())
    ]  # fmt: skip
    alone = [figure_of(list(source.batches()), n).mean for source, n in zip((one, other), histories, strict=True)]
    assert figure_of(batches, sum(histories)).mean == pytest.approx(alone[0] + 2 * alone[1], rel=1e-6)


def test_wrong_weights_are_refused() -> None:
    with pytest.raises(InputError, match="Every phase space needs a weight"):
        beam_factors([1.0], [1.0, 2.0])
    with pytest.raises(InputError, match=r"A weight of a phase space is positive. Given: -1.0."):
        beam_factors([-1.0, 1.0], [1.0, 2.0])


def test_what_all_have_in_common() -> None:
    assert common_constants([{"z_cm": 1.0, "weight": 1.0}, {"z_cm": 1.0, "weight": 2.0}]) == {"z_cm": 1.0}
    infos = [PhaseSpaceInfo("iaea", 1, 1.0, extra={"latch": "i4", "a": "f4"}),
             PhaseSpaceInfo("iaea", 1, 1.0, extra={"latch": "i4", "b": "f4"})]  # fmt: skip
    assert common_extra(infos) == ({"latch": "i4"}, ["a", "b"])
    assert only_extra(SOURCE.particles, []).extra == {}
