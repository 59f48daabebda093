"""The generic 6 MV head of the examples: is what it sends out a linac's, and how soon is it known?

``python -m benchmarks.linac_head [PART ...]`` writes docs/measured/linac_head.md with its pictures. Parts: ten fields
gain. A part that is named alone keeps the other sections. ``--share`` below 1 makes it a quick look, without a page.
"""

import argparse
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.page_parts import write_parts
from benchmarks.process_page import COLOURS
from dosewright.cli.simulate import library_resolvers
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.read import read_run_file
from dosewright.simulation.run_folder import run_in_folder

Floats = NDArray[np.float64]

HEAD = Path(__file__).resolve().parents[1] / "examples" / "scenes" / "linac_6MV.toml"
MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured"
PAGE = MEASURED / "linac_head.md"
TOP = """# The generic 6 MV head, measured

Made by `python -m benchmarks.linac_head` with `examples/scenes/linac_6MV.toml`: 6 MeV electrons on tungsten, and the
dose in water whose surface is the isocentre plane (SSD 100 cm). The head is no maker's; the ranges are those of 6 MV
beams of many makers. A missed bound is marked.
"""
ENERGY_MEV, SPREAD_PERCENT, SPOT_MM = 6.0, 2.0, 0.6
MARGIN_MM = 140.0  # of the aimed field beyond that of the jaws: what leaks through them is aimed as well
SPLIT, AGAIN = 8_000, 50  # photons for one with a field of 10 x 10, and of each that comes to the water
MINUTES_ALLOWED, CORES = 30.0, 2
LEAST_GAIN = 50.0
# TPR 20/10 of a 6 MV beam; from the ratio of depth doses at 20 and 10 cm: IAEA TRS-398 (2000), 6.3.1. The ranges hold
# the beams of Br. J. Radiol. Suppl. 25 (1996) and of TG-51 (1999) for nominal 6 MV.
TPR_RANGE = (0.64, 0.69)
DMAX_RANGE_MM = (12.0, 18.0)
PDD10_RANGE = (64.0, 69.0)
PENUMBRA_RANGE_MM = (4.0, 10.0)
# Dose at 10 cm depth against that of 10 x 10 (total scatter factor at SSD 100 cm), 6 MV.
OUTPUT_RANGES = {50.0: (0.86, 0.94), 200.0: (1.06, 1.16), 300.0: (1.10, 1.24)}
HORNS_RANGE = (0.97, 1.08)  # highest over the middle 80 % of a 30 x 30 field at 10 cm depth, against the axis


@dataclass(frozen=True)
class Measured:
    """Dose (Gy per electron) and its relative error, [z, y, x], with the middles of the voxels (mm), and the run."""

    dose: Floats
    error: Floats
    at: tuple[Floats, Floats, Floats]
    result: Result

    def depth_dose(self, half_mm: float) -> tuple[Floats, Floats]:
        """Return the mean dose about the axis by depth, and its error."""
        x, y, _ = self.at
        inside = (np.abs(y)[:, None] < half_mm) & (np.abs(x)[None, :] < half_mm)
        values, errors = self.dose[:, inside], (self.dose * self.error)[:, inside]
        return values.mean(axis=1), np.sqrt((errors**2).sum(axis=1)) / inside.sum()

    def profile(self, depth_mm: float, half_mm: float, thick_mm: float) -> tuple[Floats, Floats]:
        """Return the mean dose along x at a depth, over a strip and a slab, and its error."""
        _, y, z = self.at
        planes, rows = np.abs(z - depth_mm) < thick_mm, np.abs(y) < half_mm
        chosen = self.dose[planes][:, rows]
        errors = (self.dose * self.error)[planes][:, rows]
        count = chosen.shape[0] * chosen.shape[1]
        return chosen.mean(axis=(0, 1)), np.sqrt((errors**2).sum(axis=(0, 1))) / count


def head_with(field_mm: float, folder: Path) -> Path:
    """Write the example's head with another square field; return the file."""
    half = 0.5 * field_mm
    text = re.sub(r"negative_mm = .*", f"negative_mm = {-half}", HEAD.read_text(encoding="utf-8"))
    text = re.sub(r"positive_mm = .*", f"positive_mm = {half}", text)
    place = folder / f"head_{field_mm:g}.toml"
    place.write_text(text, encoding="utf-8")
    return place


