"""What is wished for against what the role and the site allow."""

from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError
from dosewright.workflow import rights
from dosewright.workflow.goals import beyond_site, worse_than_usual
from dosewright.workflow.preprocess.models_used import ModelUsed
from dosewright.workflow.request import Wishes
from dosewright.workflow.rights import Right
from dosewright.workflow.users import User


def claims(wishes: Wishes, library: Library, models: tuple[ModelUsed, ...] = ()) -> list[tuple[Right, str]]:
    """Return every right that the wishes need, with what it is about."""
    needed: list[tuple[Right, str]] = []
    if wishes.beam_model is not None:
        needed.append((rights.CHOOSE_BEAM_MODEL, wishes.beam_model))
    if wishes.ignore_devices:
        needed.append((rights.IGNORE_DEVICES, ""))
    if is_other_library(wishes, library):
        needed.append((rights.OTHER_LIBRARY, str(wishes.library)))
    if not wishes.goals_assumed:
        needed += [(rights.GO_BEYOND_GOALS, said) for said in beyond_site(wishes.goals, library.settings.goals)]
    needed += [(rights.UNLISTED_MATERIAL, f"{roi}:{material}") for roi, material in unlisted(wishes, library)]
    needed += [(rights.USE_UNAPPROVED, one.sentence) for one in models if one.problem is not None]
    return needed


def not_allowed(wishes: Wishes, user: User, library: Library, models: tuple[ModelUsed, ...] = ()) -> list[str]:
    """Return why the role of a user may not do what is wished for."""
    found = (right.refusal(user.name, user.role, about) for right, about in claims(wishes, library, models))
    return [said for said in found if said is not None]


def said_of_rights(wishes: Wishes, user: User, library: Library, models: tuple[ModelUsed, ...]) -> list[str]:
    """Return what a result says where a right was used that not every role has, and about its goals."""
    said = []
    for right, about in claims(wishes, library, models):
        if right is rights.USE_UNAPPROVED:
            said.append(f"Not approved: {about}")
        elif right is rights.GO_BEYOND_GOALS:
            said.append(f"{about} The role {user.role} may ask for it.")
        elif right is rights.UNLISTED_MATERIAL:
            said.append(f"The override {about} is of a material that the site does not list for overrides.")
        elif right is rights.OTHER_LIBRARY:
            said.append(f"The library {library.content.name!r} was chosen (-s); it is not the usual one of this site.")
    worse = worse_than_usual(wishes.goals, library.settings.goals)
    return [*said, worse] if worse else said


def unlisted(wishes: Wishes, library: Library) -> list[tuple[str, str]]:
    """Return the overrides with materials that the site does not list, where it lists any."""
    listed = {name.casefold() for name in library.settings.override_materials}
    return [(roi, name) for roi, name in wishes.overrides if listed and name.casefold() not in listed]


def is_other_library(wishes: Wishes, library: Library) -> bool:
    """Say whether another library, or other settings, were chosen than those taken where none is chosen."""
    if wishes.library is None:
        return False
    try:
        usual = Library.open()
    except InputError:
        return True
    return _what_decides(usual) != _what_decides(library)


def _what_decides(library: Library) -> tuple[object, ...]:
    """Return folder, settings, and what a configuration decides: that of IDEAL may name the folder of another."""
    places = [None if one is None else one.resolve() for one in (library.folder, library.settings_file)]
    return (*places, library.content.machines, library.content.default_ct_protocol)
