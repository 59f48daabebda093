"""Everything a user may choose for a dose calculation: as wished, and checked together, with a JSON round trip."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from dosewright.core.errors import InputError, nearest
from dosewright.formats.text.site_settings import Output
from dosewright.workflow.goals import Goals

MOST_VOXELS = 2**28  # 1 GiB of float32 per dose; more is a slip of the keyboard
# How a calculation is run, not what is calculated: a folder may be resumed with other values of these.
HOW_IT_RUNS = (
    "output", "threads", "login", "library", "keep_parts", "plan", "goals", "goals_assumed", "goal_scope", "write",
)  # fmt: skip
SCOPES = ("beam", "plan")
DOSE_TO = ("water", "medium")
FARTHEST_SHIFT_MM = 10_000.0
PATHS = ("plan", "output", "library", "ct", "structures")


@dataclass(frozen=True)
class Wishes:
    """Everything a user may choose for a dose calculation, not checked yet.

    What it names can be looked up although other things are wrong, so that all problems are told together.

    Parameters
    ----------
    plan
        The plan file, or the folder that holds it.
    goals
        When to stop.
    output
        Result folder; None for one beside the plan.
    beams
        Names or numbers; empty for all.
    ct_protocol, phantom, beam_model
        Name in the library (protocol and beam model: or a path); None to find it by itself.
    overrides
        Structure and material names, in the order of application.
    voxel_counts
        Dose voxels along x, y, z over the unchanged box; `full_ct_grid` scores on the CT's own voxels.
    threads
        0 for the site's number: all cores, where its settings say nothing else.
    login
        ``NAME``, ``NAME:ROLE`` or an acronym of the users in the site's settings.
    ct, structures, doses
        Files (CT: or a folder) to take instead of those that the search would find beside the plan.
    fraction_group
        The one to calculate, where the plan has several.
    ignore_devices
        Calculate without blocks, compensators and the like instead of refusing them.
    goal_scope
        ``"beam"``: every beam reaches the goals. ``"plan"``: the plan's dose does, primaries are shared between beams.
        Empty for what the site's settings say; so are the next two.
    dose_to
        ``"water"`` or ``"medium"``: what the dose is a dose to; empty for the phantom's or the site's.
    remove_outside
        Doses outside the EXTERNAL are set to zero; None for the site's.
    phantom_shift_mm
        How far the phantom is moved from the isocentre along x, y, z of a patient lying head first supine.
    write
        What is written beside what the site's settings say: names of `Output`.
    goals_assumed
        True when the user named no goal; those of the site are taken.
    unread
        Problems of options that could not be read, and so are not among the others; a request has none.
    """

    plan: Path
    goals: Goals
    output: Path | None = None
    beams: tuple[str, ...] = ()
    ct_protocol: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    phantom: str | None = None
    voxel_counts: tuple[int, int, int] | None = None
    full_ct_grid: bool = False
    beam_model: str | None = None
    threads: int = 0
    library: Path | None = None
    login: str | None = field(default=None, repr=False)
    seed: int = 1
    keep_parts: bool = False
    goals_assumed: bool = False
    ct: Path | None = None
    structures: Path | None = None
    doses: tuple[Path, ...] = ()
    fraction_group: int | None = None
    ignore_devices: bool = False
    goal_scope: str = ""
    dose_to: str = ""
    remove_outside: bool | None = None
    write: tuple[str, ...] = ()
    phantom_shift_mm: tuple[float, float, float] | None = None
    unread: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        """Return everything that cannot be, whatever plan and library hold."""
        found = list(self.unread)
        if self.ct_protocol is not None and self.phantom is not None:
            found.append("A CT protocol (-c) and a phantom (-p) exclude each other: the phantom replaces the CT.")
        if self.voxel_counts is not None and self.full_ct_grid:
            found.append("Voxel counts (-x) and the full CT grid (-f) exclude each other.")
        if self.phantom is not None and self.full_ct_grid:
            found.append("The full CT grid (-f) needs the CT, which a phantom (-p) replaces.")
        if self.phantom is not None and self.overrides:
            found.append("Material overrides (-m) need the structures of the patient, which a phantom (-p) replaces.")
        if (
            self.voxel_counts is not None
            and not 1 <= min(self.voxel_counts) <= math.prod(self.voxel_counts) <= MOST_VOXELS
        ):
            found.append(
                f"Voxel counts (-x) are three positive numbers with at most 2^28 voxels. Given: {self.voxel_counts}."
            )
        found += self._problems_of_words()
        twice = {roi for roi, _ in self.overrides if sum(roi == other for other, _ in self.overrides) > 1}
        found += [f"The structure {roi!r} is overridden (-m) more than once." for roi in sorted(twice)]
        if not 0 <= self.threads <= 1024:
            found.append(f"The number of threads (-j) is from 0 (all cores) to 1024. Given: {self.threads}.")
        if not 0 <= self.seed < 2**63:
            found.append(f"The seed (--seed) is a whole number from 0 to 2^63 - 1. Given: {self.seed}.")
        return found

    def _problems_of_words(self) -> list[str]:
        """Return a problem for each word and number that must be one of a few."""
        found = []
        for option, word, known in (("--per", self.goal_scope, SCOPES), ("--dose-to", self.dose_to, DOSE_TO)):
            if word and word not in known:
                found.append(f"{option} takes {' or '.join(known)}.{nearest(word, known)} Given: {word!r}.")
        outputs = tuple(Output.model_fields)
        found += [
            f"Unknown output {word!r} (--write).{nearest(word, outputs)} Allowed: {', '.join(outputs)}."
            for word in self.write
            if word not in outputs
        ]
        shift = self.phantom_shift_mm
        if shift is not None and self.phantom is None:
            found.append("A shift (--phantom-shift) moves a phantom; name it with -p.")
        if shift is not None and max(map(abs, shift)) > FARTHEST_SHIFT_MM:
            found.append(f"A phantom is moved (--phantom-shift) by at most {FARTHEST_SHIFT_MM:g} mm. Given: {shift}.")
        return found

    def checked(self) -> "DoseRequest":
        """Return the wishes as a request; refused with all their problems."""
        return DoseRequest(**{f.name: getattr(self, f.name) for f in fields(self)})


@dataclass(frozen=True)
class DoseRequest(Wishes):
    """One request for an independent dose: wishes that can be."""

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise InputError(*problems)

    def what(self) -> dict[str, Any]:
        """Return what is calculated, without how and how long it runs: equal for requests that share a folder."""
        return {key: value for key, value in self.as_json().items() if key not in HOW_IT_RUNS}

    def as_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` turns into an equal request."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "unread"}
        values["goals"] = self.goals.as_json()
        for key in PATHS:
            values[key] = None if values[key] is None else str(values[key])
        values["doses"] = [str(dose) for dose in self.doses]
        return dict(json.loads(json.dumps(values)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values; unknown and missing keys and wrong kinds are refused together."""
        known = {f.name for f in fields(cls)} - {"unread"}
        problems = [f"Unknown key {key!r} in the request.{nearest(key, known)}" for key in values if key not in known]
        problems += [f"The request lacks {key!r}." for key in ("plan", "goals") if key not in values]
        if problems:
            raise InputError(*problems)
        try:
            return cls(**_typed(dict(values)))
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(f"A value of the request has the wrong kind: {error}.") from error


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    values["goals"] = Goals.from_json(values["goals"])
    for key in PATHS:
        if values.get(key) is not None:
            values[key] = Path(values[key])
    values["doses"] = tuple(Path(dose) for dose in values.get("doses", ()))
    for key in ("beams", "write", "voxel_counts", "phantom_shift_mm"):
        if values.get(key) is not None:
            values[key] = tuple(values[key])
    values["overrides"] = tuple((str(roi), str(material)) for roi, material in values.get("overrides", ()))
    return values
