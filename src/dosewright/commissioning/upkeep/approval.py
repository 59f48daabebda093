"""Approval of a model: who vouched for which content, when; a JSON record beside the file.

The record names hashes, so that a model edited since is no longer approved. It is as trustworthy as the folder it
lies in: whoever may write there may write a record.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from dosewright import __version__
from dosewright.core.errors import InputError, refuse
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.text.lines import read_bytes

SUFFIX = ".approval.json"
READABLE = 0o444


@dataclass(frozen=True)
class Approval:
    """Who approved a model, when (UTC, ISO 8601), and which content.

    `sha256` is the content hash of the model's file. `models` gives the hashes that the models in it had as read, by
    name: those of a model made of several files, or of each CT protocol of a file with many. `version` is that of
    Dosewright.
    """

    who: str
    when: str
    sha256: str
    role: str = ""
    comment: str = ""
    version: str = ""
    models: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        role = f" ({self.role})" if self.role else ""
        comment = f": {self.comment}" if self.comment else ""
        return f"approved by {self.who}{role} on {self.when}{comment}"


def content_sha256(*files: Path) -> str:
    """Return the content hash of a model, hexadecimal; a folder counts as all its files.

    That of one file is the SHA-256 of its bytes; that of several is the SHA-256 of their names and hashes, in order.
    """
    parts = [part for file in files for part in _files_of(file)]
    if len(parts) == 1:
        return sha256(read_bytes(parts[0])).hexdigest()
    return sha256("".join(f"{sha256(read_bytes(p)).hexdigest()} {p.name}\n" for p in parts).encode()).hexdigest()


def _files_of(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def record_of(model_file: Path) -> Path:
    """Return where the approval record of a model's file or folder lies."""
    return model_file.with_name(model_file.name + SUFFIX)


def approval_of(model_file: Path) -> Approval | None:
    """Return the approval record beside a model's file, or None; a record that cannot be read is refused."""
    path = record_of(model_file)
    if not path.is_file():
        return None
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise refuse("The approval record is no JSON", given=str(error), where=path) from None
    if not _is_record(content):
        raise refuse("The approval record is not complete", allowed="who, when, sha256 as text; models", where=path)
    return Approval(**{name: content[name] for name in Approval.__dataclass_fields__ if name in content})


def _others_may_write(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _is_record(content: Any) -> bool:
    if not isinstance(content, dict):
        return False
    models = content.get("models", {})
    texts = [content.get(name) for name in ("who", "when", "sha256")]
    texts += [content.get(name, "") for name in ("role", "comment", "version")]
    if not isinstance(models, dict):
        return False
    return all(isinstance(text, str) for text in (*texts, *models, *models.values())) and all(texts[:3])


def approve(
    model_file: Path, who: str, *, role: str = "", comment: str = "", models: Mapping[str, str] | None = None
) -> Approval:
    """Write the approval record of a model's file or folder as it stands, whole or not at all; return it.

    Parameters
    ----------
    model_file
        The file, or for a model of several files the one it is known by.
    who, role, comment
        Who approves, in which role, and what is to be remembered.
    models
        Hashes as read, by name, of the models in the file; not needed for a model of one file.
    """
    if not who.strip():
        raise refuse("An approval needs the name of who approves", where=model_file.name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    record = Approval(who.strip(), now, content_sha256(model_file), role, comment, __version__, dict(models or {}))
    path = record_of(model_file)
    text = json.dumps({"file": model_file.name, **asdict(record)}, indent=2, ensure_ascii=False)
    try:
        write_whole_text(path, text + "\n")
        path.chmod(path.stat().st_mode | (model_file.stat().st_mode & READABLE))  # whoever reads the model reads this
    except OSError as error:
        raise refuse("The approval record cannot be written", given=os.strerror(error.errno or 0), where=path) from None
    return record


def revoke(model_file: Path) -> Approval | None:
    """Take the approval record of a model away; return what it said, or None where there was none to read."""
    path = record_of(model_file)
    if not path.is_file():
        raise refuse("There is no approval record to revoke", where=path)
    try:
        former = approval_of(model_file)
    except InputError:
        former = None  # a broken record goes as well
    try:
        path.unlink()
    except OSError as error:
        raise refuse("The approval record cannot be removed", given=os.strerror(error.errno or 0), where=path) from None
    return former


def problem_of(model_file: Path, sha256: str) -> str | None:
    """Say why a model counts as not approved, or return None.

    Parameters
    ----------
    model_file
        The model's file or folder.
    sha256
        Content hash of the model as it was read for use.
    """
    try:
        approval = approval_of(model_file)
        if approval is None:
            return f"{model_file.name} has no approval record ({record_of(model_file).name}); see `dosewright approve`."
        now = content_sha256(model_file)
    except InputError as error:
        return " ".join(error.problems)
    open_to_others = [path for path in (record_of(model_file), model_file.parent) if _others_may_write(path)]
    if open_to_others:
        return (
            f"The approval of {model_file.name} counts for nothing while others than its owner may write it. "
            f"Do: chmod go-w {' '.join(repr(str(path)) for path in open_to_others)}."
        )
    # The hash of the file alone is not that of a model of several files: it would approve a nozzle taken away.
    allowed = set(approval.models.values()) or {approval.sha256}
    if now == approval.sha256 and sha256 in allowed:
        return None
    return (
        f"{model_file.name} has changed since it was {approval.sentence}. Given: {sha256[:12]}."
        f" Allowed: {', '.join(sorted(one[:12] for one in allowed))}."
    )
