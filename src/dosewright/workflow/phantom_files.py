"""Phantoms of voxels as files: made of a CT, or looked at; what is said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dosewright.commissioning.ct_phantom import Region, ct_phantom
from dosewright.commissioning.site.catalog import Library
from dosewright.core.ct_ramp import CTCREATE_DEFAULT, CtRamp, DensityRamp
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Image
from dosewright.core.matter import HounsfieldTable
from dosewright.core.medium_shares import medium_shares
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dicom.ct import read_ct
from dosewright.formats.dicom.folder import scan
from dosewright.formats.dicom.sop_classes import CT_IMAGE
from dosewright.formats.dose.egsphant import looks_like_egsphant, read_egsphant, write_egsphant
from dosewright.formats.dose.mhd import read_mhd
from dosewright.formats.text.egs_ramp import read_ramp
from dosewright.formats.text.gamos.g4dcm import looks_like_g4dcm, read_g4dcm
from dosewright.materials.pegs_names import media_of

DEFAULT = "default"
HEAD_BYTES = 4096
EVEN_MM = 1e-3


@dataclass(frozen=True)
class FromCt:
    """What is asked for: the CT (a folder or a MetaImage), where its numbers are looked up, and what of it."""

    ct: Path
    output: Path
    region: Region
    protocol: str | None = None
    ramp: str | None = None
    offset: float = 0.0
    series: str | None = None
    library: Path | None = None


def phantom_from_ct(asked: FromCt) -> dict[str, Any]:
    """Make an egsphant file of a CT; return what was made, for people and programs."""
    image, keywords, warnings = read_hounsfield(asked.ct, asked.series)
    ramp = None if asked.ramp is None else CTCREATE_DEFAULT if asked.ramp == DEFAULT else read_ramp(Path(asked.ramp))
    if isinstance(ramp, CtRamp) and asked.protocol is not None:
        raise refuse(
            "Ramps of CT numbers give media and densities; a CT protocol has no place beside them",
            given=f"--ramp {asked.ramp} and --ct-protocol {asked.protocol}",
            allowed="one of them",
        )
    if asked.offset and not isinstance(ramp, CtRamp):
        raise refuse("An offset belongs to ramps of CT numbers", given=f"--ct-offset {asked.offset:g}")
    table = None if isinstance(ramp, CtRamp) else _protocol(asked, keywords)
    made = ct_phantom(image, asked.region, table, ramp, offset=asked.offset)
    write_egsphant(asked.output, made.phantom)
    kind = "media by density" if isinstance(ramp, DensityRamp) else "media and densities"
    looked = [] if table is None else [f"CT protocol {table.name!r}: {table.source or 'no source'}"]
    looked += [] if ramp is None else [f"{kind} by the ramps of {'ctcreate' if asked.ramp == DEFAULT else asked.ramp}"]
    beyond = [
        f"{count:,} voxels {where} the end of the table or ramps were taken as that end."
        for count, where in ((made.below, "below"), (made.above, "above"))
        if count
    ]
    return {
        "file": str(asked.output),
        "looked_up": looked,
        "hu_range": [round(value, 3) for value in made.hu_range],
        **described(made.phantom, made.renamed),
        "media_for_the_run_file": made.renamed,
        "warnings": [*warnings, *beyond, *made.said],
    }


def phantom_info(file: Path) -> dict[str, Any]:
    """Return what a text phantom holds, and what a run takes its media for."""
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError as error:
        raise refuse("The file cannot be read", given=error.strerror, where=file) from error
    warnings: list[str] = []
    if looks_like_g4dcm(head):
        read = _g4dcm(file, warnings)
    elif looks_like_egsphant(head):
        read = read_egsphant(file)
    else:
        raise refuse("The file is no text phantom", given=repr(head[:40].decode("latin-1")),
                     allowed="egsphant, g4dcm", where=file.name)  # fmt: skip
    return {
        "file": str(file),
        "format": read.format,
        **described(read),
        "warnings": [*warnings, *read.problems, *read.assumed],
    }


def described(phantom: VoxelPhantom, meant: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return voxels, extent, and what each medium fills; `meant` says what names of media mean."""
    shares = medium_shares(phantom)
    volume = sum(share.volume_cm3 for share in shares)
    widths = [edges[1:] - edges[:-1] for edges in phantom.edges_mm]
    return {
        "voxels": list(phantom.shape),
        "extent_mm": [[float(edges[0]), float(edges[-1])] for edges in phantom.edges_mm],
        "voxel_mm": [[round(float(w.min()), 6), round(float(w.max()), 6)] for w in widths],
        "even": all(float(w.max() - w.min()) <= EVEN_MM for w in widths),
        "mass_g": sum(share.mass_g for share in shares),
        "media": [
            {
                "name": share.name,
                "taken_as": (meant or {}).get(share.name) or taken_as(share.name),
                "voxels": share.voxels,
                "volume_percent": 100.0 * share.volume_cm3 / volume,
                "mass_g": share.mass_g,
                "density_g_cm3": [share.least_g_cm3, share.most_g_cm3],
            }
            for share in shares
        ],
    }


