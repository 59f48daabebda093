"""IDEAL's cut parameters (ct-parameters.mac, phantom-parameters.mac): which of their values mean something here."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.ideal.gate_macro import commands, resolved
from dosewright.formats.text.ideal.gate_volumes import LENGTHS_MM, in_units
from dosewright.formats.text.lines import number

CUTS = {
    "Gamma": "gamma_cut_mm",
    "Electron": "electron_cut_mm",
    "Positron": "positron_cut_mm",
    "Proton": "proton_cut_mm",
}
LENGTHS = {"SetMinRemainingRangeInRegion": "least_range_mm", "SetMaxStepSizeInRegion": "most_step_mm"}
STEP_LIMITER = "ActivateStepLimiter"
OUTSIDE = ("world", "patient_box")
ENERGIES_EV = {"eV": 1.0, "keV": 1e3, "MeV": 1e6}
EXCITATION = ["gate", "geometry", "setIonisationPotential"]
# Continuous-slowing-down range of electrons in liquid water: MeV, mm at 1 g/cm3 (NIST ESTAR; ICRU Report 37, 1984).
ELECTRON_MEV = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
ELECTRON_RANGE_MM = (2.515e-3, 8.566e-3, 0.0432, 0.1431, 0.4488, 1.766, 4.367, 9.785, 25.50, 49.75)


@dataclass(frozen=True)
class Region:
    """The cuts of one region, mm; None where the file says nothing."""

    gamma_cut_mm: float | None = None
    electron_cut_mm: float | None = None
    positron_cut_mm: float | None = None
    proton_cut_mm: float | None = None
    least_range_mm: float | None = None
    most_step_mm: float | None = None


@dataclass(frozen=True)
class CutParameters:
    """The cut parameters of a file.

    Parameters
    ----------
    regions
        By the name of the region: ``world``, ``patient_box``, ``patient``, or the name of a phantom.
    step_limited
        Particles whose steps the file limits.
    said
        What the values mean here, as sentences.
    ignored
        What has no effect here, as sentences.
    """

    regions: dict[str, Region] = field(default_factory=dict)
    step_limited: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def proton_step_mm(self) -> float | None:
        """Largest step of protons in the patient that the file asks for, or None."""
        patient = self.regions.get("patient")
        return patient.most_step_mm if patient is not None and "proton" in self.step_limited else None


def electron_energy(range_mm: float) -> str:
    """Return in words the energy of an electron that has a range in water."""
    energy = 1000.0 * np.exp(np.interp(np.log(range_mm), np.log(ELECTRON_RANGE_MM), np.log(ELECTRON_MEV)))
    beyond = (
        "less than " if range_mm < ELECTRON_RANGE_MM[0] else "more than " if range_mm > ELECTRON_RANGE_MM[-1] else ""
    )
    return f"{beyond}{energy:.3g} keV"


def read_cut_parameters(path: Path, aliases: dict[str, str] | None = None) -> CutParameters:
    """Read a file of cut parameters; all problems are listed together.

    `aliases` are the caller's; ``{phantom_name}`` is ``phantom`` where it is not among them.
    """
    known = {"phantom_name": "phantom", **(aliases or {})}
    problems: list[str] = []
    values: dict[str, dict[str, float]] = {}
    limited: list[str] = []
    unused: dict[str, list[str]] = {}
    for text, where in commands(path):
        look = partial(_carry_out, text, where, known, values, limited, unused)
        tried(look, problems)
    if problems:
        raise InputError(*problems)
    regions = {name: Region(**found) for name, found in values.items()}
    return CutParameters(
        regions, tuple(dict.fromkeys(limited)), _said(path, regions, limited), _ignored(path, unused, regions)
    )


def _carry_out(
    text: str,
    where: str,
    aliases: dict[str, str],
    values: dict[str, dict[str, float]],
    limited: list[str],
    unused: dict[str, list[str]],
) -> None:
    command, *words = resolved(text, aliases, where).split()
    path = [part for part in command.split("/") if part]
    line = where.rpartition(" ")[2]
    if path == ["control", "alias"] and len(words) == 2:
        aliases[words[0]] = words[1]
    elif path[:2] == ["gate", "physics"] and len(path) == 4 and path[3] == "SetCutInRegion":
        if path[2] not in CUTS:
            raise refuse(f"Unknown particle of a cut.{nearest(path[2], CUTS)}", given=path[2],
                         allowed=", ".join(CUTS), where=where)  # fmt: skip
        _length(CUTS[path[2]], words, values, where)
    elif path[:2] == ["gate", "physics"] and len(path) == 3 and path[2] in LENGTHS:
        _length(LENGTHS[path[2]], words, values, where)
    elif path[:2] == ["gate", "physics"] and path[2:] == [STEP_LIMITER]:
        limited += words
    elif path == EXCITATION and len(words) == 3 and words[2] in ENERGIES_EV:
        energy = number(words[1], where, "an energy") * ENERGIES_EV[words[2]]
        unused.setdefault(f"{command} {words[0]} {energy:g} eV", []).append(line)
    elif path[:2] == ["gate", "physics"] or path[:1] in (["process"], ["run"], ["vis"], ["cuts"]):
        unused.setdefault(command, []).append(line)
    else:
        names = [f"/gate/physics/{one}" for one in (*LENGTHS, STEP_LIMITER)]
        raise refuse(f"A command is not known among cut parameters.{nearest(command, names)}", given=text[:80],
                     allowed="/gate/physics/..., /control/alias", where=where)  # fmt: skip


def _length(what: str, words: list[str], values: dict[str, dict[str, float]], where: str) -> None:
    if len(words) != 3:
        raise refuse("Expected a region, a number and a unit", given=" ".join(words) or "nothing",
                     allowed="REGION 0.5 mm", where=where)  # fmt: skip
    (value,) = in_units(words[1:], LENGTHS_MM, where)
    if value <= 0:
        raise refuse("A cut must be positive", given=" ".join(words), where=where)
    values.setdefault(words[0], {})[what] = float(value)


def _said(path: Path, regions: dict[str, Region], limited: list[str]) -> tuple[str, ...]:
    """Say what the cuts of the patient, or of a phantom, would be here."""
    said = []
    for name, region in regions.items():
        if name in OUTSIDE:
            continue
        cut, step = region.electron_cut_mm, region.most_step_mm
        if cut is not None:
            said.append(
                f"{path.name}: the electron cut of {cut:g} mm in {name} is the range in water of an electron of "
                f"{electron_energy(cut)}; Dosewright follows knock-on electrons above a cut of its own."
            )
        if region.gamma_cut_mm is not None:
            said.append(f"{path.name}: the gamma cut of {region.gamma_cut_mm:g} mm in {name} has no counterpart in a "
                        "proton beam.")  # fmt: skip
        if step is not None and "proton" in limited:
            said.append(f"{path.name}: steps of protons in {name} are to be at most {step:g} mm; here steps end at "
                        "every face of a voxel.")  # fmt: skip
    return tuple(said)


def _ignored(path: Path, unused: dict[str, list[str]], regions: dict[str, Region]) -> tuple[str, ...]:
    said = []
    for command, lines in unused.items():
        own = "; mean excitation energies are those of Dosewright's materials" if EXCITATION[-1] in command else ""
        said.append(f"{path.name}, line {', '.join(lines)}: {command} has no effect here{own}.")
    for name, region in regions.items():
        if name in OUTSIDE:
            said.append(f"{path.name}: the cuts of the region {name} have no effect: Dosewright has its own for air.")
        elif (region.positron_cut_mm, region.proton_cut_mm, region.least_range_mm) != (None, None, None):
            said.append(f"{path.name}: cuts of positrons and protons and least remaining ranges in {name} have no "
                        "effect: where tracks end is Dosewright's own.")  # fmt: skip
    return tuple(said)
