"""A look at a plan that runs nothing: per beam what was found, what is missing, what will be assumed."""

from dataclasses import asdict, dataclass, field
from typing import Any

from dosewright.core.errors import InputError
from dosewright.formats.dicom.study import Study
from dosewright.geometry.beam.beam_devices import device_text
from dosewright.workflow.preprocess.look_up import BeamLook, look_up
from dosewright.workflow.preprocess.tps_doses import comparable_doses
from dosewright.workflow.request import Wishes


@dataclass
class Findings:
    """What was found about one thing, what is missing to calculate it, what will be assumed."""

    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the findings as lines of text."""
        parts = (("found", self.found), ("MISSING", self.missing), ("assumed", self.assumed))
        return [f"  {name}: {said}" for name, all_said in parts for said in dict.fromkeys(all_said)]


@dataclass(frozen=True)
class LintReport:
    """The findings of a plan and of each of its beams (number and name beside them)."""

    plan: Findings
    beams: tuple[tuple[int, str, Findings], ...]

    @property
    def missing(self) -> list[str]:
        """Everything that keeps the plan from being calculated."""
        of_beams = (said for _, _, findings in self.beams for said in findings.missing)
        return list(dict.fromkeys([*self.plan.missing, *of_beams]))

    def text(self) -> str:
        """Return the report as text."""
        lines = ["Plan", *self.plan.lines()]
        for number, name, findings in self.beams:
            lines += [f"Beam {number} {name}", *findings.lines()]
        count = len(self.missing)
        verdict = "The plan can be calculated." if not count else f"The plan cannot be calculated yet: {count} missing."
        return "\n".join([*lines, verdict])

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        beams = [{"number": number, "name": name, **asdict(findings)} for number, name, findings in self.beams]
        return {"can_be_calculated": not self.missing, "plan": asdict(self.plan), "beams": beams}


def lint_plan(wishes: Wishes) -> LintReport:
    """Look at everything a calculation would use; only an unreadable study or library is refused, with all problems."""
    found = look_up(wishes)
    study = found.study.study
    if study is None or found.library is None:
        raise InputError(*found.all_problems)
    whole = Findings(missing=list(found.problems), assumed=[found.user.sentence, *found.said] if found.user else [])
    _tell_plan(study, whole)
    if found.phantom is not None:
        whole.found.append(f"phantom {found.phantom.name!r} instead of the CT")
    if wishes.phantom is None:
        _tell_patient(study, whole)
    _tell_doses(study, wishes, found.library.settings.calculation.rbe_factor_protons, whole)
    if found.table is not None:
        source = f": {found.table.source}" if found.table.source else ""
        whole.found.append(f"CT protocol {found.table.name!r}{source}")
    return LintReport(whole, tuple((look.beam.number, look.beam.name, beam_findings(look)) for look in found.beams))


def beam_findings(look: BeamLook) -> Findings:
    """Tell about one beam, its machine, its meterset and what stands in it."""
    beam = look.beam
    energies = [layer.nominal_energy_MeV for layer in beam.layers]
    findings = Findings(
        found=[
            f"{beam.radiation} on machine {beam.machine!r}, gantry {beam.gantry_deg:g}, couch {beam.couch_deg:g} "
            f"degrees, {beam.patient_position}",
            f"{len(energies)} energies from {min(energies, default=0):g} to {max(energies, default=0):g} MeV, "
            f"{beam.spot_count} spots",
        ],
        missing=list(look.problems),
    )
    if look.equipped is None:
        return findings
    audit = look.equipped.audit
    findings.found += [
        f"beam model {look.equipped.model.name!r}",
        f"{audit.meterset:g} {audit.unit} per fraction, {audit.particles:.4g} particles",
        *(device_text(device) for device in look.equipped.devices),
    ]
    findings.assumed += look.equipped.assumptions
    return findings


def _tell_plan(study: Study, findings: Findings) -> None:
    plan = study.plan
    count, fractions = len(plan.beams), plan.fractions
    beams = f"{count} treatment beam{'' if count == 1 else 's'}"
    unread = f" and {len(plan.unread_beams)} that cannot be read" if plan.unread_beams else ""
    findings.found.append(f"{beams}{unread}, {fractions or 'no number of'} fraction{'' if fractions == 1 else 's'}")
    if plan.fractions is None:
        findings.assumed.append("One fraction is calculated.")
    findings.assumed += study.warnings


def _tell_patient(study: Study, findings: Findings) -> None:
    structures = study.structures
    external = structures is not None and any(s.kind == "EXTERNAL" and s.contours for s in structures.structures)
    if structures is not None:
        findings.found.append(f"structure set with {len(structures.structures)} structures")
    if study.ct is not None:
        shape = study.ct.image.grid.shape
        findings.found.append(f"CT of {shape[2]} slices, {shape[0]} x {shape[1]} pixels")
    elif external:
        findings.assumed.append("There is no CT: the EXTERNAL will be filled with water.")
    if study.ct is not None and not external:
        findings.assumed.append("There is no EXTERNAL: the whole CT is taken, with whatever lies around the patient.")


def _tell_doses(study: Study, wishes: Wishes, rbe_factor: float, findings: Findings) -> None:
    doses = comparable_doses(study.doses, study.plan, rbe_factor)
    named = [*(["the plan"] if doses.plan else []), *(f"beam {number}" for number in doses.beams)]
    if named and (wishes.phantom is None or study.ct is None):
        findings.found.append(f"doses of the planning system for {', '.join(named)}")
    elif named:
        findings.assumed.append("The planning system's doses belong to the CT and are not compared with a phantom.")
    else:
        findings.assumed.append("No dose of a planning system: a 2 mm dose grid, and gamma is left out.")
    findings.assumed += doses.warnings
