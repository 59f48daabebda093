"""A comparison of two doses as text and as JSON."""

import math
from typing import Any

from dosewright.workflow.dose_files.compare import NOISE_WORDS, Comparison, GammaFound


def as_numbers(found: Comparison) -> dict[str, Any]:
    """Return everything as JSON takes it; what is not known is null."""
    pair, apart, test = found.pair, found.differences, found.noise
    numbers = {
        "agrees": found.agrees,
        "reasons": list(found.reasons),
        "unit": pair.unit,
        "scale": pair.scale,
        "maximum": found.normal,
        "maximum_at_mm": list(place(found, found.maximum_at)),
        "differences_percent_of_maximum": {
            "voxels": apart.voxels,
            "mean": apart.mean_percent,
            "root_mean_square": apart.rms_percent,
            "median": apart.median_percent,
            "least": apart.least_percent,
            "least_at_mm": list(place(found, apart.least_at)),
            "most": apart.most_percent,
            "most_at_mm": list(place(found, apart.most_at)),
            "voxels_within_percent": {f"{share:g}": part for share, part in apart.within_percent.items()},
        },
        "ratio_of_sums": apart.ratio,
        "statistics": None
        if test is None
        else {
            "verdict": test.verdict,
            "voxels": test.voxels,
            "effective_voxels": test.effective_voxels,
            "chi_square_per_voxel": test.chi_square,
            "chi_square_sigma": test.chi_square_sigma,
            "ratio_of_sums": test.ratio,
            "ratio_sigma": test.ratio_sigma,
            "correlation_of_neighbours": list(test.correlation),
        },
        "gamma": [_gamma_numbers(one) for one in found.gammas],
        "notes": list(found.said),
    }
    finite: dict[str, Any] = _finite(numbers)
    return finite


def _gamma_numbers(one: GammaFound) -> dict[str, Any]:
    clean = one.without_noise
    return {
        "criterion": str(one.criteria),
        "pass_percent": one.percent,
        "voxels": one.voxels,
        "without_noise_percent": None if clean is None else clean.percent,
        "without_noise_uncertainty": None if clean is None else clean.uncertainty,
        "noise_taken_out_of": one.corrected or None,
        "of_noise_alone_percent": one.of_noise_alone,
    }


def as_text(found: Comparison, names: tuple[str, str]) -> str:
    """Return the comparison as lines for people."""
    pair, apart, test = found.pair, found.differences, found.noise
    x, y, z = place(found, found.maximum_at)
    lines = [
        f"Reference: {names[0]} ({pair.files[0].format}); evaluated: {names[1]} ({pair.files[1].format})"
        + (f", multiplied by {pair.scale:.8g}" if pair.scale != 1.0 else ""),
        f"Maximum of the reference: {found.normal:.6g} {pair.unit} at x, y, z = {x:g}, {y:g}, {z:g} mm",
        f"Evaluated minus reference in {apart.voxels:,} voxels, % of that maximum:",
        f"  mean {apart.mean_percent:+.3f}, median {apart.median_percent:+.3f}, "
        f"root mean square {apart.rms_percent:.3f}",
        f"  from {apart.least_percent:+.2f} at {_mm(found, apart.least_at)} "
        f"to {apart.most_percent:+.2f} at {_mm(found, apart.most_at)}",
        "  within " + ", ".join(f"{share:g} %: {part:.2f} %" for share, part in apart.within_percent.items())
        + " of the voxels",
        f"Sum of the evaluated over that of the reference dose there: {apart.ratio:.5f}",
    ]  # fmt: skip
    if test is not None and math.isfinite(test.chi_square):
        lines += [
            f"Statistics: chi-square per voxel {test.chi_square:.3f} (1 +- {test.chi_square_sigma:.3f} where doses "
            f"agree), ratio {test.ratio:.5f} +- {test.ratio_sigma:.5f}; {test.voxels:,} voxels, worth "
            f"{test.effective_voxels:,.0f} independent ones",
            f"  {NOISE_WORDS[test.verdict].partition(':')[0]}",
        ]
    for one in found.gammas:
        rate = (
            "no voxel was judged" if math.isnan(one.percent) else f"{one.percent:.2f} % of {one.voxels:,} voxels pass"
        )
        lines.append(f"Gamma {one.criteria}: {rate}")
        if one.without_noise is not None:
            clean = one.without_noise
            lines.append(f"  without the noise of the {one.corrected} dose: {clean.percent:.2f} +- "
                         f"{clean.uncertainty:.2f} %")  # fmt: skip
        if one.of_noise_alone is not None:
            lines.append(f"  of two doses that differ by their noise alone: {one.of_noise_alone:.2f} %")
    lines += [f"Note: {sentence}" for sentence in found.said]
    lines += [f"Verdict by {reason}" for reason in found.reasons]
    return "\n".join(lines)


def place(found: Comparison, index: tuple[int, int, int]) -> tuple[float, float, float]:
    """Return the centre of a voxel of the reference, mm."""
    x, y, z = (float(of[n]) for of, n in zip(found.pair.centres_mm, index, strict=True))
    return x, y, z


def _mm(found: Comparison, index: tuple[int, int, int]) -> str:
    return "({:g}, {:g}, {:g}) mm".format(*place(found, index))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
