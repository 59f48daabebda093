"""What IDEAL's system.cfg multiplies doses and spot weights of a machine by."""

import re

from dosewright.core.errors import nearest
from dosewright.formats.text.ideal.labels import Setting, Taking
from dosewright.formats.text.site_settings import CLINICAL_MEV, MachineCorrection, scaling_span

RADIATION = re.compile(r"PROTON|ION_\d+_\d+_\d+")
RADIATION_WORDS = {"carbon": "ION_6_12_6", "helium": "ION_2_4_2", "protons": "PROTON", "carbons": "ION_6_12_6"}
USUAL_SCALING = (0.5, 2.0)  # a scaling beyond is said: the coefficients may stand in the wrong order


def machine_corrections(factor: Taking, scaling: Taking) -> tuple[list[MachineCorrection], float, list[float]]:
    """Return factors and polynomials machine by machine, and the defaults; what a machine lacks is the file's default.

    `factor` and `scaling` are the sections ``[(tmp) correction factors]`` and ``[msw scaling]``.
    """
    taking = factor
    default_factor = taking.number("default", 1.0, least=1e-6, most=1e6)
    factors = {}
    for one in taking.rest():
        machine = _machine(one, taking)
        value = taking.checked(one, one.value, 1.0, least=1e-6, most=1e6)
        if machine:
            factors[machine] = value
    taking = scaling
    default_polynomial = taking.numbers("default") or [1.0]
    given = taking.setting("default")
    if given is not None:
        _check_scaling(taking, given, default_polynomial, "PROTON")
    polynomials = {}
    for one in taking.rest():
        machine = _machine(one, taking)
        values = taking.numbers(one.label)
        if values is None and not one.value:
            taking.problem(one, given="nothing", allowed="the coefficients of a polynomial, highest power first")
        if machine and values:
            _check_scaling(taking, one, values, machine[1])
            polynomials[machine] = values
    if taking.problems:
        return [], default_factor, [1.0]
    corrections = [
        MachineCorrection(
            machine=machine,
            radiation=radiation,
            dose_factor=factors.get((machine, radiation), default_factor),
            weight_polynomial=polynomials.get((machine, radiation), default_polynomial),
        )
        for machine, radiation in dict.fromkeys([*factors, *polynomials])
    ]
    return corrections, default_factor, default_polynomial


def _machine(one: Setting, taking: Taking) -> tuple[str, str] | None:
    """Return machine and radiation type of a label ``MACHINE RADIATION``."""
    *machine, radiation = one.label.split()
    radiation = radiation.upper()
    if machine and RADIATION.fullmatch(radiation):
        return " ".join(machine), radiation
    word = RADIATION_WORDS.get(radiation.casefold())
    hint = f" Did you mean {word!r}?" if word else nearest(radiation, ["PROTON", "ION_6_12_6", "ION_2_4_2", "default"])
    allowed = "default, or a machine and proton or ION_Z_A_Q, such as ION_6_12_6"
    taking.problem(one, given=repr(one.label), allowed=allowed, hint=hint)
    return None


def _check_scaling(taking: Taking, one: Setting, values: list[float], radiation: str) -> None:
    low, high = scaling_span(values)
    span = f"from {low:g} to {high:g} between {CLINICAL_MEV[0]:g} and {CLINICAL_MEV[-1]:g} MeV"
    if radiation == "PROTON" and not 0.0 < low <= high < float("inf"):
        taking.problem(one, given=f"{one.value!r}, which goes {span}",
                       allowed="a polynomial above zero, highest power first: '0.0 1.0' changes nothing")  # fmt: skip
    elif not (USUAL_SCALING[0] <= low and high <= USUAL_SCALING[1]):
        taking.notes.append(f"{one.where}: {one.label!r} multiplies spot weights by a polynomial that goes {span}; "
                            "its coefficients are read highest power first.")  # fmt: skip
