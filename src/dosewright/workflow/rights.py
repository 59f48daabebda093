"""Who may do what: one declaration, from which the checks and the table in the docs are made."""

from dataclasses import dataclass

from dosewright.core.errors import InputError
from dosewright.formats.text.site_settings import ROLES


@dataclass(frozen=True)
class Right:
    """Something that not every role may do.

    Parameters
    ----------
    what
        In words, as in "may not choose a beam model (-z)".
    roles
        Who may.
    why
        Why the others may not.
    said
        What the result then says, for the docs.
    """

    what: str
    roles: tuple[str, ...]
    why: str
    said: str = ""

    def refusal(self, name: str, role: str, about: str = "") -> str | None:
        """Return why a role may not, or None where it may."""
        if role in self.roles:
            return None
        detail = f": {about}" if about else ""
        return (
            f"The role {role} of {name} may not {self.what}{detail.rstrip('.')}. "
            f"Allowed: {', '.join(self.roles)}. {self.why}"
        )


CHOOSE_BEAM_MODEL = Right(
    "choose a beam model (-z)",
    ("commissioning", "research"),
    "A patient's plan is calculated with the model of its machine.",
    "The report names the machine planned for and the model taken.",
)
USE_UNAPPROVED = Right(
    "calculate with a model that is not approved",
    ("commissioning", "admin", "research"),
    "Beam models and CT protocols need an approval record, and must not have changed since.",
    "A warning names every model that is not approved or changed since.",
)
GO_BEYOND_GOALS = Right(
    "ask for goals outside what the site allows",
    ("research",),
    "The least and largest values stand in the site's settings.",
    "A sentence names the goal and what the site allows.",
)
IGNORE_DEVICES = Right(
    "leave devices out of the beam (--ignore-devices)",
    ("commissioning", "admin", "research"),
    "Such a dose is not that of the plan.",
    "A warning per beam says that the dose is not that of the plan.",
)
OTHER_LIBRARY = Right(
    "calculate with another library (-s) than the site's usual one",
    ("commissioning", "admin", "research"),
    "The settings that give a clinical role are those of the site.",
    "The report names the library and the hash of its settings.",
)
UNLISTED_MATERIAL = Right(
    "override (-m) with a material that the site does not list",
    ("research",),
    "The site's settings list the materials for overrides.",
    "A sentence names the material.",
)
APPROVE = Right(
    "approve a model (dosewright approve)",
    ("commissioning", "admin"),
    "An approval is the word of those who commission.",
    "The record says who, when and which content.",
)
RIGHTS = (CHOOSE_BEAM_MODEL, USE_UNAPPROVED, OTHER_LIBRARY, GO_BEYOND_GOALS, UNLISTED_MATERIAL, IGNORE_DEVICES, APPROVE)


def demand(right: Right, name: str, role: str, about: str = "") -> None:
    """Refuse what a role may not do."""
    refusal = right.refusal(name, role, about)
    if refusal is not None:
        raise InputError(refusal)


def table() -> str:
    """Return who may do what as a table in Markdown."""
    head = ["| may | " + " | ".join(ROLES) + " | what the result says |", "|---|" + "---|" * len(ROLES) + "---|"]
    rows = [
        f"| {right.what} | {' | '.join('yes' if role in right.roles else 'no' for role in ROLES)} | {right.said} |"
        for right in RIGHTS
    ]
    return "\n".join([*head, *rows])
