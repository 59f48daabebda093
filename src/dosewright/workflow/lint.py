"""A look at a plan that runs nothing: per beam what was found, what is missing, what will be assumed."""

from dataclasses import asdict, dataclass, field
from typing import Any

from dosewright.commissioning.catalog import Library
from dosewright.core.errors import InputError
from dosewright.core.plan import IonBeam
from dosewright.formats.dicom.study import Study
from dosewright.workflow.looks import tried
from dosewright.workflow.postprocess.beam_rows import slab_text
from dosewright.workflow.preprocess.beams import refused_radiation, select_beams
from dosewright.workflow.preprocess.case import known_user, library_problems, opened
from dosewright.workflow.preprocess.equip import equip_one
from dosewright.workflow.preprocess.target import hounsfield_table, patient_problems
from dosewright.workflow.preprocess.tps_doses import comparable_doses
from dosewright.workflow.request import DoseRequest


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


def lint_plan(request: DoseRequest) -> LintReport:
    """Look at everything a calculation of the request would use; only an unreadable plan or library is refused."""
    study, library = opened(request)
    whole = Findings()
    _look_at_user(request, library, whole)
    _look_at_plan(study, whole)
    _look_at_patient(study, request, whole)
    _look_at_doses(study, request, whole)
    whole.missing += library_problems(request, library)
    wanted = tried(lambda: select_beams(study.plan, request.beams), whole.missing) or ()
    whole.missing += patient_problems(study, request, library, wanted)
    _look_at_protocol(study, request, library, whole)
    beams = tuple((beam.number, beam.name, look_at_beam(beam, request, library)) for beam in wanted)
    return LintReport(whole, beams)


def look_at_beam(beam: IonBeam, request: DoseRequest, library: Library) -> Findings:
    """Look at one beam, its machine, its meterset and what stands in it."""
    energies = [layer.nominal_energy_MeV for layer in beam.layers]
    findings = Findings(
        found=[
            f"{beam.radiation} on machine {beam.machine!r}, gantry {beam.gantry_deg:g}, couch {beam.couch_deg:g} "
            f"degrees, {beam.patient_position}",
            f"{len(energies)} energies from {min(energies, default=0):g} to {max(energies, default=0):g} MeV, "
            f"{beam.spot_count} spots",
        ]
    )
    findings.missing += refused_radiation([beam])
    if findings.missing:
        return findings
    try:
        equipped = equip_one(beam, request, library)
    except InputError as error:
        findings.missing += error.problems
        return findings
    audit = equipped.audit
    findings.found += [
        f"beam model {equipped.model.name!r}",
        f"{audit.meterset:g} {audit.unit} per fraction, {audit.particles:.4g} particles",
        *(f"range shifter {slab_text(slab)}" for slab in equipped.slabs),
    ]
    findings.assumed += equipped.assumptions
    return findings


def _look_at_user(request: DoseRequest, library: Library, findings: Findings) -> None:
    user = tried(lambda: known_user(request, library), findings.missing)
    findings.assumed += [user.sentence] if user else []


def _look_at_plan(study: Study, findings: Findings) -> None:
    plan = study.plan
    count, fractions = len(plan.beams), plan.fractions
    beams = f"{count} treatment beam{'' if count == 1 else 's'}"
    unread = f" and {len(plan.unread_beams)} that cannot be read" if plan.unread_beams else ""
    findings.found.append(f"{beams}{unread}, {fractions or 'no number of'} fraction{'' if fractions == 1 else 's'}")
    if plan.fractions is None:
        findings.assumed.append("One fraction is calculated.")
    findings.assumed += study.warnings


def _look_at_patient(study: Study, request: DoseRequest, findings: Findings) -> None:
    if request.phantom is not None:
        findings.found.append(f"phantom {request.phantom!r} instead of the CT")
        return
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


def _look_at_protocol(study: Study, request: DoseRequest, library: Library, findings: Findings) -> None:
    if study.ct is None or request.phantom is not None or findings.missing:
        return
    table = hounsfield_table(study, request, library)
    findings.found.append(f"CT protocol {table.name!r}" + (f": {table.source}" if table.source else ""))


def _look_at_doses(study: Study, request: DoseRequest, findings: Findings) -> None:
    doses = comparable_doses(study.doses, study.plan)
    named = [*(["the plan"] if doses.plan else []), *(f"beam {number}" for number in doses.beams)]
    if named and (request.phantom is None or study.ct is None):
        findings.found.append(f"doses of the planning system for {', '.join(named)}")
    elif named:
        findings.assumed.append("The planning system's doses belong to the CT and are not compared with a phantom.")
    else:
        findings.assumed.append("No dose of a planning system: a 2 mm dose grid, and gamma is left out.")
    findings.assumed += doses.warnings
