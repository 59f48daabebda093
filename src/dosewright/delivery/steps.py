"""A delivery as a stream of steps: what is where, what is there, which pencil beams, which scripts.

A step is the preparation since the one before, one ``deliver:``, and the scripts behind it. Everything that can be
wrong is found before the first step is handed out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.looks import tried
from dosewright.delivery.directives import Deliver, Order, RunScripts, ScriptCall
from dosewright.delivery.parse import parse_delivery
from dosewright.delivery.setup import Setup
from dosewright.formats.text.fred.fred_input import FredInput, collect_fred
from dosewright.formats.text.fred.pencil_beams import PencilBeam
from dosewright.formats.text.fred.places import Box
from dosewright.formats.text.fred.scope import Budget


@dataclass(frozen=True)
class FieldDelivery:
    """Pencil beams of one field, in the order of their delivery."""

    name: str
    beams: tuple[PencilBeam, ...]

    @property
    def particles(self) -> float:
        """Particles of all of them."""
        return sum(beam.particles for beam in self.beams)


@dataclass(frozen=True)
class Step:
    """One step of a delivery.

    Parameters
    ----------
    number
        From 1.
    placements, active
        Of all regions and fields, by name; from the axes of each to the room, mm.
    fields
        What is delivered.
    before, after
        Scripts before the first delivery (first step only), and behind this one.
    where
        File and line of its ``deliver:``.
    """

    number: int
    placements: Mapping[str, Rigid]
    active: frozenset[str]
    fields: tuple[FieldDelivery, ...]
    before: tuple[ScriptCall, ...]
    after: tuple[ScriptCall, ...]
    where: str


@dataclass(frozen=True)
class Delivery:
    """An input with its delivery, checked as a whole.

    Parameters
    ----------
    input
        What is defined.
    orders
        Directives in their order.
    at_end
        Scripts after all steps.
    """

    input: FredInput
    orders: tuple[Order, ...]
    at_end: tuple[ScriptCall, ...]

    def start(self) -> Setup:
        """Return the setup before the first directive: everything where it is defined, and there."""
        boxes = self.boxes()
        return Setup({name: box.frame for name, box in boxes.items()}, frozenset(boxes))

    def boxes(self) -> dict[str, Box]:
        """Return the boxes of all regions and fields by name, as they are defined."""
        boxes = [*(one.box for one in self.input.regions), *(one.box for one in self.input.fields)]
        return {box.name: box for box in boxes}

    def steps(self) -> Iterator[Step]:
        """Yield the steps one after another."""
        by_id = {(beam.field, beam.id): beam for beam in self.input.beams}
        ids = {one.box.name: one.id for one in self.input.fields}
        setup, number = self.start(), 0
        before: list[ScriptCall] = []
        waiting: Step | None = None  # a step whose scripts may still follow
        for order in self.orders:
            if isinstance(order, Deliver):
                if waiting:
                    yield waiting
                number += 1
                fields = tuple(
                    FieldDelivery(name, tuple(by_id[ids[name], one] for one in chosen)) for name, chosen in order.beams
                )
                waiting = Step(number, setup.placements, setup.active, fields, tuple(before), (), order.where)
                before = []
            elif not isinstance(order, RunScripts):
                setup = setup.after(order)
            elif not order.at_end and waiting:
                waiting = replace(waiting, after=(*waiting.after, *order.scripts))
            elif not order.at_end:
                before += order.scripts
        if waiting:
            yield waiting


def read_delivery(path: Path, folder: Path | None = None, histories: int | None = None,
                  budget: Budget | None = None) -> Delivery:  # fmt: skip
    """Read an input and check its whole delivery; `InputError` lists every problem with its file and line.

    Parameters are those of `read_fred`.
    """
    problems: list[str] = []
    found = collect_fred(path, problems, folder, histories, budget)
    orders = parse_delivery(found, problems)
    at_end = tuple(call for one in orders if isinstance(one, RunScripts) and one.at_end for call in one.scripts)
    delivery = Delivery(found, orders, at_end)
    _rehearse(delivery, problems)
    if problems:
        raise InputError(*problems)
    return delivery


def _rehearse(delivery: Delivery, problems: list[str]) -> None:
    """Go through all directives once; what cannot be done, and fields that are not there, are problems."""
    setup = delivery.start()
    for order in delivery.orders:
        if isinstance(order, Deliver):
            absent = [name for name, _ in order.beams if name not in setup.active]
            if absent:
                problems += refuse("deliver: a field is not active", given=", ".join(absent), where=order.where,
                                   allowed="activate: it before, or deliver: the others by name").problems  # fmt: skip
        elif not isinstance(order, RunScripts):
            setup = tried(lambda setup=setup, order=order: setup.after(order), problems) or setup  # type: ignore[misc]
