"""A fitted CT protocol as files: the protocol with its provenance, and the report."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dosewright.commissioning.fit_hlut import HlutFit
from dosewright.commissioning.fit_page import (
    FITTED,
    MEASURED,
    SECOND,
    page,
    pairs,
    paragraph,
    picture,
    section,
    table,
)
from dosewright.commissioning.hlut_fit.attenuation import relative_stopping_power
from dosewright.commissioning.provenance import Provenance, write_with
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.text.ct_toml import ct_toml_text
from dosewright.formats.text.lines import sha256
from dosewright.materials.hlut import density_at, material_at


def write_fit(fit: HlutFit, folder: Path) -> tuple[Path, Path]:
    """Write ``NAME.toml`` and ``NAME.report.html``; return both."""
    folder.mkdir(parents=True, exist_ok=True)
    file = fit.measured.file
    provenance = Provenance.now(file.who, fit.measured.files, residuals(fit))
    protocol = folder / f"{file.name}.toml"
    source = f"stoichiometric calibration by dosewright fit hlut, k1 = {fit.k[0]:.4g}, k2 = {fit.k[1]:.4g}"
    write_with(protocol, ct_toml_text(fit.table, file.match, source), provenance)
    report = folder / f"{file.name}.report.html"
    write_whole_text(report, report_page(fit, provenance, sha256(protocol)))
    return protocol, report


def residuals(fit: HlutFit) -> dict[str, str]:
    """Say in words how well the protocol fits."""
    off = fit.calculated_hu - fit.measured.hu
    said = {
        "coefficients": f"k1 {fit.k[0]:.4g} ± {fit.uncertainty[0]:.1g} (coherent), "
        f"k2 {fit.k[1]:.4g} ± {fit.uncertainty[1]:.1g} (photoelectric)",
        "inserts": f"{off.size}, calculated minus measured {np.sqrt(np.mean(off**2)):.1f} HU rms, "
        f"{off[np.argmax(np.abs(off))]:+.1f} HU most; chi square per insert {fit.chi2_per_insert:.2f}",
    }
    for group in ("lung", "soft", "bone"):
        percents = np.array([row.percent for row in fit.tissues if row.tissue.group == group])
        said[f"stopping_power_{group}"] = (f"{percents.size} tissues, protocol against tissue "
                                           f"{percents.mean():+.2f} % mean, "
                                           f"{percents[np.argmax(np.abs(percents))]:+.2f} % most")  # fmt: skip
    return said


def report_page(fit: HlutFit, provenance: Provenance, hashed: str) -> str:
    """Return the report as a page of its own."""
    file = fit.measured.file
    keywords = ", ".join(f"{key} = {value}" for key, value in file.match.items()) or "none: taken by name only"
    facts = {"CT protocol": file.name, "SHA-256": hashed, "DICOM keywords": keywords, **provenance.rows()}
    inserts = [
        (one.name, f"{one.density_g_cm3:.4g}", f"{hu:.1f} ± {s:.1f}", f"{c:.1f}", f"{c - hu:+.1f}",
         f"{relative_stopping_power(one):.4f}")
        for one, hu, s, c in zip(fit.measured.media, fit.measured.hu, fit.measured.sigma_hu, fit.calculated_hu,
                                 strict=True)
    ]  # fmt: skip
    rows = [
        (row.tissue.medium.name, f"{row.tissue.medium.density_g_cm3:.4g}", f"{row.hu:.1f}", f"{row.stopping:.4f}",
         f"{row.by_protocol:.4f}", f"{row.percent:+.2f}", row.tissue.citation)
        for row in fit.tissues
    ]  # fmt: skip
    curve = [(f"{hu:.1f}", f"{rho:.5g}") for hu, rho in zip(fit.table.density_hu, fit.table.density_g_cm3, strict=True)]
    media = [(f"{hu:.1f}", one.name) for hu, one in zip(fit.table.lower_hu, fit.table.materials, strict=True)]
    return page(
        f"Fitted CT protocol {file.name}",
        [
            pairs(facts),
            *(paragraph(one, warning=True) for one in fit.notes),
            section("Inserts", picture(inserts_picture(fit), "measured and calculated Hounsfield numbers"),
                    table(("insert", "g/cm³", "HU measured", "HU calculated", "difference", "SPR"), inserts)),
            section("Tissues", picture(tissues_picture(fit), "stopping power over Hounsfield number"),
                    table(("tissue", "g/cm³", "HU", "SPR", "SPR by protocol", "%", "composition"), rows)),
            section("The protocol", table(("HU", "g/cm³"), curve), table(("from HU", "composition"), media)),
        ],
    )  # fmt: skip


def inserts_picture(fit: HlutFit) -> Figure:
    """Draw measured against calculated Hounsfield numbers, and their differences."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    measured, calculated = fit.measured.hu, fit.calculated_hu
    ends = [measured.min(), measured.max()]
    left.plot(ends, ends, color="0.6", lw=0.8)
    left.errorbar(calculated, measured, fit.measured.sigma_hu, fmt="o", ms=4, color=MEASURED)
    left.set(xlabel="HU calculated", ylabel="HU measured")
    right.axhline(0.0, color="0.6", lw=0.8)
    right.errorbar(measured, calculated - measured, fit.measured.sigma_hu, fmt="o", ms=4, color=FITTED)
    for one, x, y in zip(fit.measured.media, measured, calculated - measured, strict=True):
        right.annotate(one.name, (x, y), xytext=(3, 3), textcoords="offset points", fontsize=7)
    right.set(xlabel="HU measured", ylabel="calculated - measured (HU)")
    return figure


def tissues_picture(fit: HlutFit) -> Figure:
    """Draw densities and relative stopping powers of the protocol, with the tissues of the reports."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    (density, stopping), (off, soft) = figure.subplots(2, 2)
    numbers = np.arange(np.ceil(fit.table.density_hu[0]), 1800.0)
    media, densities = material_at(numbers, fit.table), density_at(numbers, fit.table)
    powers = [relative_stopping_power(fit.table.materials[int(m)], float(rho))
              for m, rho in zip(media, densities, strict=True)]  # fmt: skip
    hu = np.array([row.hu for row in fit.tissues])
    density.plot(numbers, densities, color=FITTED, lw=1)
    density.plot(hu, [row.tissue.medium.density_g_cm3 for row in fit.tissues], "o", ms=3, color=MEASURED)
    density.set(xlabel="HU", ylabel="density (g/cm³)")
    for panel in (stopping, soft):
        panel.plot(numbers, powers, color=FITTED, lw=1, label="protocol")
        panel.plot(hu, [row.stopping for row in fit.tissues], "o", ms=3, color=MEASURED, label="tissues of the reports")
        panel.set(xlabel="HU", ylabel="relative stopping power")
    stopping.legend(frameon=False)
    soft.set(xlim=(-150, 150), ylim=(0.88, 1.16), title="soft tissue")
    off.axhline(0.0, color="0.6", lw=0.8)
    for group, colour in (("lung", "0.3"), ("soft", FITTED), ("bone", SECOND)):
        of_group = [row for row in fit.tissues if row.tissue.group == group]
        off.plot([row.hu for row in of_group], [row.percent for row in of_group], "o", ms=4, color=colour, label=group)
    off.set(xlabel="HU", ylabel="protocol against tissue (%)")
    off.legend(frameon=False)
    return figure
