"""How the names of a run file become things; the command looks names up in the library."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.core.modules import Mlc
from dosewright.core.particles import PhaseSpaceReader
from dosewright.formats.phase_space.open import open_phase_space
from dosewright.formats.text.beam_toml import read_beam_toml
from dosewright.formats.text.ct_toml import read_ct_toml
from dosewright.formats.text.mlc_toml import read_mlc
from dosewright.materials.elements import element
from dosewright.materials.library import named


def ct_protocol_file(path: str) -> HounsfieldTable:
    """Read a CT protocol from a TOML file; anything else is refused."""
    return read_ct_toml(_toml_file(path, "CT protocol"), named).table


def beam_model_file(path: str) -> BeamModel:
    """Read a beam model from a TOML file; anything else is refused."""
    return read_beam_toml(_toml_file(path, "beam model"), named)


def mlc_design_file(path: str) -> Mlc:
    """Read a design of leaves from a TOML file; anything else is refused."""
    return read_mlc(_toml_file(path, "design of a multi-leaf collimator"), lambda word: element(word).Z)


def phase_space_file(path: Path, long_bits: int | None = None) -> PhaseSpaceReader:
    """Open a phase space of any format."""
    return open_phase_space(path, long_bits=long_bits)


def _toml_file(text: str, kind: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".toml" or not path.is_file():
        raise refuse(f"Without a library a {kind} is a TOML file that exists", given=repr(text))
    return path


@dataclass(frozen=True)
class Resolvers:
    """Look-ups of media, CT protocols, beam models and designs of leaves, by name or path; unknown ones are refused.

    A phase space is opened by its path and the bits of its extra whole numbers, where a file does not say.
    """

    material: Callable[[str], Material] = named
    ct_protocol: Callable[[str], HounsfieldTable] = ct_protocol_file
    beam_model: Callable[[str], BeamModel] = beam_model_file
    mlc_design: Callable[[str], Mlc] = mlc_design_file
    phase_space: Callable[[Path, int | None], PhaseSpaceReader] = phase_space_file


WITHOUT_LIBRARY = Resolvers()
