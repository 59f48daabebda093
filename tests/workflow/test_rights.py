"""Rights are declared once; the page on roles shows that declaration."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.formats.text.site_settings import ROLES
from dosewright.workflow import rights

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "roles.md"


def test_the_page_shows_the_declaration() -> None:
    assert rights.table() in PAGE.read_text(encoding="utf-8")


def test_research_may_all_but_approve_and_clinical_nothing_of_the_list() -> None:
    assert all("research" in right.roles for right in rights.RIGHTS if right is not rights.APPROVE)
    assert not any("clinical" in right.roles for right in rights.RIGHTS)
    assert {role for right in rights.RIGHTS for role in right.roles} <= set(ROLES)
    declared = [value for value in vars(rights).values() if isinstance(value, rights.Right)]
    assert set(map(id, declared)) == set(map(id, rights.RIGHTS))


def test_a_refusal_says_who_may_not_what_and_who_may() -> None:
    rights.demand(rights.CHOOSE_BEAM_MODEL, "AS", "research")
    with pytest.raises(InputError) as refused:
        rights.demand(rights.CHOOSE_BEAM_MODEL, "AS", "clinical", "generic")
    said = str(refused.value)
    assert said.startswith("The role clinical of AS may not choose a beam model (-z): generic. Allowed: commissioning")
