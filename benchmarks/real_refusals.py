"""Two plans that cannot be calculated: what the command says and how it ends."""

from pathlib import Path

from benchmarks.real_common import Run, Settings, needed, run_command

PLANS = {
    "Plan with an aperture, meterset in particles (ion-rtip-demo)": ("ion-rtip-demo", "rtip_demo.dcm"),
    "Line scanning (ion-line-scanning)": (
        "ion-line-scanning",
        "RP1.2.752.243.1.1.20231228145103874.2400.41874.dcm",
    ),
}
COMMANDS: tuple[tuple[str, ...], ...] = (("calc",), ("lint",))
LONGEST = 3000


def said(command: tuple[str, ...], plan: Path, folder: Path) -> Run:
    """Run a command on a plan."""
    extra = ["-n", "1000", "-o", folder] if command[0] == "calc" else []
    return run_command([*command, plan, *extra])


def measure(settings: Settings) -> str:
    """Return the section of the page."""
    parts = ["## Plans that are refused", INTRODUCTION]
    for number, (title, place) in enumerate(PLANS.items()):
        parts.append(f"### {title}")
        for command in COMMANDS:
            run = said(command, needed(*place), settings.work / f"refused_{number}")
            text = run.output.strip().replace(str(needed(*place).parent), "...")
            parts.append(f"`dosewright {' '.join(command)} {place[1]}` ends with exit code {run.exit_code} and says:")
            parts.append(f"```text\n{text[:LONGEST]}\n```")
    return "\n\n".join(parts)


INTRODUCTION = (
    "Neither plan can be calculated rightly, so both are refused before anything is simulated; nothing is written."
)
