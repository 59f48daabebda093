"""A two-field proton plan for the head phantom: layers, spots, and weights fitted to a uniform dose in the target."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from dosewright.commissioning.demonstration.analytic_dose import PencilBeam, PlacedSlab
from dosewright.commissioning.demonstration.beams_eye import BeamsEyeView, Seen, relative_stopping_power
from dosewright.commissioning.demonstration.water_depth_dose import range_in_water_mm
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import refuse
from dosewright.core.frame import gantry_to_patient
from dosewright.core.grid import Grid, Image
from dosewright.core.mask import mask
from dosewright.core.plan import EnergyLayer, IonBeam, RangeShifterSetting
from dosewright.core.structures import Structure
from dosewright.core.units import FWHM_PER_SIGMA
from dosewright.geometry.patient_report import Patient

Floats = NDArray[np.float64]

RBE = 1.1
FRACTIONS = 15
FRACTION_DOSE_GY = 2.0  # effective
LAYER_MM = 4.5  # between ranges
SPOT_MM = 6.0
LATERAL_MARGIN_MM = 8.0
FIELD_EDGE_MM = 30.0  # of dose kept around the target
RING_MM, RING_WEIGHT = 9.0, 0.005  # tissue around the target that the fit keeps low, and how much it counts
ROUNDS = 800  # of the fit
SMALLEST_SHARE = 0.05  # spots below this share of the mean are left out
GAP_MM = 50.0  # from the skin to the range shifter
WEIGHT_PER_MU = 5.0 / 9.0  # weights have a scale of their own, as planning systems write them


@dataclass(frozen=True)
class FieldSetup:
    """Name, angles (degrees) and range shifter (its ID, or empty) of a field."""

    name: str
    gantry_deg: float
    couch_deg: float
    range_shifter: str


@dataclass(frozen=True)
class WeightedLayer:
    """All spots of one energy with their protons per fraction."""

    pencil: PencilBeam
    nominal_energy_MeV: float
    x_mm: Floats
    y_mm: Floats
    protons: Floats


@dataclass(frozen=True)
class Target:
    """What the plan is made for: the patient, the target and the isocentre."""

    patient: Patient
    structure: Structure
    isocenter_mm: tuple[float, float, float]


@dataclass(frozen=True)
class DemoField:
    """A field of the plan: the beam as a plan says it, and the same spots for the formula."""

    beam: IonBeam
    view: BeamsEyeView
    layers: tuple[WeightedLayer, ...]

    def dose_Gy(self, points_mm: Floats) -> Floats:
        """Return the physical dose per fraction at points in patient coordinates, shape (n, 3)."""
        at = self.view.look(points_mm)
        dose = np.zeros(at.x_mm.size)
        depth = np.where(np.isfinite(at.water_mm), at.water_mm, np.inf)  # beside the field there is no depth
        for layer in self.layers:
            near = np.flatnonzero(depth < layer.pencil.deepest_mm)
            dose[near] += layer.pencil.dose_Gy(at.only(near), layer.x_mm, layer.y_mm, layer.protons)
        return dose


def plan_field(number: int, setup: FieldSetup, target: Target, model: BeamModel, share_Gy: float) -> DemoField:
    """Plan one field that gives the target a uniform physical dose per fraction."""
    to_patient = gantry_to_patient(
        gantry_deg=setup.gantry_deg,
        couch_deg=setup.couch_deg,
        patient_position="HFS",
        isocenter_mm=np.array(target.isocenter_mm),
    )
    inside, ring = _target_points(target)
    gantry = to_patient.inverse().points(inside)
    edges = gantry[:, :2].min(axis=0) - FIELD_EDGE_MM, gantry[:, :2].max(axis=0) + FIELD_EDGE_MM
    view = BeamsEyeView.through(relative_stopping_power(target.patient), to_patient, model.scanning_mm, edges)
    slab = _placed(setup, view, model)
    seen, seen_ring = view.look(inside), view.look(ring)
    layers = _layers(seen, model, model.plane_mm - view.top_mm, slab)
    layers = _fitted(layers, seen, seen_ring, share_Gy)
    beam = _beam(number, setup, target, model, slab, layers)
    return DemoField(beam, view, _as_planned(layers, beam, model))


def _target_points(target: Target) -> tuple[Floats, Floats]:
    """Return points inside the target and in a ring around it, 3 mm apart."""
    planes = np.concatenate(target.structure.contours)
    low = planes.min(axis=0) - RING_MM - 3.0
    shape = tuple(int(n) for n in np.ceil((planes.max(axis=0) + RING_MM + 3.0 - low) / 3.0) + 1)
    grid = Grid(shape, (3.0, 3.0, 3.0), tuple(low))  # type: ignore[arg-type]
    inside = mask(target.structure, grid)
    away = distance_transform_edt(~inside, sampling=(3.0, 3.0, 3.0))
    return _centres(grid, inside), _centres(grid, (away > 4.0) & (away < RING_MM))


def _placed(setup: FieldSetup, view: BeamsEyeView, model: BeamModel) -> PlacedSlab | None:
    """Place the range shifter outside the patient, its distance in whole centimetres."""
    if not setup.range_shifter:
        return None
    if setup.range_shifter not in model.range_shifters:
        known = ", ".join(model.range_shifters) or "none"
        raise refuse("The beam model has no such range shifter", given=setup.range_shifter, allowed=known)
    deepest = view.water.values.max(axis=(1, 2))
    skin = view.top_mm - float(view.water.grid.centres_mm(2)[np.argmax(deepest > 1.0)])
    distance = 10.0 * np.ceil((skin + GAP_MM) / 10.0)
    return PlacedSlab.of(model.range_shifters[setup.range_shifter], float(distance))


def _layers(seen: Seen, model: BeamModel, air_mm: float, slab: PlacedSlab | None) -> list[WeightedLayer]:
    """Choose energies 4.5 mm apart in range over the target's depth, and spots where the target is at that depth."""
    nominal = np.linspace(*model.energy_range_MeV, 200)
    ranges = range_in_water_mm(np.array([model.at(e).mean_energy_MeV for e in nominal]))
    upstream = PencilBeam.of(model, float(nominal[-1]), air_mm=air_mm, slab=slab).upstream_mm
    depth = seen.water_mm + upstream
    deepest, shallowest = float(depth.max()) + 2.0, float(depth.min()) - 1.0
    if not ranges[0] <= shallowest < deepest <= ranges[-1]:
        raise refuse(
            "The target of the demonstration lies outside the ranges of the beam model",
            given=f"{shallowest:.0f} to {deepest:.0f} mm of water",
            allowed=f"{ranges[0]:.0f} to {ranges[-1]:.0f} mm",
        )
    layers = []
    for reach in np.arange(deepest, shallowest, -LAYER_MM):
        energy = round(float(np.interp(reach, ranges, nominal)), 1)
        here = np.abs(depth - reach) < 1.5 * LAYER_MM
        x, y = _spots(seen.x_mm[here], seen.y_mm[here])
        if x.size:
            pencil = PencilBeam.of(model, energy, air_mm=air_mm, slab=slab)
            layers.append(WeightedLayer(pencil, energy, x, y, np.ones(x.size)))
    return layers


