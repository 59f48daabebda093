"""Pictures of a fitted beam model: depth doses, spot sizes, and every parameter over energy."""

import numpy as np
from matplotlib.figure import Figure

from dosewright.commissioning.beam_fit.check import Check
from dosewright.commissioning.beam_fit.curve_fit import CurveFit
from dosewright.commissioning.beam_fit.measurements import Curve, SpotSizes
from dosewright.commissioning.beam_fit.optics_fit import OpticsFit
from dosewright.commissioning.fit_beam import BeamFit
from dosewright.commissioning.fit_page import FITTED, MEASURED, SECOND

LEGEND = 9  # energies named in a picture


def depth_dose_picture(curve: Curve, fit: CurveFit, check: Check | None) -> Figure:
    """Draw a measured depth dose, the fit, the Monte Carlo run of the model, and their differences."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    whole, peak = figure.subplots(2, 2, width_ratios=(3, 2), height_ratios=(3, 1), sharex="col").T
    largest = curve.dose.max()
    for dose, difference in (whole, peak):
        dose.plot(curve.depth_mm, curve.dose / largest, ".", ms=4, color=MEASURED, label="measured")
        dose.plot(curve.depth_mm[fit.used], fit.fitted / largest, color=FITTED, lw=1.2, label="fit")
        residual = 100 * (fit.fitted - curve.dose[fit.used]) / largest
        difference.plot(curve.depth_mm[fit.used], residual, color=FITTED, lw=1)
        if check is not None:
            dose.plot(curve.depth_mm, check.calculated / largest, "--", color=SECOND, lw=1, label="Monte Carlo")
            difference.plot(curve.depth_mm, 100 * (check.calculated - curve.dose) / largest, "--", color=SECOND, lw=1)
        difference.axhline(0.0, color="0.6", lw=0.8)
        difference.set_xlabel("depth in water (mm)")
    reach = curve.range_mm
    peak[0].set_xlim(max(reach - 25, 0), reach + 10)
    whole[0].set_ylabel("dose over largest")
    whole[1].set_ylabel("difference\n(% of largest)", fontsize=8)
    whole[0].legend(frameon=False)
    whole[0].set_title(f"{curve.nominal_MeV:g} MeV nominal: {fit.mean_MeV:.2f} MeV, spread {fit.sigma_MeV:.2f} MeV",
                       loc="left", fontsize=10)  # fmt: skip
    return figure


def spots_picture(measured: tuple[SpotSizes, ...], fits: tuple[OpticsFit, ...]) -> Figure:
    """Draw the spot sizes of all energies against the distance from the isocentre, measured and fitted."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, axis in zip(figure.subplots(1, 2, sharey=True), "xy", strict=True):
        for n, (spots, fit) in enumerate(zip(measured, fits, strict=True)):
            order = np.argsort(spots.z_mm)
            shade = str(0.1 + 0.6 * n / max(len(fits) - 1, 1))
            sizes = spots.sigma_x_mm if axis == "x" else spots.sigma_y_mm
            axes.plot(spots.z_mm, sizes, "o", ms=3, color=MEASURED, alpha=0.7)
            named = f"{spots.nominal_MeV:g} MeV" if len(fits) <= LEGEND or n % (len(fits) // LEGEND) == 0 else None
            axes.plot(spots.z_mm[order], getattr(fit, axis).fitted_mm[order], color=shade, lw=1, label=named)
        axes.set_xlabel("gantry z (mm), upstream positive")
        axes.set_title(f"sigma {axis} in air: dots measured, lines fitted", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    figure.axes[0].set_ylabel("sigma (mm)")
    return figure


def parameters_picture(fit: BeamFit) -> Figure:
    """Draw every parameter over nominal energy: fitted with 1 sigma, and the model between."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    nominal = np.array(fit.nominal_MeV)
    beams = [fit.model.at(energy) for energy in fit.nominal_MeV]
    at = [one.nominal_MeV for one in fit.curves]
    axes[0].errorbar(at, [one.mean_MeV - one.nominal_MeV for one in fit.curves],
                     [one.mean_uncertainty_MeV for one in fit.curves], fmt="o", ms=3, color=MEASURED)  # fmt: skip
    axes[0].plot(nominal, [b.mean_energy_MeV - e for b, e in zip(beams, nominal, strict=True)], color=FITTED)
    axes[1].errorbar(at, [one.sigma_MeV for one in fit.curves], [one.sigma_uncertainty_MeV for one in fit.curves],
                     fmt="o", ms=3, color=MEASURED)  # fmt: skip
    axes[1].plot(nominal, [b.energy_sigma_MeV for b in beams], color=FITTED)
    if fit.particles:
        axes[2].errorbar([one.nominal_MeV for one in fit.particles], [one.per_mu / 1e6 for one in fit.particles],
                         [one.uncertainty / 1e6 for one in fit.particles], fmt="o", ms=3, color=MEASURED)  # fmt: skip
        axes[2].plot(nominal, [(b.particles_per_mu or 0.0) / 1e6 for b in beams], color=FITTED)
    for panel, k, scale in ((axes[3], 0, 1.0), (axes[4], 1, 1e3), (axes[5], 2, 1.0)):
        for axis, colour in (("x", FITTED), ("y", SECOND)):
            one = [getattr(o, axis) for o in fit.optics]
            panel.errorbar([o.nominal_MeV for o in fit.optics], [scale * a.size[k] for a in one],
                           [scale * min(a.uncertainty[k], 10 * a.size[0]) for a in one], fmt="o-", ms=3, lw=1,
                           color=colour, label=axis)  # fmt: skip
    axes[3].legend(frameon=False)
    titles = ("mean - nominal energy (MeV)", "energy spread (MeV)", "particles per MU (1e6)",
              "sigma at the plane (mm)", "divergence (mrad)", "correlation")  # fmt: skip
    for panel, title in zip(axes, titles, strict=True):
        panel.set_title(title, loc="left", fontsize=10)
        panel.set_xlabel("nominal energy (MeV)")
    return figure