def directional(field_mm: float, word: str = "directional") -> str:
    """Return the splitting for a field: the larger it is, the more photons of one event meet it."""
    aimed, n = field_mm + MARGIN_MM, round(SPLIT * (100.0 / field_mm) ** 2)
    place = f"field_mm = [{aimed}, {aimed}], at_mm = [0, 0, 0], electron_plane_mm = -830"
    return f"{word} = {{n = {n}, {place}}}\nvoxel_splitting = {AGAIN}"


def run_head(
    field_mm: float,
    goal: str,
    *,
    size_mm: tuple[float, float, float],
    voxel_mm: tuple[float, float, float],
    reduction: str | None = None,
    seed: int = 1,
    threads: int = 0,
) -> Measured:
    """Run the head in front of water; without a word on it photons are split towards the field."""
    if reduction is None:
        reduction = directional(field_mm)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = head_with(field_mm, folder)
        run = folder / "run.toml"
        run.write_text(
            f"""
[phantom]
size_mm = {list(size_mm)}
voxel_mm = {list(voxel_mm)}
origin_mm = [{-0.5 * size_mm[0]}, {-0.5 * size_mm[1]}, 0]
material = "G4_WATER"

[scene]
file = "{head.name}"
rotation_deg = [180, 0, 0]

[source]
kind = "pencil"
particle = "electron"
energy_MeV = {ENERGY_MEV}
energy_spread_percent = {SPREAD_PERCENT}
position_mm = [0, 0, -1002]
direction = [0, 0, 1]
sigma_mm = [{SPOT_MM}, {SPOT_MM}]

[[transport.region]]
name = "tungsten alloy"
electron_cut_MeV = 1.0

[[transport.region]]
name = "G4_WATER"
range_rejection_MeV = 1.0

[variance_reduction]
{reduction}

[goal]
{goal}

[run]
seed = {seed}
threads = {threads}
""",
            encoding="utf-8",
        )
        resolvers = library_resolvers(None)
        result = run_in_folder(read_run_file(run, resolvers=resolvers), folder / "out", resolvers=resolvers)
    axes = [(np.arange(round(s / v)) + 0.5) * v for s, v in zip(size_mm, voxel_mm, strict=True)]
    at = (axes[0] - 0.5 * size_mm[0], axes[1] - 0.5 * size_mm[1], axes[2])
    return Measured(result.dose_Gy, result.relative_uncertainty, at, result)


def judged(value: float, low: float, high: float) -> str:
    """Say whether a value lies in its range."""
    return "met" if low <= value <= high else "**MISSED**"


def crossing(at: Floats, values: Floats, level: float) -> float:
    """Return where a falling curve crosses a level, linear in between."""
    i = int(np.flatnonzero(values >= level)[-1])
    a, b = values[i], values[i + 1]
    return float(at[i] + (a - level) / (a - b) * (at[i + 1] - at[i]))


