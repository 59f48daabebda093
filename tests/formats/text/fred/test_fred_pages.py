"""The pages on FRED's language name what the code knows, and their example is a delivery."""

import re
from pathlib import Path

import pytest

from dosewright.delivery.steps import read_delivery
from dosewright.formats.text.fred import (
    beam_shape,
    functions,
    known_words,
    media,
    pencil_beams,
    places,
    variance_reduction,
)

DOCS = Path(__file__).resolve().parents[4] / "docs"
LANGUAGE = (DOCS / "reference" / "fred_language.md").read_text()
HOWTO = (DOCS / "howto" / "fred.md").read_text()
WORDS = (
    *known_words.DEFINITIONS, *known_words.DELIVERY, *known_words.NOT_DONE_DIRECTIVES, *known_words.NOT_DONE,
    *known_words.NUMBERS, *known_words.OF_DEFAULT_BEAM, *functions.FUNCTIONS, *functions.OF_ONE, *functions.OF_TWO,
    *functions.CONSTANTS, *beam_shape.SHAPES, *pencil_beams.PARTICLES, *places.SCORES, *places.WRITES, *places.NOT_DONE,
    *media.BUILT_IN, *media.PROPERTIES, *variance_reduction.KEYS,
)  # fmt: skip


@pytest.mark.parametrize("word", sorted(set(WORDS)))
def test_the_page_names_it(word: str) -> None:
    spoken = {"gaussian": "gauss"}.get(word, word)
    assert re.search(rf"(?<![\w-]){re.escape(spoken)}(?![\w-])", LANGUAGE, re.IGNORECASE)


def test_the_example_is_delivered(tmp_path: Path) -> None:
    (text,) = (block for block in re.findall(r"```text\n(.*?)```", HOWTO, re.DOTALL) if "set_parent" in block)
    (tmp_path / "fred.inp").write_text(text)
    first, second = read_delivery(tmp_path / "fred.inp").steps()
    assert [round(x) for x in second.placements["field_1"].translation] == [600, 0, 0]
    assert [round(x) for x in first.placements["RS"].translation] == [0, -300, 0]
