"""dosewright phsp info: what a phase space is and holds."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dosewright.cli import options
from dosewright.cli.faults import faults_reported
from dosewright.cli.phsp_files import Input, LongBits, Z, bar, open_found, reading

if TYPE_CHECKING:
    from dosewright.core.particles import PhaseSpaceInfo
    from dosewright.phase_space.scan import Scan


def info(
    file: Input,
    long_bits: LongBits = None,
    z_mm: Z = None,
    header_only: Annotated[
        bool, typer.Option("--header-only", help="Believe the header; do not read the records.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show what a phase space is and holds, and what is wrong with it."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.phase_space.scan import Scan

        reader = open_found(file, long_bits, z_mm)
        scan = None
        if not header_only:
            scan = Scan()
            with bar(file.name, reader.info.particles) as tell:
                for particles in reading(reader, tell):
                    scan.add(particles)
        values = as_values(reader.info, scan, z_known=z_known(reader.info, z_mm))
        if as_json:
            typer.echo(json.dumps({"file": str(reader.path), **values}, indent=2, ensure_ascii=False))
        else:
            typer.echo(as_text(str(reader.path), values))


def z_known(info: "PhaseSpaceInfo", given_mm: float | None) -> bool:
    """Return whether z of the records means something: EGSnrc does not store it."""
    return given_mm is not None or not info.format.startswith("egs")


def as_values(info: "PhaseSpaceInfo", scan: "Scan | None", *, z_known: bool) -> dict[str, Any]:
    """Return everything about a phase space by name."""
    from dosewright.core.particles import SPECIES

    counts = scan.counts() if scan else info.counts or {}
    constant_z = info.constants.get("z_cm")
    planes = scan.planes_mm() if scan else [] if constant_z is None else [round(10 * constant_z, 4)]
    values: dict[str, Any] = {
        "format": info.format,
        "particles": scan.statistics.count() if scan else info.particles,
        **{f"{name}s": counts.get(code) for code, name in SPECIES.items()},
        "original_histories": info.original_histories,
        "energy_max_MeV": scan.energy_max_MeV if scan else info.energy_max_MeV,
        "planes_mm": planes if z_known else [],
        "problems": list(scan.problems(info) if scan else info.problems),
        "constants": info.constants,
        "extra": info.extra,
        "header": info.header,
    }
    if scan and scan.statistics.count():
        values["z_mm"] = [round(10 * z, 4) + 0.0 for z in scan.z_cm] if z_known else None
        values["weights"] = list(scan.weights)
        values["histories_in_records"] = scan.histories
        values["per_original_history"] = per_history(info, scan)
    return values


def per_history(info: "PhaseSpaceInfo", scan: "Scan") -> dict[str, dict[str, float | None]]:
    """Return number, weight and energy per original history with errors, by species that are there."""
    from dosewright.core.particles import SPECIES

    histories = scan.original_histories(info)
    found = {}
    for code, name in {0: "particles", **{code: f"{name}s" for code, name in SPECIES.items()}}.items():
        if scan.statistics.count(code):
            row: dict[str, float | None] = {}
            for what in ("number", "weight", "energy_MeV"):
                figure = scan.statistics.per_history(what, histories, code)
                row |= {what: figure.mean, f"{what}_error": None if figure.error != figure.error else figure.error}
            found[name] = row
    return found


def as_text(name: str, values: dict[str, Any]) -> str:
    """Write the same for people."""
    histories = values["original_histories"]
    lines = [
        f"{name}: {values['format']}",
        f"original histories   {'unknown' if histories is None else f'{histories:,.10g}'}",
    ]
    rows = values.get("per_original_history", {})
    for kind in ("particles", "photons", "electrons", "positrons", "neutrons", "protons"):
        if values[kind]:
            line = f"{kind:<12} {values[kind]:>15,}"
            if kind in rows:
                row = rows[kind]
                error = row["number_error"]
                spread = "" if error is None else f" +- {error:.3g}"
                energy = row["energy_MeV"] / row["weight"] if row["weight"] else 0.0
                line += f"   per original history {row['number']:.6g}{spread}   mean energy {energy:.4g} MeV"
            lines.append(line)
    if values["energy_max_MeV"] is not None:
        lines.append(f"highest energy       {values['energy_max_MeV']:.6g} MeV")
    if values["planes_mm"]:
        lines.append(f"planes of constant z {', '.join(f'{z:g}' for z in values['planes_mm'])} mm")
    if "weights" in values:
        low, high = values["weights"]
        lines.append(f"weights              {f'{low:g}' if low == high else f'{low:g} to {high:g}'}")
    if values["extra"]:
        lines.append(f"extra columns        {', '.join(values['extra'])}")
    lines += [f"Problem: {problem}" for problem in values["problems"]]
    return "\n".join(lines)
