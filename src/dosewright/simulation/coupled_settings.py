"""Cuts and limits of photons, electrons and positrons."""

from dataclasses import dataclass

from dosewright.core.errors import InputError, nearest
from dosewright.materials.electrons.lookup import HIGHEST_MEV, LOWEST_MEV
from dosewright.transport.copies import MOST_COPIES

PROCESSES = (
    "rayleigh", "bound_compton", "doppler", "fluorescence", "pair", "impact_ionisation", "bremsstrahlung",
    "annihilation", "delta", "straggling", "scattering", "hard_scattering",
)  # fmt: skip


@dataclass(frozen=True)
class RegionCuts:
    """Cuts (MeV, kinetic) of a material or of the inserts of a name; None: as elsewhere."""

    name: str
    photon_cut_MeV: float | None = None
    electron_cut_MeV: float | None = None
    range_rejection_MeV: float | None = None


@dataclass(frozen=True)
class MaterialCuts:
    """The cuts (MeV, kinetic) that hold in one material."""

    photon_MeV: float
    electron_MeV: float
    rejection_MeV: float


@dataclass(frozen=True)
class CoupledSettings:
    """Cuts and limits of the transport of photons, electrons and positrons (MeV, mm).

    Below its cut a particle is absorbed where it is, and above it secondary particles are made. An electron below
    `range_rejection_MeV` that cannot reach the nearest face of its voxel is absorbed at once. Between two large
    deflections the mean cosine of electrons falls by `step_deflection` and the energy by the share `step_loss`, on
    average; what deflects less is condensed. `processes_off` is for verification. With `track_length` the dose is the
    kerma of photons, scored on their way, and electrons are not followed. With `photon_splitting` each flight of a
    photon interacts at so many places (0: once or not), in a uniform phantom.
    """

    photon_cut_MeV: float = 0.01
    electron_cut_MeV: float = 0.2
    range_rejection_MeV: float = 0.0
    max_step_mm: float = 5.0
    step_deflection: float = 0.04
    step_loss: float = 0.08
    regions: tuple[RegionCuts, ...] = ()
    processes_off: tuple[str, ...] = ()
    dose_to_water: bool = True
    track_length: bool = False
    photon_splitting: int = 0

    def __post_init__(self) -> None:
        problems = [*_problems(self), *(text for region in self.regions for text in _problems(region))]
        if not self.max_step_mm > 0:
            problems.append(f"max_step_mm must be positive (given: {self.max_step_mm:g}).")
        problems += [
            f"{key} must lie between 0 and 0.5 (given: {getattr(self, key):g})."
            for key in ("step_deflection", "step_loss")
            if not 0 < getattr(self, key) <= 0.5
        ]
        problems += [
            f"Unknown process {word!r} to switch off.{nearest(word, PROCESSES)} Allowed: {', '.join(PROCESSES)}."
            for word in self.processes_off
            if word not in PROCESSES
        ]
        if self.photon_splitting and not 2 <= self.photon_splitting <= MOST_COPIES:
            problems.append(f"photon_splitting must be 0, or 2 to {MOST_COPIES} (given: {self.photon_splitting}).")
        if self.photon_splitting and self.track_length:
            problems.append("Dose by track length splits no photons (given: photon_splitting and track_length).")
        if problems:
            raise InputError(*problems)

    def cuts_in(self, material: str, insert: str = "") -> MaterialCuts:
        """Return the cuts in a material, or in a named insert of it; those of the insert win."""
        found = [self.photon_cut_MeV, self.electron_cut_MeV, self.range_rejection_MeV]
        for name in (material, insert):
            for region in self.regions:
                own = (region.photon_cut_MeV, region.electron_cut_MeV, region.range_rejection_MeV)
                if region.name == name:
                    found = [before if one is None else one for before, one in zip(found, own, strict=True)]
        return MaterialCuts(*found)


def _problems(cuts: CoupledSettings | RegionCuts) -> list[str]:
    where = f" of region {cuts.name!r}" if isinstance(cuts, RegionCuts) else ""
    problems = [
        f"{key}{where} must lie between {LOWEST_MEV:g} and {HIGHEST_MEV:g} MeV (given: {cut:g})."
        for key in ("photon_cut_MeV", "electron_cut_MeV")
        if (cut := getattr(cuts, key)) is not None and not LOWEST_MEV <= cut <= HIGHEST_MEV
    ]
    if cuts.range_rejection_MeV is not None and not cuts.range_rejection_MeV >= 0:
        problems.append(f"range_rejection_MeV{where} must not be negative (given: {cuts.range_rejection_MeV:g}).")
    return problems
