"""The page on IDEAL's files names everything that its readers know."""

from pathlib import Path

import pytest

from dosewright.formats.text.ideal import gate_macro, gate_volumes, ideal_config, ideal_daemon

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "ideal_files.md"
LABELS = (
    *ideal_config.GOALS,
    *ideal_config.OUTPUTS,
    *(ideal_config.GAMMA.format(word) for word in ideal_config.GAMMA_UNITS),
    *ideal_daemon.PATHS,
    *ideal_daemon.STATES,
    *(label for labels in ideal_daemon.API.values() for label in labels),
    *gate_volumes.SHAPES,
    *gate_volumes.REPEATERS,
    *gate_volumes.ALIGNED,
    *(f"/{'/'.join(path)}" for path in gate_macro.BEAM_SHAPING),
    *(f"/{'/'.join(path[:2])}" for path in gate_macro.WITHOUT_EFFECT if path[0] == "gate" and len(path) == 2),
    *(f"/{path[0]}" for path in gate_macro.WITHOUT_EFFECT if len(path) == 1),
)


@pytest.mark.parametrize("label", LABELS)
def test_the_page_names_it(label: str) -> None:
    assert label.casefold() in PAGE.read_text(encoding="utf-8").casefold()


def test_the_page_names_every_section_of_the_configuration() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not [one for one in ideal_config.SECTIONS if one[0] == "(" and f"[{one}]" not in page]
