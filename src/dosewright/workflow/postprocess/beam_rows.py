"""One beam as the report shows it: the plan's figures, the meterset audit, what was simulated."""

from dosewright.formats.text.site_settings import Goals
from dosewright.geometry.beam.beam_devices import device_text
from dosewright.workflow.postprocess.treatment import Treatment
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.target import beam_frame
from dosewright.workflow.report.data import BeamRow, DosePair, Factor, LayerRow
from dosewright.workflow.simulate import SimulatedBeam


def beam_row(equipped: EquippedBeam, simulated: SimulatedBeam, treatment: Treatment, goal: str, site: Goals) -> BeamRow:
    """Return the report's row of a beam; `site` says over which voxels its uncertainty is the mean."""
    beam, audit = equipped.beam, equipped.audit
    dose, tps = treatment.beams[beam.number], treatment.tps_beams.get(beam.number)
    percent = simulated.mean_uncertainty_percent
    return BeamRow(
        number=beam.number,
        name=beam.name,
        machine=beam.machine,
        radiation=beam.radiation,
        gantry_deg=beam.gantry_deg,
        couch_deg=beam.couch_deg,
        gantry_to_patient=beam_frame(beam),
        meterset_unit=audit.unit,
        meterset=audit.meterset,
        final_cumulative_weight=audit.final_cumulative_weight,
        sum_of_weights=audit.sum_of_weights,
        particles=audit.particles,
        primaries=simulated.histories,
        mean_uncertainty_percent=float("nan") if percent is None else percent,
        dose_errors=simulated.figures.get("dose_errors") or {},
        goal=goal,
        goal_reached=simulated.goal_reached,
        layers=layer_rows(equipped),
        factors=factors(equipped, treatment),
        devices=tuple(device_text(device) for device in equipped.devices),
        batches=simulated.figures["batches"],
        wall_seconds=simulated.figures["wall_seconds"],
        uncertainty_voxels=f"voxels above {site.dose_threshold_percent:g} % of the mean of the {site.top_voxels} "
        "highest",
        dose=DosePair(dose.physical, dose.uncertainty, tps.image if tps else None, treatment.body.where),
    )


def layer_rows(equipped: EquippedBeam) -> tuple[LayerRow, ...]:
    """Return the meterset audit layer by layer."""
    return tuple(
        LayerRow(
            control_point=layer.control_point,
            energy_MeV=row.nominal_energy_MeV,
            spots=row.spots,
            sum_of_weights=row.weight,
            meterset=row.meterset,
            particles_per_unit=1.0 if row.particles_per_mu is None else row.particles_per_mu,
            particles=row.particles,
        )
        for layer, row in zip(equipped.beam.layers, equipped.audit.layers, strict=True)
    )


def factors(equipped: EquippedBeam, treatment: Treatment) -> tuple[Factor, ...]:
    """Return what the dose per primary was multiplied by."""
    scale = treatment.scales[equipped.beam.number]
    return (
        Factor("particles per fraction", scale.particles_per_fraction, "Sum over all layers of the meterset audit."),
        Factor("fractions", float(scale.fractions), "Number of fractions planned."),
        *correction_factors(equipped),
    )


def correction_factors(equipped: EquippedBeam) -> tuple[Factor, ...]:
    """Return the site's corrections of a machine, where there are any; that of the weights is among the particles."""
    found = []
    correction = equipped.correction
    whose = f"The site's settings for machine {correction.machine!r} with {correction.radiation}."
    if correction.dose_factor != 1.0:
        found.append(Factor("dose factor of the site", correction.dose_factor, whose))
    for factor, which in zip(equipped.audit.weight_factors, ("lowest", "highest"), strict=True):
        if equipped.audit.weight_factors != (1.0, 1.0):
            said = f"Of the layers; included in the particles. {whose}"
            found.append(Factor(f"{which} weight factor", factor, said))
    return tuple(found)
