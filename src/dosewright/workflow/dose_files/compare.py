"""Two dose files compared: differences, their statistics, gamma with what noise does to it, profiles; a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.dose_difference import Differences, differences
from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.analysis.gamma_noise import NoiselessRate, noiseless_rate_searched, noiseless_rates
from dosewright.analysis.noise_test import NoiseTest, noise_test, pooled_error
from dosewright.analysis.voxel_noise import VoxelNoise, voxel_noise
from dosewright.core.dose_file import DoseFile, regular_grid
from dosewright.core.errors import refuse
from dosewright.core.grid import Image
from dosewright.core.in_voxels import Array
from dosewright.core.interpolate import resample
from dosewright.workflow.dose_files.pair import Pair, even_image, paired

Judged = Literal["gamma", "noise", "both"]
USUAL_RATE_PERCENT = 95.0  # AAPM TG-218 (2018), the universal tolerance limit
NOISIER = 3.0  # ratio of typical errors from which the noise of the other dose is left out of the correction
REFERENCE, EVALUATED = "reference", "evaluated"


@dataclass(frozen=True)
class Asked:
    """What is compared: criteria of gamma, the threshold of the differences in percent, who judges, with what scale."""

    criteria: tuple[GammaCriteria, ...]
    threshold_percent: float = 10.0
    scale: float | str | None = None
    judge: Judged = "gamma"
    pass_percent: float = USUAL_RATE_PERCENT
    noise_of_gamma: bool = True
    threads: int | None = None


@dataclass(frozen=True)
class GammaFound:
    """One criterion: the plain rate, the rate without noise, and the rate that noise alone would leave.

    `corrected` is the dose whose noise was taken out ("" where there is none); `of_noise_alone` the rate of two doses
    that differ by their noise only.
    """

    criteria: GammaCriteria
    percent: float
    voxels: int
    without_noise: NoiselessRate | None
    corrected: str
    of_noise_alone: float | None


@dataclass(frozen=True)
class Comparison:
    """What was found. `map` is gamma of the first criterion; `agrees` the verdict of who was asked to judge."""

    pair: Pair
    normal: float
    judged: NDArray[np.bool_]
    differences: Differences
    noise: NoiseTest | None
    gammas: tuple[GammaFound, ...]
    map: Image | None
    maximum_at: tuple[int, int, int]
    agrees: bool
    reasons: tuple[str, ...]
    said: tuple[str, ...]


def compare_doses(reference: DoseFile, evaluated: DoseFile, asked: Asked) -> Comparison:
    """Compare two doses; the reference sets maximum, threshold and voxels, and the evaluated dose is searched."""
    pair = paired(reference, evaluated, asked.scale)
    said = [*pair.said]
    normal = float(pair.reference.max())
    if not normal > 0:
        raise refuse("The reference dose is nowhere above zero")
    high = pair.reference >= asked.threshold_percent / 100.0 * normal
    judged = high & pair.there
    lost = int((high & ~pair.there).sum())
    if lost:
        said.append(f"{lost:,} of {int(high.sum()):,} voxels above the threshold lie outside the evaluated dose: they "
                    "fail in gamma, and count in no other figure.")  # fmt: skip
    found = differences(pair.reference, pair.evaluated, judged, normal)
    test = _noise_test(pair, judged, said)
    gammas, map_ = _gammas(pair, asked, said) if asked.criteria else ((), None)
    agrees, reasons = _verdict(asked, gammas, test)
    at = np.unravel_index(int(pair.reference.argmax()), pair.reference.shape)
    k, j, i = (int(n) for n in at)
    return Comparison(pair, normal, judged, found, test, gammas, map_, (i, j, k), agrees, reasons, tuple(said))


def _noise_test(pair: Pair, judged: NDArray[np.bool_], said: list[str]) -> NoiseTest | None:
    """Test the difference against the errors of both doses, pooled over neighbours where voxels are even."""
    sigma = pair.sigma
    if sigma is None:
        said.append("Neither dose has an uncertainty: whether they differ by more than noise cannot be told.")
        return None
    lacking = [n for n, of in ((REFERENCE, pair.reference_sigma), (EVALUATED, pair.evaluated_sigma)) if of is None]
    said += [f"The {name} dose has no uncertainty and was taken as exact." for name in lacking]
    if all(regular_grid(one) is not None for one in pair.files):
        relative = [
            None if of is None else np.divide(of, dose, out=np.zeros_like(dose), where=dose > 0)
            for dose, of in ((pair.reference, pair.reference_sigma), (pair.evaluated, pair.evaluated_sigma))
        ]
        sigma = pooled_error((pair.reference, pair.evaluated), (relative[0], relative[1]))
    return noise_test(pair.reference, pair.evaluated, sigma, judged)


def _gammas(pair: Pair, asked: Asked, said: list[str]) -> tuple[tuple[GammaFound, ...], Image]:
    notes: list[str] = []
    first, second = pair.files
    unit = float(first.dose.max())  # gamma searches in single precision, in which 1e-19 Gy per history has no square
    reference, evaluated = (even_image(one, one.dose / unit, notes) for one in (first, second))
    noise = {}
    if asked.noise_of_gamma:
        noise = _noises(pair, reference, evaluated, said)
    said += dict.fromkeys(notes)
    maps, found = [], []
    for given in asked.criteria:
        criteria = replace(
            given,
            threshold_Gy=None if given.threshold_Gy is None else given.threshold_Gy / unit,
            reference_dose_Gy=None if given.reference_dose_Gy is None else given.reference_dose_Gy / unit,
        )
        maps.append(gamma(reference, evaluated, criteria, threads=asked.threads))
        percent, voxels = pass_rate(maps[-1])
        rate, of = _without_noise(reference, evaluated, criteria, noise)
        alone = _of_noise_alone(reference, evaluated, criteria, noise, asked.threads)
        found.append(GammaFound(given, percent, voxels, rate, of, alone))
    return tuple(found), maps[0]


def _noises(pair: Pair, reference: Image, evaluated: Image, said: list[str]) -> dict[str, VoxelNoise]:
    """Return the noise of each dose that has an uncertainty and even voxels."""
    found = {}
    images = (reference, evaluated)
    for n, name in enumerate((REFERENCE, EVALUATED)):
        file, image, other = pair.files[n], images[n], images[1 - n]
        if file.uncertainty is None:
            continue
        if regular_grid(file) is None:
            said.append(f"What noise does to gamma is not known for the uneven voxels of the {name} dose.")
            continue
        found[name] = voxel_noise(image, Image(image.grid, file.uncertainty), resample(other, image.grid))
    return found


def _typical(noise: VoxelNoise, image: Image) -> float:
    """Return the median relative noise above half of the maximum."""
    high = image.values >= 0.5 * image.values.max()
    return float(np.median(noise.sigma_Gy[high] / image.values[high])) if high.any() else 0.0


def _without_noise(
    reference: Image, evaluated: Image, criteria: GammaCriteria, noise: dict[str, VoxelNoise]
) -> tuple[NoiselessRate | None, str]:
    """Return the rate without the noise of the noisier dose, and which it is; the noise of the other is left in."""
    if not noise:
        return None, ""
    images = {REFERENCE: reference, EVALUATED: evaluated}
    sizes = {name: _typical(one, images[name]) for name, one in noise.items()}
    name = max(sizes, key=lambda one: sizes[one])
    if len(sizes) == 2 and max(sizes.values()) < NOISIER * min(sizes.values()):
        return None, ""  # the method takes one of both doses for exact
    if name == REFERENCE:
        whole = {"": np.ones(reference.values.shape, bool)}
        return noiseless_rates(reference, evaluated, criteria, noise[name], whole)[""], name
    return noiseless_rate_searched(evaluated, reference, reference, criteria, noise[name]), name


def _of_noise_alone(
    reference: Image, evaluated: Image, criteria: GammaCriteria, noise: dict[str, VoxelNoise], threads: int | None
) -> float | None:
    """Return the rate of one dose against itself, each with the noise that both doses have, drawn anew."""
    if not noise:
        return None
    images = {REFERENCE: reference, EVALUATED: evaluated}
    exact = next((name for name in images if name not in noise), None)
    truth = images[exact or min(noise, key=lambda one: _typical(noise[one], images[one]))]
    random = np.random.default_rng(0)

    def drawn(name: str) -> Image:
        image = resample(truth, images[name].grid)
        added: Array = noise[name].draw(random) if name in noise else np.zeros(image.values.shape)
        return Image(image.grid, np.asarray(image.values, np.float64) + added)

    of_reference = drawn(REFERENCE)
    same_judged = replace(criteria, reference_dose_Gy=criteria.reference_dose_Gy or float(reference.values.max()))
    return pass_rate(gamma(of_reference, drawn(EVALUATED), same_judged, threads=threads))[0]


def _verdict(asked: Asked, gammas: Sequence[GammaFound], test: NoiseTest | None) -> tuple[bool, tuple[str, ...]]:
    """Return whether the doses agree for who was asked, and why or why not."""
    reasons = []
    agrees = True
    if asked.judge in ("gamma", "both"):
        if not gammas:
            raise refuse("Gamma cannot judge where there is none", given="--no-gamma", allowed="--judge noise")
        first = gammas[0]
        fine = first.percent >= asked.pass_percent
        agrees = agrees and fine
        rate = "no voxel was judged" if np.isnan(first.percent) else f"{first.percent:.2f} % pass"
        needed = f"{asked.pass_percent:g} % are asked for"
        reasons.append(f"gamma {first.criteria}: {rate}, {needed}: {'agreed' if fine else 'not agreed'}")
    if asked.judge in ("noise", "both"):
        if test is None:
            raise refuse("Noise cannot judge doses without uncertainties", allowed="--judge gamma")
        fine = test.verdict in ("agree", "identical")
        agrees = agrees and fine
        reasons.append(f"statistics: {NOISE_WORDS[test.verdict]}")
    return agrees, tuple(reasons)


NOISE_WORDS = {
    "agree": "the difference is what the uncertainties make of one dose: agreed",
    "identical": "the doses are identical, so no two estimates of one dose: agreed",
    "differ": "the doses differ by more than their uncertainties: not agreed",
    "too_close": "the doses are closer than their uncertainties allow, so they are not independent or those are too "
    "large: not agreed",
    "unknown": "too few voxels with known uncertainties: not agreed",
}
