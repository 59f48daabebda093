"""Which CT, structure set and doses belong to a plan: by reference, else by ever weaker ties, each said aloud.

The exports of many systems rewrite UIDs without rewriting the references; then study and frame of reference decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import Looks
from dosewright.formats.dicom.folder import Header
from dosewright.formats.dicom.saving import MANUFACTURER
from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_DOSE, RT_ION_PLAN, RT_PLAN, RT_STRUCTURE_SET

PLAN: Final = "plan"
STRUCTURES: Final = "structures"
CT: Final = "CT"
DOSES: Final = "doses"

SAME_STUDY_AND_FRAME: Final = "the same study and frame of reference"
SAME_FRAME: Final = "the same frame of reference"
SAME_STUDY: Final = "the same study"
ONLY_ONE: Final = "being the only one in the folder"


@dataclass(frozen=True)
class Found:
    """The files that belong to a plan; `ct` are the slices of one series."""

    structures: Header | None
    ct: tuple[Header, ...]
    doses: tuple[Header, ...]


def match(plan: Header, structure_set_uid: str, headers: Iterable[Header], looks: Looks) -> Found:
    """Find the structure set, the CT series and the doses of a plan; several equal candidates make a part unknown.

    Which CT belongs to a plan may depend on its structure set: where that is unknown, the CT is unknown too.
    """
    others = [h for h in headers if h.path != plan.path]
    sets = [h for h in others if h.sop_class_uid == RT_STRUCTURE_SET]
    slices = [h for h in others if h.sop_class_uid == CT_IMAGE]
    planned = [h for h in others if h.sop_class_uid == RT_DOSE]
    structures = looks.at(STRUCTURES, lambda: _structures(plan, structure_set_uid, sets, looks.warnings))
    ct = looks.at(CT, lambda: _ct(plan, structures, slices, looks.warnings), needs=STRUCTURES)
    plans = {h.uid for h in others if h.sop_class_uid in (RT_ION_PLAN, RT_PLAN)} - {plan.uid}
    doses = looks.at(DOSES, lambda: _doses(plan, plans, planned, looks.warnings))
    return Found(structures, ct or (), doses or ())


def _tie(plan: Header, other: Header) -> str | None:
    """Return the strongest tie between two objects beyond references; None if they cannot belong together."""
    mine, others = plan.identity, other.identity
    frame = bool(mine.frame_of_reference_uid) and mine.frame_of_reference_uid == others.frame_of_reference_uid
    study = bool(mine.study_uid) and mine.study_uid == others.study_uid
    if frame and study:
        return SAME_STUDY_AND_FRAME
    if frame:
        return SAME_FRAME
    if not mine.same_patient(others):
        return None
    return SAME_STUDY if study else ONLY_ONE


def _strongest(plan: Header, candidates: Iterable[Header]) -> tuple[str, list[Header]]:
    """Return the candidates with the strongest tie to the plan."""
    by_tie: dict[str, list[Header]] = {}
    for header in candidates:
        tie = _tie(plan, header)
        if tie is not None:
            by_tie.setdefault(tie, []).append(header)
    for tie in (SAME_STUDY_AND_FRAME, SAME_FRAME, SAME_STUDY, ONLY_ONE):
        if tie in by_tie:
            return tie, by_tie[tie]
    return "", []


def _structures(plan: Header, uid: str, candidates: list[Header], warnings: list[str]) -> Header | None:
    referenced = [h for h in candidates if uid and h.uid == uid]
    if len(referenced) > 1:
        raise _several("structure set", "--structures", referenced)
    if referenced:
        return referenced[0]
    tie, found = _strongest(plan, candidates)
    if len(found) > 1:
        raise _several("structure set", "--structures", found)
    if found:
        warnings.append(f"The structure set that the plan refers to is missing; another one was taken for {tie}.")
        return found[0]
    warnings.append("No structure set of this plan was found.")
    return None


def _ct(plan: Header, structures: Header | None, slices: list[Header], warnings: list[str]) -> tuple[Header, ...]:
    series: dict[str, list[Header]] = {}
    for header in slices:
        series.setdefault(header.series_uid, []).append(header)
    named = sorted(structures.ct_series_uids & set(series)) if structures else []
    if len(named) == 1:
        ct = series[named[0]]
        _say_dangling(structures, ct, warnings)
        return tuple(ct)
    firsts = [series[uid][0] for uid in (named or series)]
    tie, found = _strongest(plan, firsts)
    if structures and tie not in (SAME_STUDY_AND_FRAME, SAME_FRAME):  # the structures may know the frame better
        better, also = _strongest(structures, firsts)
        tie, found = (better, also) if better in (SAME_STUDY_AND_FRAME, SAME_FRAME) else (tie, found)
    if len(found) > 1:
        raise _several("CT series", "--ct", found)
    if not found:
        warnings.append("No CT of this plan was found.")
        return ()
    warnings.append(f"No structure set refers to the CT; the CT series was taken for {tie}.")
    return tuple(series[found[0].series_uid])


def _say_dangling(structures: Header | None, ct: list[Header], warnings: list[str]) -> None:
    """Compare the slices there are with those that the structure set was drawn on."""
    wanted = structures.ct_uids if structures else frozenset()
    there = {h.uid for h in ct}
    if wanted and not wanted & there:
        warnings.append(
            "The structure set refers to CT slices by other UIDs; the CT series was taken for its series UID."
        )
    elif wanted - there:
        warnings.append(f"{len(wanted - there)} of the {len(wanted)} CT slices of the structure set are missing.")


def _doses(plan: Header, other_plans: set[str], candidates: list[Header], warnings: list[str]) -> tuple[Header, ...]:
    own = [h for h in candidates if h.manufacturer == MANUFACTURER]
    if own:
        warnings.append(f"Earlier results of Dosewright in the folder ({len(own)}) were not taken as planned doses.")
    candidates = [h for h in candidates if h.manufacturer != MANUFACTURER]
    referring = [h for h in candidates if plan.uid and plan.uid in h.plan_uids]
    strangers = [h for h in candidates if h not in referring and h.plan_uids]
    if referring:
        if strangers:
            warnings.append(f"RT Doses in the folder that refer to another plan ({len(strangers)}) were left aside.")
        return tuple(referring)
    free = [h for h in candidates if not other_plans.intersection(h.plan_uids)]
    tie, found = _strongest(plan, free)
    if len({h.plan_uids for h in found}) > 1:
        raise _several("planned dose, of different plans,", "--dose", found)
    if not found:
        warnings.append("No planned dose of this plan was found.")
        return ()
    if tie == ONLY_ONE and len(found) > 1:
        tie = "being the only ones in the folder"
    what = (
        "1 dose with a dangling reference was"
        if len(found) == 1
        else f"{len(found)} doses with dangling references were"
    )
    warnings.append(
        f"No dose refers to this plan; {what} taken for {tie}. If they belong to another plan, the comparison means "
        f"nothing: name the right ones with --dose."
    )
    return tuple(found)


def _several(what: str, option: str, found: list[Header]) -> InputError:
    listed = "; ".join(f"{h.path.name}{f' ({h.label})' if h.label else ''}" for h in found)
    return refuse(f"There is more than one {what} that may belong to the plan; name one with {option}", given=listed)
