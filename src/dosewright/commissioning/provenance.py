"""Where a fitted file comes from: which measurements, when, who, by which version, how well it fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

from dosewright import __version__
from dosewright.core.jit import source_hash
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.text.lines import sha256

FILE_STEM = r"^\w[\w .+-]*$"  # what a fitted file may be called


@dataclass(frozen=True)
class Provenance:
    """Who made a file when (UTC), from which measurements (SHA-256 by file name), and how well it fits, in words."""

    who: str
    when: str
    measurements: dict[str, str]
    fit: dict[str, str]

    @classmethod
    def now(cls, who: str, files: tuple[Path, ...], fit: Mapping[str, str]) -> "Provenance":
        """Return that of a file made now; without a name the account of the operating system is named."""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(who.strip() or account(), when, {path.name: sha256(path) for path in files}, dict(fit))

    def rows(self) -> dict[str, str]:
        """Return it as words by title, as they stand in the file and in the report."""
        files = ", ".join(f"{name} {hashed}" for name, hashed in self.measurements.items())
        version = f"dosewright {__version__}, engine {source_hash()}"
        return {"made": self.when, "by": self.who, "with": version, "measurements": files, **self.fit}

    def toml(self) -> str:
        """Return it as the table ``[provenance]``."""
        lines = [f"{_key(key)} = {_quoted(value)}" for key, value in self.rows().items()]
        return "\n".join(["", "[provenance]", *lines, ""])


def account() -> str:
    """Return the name of the operating system's account."""
    try:
        return getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return "unknown"


def write_with(path: Path, text: str, provenance: Provenance) -> None:
    """Write a file's text with its provenance at the end, whole or not at all."""
    write_whole_text(path, text + provenance.toml())


def _key(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else " " for c in escaped) + '"'
