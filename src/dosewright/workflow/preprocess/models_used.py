"""Which models, materials and settings a calculation rests on: their content, and who approved it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from dosewright.commissioning.phantom import Phantom
from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.upkeep.approvable import find
from dosewright.commissioning.upkeep.approval import Approval, approval_of, content_sha256, problem_of
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError
from dosewright.core.matter import HounsfieldTable
from dosewright.workflow.request import Wishes


@dataclass(frozen=True)
class ModelUsed:
    """One thing that shapes the dose, by the hash of its content.

    `problem` says why it does not count as approved; None where it is, or where nothing asks for it.
    """

    kind: str
    name: str
    sha256: str
    approval: Approval | None = None
    problem: str | None = None

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"{self.kind[0].upper()}{self.kind[1:]} {self.name}"

    @property
    def sentence(self) -> str:
        """Say what it is and who approved it."""
        said = self.problem if self.problem else self.approval.sentence if self.approval else "no approval is asked for"
        return f"{self.title}, content {self.sha256[:12]}: {said.rstrip('.')}."

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the summary."""
        record = None if self.approval is None else asdict(self.approval)
        return {"kind": self.kind, "name": self.name, "sha256": self.sha256, "approval": record,
                "not_approved": self.problem}  # fmt: skip


def models_used(
    library: Library,
    wishes: Wishes,
    beam_models: Sequence[BeamModel],
    table: HounsfieldTable | None,
    phantom: Phantom | None,
) -> tuple[ModelUsed, ...]:
    """Return everything a calculation rests on beside the plan's own files, each once."""
    found = [_approved("beam model", wishes.beam_model or one.name, one.name, one.sha256, library)
             for one in beam_models]  # fmt: skip
    if table is not None:
        found.append(_approved("CT protocol", wishes.ct_protocol or table.name, table.name, table.sha256, library))
    if phantom is not None:
        found.append(ModelUsed("phantom", phantom.name, phantom.sha256))
    if library.content.materials.own:
        found.append(ModelUsed("materials", library.content.name, materials_sha256(library)))
    settings = library.settings_file
    if settings is not None:
        found.append(ModelUsed("settings", settings.name, content_sha256(settings), _record(library)))
    return tuple(dict.fromkeys(found))


def materials_sha256(library: Library) -> str:
    """Return the hash of the media that the library itself defines, whatever file they come from."""
    media = sorted(repr((name, one)) for name, one in library.content.materials.own.items())
    return sha256("\n".join(media).encode()).hexdigest()


def _approved(kind: str, asked: str, name: str, content: str, library: Library) -> ModelUsed:
    """Look for the approval record beside the file of a model."""
    word = {"beam model": "beam", "CT protocol": "ct"}[kind]
    try:
        file = find(library, name, word).file if _known(library, name, word) else find(library, asked, word).file
        problem = problem_of(file, content)
        return ModelUsed(kind, name, content, approval_of(file) if problem is None else None, problem)
    except InputError as refused:
        return ModelUsed(kind, name, content, None, " ".join(refused.problems))


def _known(library: Library, name: str, kind: str) -> bool:
    names = library.beam_model_names() if kind == "beam" else library.ct_protocol_names()
    return name in names


def _record(library: Library) -> Approval | None:
    file = library.settings_file
    try:
        if file is None or problem_of(file, content_sha256(file)) is not None:
            return None
        return approval_of(file)
    except InputError:
        return None