def ten(share: float) -> str:
    """Run 10 x 10 to 1 % in 3 mm voxels; depth dose, profile, time."""
    goal = f"uncertainty_percent = {1.0 / np.sqrt(share)}\nmax_minutes = 120"
    run = run_head(100.0, goal, size_mm=(240.0, 240.0, 300.0), voxel_mm=(3.0, 3.0, 3.0))
    depth, error = run.depth_dose(9.0)
    z = run.at[2]
    # Depth doses, smoothed by what they are about: a cubic through the maximum, an exponential through 10 and 20 cm.
    near = np.abs(z - z[int(depth.argmax())]) < 10.0
    cubic = np.polynomial.Polynomial.fit(z[near], depth[near], 3)
    fine = np.linspace(z[near][0], z[near][-1], 2001)
    dmax, top = float(fine[cubic(fine).argmax()]), float(cubic(fine).max())
    at_10, at_20 = (_at_depth(z, depth, d) for d in (100.0, 200.0))
    tpr = 1.2661 * at_20 / at_10 - 0.0595
    profile, _ = run.profile(100.0, 12.0, 6.0)
    x = run.at[0]
    middle = profile[np.abs(x) < 15].mean()
    right = x > 0
    falling = 0.5 * (profile[right] + profile[::-1][right]) / middle
    penumbra = crossing(x[right], falling, 0.2) - crossing(x[right], falling, 0.8)
    width = 2.0 * crossing(x[right], falling, 0.5)
    wanted_width = 110.0
    minutes = run.result.cpu_seconds / 60.0 / CORES
    rows = [
        (f"CPU minutes to 1 %, over {CORES} cores", f"{minutes * share:.1f}", f"at most {MINUTES_ALLOWED:g}",
         judged(minutes * share, 0.0, MINUTES_ALLOWED)),
        ("TPR 20/10", f"{tpr:.3f}", f"{TPR_RANGE[0]} to {TPR_RANGE[1]}", judged(tpr, *TPR_RANGE)),
        ("depth of the maximum, mm", f"{dmax:.1f}", f"{DMAX_RANGE_MM[0]:g} to {DMAX_RANGE_MM[1]:g}",
         judged(dmax, *DMAX_RANGE_MM)),
        ("depth dose at 10 cm, %", f"{100 * at_10 / top:.1f}", f"{PDD10_RANGE[0]:g} to {PDD10_RANGE[1]:g}",
         judged(100 * at_10 / top, *PDD10_RANGE)),
        ("field width at 10 cm depth, mm", f"{width:.1f}", f"{wanted_width - 2:g} to {wanted_width + 2:g}",
         judged(width, wanted_width - 2, wanted_width + 2)),
        ("penumbra 80-20 % at 10 cm depth, mm", f"{penumbra:.1f}",
         f"{PENUMBRA_RANGE_MM[0]:g} to {PENUMBRA_RANGE_MM[1]:g}", judged(penumbra, *PENUMBRA_RANGE_MM)),
    ]  # fmt: skip
    if share == 1.0:
        _picture_ten(run, depth / top, error / top, falling)
    result = run.result
    words = (
        f"{result.histories:,} electrons, each bremsstrahlung event {SPLIT:,} times, photons that come to the "
        f"water {AGAIN} times, electrons below 1 MeV that stay in their voxel of water absorbed at once; "
        f"{result.wall_seconds / 60:.1f} minutes on {len(os.sched_getaffinity(0))} cores "
        f"({result.cpu_seconds / 60:.1f} CPU minutes), mean uncertainty above half the maximum "
        f"{result.mean_uncertainty_percent:.2f} %. Voxels of 3 mm; the profile lies along x at 10 cm depth."
    )
    return (
        "## 10 cm x 10 cm\n\n"
        + words
        + "\n\n"
        + _table(("", "found", "range", "verdict"), rows)
        + ("\n\n![Depth dose and profile of the 10 cm field](linac_head_ten.png)")
    )


def _at_depth(z: Floats, depth: Floats, wanted: float) -> float:
    """Return the dose at a depth from an exponential fitted to 3 cm about it."""
    near = np.abs(z - wanted) < 15.0
    return float(np.exp(np.polynomial.Polynomial.fit(z[near], np.log(depth[near]), 1)(wanted)))


def fields(share: float) -> str:
    """Run other fields: output at 10 cm depth against 10 x 10, and the horns of the largest."""
    doses, errors, text = {}, {}, []
    wide: Measured | None = None
    for side in (50.0, 100.0, 200.0, 300.0):
        goal = f"histories = {int(FIELD_ELECTRONS * share)}"
        run = run_head(side, goal, size_mm=(500.0, 500.0, 14 * DEEP_MM), voxel_mm=(20.0, 20.0, DEEP_MM))
        depth, error = run.depth_dose(1.0)
        chosen = int(np.abs(run.at[2] - 100.0).argmin())
        doses[side], errors[side] = depth[chosen], error[chosen]
        wide = run
    rows = []
    for side, (low, high) in OUTPUT_RANGES.items():
        factor = doses[side] / doses[100.0]
        off = factor * np.hypot(errors[side] / doses[side], errors[100.0] / doses[100.0])
        rows.append((f"output {side / 10:g} cm x {side / 10:g} cm", f"{factor:.3f} ± {off:.3f}", f"{low} to {high}",
                     judged(factor, low, high)))  # fmt: skip
    if wide is None:
        raise AssertionError("fields were run")
    profile, of_profile = wide.profile(100.0, 25.0, 1.0)
    x = wide.at[0]
    profile, of_profile = (profile + profile[::-1]) / 2, np.sqrt(of_profile**2 + of_profile[::-1] ** 2) / 2
    middle = profile[np.abs(x) < 25].mean()
    inside = np.abs(x) < 0.8 * 0.5 * 300.0 * 1.1
    horns, lowest = float(profile[inside].max() / middle), float(profile[inside].min() / middle)
    rows.append(("30 cm x 30 cm, highest of the middle 80 %", f"{horns:.3f}", f"{HORNS_RANGE[0]} to {HORNS_RANGE[1]}",
                 judged(horns, *HORNS_RANGE)))  # fmt: skip
    rows.append(("30 cm x 30 cm, lowest of the middle 80 %", f"{lowest:.3f}", f"{HORNS_RANGE[0]} to {HORNS_RANGE[1]}",
                 judged(lowest, *HORNS_RANGE)))  # fmt: skip
    if share == 1.0:
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        axes.errorbar(x, 100 * profile / middle, 100 * of_profile / middle, color=COLOURS[0], lw=1, capsize=2)
        axes.set(xlabel="x / mm", ylabel="dose at 10 cm depth / %", ylim=(0, 115))
        figure.savefig(MEASURED / "linac_head_wide.png", dpi=100)
    text += ["## Other fields", "Dose about the axis at 10 cm depth per electron, against that of 10 cm x 10 cm."]
    text += [_table(("", "found", "range", "verdict"), rows), "![Profile of the 30 cm field](linac_head_wide.png)"]
    return "\n\n".join(text)


