"""What a check of a library looks for beyond what reading refuses."""

import stat
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

from pydicom.datadict import dictionary_has_tag, keyword_dict, tag_for_keyword

from dosewright.commissioning.phantom import Phantom
from dosewright.commissioning.site.library_content import LibraryContent
from dosewright.commissioning.site.library_files import BEAM_MODEL_SUFFIXES, COMMON, CT_SUFFIXES
from dosewright.commissioning.site.library_folder import unknown_models
from dosewright.commissioning.upkeep.approval import approval_of, problem_of
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import nearest, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.hounsfield import CtProtocol
from dosewright.formats.text.ideal.cut_parameters import read_cut_parameters
from dosewright.formats.text.ideal.gate_macro import read_macro
from dosewright.formats.text.site_settings import SiteSettings
from dosewright.materials.schneider import split

ENERGIES = 5  # at which every beam model is asked for its beam
MOST_VOXELS = 20_000_000  # a phantom beyond is not built for a check
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
CUT_FILES = ("ct-parameters.mac", "phantom-parameters.mac")


def beam_model_problems(model: BeamModel) -> list[str]:
    """Ask a beam model, and those of its tunes, for its beam over its whole range of energies."""
    problems: list[str] = []
    low, high = model.energy_range_MeV
    for share in range(ENERGIES):
        energy = low + (high - low) * share / (ENERGIES - 1)
        tried(lambda e=energy: model.at(e), problems)  # type: ignore[misc]
    for tune, one in model.tunes.items():
        problems += [f"Spot tune {tune}: {problem}" for problem in beam_model_problems(one)]
    return problems


def protocol_problems(protocols: Mapping[str, CtProtocol], tolerance_g_cm3: float | None) -> list[str]:
    """Return protocols that no CT could tell apart, keywords that DICOM does not have, tables that cannot be split."""
    problems: list[str] = []
    for (first, one), (second, other) in combinations(protocols.items(), 2):
        if one.keywords and _folded(one.keywords) == _folded(other.keywords):
            problems += refuse("Two CT protocols claim the same CTs", given=f"{first}, {second}: {_shown(one)}",
                               allowed="other keywords or values for one of them").problems  # fmt: skip
    for name, one in protocols.items():
        for keyword in one.keywords:
            tag = tag_for_keyword(keyword)
            if tag is None or not dictionary_has_tag(tag):
                problems += refuse(f"Unknown DICOM keyword.{nearest(keyword, keyword_dict)}", given=keyword,
                                   where=f"CT protocol {name!r}").problems  # fmt: skip
        if tolerance_g_cm3 is not None and len(one.table.density_hu):
            tried(lambda table=one.table: split(table, tolerance_g_cm3), problems)  # type: ignore[misc]
    return problems


def phantom_problems(phantom: Phantom) -> list[str]:
    """Cut a phantom into its voxels, where there are not too many."""
    problems: list[str] = []
    nx, ny, nz = phantom.shape
    if nx * ny * nz <= MOST_VOXELS:
        tried(phantom.voxels, problems)
    return problems


def configuration_problems(
    content: LibraryContent, models: Mapping[str, BeamModel], protocols: Mapping[str, CtProtocol]
) -> list[str]:
    """Return what the configuration names and the library does not have."""
    problems = unknown_models(content, "library.toml, [[machine]]")
    pairs = Counter((one.name.casefold(), one.radiation.casefold()) for one in content.machines)
    twice = [f"{name} ({radiation})" for (name, radiation), count in pairs.items() if count > 1]
    if twice:
        problems += refuse("A machine is given more than one beam model for a radiation type", given=", ".join(twice),
                           allowed="one each", where="library.toml, [[machine]]").problems  # fmt: skip
    problems += _twice_claimed(content, models)
    default = content.default_ct_protocol
    if default is not None and default not in protocols:
        problems += refuse(f"The default CT protocol is not in the library.{nearest(default, protocols)}",
                           given=default, allowed=", ".join(protocols) or "none",
                           where="library.toml, default_ct_protocol").problems  # fmt: skip
    where = content.settings_file.name if content.settings_file else "settings"
    known = {one.name for one in content.machines} | {one.machine for one in models.values() if one.machine}
    folded = {name.casefold() for name in known}
    for one in content.settings.correction:
        if one.machine.casefold() not in folded:
            problems += refuse(f"A correction belongs to a machine that the library does not have."
                               f"{nearest(one.machine, known)}", given=f"{one.machine} {one.radiation}",
                               allowed=", ".join(sorted(known)) or "none",
                               where=f"{where}, correction").problems  # fmt: skip
    return problems


