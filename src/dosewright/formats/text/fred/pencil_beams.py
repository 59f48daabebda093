"""Pencil beams of FRED input, one by one or as rows of columns under a ``pbmaster``.

Source: FRED manual, source definition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dosewright.core.errors import refuse
from dosewright.core.looks import tried
from dosewright.core.units import MM_PER_CM
from dosewright.formats.text.fred import beam_shape
from dosewright.formats.text.fred.beam_shape import CrossSection, Energy, Envelope, PointSource
from dosewright.formats.text.fred.directives import Directive, Setting
from dosewright.formats.text.fred.taking import Taking, Triple, Unsupported, as_list

PARTICLES = {"proton": "proton", "p": "proton", "h1": "proton", "he4": "He4", "alpha": "He4", "helium": "He4",
             "c12": "C12", "carbon": "C12"}  # fmt: skip


@dataclass(frozen=True)
class PencilBeam:
    """One pencil beam.

    Parameters
    ----------
    id, field
        Its ID, and that of its field.
    particle
        ``"proton"``, ``"He4"`` or ``"C12"``.
    position_mm, direction
        Origin and unit direction in the frame of the field.
    spread
        None for particles that fly parallel.
    particles, histories
        Particles delivered, and histories to follow.
    """

    id: str
    field: str
    particle: str
    energy: Energy
    position_mm: Triple
    direction: Triple
    section: CrossSection
    spread: PointSource | Envelope | None
    particles: float
    histories: int
    where: str


@dataclass(frozen=True)
class Master:
    """What ``pbmaster:`` declares for the rows of a field that follow it."""

    field: str
    settings: tuple[Setting, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class BeamReader:
    """Reads pencil beams; `histories` is taken where a beam has no number of its own."""

    histories: int
    problems: list[str]
    unsupported: list[Unsupported]
    notes: list[str]
    unnumbered: list[str] = field(default_factory=list)  # places of pencil beams without N

    def read_all(self, directives: Sequence[Directive]) -> list[PencilBeam]:
        """Return all pencil beams in the order of their lines."""
        masters = [(n, found) for n, one in enumerate(directives) if one.name == "pbmaster"
                   and (found := tried(lambda one=one: _master(one), self.problems))]  # type: ignore[misc]  # fmt: skip
        beams = []
        for n, one in enumerate(directives):
            if one.name == "pb":
                beam = tried(lambda n=n, one=one: self.read(n, one, masters), self.problems)  # type: ignore[misc]
                beams += [beam] if beam else []
        if 0 < len(self.unnumbered) < len(beams):
            count = len(self.unnumbered)
            self.notes.append(
                f"{self.unnumbered[0]}: {count} of {len(beams)} pencil beams have no N: one particle each."
            )
        return beams

    def read(self, place: int, directive: Directive, masters: Sequence[tuple[int, Master]]) -> PencilBeam | None:
        """Return one pencil beam; None where it has problems."""
        own = {one.key: one for one in directive.settings}
        if len(own) < len(directive.settings):
            raise refuse("A key of a pencil beam stands twice", where=directive.where)
        id_word, field_word, values = _identity(directive, own)
        master = _master_of(field_word, place, masters, directive)
        rows: dict[str, Setting] = {}
        if master is not None:
            rows = {one.key: one for one in master.settings}
            if values and len(values) != len(master.columns):
                raise refuse("A pencil beam has another number of values than its pbmaster columns", given=len(values),
                             allowed=len(master.columns), where=directive.where)  # fmt: skip
            row = zip(master.columns, values, strict=False)
            rows |= {key: Setting(key, word, directive.where) for key, word in row}
            if not values and master.columns and any(key not in own for key in master.columns):
                raise refuse("A pencil beam lacks the columns of its pbmaster", where=directive.where,
                             allowed=" ".join(master.columns))  # fmt: skip
        elif values:
            raise refuse("A pencil beam has values without columns", given=" ".join(values)[:60],
                         allowed=f"pbmaster: {field_word} ; columns=[...]", where=directive.where)  # fmt: skip
        settings = tuple((rows | own).values())
        before = len(self.problems)
        what = f"pb {id_word} of field {field_word}"
        taking = Taking(what, directive.where, settings, self.problems, self.unsupported)
        if not taking.given("N"):
            self.unnumbered.append(directive.where)
        beam = beam_of(id_word, field_word, taking, self.histories, self.notes)
        taking.refuse_rest()
        return beam if len(self.problems) == before else None

    def default(self, settings: Sequence[Setting]) -> PencilBeam | None:
        """Return the one beam of an input without any, from the keys ``pbE``, ``pbXsec`` and their like."""
        renamed = {"ESpread": "Espread", "PSpread": "pSpread", "Particle": "particle", "FWHMa": "alpha",
                   "Rmin": "rmin", "Rmax": "rmax"}  # fmt: skip
        own = tuple(replace(one, key=renamed.get(one.key[2:], one.key[2:])) for one in settings)
        where = own[0].where if own else "the default pencil beam"
        taking = Taking("the default pencil beam", where, own, self.problems, self.unsupported)
        before = len(self.problems)
        beam = beam_of("1", "0", taking, self.histories, self.notes)
        taking.refuse_rest()
        return beam if len(self.problems) == before else None


def _identity(directive: Directive, own: dict[str, Setting]) -> tuple[str, str, tuple[str, ...]]:
    """Return the IDs of a pencil beam and of its field, and the values of columns behind them."""
    if directive.words:
        id_word, field_word, *values = (*directive.words, "", "")[: max(len(directive.words), 2)]
        if "" in (id_word, field_word) or any(key in own for key in ("ID", "PBID", "FID", "fieldID")):
            raise refuse("A pencil beam needs its ID and that of its field", given=" ".join(directive.words)[:60],
                         allowed="pb: ID FIELD ; key = value ; ...", where=directive.where)  # fmt: skip
        return id_word, field_word, tuple(values)
    ids = [own.pop(key) for key in ("ID", "PBID") if key in own]
    fields = [own.pop(key) for key in ("FID", "fieldID") if key in own]
    if len(ids) != 1 or len(fields) != 1:
        raise refuse("A pencil beam needs its ID and that of its field", allowed="ID = ..., fieldID = ...",
                     where=directive.where)  # fmt: skip
    return ids[0].text.strip("'\""), fields[0].text.strip("'\""), ()


def _master(directive: Directive) -> Master:
    own = {one.key: one for one in directive.settings}
    field = directive.words[0] if len(directive.words) == 1 else ""
    for key in ("FID", "fieldID"):
        field = own.pop(key).text if key in own and not field else field
    if not field or len(own) < len(directive.settings) - 1:
        raise refuse("pbmaster needs the ID of a field, and every key once", allowed="pbmaster: FIELD ; columns=[...]",
                     where=directive.where)  # fmt: skip
    columns = tuple(as_list(own["columns"].text, own["columns"].where)) if "columns" in own else ()
    if len(set(columns)) < len(columns) or set(columns) & set(own):
        raise refuse("A column stands twice, or is a key of pbmaster too", given=" ".join(columns)[:80],
                     where=directive.where)  # fmt: skip
    return Master(field, tuple(one for key, one in own.items() if key != "columns"), columns)


def _master_of(field: str, place: int, masters: Sequence[tuple[int, Master]], directive: Directive) -> Master | None:
    """Return the last master of a field before a place, or the only one behind it."""
    of_field = [(n, one) for n, one in masters if one.field == field]
    before = [one for n, one in of_field if n < place]
    if before or not of_field:
        return before[-1] if before else None
    if len(of_field) > 1:
        raise refuse("Several pbmaster follow this pencil beam", given=f"field {field}",
                     allowed="one, or one before it", where=directive.where)  # fmt: skip
    return of_field[0][1]


def beam_of(id_word: str, field: str, taking: Taking, histories: int, notes: list[str]) -> PencilBeam:
    """Return the pencil beam that settings describe; what is wrong is added to their problems."""
    direction = np.array(taking.vector("v", (0.0, 0.0, 1.0)))
    length = float(np.linalg.norm(direction))
    if not length > 0:
        taking.problem(f"{taking.what}: the direction v has no length")
        length = 1.0
    x, y, z = (MM_PER_CM * one for one in taking.vector("P", (0.0, 0.0, 0.0)))
    particle = taking.choice("particle", PARTICLES) or "proton"
    spread = beam_shape.read_envelope(taking) or beam_shape.read_point_source(taking)
    energy = beam_shape.read_energy(taking, notes)
    section = beam_shape.read_section(taking, spread)
    delivered = taking.number("N", least=0.0)
    own_histories = taking.whole("nprim", least=1)
    return PencilBeam(
        id_word, field, particle, energy, (x, y, z), tuple(float(one) for one in direction / length),  # type: ignore[arg-type]
        section, spread, 1.0 if delivered is None else delivered, own_histories or histories, taking.where,
    )  # fmt: skip