def _spots(x_mm: Floats, y_mm: Floats) -> tuple[Floats, Floats]:
    """Return the spots of a square grid within a margin of any of the points."""
    if not x_mm.size:
        return np.zeros(0), np.zeros(0)
    ends = [np.arange(np.floor((v.min() - 10) / SPOT_MM), np.ceil((v.max() + 10) / SPOT_MM) + 1) for v in (x_mm, y_mm)]
    y, x = (g.ravel() * SPOT_MM for g in np.meshgrid(ends[1], ends[0], indexing="ij"))
    close = np.min((x[:, None] - x_mm) ** 2 + (y[:, None] - y_mm) ** 2, axis=1) < LATERAL_MARGIN_MM**2
    return x[close], y[close]


def _fitted(layers: Sequence[WeightedLayer], seen: Seen, ring: Seen, dose_Gy: float) -> list[WeightedLayer]:
    """Fit the protons of every spot to a uniform dose; leave out spots that hardly count, and fit again."""
    kept = list(layers)
    for _ in range(2):
        per_target = np.hstack([w.pencil.dose_per_proton_Gy(seen, w.x_mm, w.y_mm) for w in kept])
        per_ring = np.hstack([w.pencil.dose_per_proton_Gy(ring, w.x_mm, w.y_mm) for w in kept])
        protons = _least_squares(per_target, per_ring, dose_Gy)
        parts = np.split(protons, np.cumsum([w.x_mm.size for w in kept])[:-1])
        smallest = SMALLEST_SHARE * float(protons.mean())
        kept = [_only(w, part, part > smallest) for w, part in zip(kept, parts, strict=True)]
        kept = [w for w in kept if w.x_mm.size]
    return kept


