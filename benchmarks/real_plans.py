"""Real plans and published curves: ``python -m benchmarks.real_plans [head ramp depth water refused]``.

Writes docs/measured/real_plans.md and the pictures beside it. A case that is not named keeps its section of the page;
a case whose data is missing says so there.
"""

import argparse
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import real_depth_dose, real_head, real_ramp, real_refusals, real_water_phantom
from benchmarks.real_common import MEASURED, DataMissingError, Settings

CASES: dict[str, Callable[[Settings], str]] = {
    "head": real_head.measure,
    "ramp": real_ramp.measure,
    "depth": real_depth_dose.measure,
    "water": real_water_phantom.measure,
    "refused": real_refusals.measure,
}
PAGE = MEASURED / "real_plans.md"
TOP = """# Real plans, measured

Made by `python -m benchmarks.real_plans` from public plans, doses and beam models; nothing here is written by hand but
the explanations. Absolute figures were not normalised unless it is said. Not for clinical use.
"""


def main(arguments: list[str] | None = None) -> None:
    """Measure the cases asked for and renew their sections of the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="default: all")
    parser.add_argument("-u", type=float, default=2.0, metavar="PERCENT", help="mean uncertainty of the plans")
    parser.add_argument("-n", type=float, default=4e6, metavar="N", help="primaries of each depth dose")
    parser.add_argument("-j", type=int, default=0, metavar="N", help="threads; 0 = all cores")
    parser.add_argument("--work", type=Path, help="folder that keeps the runs; default: a temporary one")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        work = (chosen.work or Path(temporary)).resolve()
        settings = Settings(chosen.u, int(chosen.n), work, chosen.j)
        for case in chosen.cases or CASES:
            try:
                section = CASES[case](settings)
            except DataMissingError as missing:
                section = f"## {case}\n\n{missing}"
            write_section(case, section.replace(str(work), "..."))
            print(f"{case}: written to {os.path.relpath(PAGE)}")


def write_section(case: str, text: str) -> None:
    """Put a section into the page, in the order of the cases; others stay."""
    present = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    kept = dict(re.findall(r"<!-- case: (\w+) -->\n(.*?)(?=\n<!-- case: |\Z)", present, flags=re.DOTALL))
    kept[case] = text
    ordered = [f"<!-- case: {name} -->\n{kept[name].strip()}\n" for name in CASES if name in kept]
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("\n".join([TOP, *ordered]), encoding="utf-8")


if __name__ == "__main__":
    main()
