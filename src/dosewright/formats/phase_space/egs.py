"""Phase-space files of EGSnrc, MODE0 and MODE2.

One record of 28 or 32 bytes is the header, padded; each that follows is a particle: LATCH (bits 29 and 30 are the
charge), energy, x, y, u, v, weight, in MODE2 the z of the last interaction. The energy is TOTAL for electrons and
positrons and negative where a new history begins; the sign of the weight is that of w. z is not stored.

Source: D. W. O. Rogers, B. Walters and I. Kawrakow, BEAMnrc Users Manual, NRCC report PIRS-0509(A)revL, section 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import ELECTRON, PHOTON, POSITRON, Layout, Particles, PhaseSpaceInfo
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.formats.phase_space.intake import Intake, check_original_histories, check_type, check_written
from dosewright.formats.phase_space.raw import BATCH, GrowingFile, bounded, check_values, runs, size_of, w_of

MODES = (b"MODE0", b"MODE2")
HEADER = (("mode", "S5"), ("particles", "u4"), ("photons", "u4"),
          ("energy_max_MeV", "f4"), ("electron_min_MeV", "f4"), ("histories", "f4"))  # fmt: skip
RECORD = (("latch", "u4"), ("energy", "f4"), ("x", "f4"), ("y", "f4"), ("u", "f4"), ("v", "f4"), ("weight", "f4"))
LAST_Z = ("zlast", "f4")
MAX_PARTICLES: Final = 2**31 - 1  # NPHSP is a signed integer of 32 bits (PIRS-0509A, section 7)
HIGHEST_MeV: Final = 1e6  # no header is believed above
CHARGE_BIT: Final = 29
CHARGE_BITS: Final = np.uint32(3 << CHARGE_BIT)
# By bits 29 (positron) and 30 (electron): PIRS-0509A, section 8, the bits of LATCH.
SPECIES_OF = np.array([PHOTON, POSITRON, ELECTRON, 0], np.int8)
MASS_OF = np.array([0.0, ELECTRON_MASS_MEV, ELECTRON_MASS_MEV, 0.0])
BITS_OF = np.array([0, 0, 2, 1], np.uint32) << CHARGE_BIT  # by species code
REST_OF = np.array([0.0, 0.0, ELECTRON_MASS_MEV, ELECTRON_MASS_MEV])  # by species code
# Rest masses in use differ by 4 eV (0.5110034 in old versions), and total energies are single precision.
MASS_SLACK_MEV: Final = 1e-5
EGS_SPECIES = (PHOTON, ELECTRON, POSITRON)


def egs_types(mode: bytes, order: Literal["<", ">"]) -> tuple[np.dtype[np.void], np.dtype[np.void]]:
    """Return the types of the header and of a record, in byte order ``<`` or ``>``."""
    record = np.dtype([*RECORD, *([LAST_Z] if mode == b"MODE2" else [])]).newbyteorder(order)
    return np.dtype(list(HEADER)).newbyteorder(order), record


@dataclass
class EgsReader:
    """An open phase-space file of EGSnrc.

    Parameters
    ----------
    record
        Type of a record, with its byte order.
    z_cm
        Where the plane of the file lies.
    """

    path: Path
    info: PhaseSpaceInfo
    record: np.dtype[np.void]
    z_cm: float = 0.0

    def batches(self, first: int = 0, count: int | None = None, size: int = BATCH) -> Iterator[Particles]:
        """Read records from `first` on, `count` or all that follow, in runs of at most `size`."""
        first, count = bounded(first, count, self.info.particles)
        for run in runs(self.path, self.record, first, count, size, offset=self.record.itemsize):
            yield self._particles(run, first)
            first += len(run)

    def _particles(self, run: NDArray[np.void], first: int) -> Particles:
        latch = run["latch"].astype(np.uint32)
        charge = latch >> CHARGE_BIT & 3
        energy, weight = run["energy"].astype(np.float32), run["weight"].astype(np.float32)
        u, v = run["u"].astype(np.float32), run["v"].astype(np.float32)
        extra: dict[str, NDArray[np.generic]] = {"latch": latch.view(np.int32)}
        if "zlast_cm" in self.info.extra:
            extra["zlast_cm"] = run["zlast"].astype(np.float32)
        with np.errstate(invalid="ignore"):  # what is no number is refused with its record
            kinetic = np.abs(energy) - MASS_OF.take(charge)
        np.maximum(kinetic, 0.0, out=kinetic, where=kinetic > -MASS_SLACK_MEV)
        particles = Particles(
            species=SPECIES_OF.take(charge),
            energy_MeV=kinetic.astype(np.float32),
            x_cm=run["x"].astype(np.float32),
            y_cm=run["y"].astype(np.float32),
            z_cm=np.full(len(run), self.z_cm, np.float32),
            u=u,
            v=v,
            w=w_of(u, v, np.signbit(weight)),
            weight=np.abs(weight),
            histories=np.signbit(energy).astype(np.int64),
            extra=extra,
        )
        check_values(particles, first=first, where=self.path)
        return particles


def open_egs(path: Path, *, z_cm: float | None = None) -> EgsReader:
    """Open a phase-space file of EGSnrc, of either byte order.

    Parameters
    ----------
    z_cm
        Where its plane lies: EGSnrc does not store it. None: 0, and a problem says so.

    Raises
    ------
    InputError
        It is none, or not the file that its header describes.
    """
    size = size_of(path)
    with path.open("rb") as file:
        start = file.read(64)
    mode = start[:5]
    if mode not in MODES:
        raise refuse("This is no phase space of EGSnrc", given=repr(mode), allowed="MODE0, MODE2", where=path)
    if size < egs_types(mode, "<")[1].itemsize:
        raise refuse("The file ends within its header", given=f"{size} bytes", where=path)
    order, header, record = _byte_order(path, start, size)
    held, left = divmod(size - record.itemsize, record.itemsize)
    declared = int(header["particles"])
    particles, problems = _particles(path, declared, held, left, record.itemsize)
    if z_cm is None:
        problems.append("EGSnrc does not store z: 0 cm is taken for all records.")
    if not header["histories"]:
        problems.append("The header does not say how many original histories there were.")
    if particles and start[record.itemsize + (7 if order == "<" else 4)] < 128:
        problems.append("The first record does not begin a history.")
    info = PhaseSpaceInfo(
        format=f"egs_{mode.decode().lower()}",
        particles=particles,
        original_histories=float(header["histories"]) or None,
        energy_max_MeV=float(header["energy_max_MeV"]),
        constants={"z_cm": float(z_cm or 0.0)},
        extra={"latch": "i4"} | ({"zlast_cm": "f4"} if mode == b"MODE2" else {}),
        header={
            "photons": str(int(header["photons"])),
            "electron_min_MeV": f"{header['electron_min_MeV']:.9g}",
            "byte_order": "big-endian" if order == ">" else "little-endian",
        },
        problems=tuple(problems),
    )
    return EgsReader(path, info, record, float(z_cm or 0.0))


def _byte_order(path: Path, start: bytes, size: int) -> tuple[str, np.void, np.dtype[np.void]]:
    """Return the byte order in which the header can be true, the header, and the type of a record."""
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    tried = []
    for order in orders:
        header_type, record = egs_types(start[:5], order)
        header = np.frombuffer(start, header_type, 1)[0]
        held = size // record.itemsize - 1
        energies = (header["energy_max_MeV"], header["electron_min_MeV"], header["histories"])
        plausible = header["photons"] <= header["particles"] and all(np.isfinite(x) and x >= 0 for x in energies)
        plausible = plausible and header["energy_max_MeV"] < HIGHEST_MeV
        tried.append((plausible, -abs(int(header["particles"]) - held), order, header, record))
    best = max(tried, key=lambda one: one[:2])
    if not best[0]:
        raise refuse("The header of the phase space cannot be true in either byte order",
                     given=f"{tried[0][3]} or {tried[1][3]}", where=path)  # fmt: skip
    return best[2:]


def _particles(path: Path, declared: int, held: int, left: int, length: int) -> tuple[int, list[str]]:
    """Return how many records to read, and what is to be told of it; a file that ends too early is refused."""
    if declared == held and not left:
        return declared, []
    if not left and held > declared and (held - declared) % 2**32 == 0:
        return held, [f"The header's number of particles ran over at 2^32: {declared} stands for {held}."]
    given = f"{declared} particles in the header, {held} records of {length} bytes and {left} bytes in the file"
    if declared > held:
        raise refuse("The file is shorter than its header says", given=given, where=path)
    return declared, [f"The file is longer than its header says, and the rest is not read: {given}."]


@dataclass
class EgsWriter:
    """A phase-space file of EGSnrc being written."""

    path: Path
    layout: Layout
    mode: bytes
    intake: Intake = field(init=False)
    file: GrowingFile = field(init=False)
    record: np.dtype[np.void] = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(self.path, self.layout, EGS_SPECIES)
        self.record = egs_types(self.mode, self._order)[1]
        self.file = GrowingFile(self.path, self._header(0.0))

    @property
    def _order(self) -> Literal["<", ">"]:
        return ">" if self.layout.big_endian else "<"

    def write(self, particles: Particles) -> None:
        """Add records; neutrons and protons are left out, and `finish` says how many."""
        kept = self.intake.take(particles)
        if self.intake.totals.particles > MAX_PARTICLES:
            raise refuse("A phase-space file of EGSnrc cannot hold so many particles; write several files",
                         given=self.intake.totals.particles, allowed=MAX_PARTICLES, where=self.path)  # fmt: skip
        if len(kept) and kept.weight.min() < 0:
            raise refuse("A phase-space file of EGSnrc has no negative weights: their sign is that of w",
                         given=kept.weight.min(), where=self.path)  # fmt: skip
        self.file.write(self._records(kept))

    def _records(self, particles: Particles) -> NDArray[np.void]:
        records = np.empty(len(particles), self.record)
        bits = BITS_OF.take(particles.species)
        if "latch" in self.layout.extra:
            latch = particles.extra["latch"]
            check_type("latch", latch, np.dtype(np.int32))
            bits |= latch.astype(np.int32).view(np.uint32) & ~CHARGE_BITS
        records["latch"] = bits
        energy = (particles.energy_MeV + REST_OF.take(particles.species)).astype(np.float32)
        energy.view(np.uint32)[:] |= (particles.histories > 0).astype(np.uint32) << 31  # negative: begins a history
        records["energy"] = energy
        records["weight"] = np.copysign(particles.weight, particles.w)
        for name, column in (("x", particles.x_cm), ("y", particles.y_cm), ("u", particles.u), ("v", particles.v)):
            records[name] = column
        if self.mode == b"MODE2":
            records["zlast"] = particles.extra["zlast_cm"]
        return records

    def _header(self, original_histories: float) -> bytes:
        totals = self.intake.totals
        header = np.zeros(1, egs_types(self.mode, self._order)[0])
        header["mode"] = self.mode
        header["particles"] = totals.particles
        header["photons"] = totals.counts[PHOTON]
        header["energy_max_MeV"] = totals.energy_max_MeV
        header["electron_min_MeV"] = totals.energies_MeV.get(ELECTRON, (0.0, 0.0))[0]
        header["histories"] = original_histories
        return header.tobytes().ljust(self.record.itemsize, b"\0")

    def save_header(self, original_histories: float) -> None:
        """Write the header as of now, so that what is there can be recovered if the run is killed."""
        check_original_histories(original_histories)
        self.file.replace_head(self._header(original_histories))
        self.file.sync()

    def kept(self) -> dict[str, Any]:
        """Bring the records to disk and return what another process needs to go on."""
        return {"file": self.file.kept(), "intake": self.intake.kept()}

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on with what another process has kept; say whether it is still there."""
        self.intake.take_up(kept["intake"])
        return self.file.take_up(kept["file"])

    def finish(self, original_histories: float) -> PhaseSpaceInfo:
        """Write the header, read everything back, and rename."""
        self.save_header(original_histories)
        self.file.verify()
        written = open_egs(self.file.temporary, z_cm=self.layout.constants.get("z_cm"))
        info = check_written(written, self.intake, unheld=("z_cm", "empty histories"))
        self.file.finish()
        told = self.intake.problems(original_histories)
        return replace(info, counts=self.intake.totals.counts, problems=info.problems + told)

    def __enter__(self) -> "EgsWriter":
        return self

    def __exit__(self, *raised: object) -> None:
        self.file.discard()


def create_egs(path: Path, layout: Layout, *, mode: int | None = None) -> EgsWriter:
    """Begin a phase-space file of EGSnrc.

    Parameters
    ----------
    layout
        Of extra columns ``latch`` and ``zlast_cm`` are held; a constant ``z_cm`` is checked, not stored.
    mode
        0 or 2; None: 2 if there is a column ``zlast_cm``.
    """
    last_z = "zlast_cm" in layout.extra
    if mode is None:
        mode = 2 if last_z else 0
    if mode not in (0, 2):
        raise refuse("Unknown mode of an EGSnrc phase space", given=mode, allowed="0, 2")
    if mode == 2 and not last_z:
        raise refuse("MODE2 stores where each particle interacted last, and that is not known",
                     given=sorted(layout.extra), allowed="a column zlast_cm, or MODE0", where=path)  # fmt: skip
    return EgsWriter(path, layout, MODES[mode // 2])
