"""Where all regions are, which are there, and which move with which: a value, and what directives make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from dosewright.core.errors import refuse
from dosewright.core.frame import Matrix, Rigid
from dosewright.delivery.directives import (
    ROOM,
    SELF,
    Activate,
    Place,
    Restore,
    Save,
    SetParent,
    Shift,
    Transform,
    Turn,
)


@dataclass(frozen=True)
class Setup:
    """All regions and fields at one moment.

    Parameters
    ----------
    placements
        By name, from the axes of each to the room, mm.
    active
        Names of those that are there.
    parents
        Mothers by daughter; what is not named moves alone.
    slots
        What was saved: placements and active names by slot. Mothers are not part of it.
    """

    placements: Mapping[str, Rigid]
    active: frozenset[str]
    parents: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[int, tuple[Mapping[str, Rigid], frozenset[str]]] = field(default_factory=dict)

    def after(self, order: Transform | SetParent | Activate | Save | Restore) -> "Setup":
        """Return the setup that a directive leaves; `InputError` where it cannot be done."""
        if isinstance(order, Transform):
            return self._moved(order)
        if isinstance(order, SetParent):
            return self._with_parent(order)
        if isinstance(order, Activate):
            names = frozenset(order.regions)
            return replace(self, active=self.active | names if order.active else self.active - names)
        if isinstance(order, Save):
            return replace(self, slots={**self.slots, order.slot: (self.placements, self.active)})
        if order.slot not in self.slots:
            filled = ", ".join(str(slot) for slot in sorted(self.slots)) or "none is filled yet"
            raise refuse("Nothing was saved in this slot", given=order.slot, allowed=filled, where=order.where)
        placements, active = self.slots[order.slot]
        return replace(self, placements=placements, active=active)

    def mothers(self, name: str) -> Iterator[str]:
        """Yield the mother of a region, her mother, and so on."""
        while name in self.parents:
            name = self.parents[name]
            yield name

    def _with_parent(self, order: SetParent) -> "Setup":
        parents = {daughter: mother for daughter, mother in self.parents.items() if daughter not in order.daughters}
        if order.mother != ROOM:
            loop = [
                name
                for name in order.daughters
                if name in (order.mother, *replace(self, parents=parents).mothers(order.mother))
            ]
            if loop:
                raise refuse("A region would be its own mother", given=f"{order.mother} of {', '.join(loop)}",
                             where=order.where)  # fmt: skip
            parents |= dict.fromkeys(order.daughters, order.mother)
        return replace(self, parents=parents)

    def _moved(self, order: Transform) -> "Setup":
        """Move regions and all that moves with them, each once; frames are those from before the motion."""
        listed = set(order.regions)
        twice = [name for name in order.regions if listed & set(self.mothers(name))]
        if twice:
            raise refuse("A region is named that moves with its mother anyway", given=", ".join(twice),
                         allowed="the mother, or the daughters", where=order.where)  # fmt: skip
        placements = dict(self.placements)
        for name, placement in self.placements.items():
            chain = (name, *self.mothers(name))
            carrier = next((one for one in chain if one in listed), None)
            if carrier is not None:
                placements[name] = placement.then(self._motion(order, carrier))
        return replace(self, placements=placements)

    def _motion(self, order: Transform, name: str) -> Rigid:
        """Return how a region that is named moves, in the room."""
        frame = (
            Rigid.identity() if order.frame == ROOM else self.placements[name if order.frame == SELF else order.frame]
        )
        if isinstance(order.motion, Turn):
            return frame.inverse().then(Rigid(turned_about(order.motion), np.zeros(3))).then(frame)
        if isinstance(order.motion, Shift):
            return Rigid(np.eye(3), frame.directions(np.array(order.motion.by_mm)))
        target: Place = order.motion
        return Rigid(np.eye(3), frame.points(np.array(target.at_mm)) - self.placements[name].translation)


def turned_about(turn: Turn) -> Matrix:
    """Return the right-handed 3 x 3 rotation about an axis (Rodrigues' formula)."""
    x, y, z = turn.axis
    across = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.deg2rad(turn.degrees)
    turned: Matrix = np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * (across @ across)
    return turned
