"""A fitted beam model as files: the model with its provenance, the report, and all numbers."""

import json
from pathlib import Path

import numpy as np

from dosewright.commissioning.beam_fit.check import Check
from dosewright.commissioning.beam_fit.optics_fit import AxisFit
from dosewright.commissioning.beam_fit.pictures import depth_dose_picture, parameters_picture, spots_picture
from dosewright.commissioning.fit_beam import BeamFit
from dosewright.commissioning.fit_page import page, pairs, paragraph, picture, section, table
from dosewright.commissioning.provenance import Provenance, write_with
from dosewright.core.whole_file import write_whole, write_whole_text
from dosewright.formats.text.beam_toml import write_beam_toml
from dosewright.formats.text.lines import read_text, sha256


def write_fit(fit: BeamFit, checks: tuple[Check, ...], folder: Path) -> tuple[Path, Path]:
    """Write ``NAME.toml``, ``NAME.fit.json`` and ``NAME.report.html``; return the model and the report."""
    folder.mkdir(parents=True, exist_ok=True)
    provenance = Provenance.now(fit.measured.file.who, fit.measured.files, residuals(fit, checks))
    model = folder / f"{fit.model.name}.toml"
    draft = folder / f".{fit.model.name}.draft.toml"
    try:
        write_whole(draft, lambda temporary: write_beam_toml(temporary, fit.model, fit.nominal_MeV))
        write_with(model, read_text(draft), provenance)
    finally:
        draft.unlink(missing_ok=True)
    numbers = json.dumps(as_numbers(fit, checks), indent=1)
    write_whole_text(folder / f"{fit.model.name}.fit.json", numbers + "\n")
    report = folder / f"{fit.model.name}.report.html"
    write_whole_text(report, report_page(fit, checks, provenance, sha256(model)))
    return model, report


def residuals(fit: BeamFit, checks: tuple[Check, ...]) -> dict[str, str]:
    """Say in words how well the model fits."""
    chi2 = [one.chi2_per_point for one in fit.curves]
    spots = np.concatenate([100 * (axis.fitted_mm / sizes - 1) for axis, sizes in _axes(fit)])
    said = {
        "depth_doses": f"{len(chi2)} energies, chi square per point {min(chi2):.2f} to {max(chi2):.2f}",
        "spots": f"{len(spots)} sizes, model minus measurement {np.sqrt(np.mean(spots**2)):.2f} % rms, "
        f"{np.abs(spots).max():.2f} % most",
        "particles_per_MU": f"{len(fit.particles)} energies" if fit.particles else "none measured",
    }
    if checks:
        far = max(abs(one.range_mm) for one in checks)
        peak = max(abs(one.peak_percent) for one in checks)
        worst = max(one.chi2_per_point for one in checks)
        said["monte_carlo"] = (f"model run whole at {len(checks)} energies: R80 within {far:.2f} mm, peak within "
                               f"{peak:.1f} %, chi square per point up to {worst:.2f}")  # fmt: skip
    return said


def _axes(fit: BeamFit) -> list[tuple[AxisFit, np.ndarray]]:
    pairs_ = []
    for spots, one in zip(fit.measured.spots, fit.optics, strict=True):
        pairs_ += [(one.x, spots.sigma_x_mm), (one.y, spots.sigma_y_mm)]
    return pairs_


