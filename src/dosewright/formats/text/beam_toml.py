"""Our own beam model file: TOML with one column per quantity, one value per nominal energy; devices as solids."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field

from dosewright.core.beam_model import BeamModel, RangeShifter
from dosewright.core.errors import refuse
from dosewright.core.matter import Material
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.lines import sha256
from dosewright.formats.text.solids_toml import (
    DeviceTable,
    NozzleTable,
    device_lines,
    nozzle_lines,
    number,
    read_devices,
    read_nozzle,
    row,
    text,
)
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


class TuneFile(Checked):
    """A spot tune with a beam of its own: a beam model file beside this one, or columns; else as the model is."""

    id: str = Field(min_length=1)
    file: str | None = None
    plane_mm: float | None = Field(default=None, gt=0)
    scanning_mm: list[float] | None = Field(default=None, min_length=2, max_length=2)
    energy: EnergyColumns | None = None
    spot: list[SpotColumns] = Field(default_factory=list)


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
    nozzle: NozzleTable | None = None
    device: list[DeviceTable] = Field(default_factory=list)
    tune: list[TuneFile] = Field(default_factory=list)


def read_beam_toml(path: Path, named: Named) -> BeamModel:
    """Read a beam model file; `named` gives the materials of its devices."""
    file = read_checked(path, BeamFile)
    if file.medium not in MEDIA:
        raise refuse("Unknown medium between plane and patient", given=file.medium, allowed=", ".join(MEDIA),
                     where=path.name)  # fmt: skip
    beam = _table(file.name, file.energy, file.spot, path)
    own_files = [_beside(path, tune.file) for tune in file.tune if tune.file is not None]
    shifters = {one.id: _shifter(one, named, path) for one in file.range_shifter}
    devices = read_devices(file.device, named, path)
    twice = {name.casefold() for name in devices} & {name.casefold() for name in shifters}
    if twice:
        raise refuse("A range shifter is given by its thickness and as solids", given=", ".join(sorted(twice)),
                     allowed="one or the other", where=path.name)  # fmt: skip
    model = BeamModel(
        name=file.name,
        machine=file.machine,
        radiation=file.radiation,
        plane_mm=file.plane_mm,
        scanning_mm=_scanning(file.scanning_mm, path),
        energy_range_MeV=beam.range_MeV,
        at=beam,
        medium=file.medium,
        range_shifters=shifters,
        source=file.source or path.name,
        assumptions=tuple(file.assumptions),
        sha256=sha256(path, *own_files),
        nozzle=read_nozzle(file.nozzle, file.machine or file.name, named, path),
        devices=devices,
    )
    return replace(model, tunes=_tunes(file, model, named, path))


def _scanning(distances_mm: list[float], path: Path) -> tuple[float, float]:
    if any(not d > 0 for d in distances_mm if not np.isnan(d)):
        raise refuse("Scanning distances must be positive, inf, or nan to take the plan's", given=distances_mm,
                     where=path.name)  # fmt: skip
    return distances_mm[0], distances_mm[1]


def _tunes(file: BeamFile, model: BeamModel, named: Named, path: Path) -> dict[str, BeamModel]:
    """Return the models of spot tunes, by their ID; what stands in the beam is that of the whole model."""
    tunes: dict[str, BeamModel] = {}
    for tune in file.tune:
        where = f"{path.name}, tune {tune.id!r}"
        if tune.id.strip() in tunes:
            raise refuse("Two spot tunes have the same ID", given=tune.id, where=path.name)
        columns = (tune.plane_mm, tune.scanning_mm, tune.energy, *tune.spot)
        if tune.file is not None and any(part is not None for part in columns):
            raise refuse("A spot tune has a file of its own or columns, not both", where=where)
        if tune.file is not None:
            own = read_beam_toml(_beside(path, tune.file), named)
            if own.tunes or own.nozzle or own.devices or own.range_shifters:
                raise refuse("The file of a spot tune describes its beam alone: devices and tunes belong to the model",
                             given=tune.file, where=where)  # fmt: skip
        elif tune.energy is None or not tune.spot:
            raise refuse("A spot tune needs a file, or columns of energy and spot", where=where)
        else:
            beam = _table(f"{file.name}, tune {tune.id}", tune.energy, tune.spot, path)
            own = replace(
                model, name=f"{file.name}, tune {tune.id}", energy_range_MeV=beam.range_MeV, at=beam, nozzle=None,
                plane_mm=tune.plane_mm or model.plane_mm, devices={}, range_shifters={}, assumptions=(),
                scanning_mm=_scanning(tune.scanning_mm, path) if tune.scanning_mm else model.scanning_mm,
            )  # fmt: skip
        tunes[tune.id.strip()] = own
    return tunes


def _beside(path: Path, name: str) -> Path:
    found = path.parent / name
    if not found.is_file() or found == path:
        raise refuse("The file of a spot tune does not lie beside the beam model", given=name, where=path.name)
    return found


def _table(name: str, energy: EnergyColumns, spot: list[SpotColumns], path: Path) -> TabulatedBeam:
    count = len(energy.nominal_MeV)

    def column(name: str, values: list[float]) -> Array:
        if len(values) != count or not np.all(np.isfinite(values)):
            raise refuse(f"The column {name!r} needs one finite value per nominal energy", given=len(values),
                         allowed=count, where=path.name)  # fmt: skip
        return np.array(values, float)

    per_mu = energy.particles_per_mu
    return TabulatedBeam(
        name,
        column("nominal_MeV", energy.nominal_MeV),
        column("mean_MeV", energy.mean_MeV),
        column("sigma_MeV", energy.sigma_MeV),
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
            for one in spot
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
    """Write a beam model at the given nominal energies (ascending); another model's energies in between are lost.

    Spot tunes are written at those of the energies that they were made for.
    """
    lines = [
        f"name = {text(model.name)}",
        f"machine = {text(model.machine)}",
        f"radiation = {text(model.radiation)}",
        f"plane_mm = {number(model.plane_mm)}",
        f"scanning_mm = {row(model.scanning_mm)}",
        f"medium = {text(model.medium)}",
        f"source = {text(model.source)}",
        f"assumptions = [{', '.join(text(a) for a in model.assumptions)}]",
        *_columns(model, nominal_MeV, ""),
    ]
    for one in model.range_shifters.values():
        lines += _shifter_lines(one)
    if model.nozzle is not None:
        lines += nozzle_lines(model.nozzle)
    for device in model.devices.values():
        lines += device_lines(device)
    for identifier, tune in model.tunes.items():
        low, high = tune.energy_range_MeV
        lines += ["", "[[tune]]", f"id = {text(identifier)}", f"plane_mm = {number(tune.plane_mm)}"]
        lines.append(f"scanning_mm = {row(tune.scanning_mm)}")
        lines += _columns(tune, [energy for energy in nominal_MeV if low <= energy <= high], "tune.")
    write_whole_text(path, "\n".join(lines) + "\n")


def _columns(model: BeamModel, nominal_MeV: Sequence[float], prefix: str) -> list[str]:
    """Return the tables of energies and spots; those of a tune have a prefix."""
    if not nominal_MeV:
        raise refuse("A spot tune has none of the energies that the model is written at", given=model.name)
    beams = [model.at(energy) for energy in nominal_MeV]
    components = len(beams[0].optics)
    if any(len(beam.optics) != components for beam in beams):
        raise refuse("A beam model with a changing number of spot components cannot be written", given=model.name)
    lines = [
        "",
        f"[{prefix}energy]",
        f"nominal_MeV = {row(nominal_MeV)}",
        f"mean_MeV = {row([beam.mean_energy_MeV for beam in beams])}",
        f"sigma_MeV = {row([beam.energy_sigma_MeV for beam in beams])}",
    ]
    per_mu = [beam.particles_per_mu for beam in beams if beam.particles_per_mu is not None]
    if len(per_mu) == len(beams):
        lines.append(f"particles_per_mu = {row(per_mu)}")
    for k in range(components):
        lines += ["", f"[[{prefix}spot]]", f"weight = {row([beam.optics[k].weight for beam in beams])}"]
        for axis in "xy":
            covariances = [getattr(beam.optics[k], f"cov_{axis}") for beam in beams]
            lines += _axis_lines(axis, covariances)
    return lines


def _axis_lines(axis: str, covariances: list[Array]) -> list[str]:
    sigma = [float(np.sqrt(c[0, 0])) for c in covariances]
    slope = [float(np.sqrt(c[1, 1])) for c in covariances]
    mixed = [float(c[0, 1]) for c in covariances]
    correlation = [m / (s * d) if s * d > 0 else 0.0 for m, s, d in zip(mixed, sigma, slope, strict=True)]
    return [
        f"sigma_{axis}_mm = {row(sigma)}",
        f"divergence_{axis}_rad = {row(slope)}",
        f"correlation_{axis} = {row([min(1.0, max(-1.0, c)) for c in correlation])}",
    ]


def _shifter_lines(one: RangeShifter) -> list[str]:
    lines = ["", "[[range_shifter]]", f"id = {text(one.id)}", f"material = {text(one.material.name)}"]
    lines.append(f"density_g_cm3 = {number(one.material.density_g_cm3)}")
    if one.thickness_mm is not None:
        lines.append(f"thickness_mm = {number(one.thickness_mm)}")
    if one.wet_mm is not None:
        lines.append(f"wet_mm = {number(one.wet_mm)}")
    return lines
