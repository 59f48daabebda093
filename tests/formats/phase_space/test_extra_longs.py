"""Extra longs as a stream of bits, and the file that says what they mean."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.phase_space.extra_longs import (
    BitGroup,
    ExtraInformation,
    bits_of,
    first_bits,
    has_bits,
    pack,
    read_summary,
    unpack,
    words_needed,
    write_summary,
)

ORIGIN = BitGroup("RTExtraInfoProviderOrigin", 7, {0: "DefaultRegionForTheWorld", 1: "targetReg", 6: "jawsReg"})
CROSSINGS = BitGroup("RTExtraInfoProviderCrossings", 40, {0: "DefaultRegionForTheWorld", 39: "far"})
GROUPS = (ORIGIN, CROSSINGS)
# The example of the GAMOS user guide.
GUIDE = """\
RTExtraInfoProviderOrigin INDEX/REGION 0 DefaultRegionForTheWorld
RTExtraInfoProviderOrigin INDEX/REGION 1 targetReg
RTExtraInfoProviderOrigin INDEX/REGION 2 collimatorReg
RTExtraInfoProviderOrigin INDEX/REGION 3 filterReg
RTExtraInfoProviderOrigin INDEX/REGION 4 monitorReg
RTExtraInfoProviderOrigin INDEX/REGION 5 shieldingReg
RTExtraInfoProviderOrigin INDEX/REGION 6 jawsReg
"""


def test_bit_32_of_the_stream_is_bit_0_of_the_second_long() -> None:
    longs = [np.array([1, 0, -(2**31)], np.int32), np.array([0, 1, 2], np.int32)]
    stream = bits_of(longs)
    assert [np.flatnonzero(row).tolist() for row in stream] == [[0], [32], [31, 33]]


def test_groups_follow_each_other() -> None:
    assert first_bits(GROUPS) == (0, 7)
    assert words_needed(GROUPS) == 2
    longs = [np.array([1 << 1 | 1 << 7], np.int64), np.array([1 << 14], np.int64)]
    found = unpack(GROUPS, longs)
    assert np.flatnonzero(found[ORIGIN.provider][0]).tolist() == [1]
    assert np.flatnonzero(found[CROSSINGS.provider][0]).tolist() == [0, 39]


@given(
    widths=st.lists(st.integers(1, 40), min_size=1, max_size=4), records=st.integers(0, 20), seed=st.integers(0, 100)
)
def test_what_is_packed_is_unpacked(widths: list[int], records: int, seed: int) -> None:
    groups = [BitGroup(f"P{at}", width) for at, width in enumerate(widths)]
    rng = np.random.default_rng(seed)
    bits = {group.provider: rng.random((records, group.bits)) < 0.5 for group in groups}
    longs = pack(groups, bits, words_needed(groups))
    assert all(long.dtype == np.int32 for long in longs)
    found = unpack(groups, longs)
    for name, expected in bits.items():
        np.testing.assert_array_equal(found[name], expected)


def test_the_filter_asks_for_every_bit() -> None:
    longs = [np.array([0b110, 0b010, 0b110], np.int32), np.array([1, 1, 0], np.int32)]
    assert has_bits(longs, [1, 2]).tolist() == [True, False, True]
    assert has_bits(longs, [1, 32]).tolist() == [True, True, False]
    with pytest.raises(InputError, match="no such bit"):
        has_bits(longs, [64])


def test_the_upper_half_of_a_long_of_64_bits_does_not_count() -> None:
    wide = np.array([(1 << 40) | 5, -1], np.int64)
    assert bits_of([wide])[0].nonzero()[0].tolist() == [0, 2]
    assert has_bits([wide], [31]).tolist() == [False, True]


def test_too_many_bits_and_regions_are_refused() -> None:
    with pytest.raises(InputError, match="more bits"):
        unpack(GROUPS, [np.zeros(1, np.int32)])
    with pytest.raises(InputError, match="do not fit"):
        BitGroup("P", 3, {3: "r"})
    with pytest.raises(InputError, match="twice"):
        unpack((BitGroup("P", 3), BitGroup("P", 3)), [np.zeros(1, np.int32)])


def test_the_example_of_the_guide(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(GUIDE)
    (group,) = read_summary(tmp_path / "s").longs
    assert (group.provider, group.bits, group.regions[6]) == ("RTExtraInfoProviderOrigin", 32, "jawsReg")
    assert read_summary(tmp_path / "s", {"RTExtraInfoProviderOrigin": 8}).longs[0].bits == 8
    with pytest.raises(InputError, match="do not fit"):
        read_summary(tmp_path / "s", {"RTExtraInfoProviderOrigin": 6})
    with pytest.raises(InputError, match="RTExtraInfoProviderOrigin"):
        read_summary(tmp_path / "s", {"RTExtraInfoProviderOrigins": 6})


def test_rows_as_the_code_writes_them(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(
        "RTExtraInfoProviderOrigin LONG INDEX 1 REGION= target\nRTExtraInfoProviderOrigin LONG INDEX 0 REGION= world\n"
        "RTExtraInfoProviderCrossings LONG INDEX 16 REGION= world\nRTExtraInfoProviderZLast FLOAT INDEX 2\n"
        "RTExtraInfoProviderZOrigin FLOAT INDEX 3\n"
    )
    found = read_summary(tmp_path / "s")
    assert [(g.provider[19:], g.bits, g.regions) for g in found.longs] == [
        ("Origin", 16, {0: "world", 1: "target"}),
        ("Crossings", 32, {0: "world"}),
    ]
    assert found.floats == ("RTExtraInfoProviderZLast", "RTExtraInfoProviderZOrigin")


def test_a_summary_is_read_as_it_was_written(tmp_path: Path) -> None:
    information = ExtraInformation(GROUPS, ("RTExtraInfoProviderZOrigin", "RTExtraInfoProviderZLast"))
    write_summary(tmp_path / "s", information)
    assert read_summary(tmp_path / "s") == information


def test_bits_that_nothing_tells_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("A INDEX/REGION 0 world\nB INDEX/REGION 0 world\n")
    with pytest.raises(InputError, match="NBits"):
        read_summary(tmp_path / "s")
    assert [group.bits for group in read_summary(tmp_path / "s", {"A": 5}).longs] == [5, 32]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.lists(
            st.tuples(st.sampled_from("AB"), st.sampled_from(["LONG INDEX", "INDEX/REGION", "FLOAT INDEX"]),
                      st.integers(-1, 10**6)), max_size=6,
        ).map(lambda rows: "\n".join(f"{a} {b} {c} r" for a, b, c in rows)),
    )
)  # fmt: skip
def test_garbage_is_refused_or_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "s").write_text(text, encoding="utf-8", newline="")
    try:
        read_summary(tmp_path / "s")
    except InputError:
        return