FIELD_ELECTRONS = 200_000
DEEP_MM = 200.0 / 9.0  # the middle of the fifth is at 10 cm; one voxel, for neighbours share their histories


def gain(share: float) -> str:
    """Compare efficiency (one over variance and time) in the field with analogue runs."""
    found = {}
    for name, reduction, electrons in (
        ("analogue", "", 300_000),
        ("uniform, 50", "bremsstrahlung_splitting = 50", 20_000),
        ("directional", directional(100.0), 4_000),
        ("equal weight", directional(100.0, "equal_weight"), 4_000),
    ):
        run = run_head(100.0, f"histories = {int(electrons * share)}", size_mm=(160.0, 160.0, 200.0),
                       voxel_mm=(10.0, 10.0, 10.0), reduction=reduction)  # fmt: skip
        x, y, z = run.at
        inside = (np.abs(x) < 40)[None, None, :] & (np.abs(y) < 40)[None, :, None] & (z > 15)[:, None, None]
        dose, error = run.dose[inside], run.error[inside]
        mean = float(dose.mean())
        variance = float(((dose * error) ** 2).mean()) / mean**2
        found[name] = (mean, np.sqrt(variance / inside.sum()), variance, run.result.cpu_seconds, run.result.histories)
    base = found["analogue"]
    rows = []
    for name, (mean, off, variance, seconds, electrons) in found.items():
        more = base[2] * base[3] / (variance * seconds)
        agrees = 100 * (mean / base[0] - 1)
        both = 100 * np.hypot(off, base[1])
        wanted = f"at least {LEAST_GAIN:g}" if name in ("directional", "equal weight") else "-"
        verdict = judged(more, LEAST_GAIN, np.inf) if wanted != "-" else "-"
        rows.append((name, f"{electrons:,}", f"{seconds:.0f}", f"{100 * np.sqrt(variance):.2f}",
                     f"{agrees:+.1f} ± {both:.1f}",
                     f"{more:.0f}", wanted, verdict))  # fmt: skip
    head = (
        "",
        "electrons",
        "CPU s",
        "error of a voxel, %",
        "dose against analogue, %",
        "efficiency",
        "asked",
        "verdict",
    )
    return (
        "## What splitting gains\n\nIn the field, in voxels of 10 mm from 1.5 cm depth on; efficiency is one over "
        "variance and CPU time, against the analogue run.\n\n" + _table(head, rows)
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _picture_ten(run: Measured, depth: Floats, error: Floats, falling: Floats) -> None:
    """Draw depth dose and profile."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.errorbar(run.at[2], 100 * depth, 100 * error, color=COLOURS[0], lw=1)
    left.set(xlabel="depth / mm", ylabel="dose / %", ylim=(0, 105), xlim=(0, 300))
    x = run.at[0]
    right.plot(x[x > 0], 100 * falling, color=COLOURS[1], lw=1)
    right.set(xlabel="x / mm at 10 cm depth", ylabel="dose / %", ylim=(0, 110), xlim=(0, 120))
    figure.savefig(MEASURED / "linac_head_ten.png", dpi=100)


PARTS = {"ten": ten, "fields": fields, "gain": gain}


def main(arguments: list[str] | None = None) -> None:
    """Write the page, or its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--share", type=float, default=1.0, help="share of the histories, for a quick look")
    asked = parser.parse_args(arguments)
    MEASURED.mkdir(parents=True, exist_ok=True)
    sections = {part: PARTS[part](asked.share) for part in asked.part or PARTS}
    if asked.share == 1.0:
        write_parts(PAGE, TOP, tuple(PARTS), sections)
    print("\n\n".join(sections.values()))


if __name__ == "__main__":
    main()
