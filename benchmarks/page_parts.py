"""A page of measured figures in parts, each renewed on its own."""

import re
from collections.abc import Sequence
from pathlib import Path


def write_parts(page: Path, top: str, order: Sequence[str], sections: dict[str, str]) -> None:
    """Put sections into a page, in the order of its parts; others stay."""
    present = page.read_text(encoding="utf-8") if page.exists() else ""
    kept = dict(re.findall(r"<!-- part: (\w+) -->\n(.*?)(?=\n<!-- part: |\Z)", present, flags=re.DOTALL)) | sections
    ordered = [f"<!-- part: {part} -->\n{kept[part].strip()}\n" for part in order if part in kept]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join([top, *ordered]), encoding="utf-8")
