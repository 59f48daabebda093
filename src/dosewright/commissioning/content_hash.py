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
    hashes = [(path.name, sha256(read_bytes(path)).hexdigest()) for path in files]
    media = sorted({_line(one) for one in materials})
    if len(hashes) == 1 and not media:
        return hashes[0][1]
    return sha256("".join([*(f"{told} {name}\n" for name, told in hashes), *media]).encode()).hexdigest()


def materials_of(model: BeamModel) -> list[Material]:
    """Return the media of a beam model: range shifters, nozzle, devices, and those of its tunes."""
    devices = [*([model.nozzle] if model.nozzle else []), *model.devices.values()]
    found = [one.material for one in model.range_shifters.values()]
    found += [solid.material for device in devices for solid in device.solids if solid.material is not None]
    return [*found, *(one for tune in model.tunes.values() for one in materials_of(tune))]


def model_hash(model: BeamModel, files: Sequence[Path]) -> str:
    """Return the hash of a beam model that was read from files."""
    return content_hash(files, materials_of(model))


def table_hash(table: HounsfieldTable) -> str:
    """Return the hash of a CT protocol: that of its files, as read, and its media."""
    return sha256("".join([f"{table.sha256}\n", *sorted({_line(one) for one in table.materials})]).encode()).hexdigest()


def _line(one: Material) -> str:
    return f"{one.name} {one.density_g_cm3!r} {sorted(one.mass_fractions.items())!r} {one.mean_excitation_eV!r}\n"