def _least_squares(per_target: Floats, per_ring: Floats, dose_Gy: float) -> Floats:
    """Return non-negative numbers of protons by the image space reconstruction algorithm.

    Source: Daube-Witherspoon and Muehllehner, IEEE Trans. Med. Imaging 5, 61 (1986).
    """
    wanted = dose_Gy * per_target.sum(axis=0)
    response = per_target.T @ per_target + RING_WEIGHT * (per_ring.T @ per_ring)
    protons = np.full(wanted.size, dose_Gy / float(per_target.sum(axis=1).mean()))
    for _ in range(ROUNDS):
        protons *= wanted / (response @ protons)
    return np.asarray(protons * dose_Gy / float((per_target @ protons).mean()))


def _only(layer: WeightedLayer, protons: Floats, chosen: NDArray[np.bool_]) -> WeightedLayer:
    return WeightedLayer(
        layer.pencil, layer.nominal_energy_MeV, layer.x_mm[chosen], layer.y_mm[chosen], protons[chosen]
    )


def _beam(
    number: int,
    setup: FieldSetup,
    target: Target,
    model: BeamModel,
    slab: PlacedSlab | None,
    layers: Sequence[WeightedLayer],
) -> IonBeam:
    """Say the field as a plan does: MU on the plan's own scale, single precision as in DICOM."""
    planned = tuple(
        EnergyLayer(
            control_point=2 * n,
            nominal_energy_MeV=layer.nominal_energy_MeV,
            x_mm=layer.x_mm,
            y_mm=layer.y_mm,
            weights=(layer.protons / _per_mu(model, layer.nominal_energy_MeV) * WEIGHT_PER_MU)
            .astype(np.float32)
            .astype(float),
            spot_tune_id="1",
            spot_size_fwhm_mm=_spot_size(layer.pencil),
        )
        for n, layer in enumerate(layers)
    )
    total = float(sum(layer.weights.sum() for layer in planned))
    shifters = (
        (RangeShifterSetting(setup.range_shifter, 1, "BINARY", slab.downstream_mm, round(slab.water_mm, 2)),)
        if slab
        else ()
    )
    return IonBeam(
        number=number,
        name=setup.name,
        machine=model.machine,
        radiation="PROTON",
        meterset_unit="MU",
        meterset=total / WEIGHT_PER_MU,
        final_cumulative_weight=total,
        gantry_deg=setup.gantry_deg,
        couch_deg=setup.couch_deg,
        pitch_deg=0.0,
        roll_deg=0.0,
        patient_position="HFS",
        isocenter_mm=target.isocenter_mm,
        layers=planned,
        range_shifters=shifters,
        snout_position_mm=slab.downstream_mm if slab else None,
        virtual_source_mm=model.scanning_mm if all(np.isfinite(model.scanning_mm)) else None,
    )


def _as_planned(layers: Sequence[WeightedLayer], beam: IonBeam, model: BeamModel) -> tuple[WeightedLayer, ...]:
    """Return the layers with the protons that the beam's rounded weights stand for."""
    return tuple(
        WeightedLayer(
            layer.pencil,
            layer.nominal_energy_MeV,
            layer.x_mm,
            layer.y_mm,
            planned.weights / WEIGHT_PER_MU * _per_mu(model, layer.nominal_energy_MeV),
        )
        for layer, planned in zip(layers, beam.layers, strict=True)
    )


def _per_mu(model: BeamModel, nominal_MeV: float) -> float:
    count = model.at(nominal_MeV).particles_per_mu
    if count is None:
        raise refuse("The beam model of the demonstration has no particles per MU", given=model.name)
    return count


def _spot_size(pencil: PencilBeam) -> tuple[float, float]:
    c, way = pencil.optics, pencil.plane_mm
    x, y = (float(np.sqrt(m[0, 0] + 2 * way * m[0, 1] + way**2 * m[1, 1])) for m in c)
    return round(FWHM_PER_SIGMA * x, 2), round(FWHM_PER_SIGMA * y, 2)


def _centres(grid: Grid, chosen: NDArray[np.bool_]) -> Floats:
    return grid.to_patient(np.argwhere(chosen)[:, ::-1].astype(float))


def effective_dose(field: DemoField, grid: Grid, inside: NDArray[np.bool_]) -> Image:
    """Return the effective dose of a field over all fractions as planning systems state it: none outside."""
    dose = np.zeros(grid.array_shape)
    dose[inside] = field.dose_Gy(_centres(grid, inside)) * RBE * FRACTIONS
    return Image(grid, dose)