def override_problems(content: LibraryContent) -> list[str]:
    """Return what is wrong with the media that may override regions, by name or by a density given twice."""
    where = content.settings_file.name if content.settings_file else "settings"
    problems: list[str] = []
    for name in content.settings.override_materials:
        unknown: list[str] = []
        tried(lambda n=name: content.materials(n), unknown)  # type: ignore[misc]
        problems += [one if "Where: " in one else f"{one} Where: {where}, override materials." for one in unknown]
    return problems


def _twice_claimed(content: LibraryContent, models: Mapping[str, BeamModel]) -> list[str]:
    """Return machines that several beam models name in their own files while the library does not decide."""
    decided = {(one.name.casefold(), one.radiation.casefold()) for one in content.machines}
    claims: dict[tuple[str, str], list[str]] = {}
    for name, one in models.items():
        if one.machine:
            claims.setdefault((one.machine.casefold(), one.radiation.casefold()), []).append(name)
    return [str(refuse(f"Several beam models claim machine {models[names[0]].machine}", given=", ".join(names),
                       allowed="one, or a [[machine]] in library.toml that decides"))
            for pair, names in claims.items() if len(names) > 1 and pair not in decided]  # fmt: skip


def permission_problems(file: Path) -> list[str]:
    """Return a problem where others than its owner may change a file, or put another in its place."""
    problems: list[str] = []
    for place, what in ((file, "The settings"), (file.parent, "The folder of the settings")):
        mode = place.stat().st_mode
        sticky = place.is_dir() and mode & stat.S_ISVTX
        if mode & OTHERS_MAY_WRITE and not sticky:
            problems += refuse(f"{what} can be changed by others than the owner", given=stat.filemode(mode),
                               allowed=f"only the owner may: chmod go-w {place.absolute()}").problems  # fmt: skip
    return problems


def idle_settings(settings: SiteSettings) -> list[str]:
    """Return a note for each setting that was given and has no effect yet."""
    idle = {"input": "there is no file browser", "logging": "the folder of each result holds its log"}
    return [
        f"folders.{name} = {getattr(settings.folders, name)!r} has no effect yet: {why}."
        for name, why in idle.items()
        if getattr(settings.folders, name)
    ]


def macro_notes(folder: Path, content: LibraryContent) -> list[str]:
    """Return what the macros of an IDEAL tree say that has no effect here, and what cannot be read of it."""
    notes: list[str] = []
    problems: list[str] = []
    roots = {one.file.parent for one in content.beam_models.values()}
    for place in sorted(roots):
        beside = place.parent if (place.parent / COMMON).is_dir() or place.parent.name == "beamlines" else place
        macros = [*place.rglob("*_details.mac"), *(beside / COMMON).rglob("*_details.mac")]
        for path in sorted(set(macros)):
            macro = tried(lambda p=path, r=beside: read_macro(p, root=r), problems)  # type: ignore[misc]
            notes += macro.ignored if macro else ()
    for name in CUT_FILES:
        path = folder / "material" / name
        cuts = tried(lambda p=path: read_cut_parameters(p), problems) if path.is_file() else None  # type: ignore[misc]
        notes += (*cuts.said, *cuts.ignored) if cuts else ()
    unread = [f"Not read: {problem}" for problem in problems if "parameters.mac" in problem]
    return list(dict.fromkeys([*notes, *unread]))


def approval_problems(file: Path, models: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what is wrong with the approval of the models in a file (content hash by name), and what has none."""
    problems: list[str] = []
    if tried(lambda: approval_of(file), problems) is None:
        return problems, [] if problems else list(models)
    problems += [said for said in (problem_of(file, content) for content in models.values()) if said]
    return list(dict.fromkeys(problems)), []


def unread_files(folder: Path) -> list[str]:
    """Return a note for each file in the folders of a library that is none of the kinds that are read there."""
    kinds = {"beam_models": (*BEAM_MODEL_SUFFIXES, ".json"), "ct": (*CT_SUFFIXES, ".json"), "phantoms": (".toml",)}
    return [
        f"{kind}/{path.name} is of no kind that is read there ({', '.join(s for s in suffixes if s != '.json')})."
        for kind, suffixes in kinds.items()
        for path in sorted((folder / kind).glob("*"))
        if path.is_file() and path.suffix.lower() not in suffixes and not _about(path)
    ]


def _about(path: Path) -> bool:
    """Say whether a file is about others: hidden, a licence, the report of a fit."""
    told = path.name.upper().startswith(("README", "LICENSE")) or path.suffix == ".md" or ".report." in path.name
    return told or path.name.startswith(".")


def _folded(keywords: Mapping[str, str]) -> dict[str, str]:
    return {keyword.casefold(): value for keyword, value in keywords.items()}


def _shown(one: CtProtocol) -> str:
    return ", ".join(f"{keyword} = {value}" for keyword, value in one.keywords.items())
