"""What a delivery would do, step by step: which regions are there and where, which pencil beams, which scripts.

Texts keep FRED's centimetres, so that they can be laid beside the input; values for programs are in mm.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from dosewright.core.units import MM_PER_CM
from dosewright.delivery.directives import ScriptCall
from dosewright.delivery.steps import Delivery, FieldDelivery, Step
from dosewright.formats.text.fred.pencil_beams import PencilBeam

FEW_BEAMS = 20  # of a field: each has its line
EVERY_BEAM, EVERY_NUMBER = 4, 3  # verbosity from which every pencil beam, and every region, has its line


def input_values(delivery: Delivery) -> dict[str, Any]:
    """Return what an input defines in short, and what was assumed or is not done."""
    of = delivery.input
    repeat = of.variance_reduction
    return {
        "input": str(of.path),
        "regions": len(of.regions),
        "fields": len(of.fields),
        "pencil_beams": len(of.beams),
        "room": of.room_material,
        "hu_rows": len(of.hu_rows),
        "variance_reduction": None if repeat is None else {
            "mode": repeat.mode.value,
            "iterations": repeat.most_iterations,
            "stratified": repeat.stratified,
            "percentage": repeat.percentage,
            "dose_error_percent": repeat.dose_error_percent,
            "cut_off_percent": repeat.cut_off_percent,
        },
        "unsupported": [{"what": one.what, "where": one.where, "changes_dose": one.changes_dose}
                        for one in of.unsupported],
        "notes": list(of.notes),
        "scripts_at_end": [call.name for call in delivery.at_end],
    }  # fmt: skip


def step_values(delivery: Delivery, step: Step) -> dict[str, Any]:
    """Return everything about a step by name."""
    return {
        "number": step.number,
        "where": step.where,
        "regions": [_region(name, step) for name in delivery.boxes()],
        "fields": [_field(one) for one in step.fields],
        "scripts_before": [call.name for call in step.before],
        "scripts": [call.name for call in step.after],
    }


def _region(name: str, step: Step) -> dict[str, Any]:
    placement = step.placements[name]
    left, up, front = (_clean(axis) for axis in placement.rotation.T)
    origin = _clean(placement.translation)
    return {"name": name, "active": name in step.active, "origin_mm": origin, "left": left, "up": up, "front": front}


def _clean(values: Iterable[float]) -> list[float]:
    """Return numbers without the last digits that turns there and back leave."""
    return [round(float(value), 9) + 0.0 for value in values]


def _field(one: FieldDelivery) -> dict[str, Any]:
    beams = [
        {"id": beam.id, "particle": beam.particle, "energy_MeV": beam.energy.mean_MeV,
         "per_nucleon": beam.energy.per_nucleon, "particles": beam.particles, "histories": beam.histories}
        for beam in one.beams
    ]  # fmt: skip
    return {"name": one.name, "particles": one.particles, "pencil_beams": beams}


def input_text(delivery: Delivery) -> str:
    """Return what an input defines as lines for people."""
    of = delivery.input
    lines = [f"{of.path}: {_count(len(of.regions), 'region')}, {_count(len(of.fields), 'field')}, "
             f"{_count(len(of.beams), 'pencil beam')}; the room is filled with {of.room_material}"]  # fmt: skip
    if of.variance_reduction is not None:
        repeat = of.variance_reduction
        lines.append(f"Repeated by {repeat.mode.value}, at most {_count(repeat.most_iterations, 'iteration')}")
    lines += [f"Note: {sentence}" for sentence in of.notes]
    lines += [f"Not done here: {one.sentence}" for one in of.unsupported]
    return "\n".join(lines)


def step_text(delivery: Delivery, step: Step, verbosity: int = EVERY_NUMBER) -> str:
    """Return a step as a table of regions and one of fields; with little verbosity as one line."""
    fields = ", ".join(_short(one) for one in step.fields)
    lines = [f"Step {step.number} ({step.where}): {fields}"]
    if verbosity >= EVERY_NUMBER:
        lines += ["", *_table(["region", "there", "origin (cm)", "left", "up", "front"], _region_rows(delivery, step))]
        lines += ["", *_table(["field", "pencil beam", "particle", "MeV", "particles", "histories"],
                              [row for one in step.fields for row in _beam_rows(one, verbosity)]), ""]  # fmt: skip
    lines += [f"Script before: {_script(call)}" for call in step.before]
    lines += [f"Script: {_script(call)}" for call in step.after]
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _short(one: FieldDelivery) -> str:
    return f"{one.name} with {_count(len(one.beams), 'pencil beam')}, {one.particles:.6g} particles"


def _script(call: ScriptCall) -> str:
    return f"{call.name} ({call.where})"


def _region_rows(delivery: Delivery, step: Step) -> list[list[str]]:
    rows = []
    for name in delivery.boxes():
        values = _region(name, step)
        origin = _triple([value / MM_PER_CM for value in values["origin_mm"]])
        rows.append([name, "yes" if values["active"] else "no", origin,
                     *(_triple(values[axis]) for axis in ("left", "up", "front"))])  # fmt: skip
    return rows


def _triple(values: Sequence[float]) -> str:
    return " ".join(f"{round(value, 4) + 0.0:g}" for value in values)


def _beam_rows(one: FieldDelivery, verbosity: int) -> list[list[str]]:
    """Return a row for each pencil beam, or for many of them one of all."""
    if len(one.beams) <= FEW_BEAMS or verbosity >= EVERY_BEAM:
        return [[one.name, beam.id, beam.particle, _energy([beam]), f"{beam.particles:.6g}", str(beam.histories)]
                for beam in one.beams]  # fmt: skip
    kinds = ", ".join(dict.fromkeys(beam.particle for beam in one.beams))
    ids = f"{one.beams[0].id} ... {one.beams[-1].id} ({len(one.beams):,})"
    histories = sum(beam.histories for beam in one.beams)
    return [[one.name, ids, kinds, _energy(one.beams), f"{one.particles:.6g}", f"{histories}"]]


def _energy(beams: Sequence[PencilBeam]) -> str:
    energies = [beam.energy.mean_MeV for beam in beams]
    unit = "/u" if any(beam.energy.per_nucleon for beam in beams) else ""
    low, high = min(energies), max(energies)
    return f"{low:.6g}{unit}" if low == high else f"{low:.6g} to {high:.6g}{unit}"


def _table(titles: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[n]) for row in [titles, *rows]) for n in range(len(titles))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [titles, *rows]]  # fmt: skip
