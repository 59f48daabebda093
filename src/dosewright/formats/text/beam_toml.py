"""Our own beam model file: TOML with one column per quantity, one value per nominal energy."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from dosewright.core.beam_model import BeamModel, RangeShifter
from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.lines import sha256
from dosewright.formats.text.tabulated_beam import Array, SpotAxis, SpotTable, TabulatedBeam

Named = Callable[[str], Material]
MEDIA = ("air", "vacuum")


class ShifterFile(Checked):
    """A range shifter: a library material and its thickness, geometric or water-equivalent."""

    id: str
    material: str
    density_g_cm3: float | None = None
    thickness_mm: float | None = None
    wet_mm: float | None = None


class EnergyColumns(Checked):
    """Nominal and mean energy, total 1 sigma spread (MeV), particles per MU."""

    nominal_MeV: list[float]
    mean_MeV: list[float]
    sigma_MeV: list[float]
    particles_per_mu: list[float] | None = None


class SpotColumns(Checked):
    """One Gaussian component at the model plane."""

    weight: list[float]
    sigma_x_mm: list[float]
    divergence_x_rad: list[float]
    correlation_x: list[float]
    sigma_y_mm: list[float]
    divergence_y_rad: list[float]
    correlation_y: list[float]


class BeamFile(Checked):
    """The file as it stands."""

    name: str
    machine: str = ""
    radiation: str = "PROTON"
    plane_mm: float = Field(gt=0)
    scanning_mm: list[float] = Field(min_length=2, max_length=2)
    medium: str = "air"
    source: str = ""
    assumptions: list[str] = Field(default_factory=list)
    energy: EnergyColumns
    spot: list[SpotColumns] = Field(min_length=1)
    range_shifter: list[ShifterFile] = Field(default_factory=list)
    provenance: dict[str, str] = Field(default_factory=dict)


def read_beam_toml(path: Path, named: Named) -> BeamModel:
    """Read a beam model file; `named` gives the materials of its range shifters."""
    file = read_checked(path, BeamFile)
    if file.medium not in MEDIA:
        raise refuse("Unknown medium between plane and patient", given=file.medium, allowed=", ".join(MEDIA),
                     where=path.name)  # fmt: skip
    if any(not d > 0 for d in file.scanning_mm if not np.isnan(d)):
        raise refuse("Scanning distances must be positive, inf, or nan to take the plan's", given=file.scanning_mm,
                     where=path.name)  # fmt: skip
    beam = _table(file, path)
    shifters = [_shifter(one, named, path) for one in file.range_shifter]
    return BeamModel(
        name=file.name,
        machine=file.machine,
        radiation=file.radiation,
        plane_mm=file.plane_mm,
        scanning_mm=(file.scanning_mm[0], file.scanning_mm[1]),
        energy_range_MeV=beam.range_MeV,
        at=beam,
        medium=file.medium,
        range_shifters={one.id: one for one in shifters},
        source=file.source or path.name,
        assumptions=tuple(file.assumptions),
        sha256=sha256(path),
    )


def _table(file: BeamFile, path: Path) -> TabulatedBeam:
    count = len(file.energy.nominal_MeV)

    def column(name: str, values: list[float]) -> Array:
        if len(values) != count or not np.all(np.isfinite(values)):
            raise refuse(f"The column {name!r} needs one finite value per nominal energy", given=len(values),
                         allowed=count, where=path.name)  # fmt: skip
        return np.array(values, float)

    per_mu = file.energy.particles_per_mu
    return TabulatedBeam(
        file.name,
        column("nominal_MeV", file.energy.nominal_MeV),
        column("mean_MeV", file.energy.mean_MeV),
        column("sigma_MeV", file.energy.sigma_MeV),
        None if per_mu is None else column("particles_per_mu", per_mu),
        tuple(
            SpotTable(
                column("weight", one.weight),
                SpotAxis(
                    column("sigma_x_mm", one.sigma_x_mm),
                    column("divergence_x_rad", one.divergence_x_rad),
                    column("correlation_x", one.correlation_x),
                ),
                SpotAxis(
                    column("sigma_y_mm", one.sigma_y_mm),
                    column("divergence_y_rad", one.divergence_y_rad),
                    column("correlation_y", one.correlation_y),
                ),
            )
            for one in file.spot
        ),
    )


def _shifter(file: ShifterFile, named: Named, path: Path) -> RangeShifter:
    if file.thickness_mm is None and file.wet_mm is None:
        raise refuse(f"Range shifter {file.id!r} needs a thickness_mm or a wet_mm", where=path.name)
    if any(value is not None and not value > 0 for value in (file.thickness_mm, file.wet_mm)):
        raise refuse(f"The thickness of range shifter {file.id!r} must be positive", where=path.name)
    medium = named(file.material)
    if file.density_g_cm3 is not None:
        medium = Material(medium.name, file.density_g_cm3, medium.mass_fractions, medium.mean_excitation_eV)
    return RangeShifter(file.id, medium, file.thickness_mm, file.wet_mm)


def write_beam_toml(path: Path, model: BeamModel, nominal_MeV: Sequence[float]) -> None:
    """Write a beam model at the given nominal energies (ascending); another model's energies in between are lost."""
    beams = [model.at(energy) for energy in nominal_MeV]
    components = len(beams[0].optics)
    if any(len(beam.optics) != components for beam in beams):
        raise refuse("A beam model with a changing number of spot components cannot be written", given=model.name)
    lines = [
        f"name = {_text(model.name)}",
        f"machine = {_text(model.machine)}",
        f"radiation = {_text(model.radiation)}",
        f"plane_mm = {_number(model.plane_mm)}",
        f"scanning_mm = {_row(model.scanning_mm)}",
        f"medium = {_text(model.medium)}",
        f"source = {_text(model.source)}",
        f"assumptions = [{', '.join(_text(a) for a in model.assumptions)}]",
        "",
        "[energy]",
        f"nominal_MeV = {_row(nominal_MeV)}",
        f"mean_MeV = {_row([beam.mean_energy_MeV for beam in beams])}",
        f"sigma_MeV = {_row([beam.energy_sigma_MeV for beam in beams])}",
    ]
    per_mu = [beam.particles_per_mu for beam in beams if beam.particles_per_mu is not None]
    if len(per_mu) == len(beams):
        lines.append(f"particles_per_mu = {_row(per_mu)}")
    for k in range(components):
        lines += ["", "[[spot]]", f"weight = {_row([beam.optics[k].weight for beam in beams])}"]
        for axis in "xy":
            covariances = [getattr(beam.optics[k], f"cov_{axis}") for beam in beams]
            lines += _axis_lines(axis, covariances)
    for one in model.range_shifters.values():
        lines += _shifter_lines(one)
    write_whole_text(path, "\n".join(lines) + "\n")


