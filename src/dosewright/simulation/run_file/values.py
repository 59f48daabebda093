"""What the keys of a run file may hold: numbers, lengths, names, as types that check; the base of all tables."""

import math
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict
from pydantic_core import PydanticCustomError

from dosewright.materials.electrons.lookup import HIGHEST_MEV, LOWEST_MEV

OFF = "off"
AUTO = "auto"
HEAVIEST_G_CM3 = 25.0  # osmium, the densest element, has 22.6
MOST_SPLIT = 100_000  # of one event; more gain nothing, for their common ancestor is one


def whole(value: Any) -> Any:
    """Take 1e6 for a whole number, as people write it."""
    return int(value) if isinstance(value, float) and value == value // 1 and abs(value) < 2**63 else value


def number_or_off(value: Any) -> Any:
    """Take "off" for a cut that nothing reaches."""
    if value == OFF:
        return math.inf
    if isinstance(value, str):
        raise PydanticCustomError("literal_error", "off or a number", {"expected": f"{OFF}, a number"})
    return value


def off_or_number(value: float) -> float | str:
    """Write a cut that nothing reaches as "off"."""
    return OFF if math.isinf(value) else value


def one_or_several(value: Any) -> Any:
    """Take one number for a list of one."""
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value


def no_table(value: Any) -> Any:
    """Say where the tables of directional splitting belong."""
    if isinstance(value, dict):
        said = "a whole number; towards a field: the keys directional or equal_weight of variance_reduction itself"
        raise PydanticCustomError("whole_number", said)
    return whole(value)


Count = Annotated[int, BeforeValidator(whole)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
CutOrOff = Annotated[
    float,
    Field(ge=0.01, allow_inf_nan=True),
    BeforeValidator(number_or_off),
    PlainSerializer(off_or_number, when_used="json"),
]
CoupledCut = Annotated[float, Field(ge=LOWEST_MEV, le=HIGHEST_MEV)]
InsertName = Annotated[str, Field(min_length=1, max_length=100)]
Density = Annotated[float, Field(gt=0, le=HEAVIEST_G_CM3)]
Pair = Annotated[tuple[float, float], Strict(False)]
Triple = Annotated[tuple[float, float, float], Strict(False)]
Sizes = Annotated[tuple[Positive, Positive, Positive], Strict(False)]
FieldSize = Annotated[tuple[Positive, Positive], Strict(False)]
Widths = Annotated[tuple[NotNegative, NotNegative], Strict(False)]
Correlation = Annotated[float, Field(ge=-1, le=1)]
Correlations = Annotated[tuple[Correlation, Correlation], Strict(False)]
Edges = Annotated[tuple[float, ...], Strict(False), Field(min_length=2)]
Heights = Annotated[
    tuple[float, ...], Strict(False), Field(min_length=1, max_length=100), BeforeValidator(one_or_several)
]
FORWARD = (0.0, 0.0, 1.0)


class Table(BaseModel):
    """Base of all tables: frozen, no unknown keys, no words for numbers, nothing infinite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Coupled = Literal["photon", "electron", "positron"]
Particle = Literal["proton", "photon", "electron", "positron"]
COUPLED: tuple[Coupled, ...] = get_args(Coupled)
PARTICLES: tuple[Particle, ...] = get_args(Particle)
Names = Annotated[tuple[InsertName, ...], Strict(False)]