def taken_as(name: str) -> str | None:
    """Return the medium that a run takes a name for where nobody says more; None: it has to be said."""
    try:
        return media_of((name,), {}, Library.open(None).material)[0][0].name
    except InputError:
        return None


def text_of(said: Mapping[str, Any]) -> str:
    """Return what was found as lines for people."""
    lines = [f"{said['file']}: {said.get('format', 'egsphant')}, {' x '.join(str(n) for n in said['voxels'])} voxels"]
    for letter, (low, high), (least, most) in zip("xyz", said["extent_mm"], said["voxel_mm"], strict=True):
        size = f"{least:g} mm" if most - least <= EVEN_MM else f"{least:g} to {most:g} mm"
        lines.append(f"  {letter} from {low:g} to {high:g} mm, voxels of {size}")
    lines += [f"Looked up in {one}." for one in said.get("looked_up", ())]
    if "hu_range" in said:
        lines.append(f"Mean HU of a voxel: {said['hu_range'][0]:g} to {said['hu_range'][1]:g}.")
    width = max(len(medium["name"]) for medium in said["media"])
    for medium in said["media"]:
        low, high = medium["density_g_cm3"]
        own = medium["taken_as"] or "SAY WHAT IT IS in [phantom.media]"
        mass = f"{medium['mass_g']:12,.1f} g, {low:.4g} to {high:.4g} g/cm3" if high > 0 else "no density"
        lines.append(f"  {medium['name']:{width}}  {medium['volume_percent']:6.2f} % of the volume, {mass}: {own}")
    lines += [f"Mass: {said['mass_g']:,.1f} g."] if said["mass_g"] > 0 else []
    if said.get("media_for_the_run_file"):
        lines.append("Names that were too long for the file; for the run file:\n[phantom.media]")
        lines += [f'{short} = "{name}"' for short, name in said["media_for_the_run_file"].items()]
    return "\n".join([*lines, *(f"Warning: {one}" for one in said["warnings"])])


def read_hounsfield(place: Path, series: str | None) -> tuple[Image, dict[str, str], list[str]]:
    """Return Hounsfield numbers, what recognises a CT protocol, and what a reader should know."""
    if place.is_file() and place.suffix.lower() in (".mhd", ".mha"):
        return read_mhd(place), {}, []
    if not place.is_dir():
        raise refuse("The CT is a folder of CT Images, or a MetaImage", given="no such folder", where=place)
    found = [head.path for head in scan(place) if head.sop_class_uid == CT_IMAGE]
    if not found:
        raise refuse("The folder holds no CT Image", where=place)
    ct = read_ct(found, series_uid=series)
    return ct.image, ct.keywords, list(ct.warnings)


def _protocol(asked: FromCt, keywords: dict[str, str]) -> HounsfieldTable:
    library = Library.open(asked.library)
    if asked.protocol is not None:
        return library.ct_protocol(asked.protocol)
    return library.ct_protocol_for(keywords)


def _g4dcm(file: Path, warnings: list[str]) -> VoxelPhantom:
    """Read a g4dcm file, without its densities where they cannot be read."""
    try:
        return read_g4dcm(file)
    except InputError as refused:
        read = read_g4dcm(file, densities=False)
        warnings += [*refused.problems, 'A run needs densities = "media" in [phantom] for this file.']
        return read
