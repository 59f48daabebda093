"""A run file as resolved: every default written out; reading it again gives the same run."""

import json
import os
import re
from pathlib import Path
from typing import Any

from dosewright.simulation.run_file.read import FILES, LIMITS, NAMES_OR_FILES
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_file.values import AUTO, OFF
from dosewright.simulation.setup.leaving_bins import bins_of
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers


def resolved_content(run_file: RunFile, folder: Path, resolvers: Resolvers = WITHOUT_LIBRARY) -> dict[str, Any]:
    """Return all tables with their defaults: densities of materials, names of scores; paths relative to `folder`."""
    content = run_file.model_dump(mode="json", exclude_none=True)
    phantom = {k: v for k, v in content.get("phantom", {}).items() if v not in ([], {})}
    if phantom:
        content["phantom"] = phantom
    for place in (phantom, *phantom.get("slab", ()), *phantom.get("box", ())):
        if "material" in place:
            place.setdefault("density_g_cm3", resolvers.material(place["material"]).density_g_cm3)
    content["source"] = {"kind": content["source"].pop("kind"), **content["source"]}
    if not content["transport"]["region"]:
        del content["transport"]["region"]
    for key in ("set", "ignored_devices"):
        if not content.get("scene", {}).get(key, True):
            del content["scene"][key]
    bins = bins_of(run_file)
    for entry, score in zip(content["score"], run_file.score, strict=True):
        entry["name"] = score.file_name
        if score.quantity == "spectrum":
            entry |= {
                "energy_bins": bins.energy_bins, "energy_max_MeV": bins.highest_MeV, "angle_bins": bins.angle_bins
            }  # fmt: skip
    for table, key in (*FILES, *NAMES_OR_FILES):
        text = content.get(table, {}).get(key)
        if text is not None and ((table, key) in FILES or Path(text).is_absolute()):
            content[table][key] = _from(folder, text)
    limits = content[LIMITS[0]]
    if limits[LIMITS[1]] not in (OFF, AUTO):
        limits[LIMITS[1]] = _from(folder, limits[LIMITS[1]])
    return {table: value for table, value in content.items() if value}


def _from(folder: Path, text: str) -> str:
    """Return a path as seen from a folder."""
    return Path(os.path.relpath(Path(text).absolute(), folder.absolute())).as_posix()


def to_toml(content: dict[str, Any]) -> str:
    """Write nested tables as TOML."""
    return "\n".join(_table(content, ())).strip() + "\n"


def _table(table: dict[str, Any], place: tuple[str, ...]) -> list[str]:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not _holds_tables(value)]
    for key, value in table.items():
        name = ".".join((*place, key))
        if isinstance(value, dict) and value:
            lines += ["", f"[{name}]", *_table(value, (*place, key))]
        elif _holds_tables(value):
            for entry in value:
                lines += ["", f"[[{name}]]", *_table(entry, (*place, key))]
    return lines


def _key(key: str) -> str:
    """Write a key, in quotes where TOML needs them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _holds_tables(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return repr(value)
