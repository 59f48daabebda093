"""One hash over everything that shaped a model: its files and the media it is made of."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from dosewright.core.beam_model import BeamModel
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.lines import read_bytes


def content_hash(files: Sequence[Path], materials: Iterable[Material] = ()) -> str:
    """Return the SHA-256, hexadecimal, of files and media.

    That of one file without media is the SHA-256 of its bytes. Else it is that of lines: the hash and name of each
    file, then each medium once by name, density, composition and mean excitation energy, in the order of their names.
    """
    lines = [*(_file_line(path) for path in files), *sorted({_line(one) for one in materials})]
    return lines[0].split()[0] if len(lines) == 1 else sha256("".join(lines).encode()).hexdigest()


def materials_of(model: BeamModel) -> list[Material]:
    """Return the media of a beam model: range shifters, nozzle, devices, and those of its tunes."""
    devices = [*([model.nozzle] if model.nozzle else []), *model.devices.values()]
    found = [one.material for one in model.range_shifters.values()]
    found += [solid.material for device in devices for solid in device.solids if solid.material is not None]
    return [*found, *(one for tune in model.tunes.values() for one in materials_of(tune))]


def model_hash(model: BeamModel, further: Sequence[Path] = ()) -> str:
    """Return the hash of a beam model: that of its files, as read, of further files that shaped it, and its media."""
    return _joined(model.sha256, further, materials_of(model))


def table_hash(table: HounsfieldTable) -> str:
    """Return the hash of a CT protocol: that of its files, as read, and its media."""
    return _joined(table.sha256, (), table.materials)


def _joined(read: str, further: Sequence[Path], materials: Iterable[Material]) -> str:
    parts = [f"{read}\n", *(_file_line(path) for path in further), *sorted({_line(one) for one in materials})]
    return read if len(parts) == 1 else sha256("".join(parts).encode()).hexdigest()


def _file_line(path: Path) -> str:
    return f"{sha256(read_bytes(path)).hexdigest()} {path.name}\n"


def _line(one: Material) -> str:
    return f"{one.name} {one.density_g_cm3!r} {sorted(one.mass_fractions.items())!r} {one.mean_excitation_eV!r}\n"
