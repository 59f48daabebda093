"""One file of a library, whatever program it was made for: beam models and CT protocols by their content."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from dosewright.commissioning.site.content_hash import table_hash
from dosewright.commissioning.site.library_content import Kept
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.beam_toml import read_beam_toml
from dosewright.formats.text.ct_toml import read_ct_toml
from dosewright.formats.text.dcpt import read_dcpt_table
from dosewright.formats.text.hounsfield import (
    SCANNER_DENSITY,
    CtProtocol,
    read_hlut_conf,
    read_mcsquare_scanner,
    with_density_curve,
)
from dosewright.formats.text.ideal.gate_macro import read_macro
from dosewright.formats.text.ideal.ideal_source import read_ideal_source
from dosewright.formats.text.lines import read_text
from dosewright.formats.text.mcsquare import read_mcsquare_bdl
from dosewright.materials.elements import element
from dosewright.materials.library import mcsquare_material, named

Named = Callable[[str], Material]

BEAM_MODEL_SUFFIXES = (".toml", ".csv", ".txt")
CT_SUFFIXES = (".toml", ".conf", ".csv")
COMMON, DETAILS_SUFFIX = "common", "_beamline_details.mac"  # of IDEAL: for all beam lines; convergence and nozzle
GENERIC_CT = Path(__file__).parent.parent / "library" / "ct" / "generic.toml"


def read_beam_model(path: Path, named: Named) -> BeamModel:
    """Read a beam model: our TOML, a DCPT table, an MCsquare library or an IDEAL source text."""
    if path.suffix.lower() == ".toml":
        return read_beam_toml(path, named)
    text = read_text(path)
    if "BMODPOS" in text:
        return read_dcpt_table(path)
    if any(line.strip() == "Beam parameters" for line in text.splitlines()):
        return read_mcsquare_bdl(path, mcsquare_material)
    if path.suffix.lower() != ".txt":
        raise refuse(
            "The file is no beam model that is known here",
            given=path.name,
            allowed="a beam model in TOML, a DCPT table, an MCsquare beam data library, an IDEAL source text",
        )
    return read_ideal_source(path)


def further_files(path: Path, model: BeamModel) -> tuple[Path, ...]:
    """Return what shaped a beam model beside what its hash covers: IDEAL's macro beside it and what that executes."""
    details = path.with_name(f"{model.machine}{DETAILS_SUFFIX}")
    if path.suffix.lower() != ".txt" or not model.machine or not details.is_file():
        return ()
    outside = path.parent.parent
    return read_macro(details, root=outside if (outside / COMMON).is_dir() else path.parent).files


def kept_protocols(place: Path, named: Named) -> Kept[dict[str, CtProtocol]]:
    """Return the CT protocols of one place, to be read when asked for."""
    return Kept(place, partial(read_ct_protocols, place, named))


def read_ct_protocols(path: Path, named: Named) -> dict[str, CtProtocol]:
    """Read the CT protocols of one place, by name; the hash of each covers its media.

    Our TOML, IDEAL's hlut.conf, an MCsquare scanner folder, or two columns of Hounsfield number and density, which
    take their compositions from the packaged protocol.
    """
    found = _protocols_of(path, named)
    return {name: replace(one, table=replace(one.table, sha256=table_hash(one.table))) for name, one in found.items()}


def _protocols_of(path: Path, named: Named) -> dict[str, CtProtocol]:
    if path.is_dir():
        if not (path / SCANNER_DENSITY).is_file():
            raise refuse("The folder is no CT protocol that is known here", given=path.name,
                         allowed=f"an MCsquare scanner folder with {SCANNER_DENSITY}")  # fmt: skip
        return {path.name: CtProtocol(read_mcsquare_scanner(path, mcsquare_material), {})}
    if path.suffix.lower() == ".toml":
        one = read_ct_toml(path, named)
        return {one.table.name: one}
    if path.suffix.lower() == ".conf":
        return read_hlut_conf(path, named, lambda word: element(word).Z)
    table = with_density_curve(_compositions(), path)
    return {table.name: CtProtocol(table, {})}


@cache
def _compositions() -> HounsfieldTable:
    """Return the protocol whose compositions complete a mere density curve."""
    return read_ct_toml(GENERIC_CT, named).table


def names_in(folder: Path) -> set[str]:
    """Return the names of everything in a folder."""
    try:
        return {path.name for path in folder.iterdir()}
    except OSError as error:
        raise refuse("The folder cannot be read", given=type(error).__name__, where=folder.absolute()) from error


def on_disk(name: str) -> Path | None:
    """Return the file or folder a word names, or None; words that cannot be a path name nothing."""
    try:
        return Path(name) if name.strip() and Path(name).exists() else None
    except (OSError, ValueError):
        return None


def assigned(model: BeamModel, *, machine: str, radiation: str) -> BeamModel:
    """Return a beam model as that of a machine."""
    return replace(model, machine=machine, radiation=radiation)
