"""Jaws and leaves moved to where a plan wants them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import overload

from dosewright.core.errors import InputError, refuse
from dosewright.core.modules import Jaws, Mlc
from dosewright.core.openings import ControlPoint, DeviceOpening
from dosewright.core.scene import Module, Scene

BOUNDARY_TOLERANCE_MM = 0.25  # a tenth of the narrowest leaf in use, 2.5 mm at the isocentre


@overload
def with_openings(
    modules: Scene, openings: ControlPoint, *, fixed: Collection[str] = (), ignored: Collection[str] = ()
) -> Scene: ...
@overload
def with_openings(
    modules: Sequence[Module], openings: ControlPoint, *, fixed: Collection[str] = (), ignored: Collection[str] = ()
) -> tuple[Module, ...]: ...
def with_openings(
    modules: Scene | Sequence[Module],
    openings: ControlPoint,
    *,
    fixed: Collection[str] = (),
    ignored: Collection[str] = (),
) -> Scene | tuple[Module, ...]:
    """Return a scene, or modules, with jaws and leaves where a control point has them.

    A device belongs to the jaws or leaves that move along its axis; where there are several, to the module whose name
    is the device's kind (``MLCX1``), whatever the case. `fixed` names modules that stay where they are though the plan
    says nothing of them, `ignored` kinds of devices that have no module. Raises `InputError` for devices and modules
    that find no partner, for counts of leaves, and for boundaries that differ by more than 0.25 mm at the isocentre.
    """
    if isinstance(modules, Scene):
        return replace(modules, modules=_moved(modules.modules, openings, fixed, ignored))
    return _moved(modules, openings, fixed, ignored)


def _moved(
    modules: Sequence[Module], openings: ControlPoint, fixed: Collection[str], ignored: Collection[str]
) -> tuple[Module, ...]:
    movable = [m for m in modules if isinstance(m, Jaws | Mlc) and m.name not in fixed]
    moved: dict[str, Module] = {}
    problems: list[str] = []
    for device in openings.devices:
        if device.kind in ignored:
            continue
        try:
            module = _partner(movable, device)
            moved[module.name] = _opened(module, device)
        except InputError as error:
            problems += error.problems
    if not problems:
        for one in movable:
            if one.name not in moved:
                said = ", ".join(device.kind for device in openings.devices) or "nothing"
                what = f"The plan does not say where the module {one.name!r} ({_kind(one)}) stands"
                problems.append(str(refuse(what, given=said, where=one.where or None)))
    if problems:
        raise InputError(*problems)
    return tuple(moved.get(module.name, module) for module in modules)


def _kind(module: Jaws | Mlc) -> str:
    return f"{'leaves' if isinstance(module, Mlc) else 'jaws'} along {module.orientation}"


def _partner(modules: Sequence[Jaws | Mlc], device: DeviceOpening) -> Jaws | Mlc:
    """Return the module that a device of the plan means."""
    alike = [m for m in modules if isinstance(m, Mlc) == device.leaves and m.orientation == device.orientation]
    named = [m for m in alike if m.name.casefold() == device.kind.casefold()]
    if len(alike) == 1 or len(named) == 1:
        return (named or alike)[0]
    there = ", ".join(f"{m.name!r} ({_kind(m)})" for m in modules) or "none"
    what = f"{'No' if not alike else 'More than one'} module fits the plan's device {device.kind}"
    raise refuse(what, allowed=f"one of its kind, or named like it; there are {there}", where=device.where or None)


def _opened(module: Jaws | Mlc, device: DeviceOpening) -> Jaws | Mlc:
    if isinstance(module, Jaws):
        return replace(module, negative_mm=device.negative_mm[0], positive_mm=device.positive_mm[0])
    leaves = [k for k, pair in enumerate(module.pairs) if module.profiles[pair.profile - 1].kind == "LEAF"]
    if len(leaves) != len(device.negative_mm):
        raise refuse(
            f"The plan's device {device.kind} and the module {module.name!r} have different numbers of pairs of leaves",
            given=len(device.negative_mm),
            allowed=len(leaves),
            where=device.where or None,
        )
    _compare_boundaries(module, leaves, device)
    pairs = list(module.pairs)
    for k, negative, positive in zip(leaves, device.negative_mm, device.positive_mm, strict=True):
        pairs[k] = replace(pairs[k], negative_mm=negative, positive_mm=positive)
    return replace(module, pairs=tuple(pairs))


def _compare_boundaries(module: Mlc, leaves: list[int], device: DeviceOpening) -> None:
    """Refuse a plan whose leaves lie elsewhere than those of the model."""
    ours = module.boundaries_mm()
    for place, k in enumerate(leaves):
        planned, modelled = device.boundaries_mm[place : place + 2], ours[k : k + 2]
        if max(abs(a - b) for a, b in zip(planned, modelled, strict=True)) > BOUNDARY_TOLERANCE_MM:
            raise refuse(
                f"Pair {place + 1} of the plan's device {device.kind} and of the module {module.name!r} lie elsewhere",
                given=f"{planned[0]:g} to {planned[1]:g} mm in the plan, {modelled[0]:.4g} to {modelled[1]:.4g} mm in "
                "the module",
                allowed=f"boundaries that agree within {BOUNDARY_TOLERANCE_MM:g} mm at the isocentre plane",
                where=device.where or None,
            )