def as_numbers(fit: BeamFit, checks: tuple[Check, ...]) -> dict[str, object]:
    """Return every fitted parameter with its uncertainty, and every check, for programs."""

    def axis(one: AxisFit) -> dict[str, object]:
        size, error = one.size, one.uncertainty
        names = ("sigma_mm", "divergence_rad", "correlation")
        values = {name: [value, _finite(u)] for name, value, u in zip(names, size, error, strict=True)}
        return {**values, "chi2_per_point": one.chi2_per_point, "nearest_possible": one.at_edge}

    return {
        "energy": [
            {"nominal_MeV": one.nominal_MeV, "mean_MeV": [one.mean_MeV, one.mean_uncertainty_MeV],
             "sigma_MeV": [one.sigma_MeV, one.sigma_uncertainty_MeV], "chi2_per_point": one.chi2_per_point}
            for one in fit.curves
        ],
        "optics": [
            {"nominal_MeV": one.nominal_MeV, "air_factor": one.air_factor, "x": axis(one.x), "y": axis(one.y)}
            for one in fit.optics
        ],
        "particles_per_mu": [
            {"nominal_MeV": one.nominal_MeV, "value": [one.per_mu, one.uncertainty]} for one in fit.particles
        ],
        "monte_carlo": [
            {"nominal_MeV": one.nominal_MeV, "chi2_per_point": one.chi2_per_point, "range_mm": one.range_mm,
             "falloff_mm": _finite(one.falloff_mm), "peak_percent": one.peak_percent,
             "spot_percent": one.spot_percent.tolist()}
            for one in checks
        ],
        "notes": list(fit.notes),
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def report_page(fit: BeamFit, checks: tuple[Check, ...], provenance: Provenance, hashed: str) -> str:
    """Return the report as a page of its own."""
    by_energy = {one.nominal_MeV: one for one in checks}
    model = fit.model
    scanning = " and ".join(f"{one:g}" for one in model.scanning_mm)
    facts = {
        "model": f"{model.name}, machine {model.machine or 'not said'}, {model.radiation}",
        "SHA-256 of the model": hashed,
        "geometry": f"model plane {model.plane_mm:g} mm, scanning {scanning} mm from the isocentre; {model.medium}",
        **provenance.rows(),
    }
    energies = [
        (f"{one.nominal_MeV:g}", f"{one.mean_MeV:.3f} ± {one.mean_uncertainty_MeV:.3f}",
         f"{one.sigma_MeV:.3f} ± {one.sigma_uncertainty_MeV:.3f}", f"{one.chi2_per_point:.2f}",
         *_checked(by_energy.get(one.nominal_MeV)))
        for one in fit.curves
    ]  # fmt: skip
    optics = [
        (f"{one.nominal_MeV:g}", name, f"{axis.size[0]:.3f} ± {axis.uncertainty[0]:.3f}",
         f"{1e3 * axis.size[1]:.3f} ± {1e3 * axis.uncertainty[1]:.3f}",
         f"{axis.size[2]:.3f} ± {axis.uncertainty[2]:.3f}", f"{axis.chi2_per_point:.2f}", f"{one.air_factor:.2f}")
        for one in fit.optics for name, axis in (("x", one.x), ("y", one.y))
    ]  # fmt: skip
    particles = [(f"{one.nominal_MeV:g}", f"{one.per_mu:.6g}", f"{100 * one.uncertainty / one.per_mu:.2f} %")
                 for one in fit.particles]  # fmt: skip
    curves = [
        picture(depth_dose_picture(curve, one, by_energy.get(one.nominal_MeV)), f"depth dose {one.nominal_MeV:g} MeV")
        for curve, one in zip(fit.measured.curves, fit.curves, strict=True)
    ]
    titles = ("nominal MeV", "mean MeV", "spread MeV", "chi²/point", "MC chi²/point", "R80 mm", "80–20 mm", "peak %")
    return page(
        f"Fitted beam model {model.name}",
        [
            pairs(facts),
            *(paragraph(one, warning=True) for one in fit.notes),
            section("Over energy", picture(parameters_picture(fit), "parameters over energy")),
            section("Energies", paragraph("1 sigma. MC: the model run whole, model minus measurement."),
                    table(titles, energies)),
            section("Spots", picture(spots_picture(fit.measured.spots, fit.optics), "spot sizes in air"),
                    table(("nominal MeV", "axis", "sigma mm", "divergence mrad", "correlation", "chi²/point",
                           "air factor"), optics)),
            section("Particles per MU", table(("nominal MeV", "particles per MU", "1 sigma"), particles)
                    if particles else paragraph("None measured.")),
            section("Depth doses", *curves),
        ],
    )  # fmt: skip


def _checked(one: Check | None) -> tuple[str, str, str, str]:
    if one is None:
        return "–", "–", "–", "–"
    return f"{one.chi2_per_point:.2f}", f"{one.range_mm:+.2f}", f"{one.falloff_mm:+.2f}", f"{one.peak_percent:+.1f}"
