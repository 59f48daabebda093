"""What tests look for in the code of a GPU."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path


def instructions(ptx: str, word: str) -> list[str]:
    """Return the instructions that contain a word; declarations of parameters and registers are none."""
    lines = (line.strip() for line in ptx.splitlines())
    return [line for line in lines if line.endswith(";") and word in line and not line.startswith(".")]


def atomic_additions(ptx: str) -> list[str]:
    """Return the indivisible additions to memory that threads share."""
    return re.findall(r"(?:atom|red)\.global\.[a-z.]*add\.u64", ptx)


def registers_and_spills(ptx: str, folder: Path) -> tuple[int, int] | None:
    """Return registers of a thread and bytes spilled, as the assembler says; None where there is no assembler."""
    package = importlib.util.find_spec("nvidia")
    places = [Path(p) / "cu13" / "bin" for p in (package.submodule_search_locations or [])] if package else []
    assembler = shutil.which("ptxas", path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))
    if assembler is None:
        return None
    source = folder / "kernel.ptx"
    source.write_text(ptx)
    command = [assembler, "-arch=sm_90", "-v", "-o", os.devnull, str(source)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    spilled = sum(int(n) for n in re.findall(r"(\d+) bytes spill", said))
    return max(int(n) for n in re.findall(r"Used (\d+) registers", said)), spilled


def report(name: str, ptx: str, folder: Path, *, most_registers: int) -> None:
    """Print what the assembler says; spills to slow memory and registers beyond the bound fail."""
    found = registers_and_spills(ptx, folder)
    if found is None:
        print(f"{name}: no ptxas here")
        return
    print(f"{name}: {found[0]} registers, {found[1]} bytes spilled")
    assert found[0] <= most_registers
    assert found[1] == 0