def _axis_lines(axis: str, covariances: list[Array]) -> list[str]:
    sigma = [float(np.sqrt(c[0, 0])) for c in covariances]
    slope = [float(np.sqrt(c[1, 1])) for c in covariances]
    mixed = [float(c[0, 1]) for c in covariances]
    correlation = [m / (s * d) if s * d > 0 else 0.0 for m, s, d in zip(mixed, sigma, slope, strict=True)]
    return [
        f"sigma_{axis}_mm = {_row(sigma)}",
        f"divergence_{axis}_rad = {_row(slope)}",
        f"correlation_{axis} = {_row([min(1.0, max(-1.0, c)) for c in correlation])}",
    ]


def _shifter_lines(one: RangeShifter) -> list[str]:
    lines = ["", "[[range_shifter]]", f"id = {_text(one.id)}", f"material = {_text(one.material.name)}"]
    lines.append(f"density_g_cm3 = {_number(one.material.density_g_cm3)}")
    if one.thickness_mm is not None:
        lines.append(f"thickness_mm = {_number(one.thickness_mm)}")
    if one.wet_mm is not None:
        lines.append(f"wet_mm = {_number(one.wet_mm)}")
    return lines


def _number(value: float) -> str:
    text = repr(float(value))
    return text if any(c in text for c in ".einf") else f"{text}.0"


def _row(values: Sequence[float]) -> str:
    return "[" + ", ".join(_number(v) for v in values) + "]"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else " " for c in escaped) + '"'
