"""Arithmetic of geometry text: units, parameters, functions, what is refused, and nothing executed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.gamos.arithmetic import Quantity
from dosewright.formats.text.gamos.expressions import Parameters
from dosewright.formats.text.gamos.lexer import Word
from dosewright.formats.text.gamos.units import ANGLE, LENGTH, UNITS, Measure

HERE = "a.geom, line 1"


def word(text: str) -> Word:
    return Word(text, HERE)


def parameters() -> Parameters:
    return Parameters(
        {"A": Quantity(5.0), "L": Quantity(20.0, LENGTH), "N": Quantity(-3.0), "T": Quantity(math.pi / 2, ANGLE)},
        {"MATE": "G4_W", "X": "3"},
    )


@pytest.mark.parametrize(
    ("text", "length_mm"),
    [
        ("7", 7.0),  # a bare number is in mm
        ("1.5*cm", 15.0),
        ("10.*cm/2", 50.0),
        (".5*m", 500.0),
        ("2e1", 20.0),
        ("1.E-1*cm", 1.0),
        ("-$A", -5.0),
        ("$N", -3.0),
        ("2-$N", 5.0),
        ("$L+1", 21.0),  # a bare number beside a length is in mm
        ("$L+1*cm", 30.0),
        ("-($A*($A-2)+(2*4)*2+0.5*($A-1))/2.", -16.5),
        ("$A*2-$L", -10.0),
        ("2**3", 8.0),
        ("2**-1", 0.5),
        ("-2**2", -4.0),
        ("2*3**2", 18.0),
        ("pow(2,3)", 8.0),
        ("sqrt($L*$L+15*mm*15*mm)", 25.0),
        ("$L*sin(30*deg)", 10.0),
        ("$L*cos(0)", 20.0),
        ("10*cm*tan(atan(0.5))", 50.0),
        ("$L*$T", 10.0 * math.pi),  # an arc
        ("8/2/2", 2.0),
        ("5-2-1", 2.0),
        ("+-+3", -3.0),
        ("1*um+1*nm", 1.001e-3),
        ("(((4)))", 4.0),
        ("$L/$L*3", 3.0),
    ],
)
def test_lengths(text: str, length_mm: float) -> None:
    assert parameters().length_mm(word(text)) == pytest.approx(length_mm, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "angle_deg"),
    [("90", 90.0), ("90.*deg", 90.0), ("0.5*rad", math.degrees(0.5)), ("100*mrad", math.degrees(0.1)), ("-$A", -5.0),
     ("360*deg/8", 45.0), ("360/8", 45.0), ("$T*rad", 90.0), ("$T+0*deg", 90.0)],
)  # fmt: skip
def test_angles(text: str, angle_deg: float) -> None:
    assert parameters().angle_deg(word(text)) == pytest.approx(angle_deg, rel=1e-12)


def test_an_angle_divided_by_degrees_is_in_degrees_when_a_parameter() -> None:
    values = parameters()
    values.numbers["D"] = values.evaluated(word("atan(1)/deg"))[0]
    assert values.angle_deg(word("$D")) == pytest.approx(45.0, rel=1e-12)
    with pytest.raises(InputError, match=r"Expected an angle.*angle\^-1"):
        values.angle_deg(word("atan(1)/deg"))  # GAMOS takes it for 45 rad


def test_densities_masses_energies() -> None:
    values = parameters()
    assert values.density_g_cm3(word("2.7")) == 2.7
    assert values.density_g_cm3(word("2.7*g/cm3")) == pytest.approx(2.7, rel=1e-12)
    assert values.density_g_cm3(word("1.29*mg/cm3")) == pytest.approx(1.29e-3, rel=1e-12)
    assert values.density_g_cm3(word("1000.*kg/m3")) == pytest.approx(1.0, rel=1e-12)
    assert values.molar_mass_g(word("26.98*g/mole")) == pytest.approx(26.98, rel=1e-12)
    assert values.molar_mass_g(word("26.98")) == 26.98
    assert values.energy_eV(word("78*eV")) == pytest.approx(78.0, rel=1e-12)
    assert values.energy_eV(word("7.8e-5")) == pytest.approx(78.0, rel=1e-12)  # GAMOS's default is MeV
    assert values.number(word("10*perCent")) == pytest.approx(0.1)
    assert values.whole(word("$A+2"), "a count") == 7
    assert values.text(word("$MATE")) == "G4_W"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$T", r"radians for degrees. Given: \$T. Allowed: \$T\*rad"),
        ("$L", r"Expected an angle. Given: \$L, which measures length"),
        ("3*mm", r"Expected an angle. Given: 3\*mm, which measures length"),
        ("5+3*deg", r"a number and angle cannot be added"),
    ],
)
def test_angles_that_are_none(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parameters().angle_deg(word(text))


def test_a_density_with_its_unit_twice() -> None:
    values = parameters()
    values.numbers["D"] = values.evaluated(word("2.7*g/cm3"))[0]
    with pytest.raises(InputError, match=r"multiplies it by g/cm3 once more"):
        values.density_g_cm3(word("$D"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$L*cm", r"Expected a length. Given: \$L\*cm, which measures length\^2"),
        ("90*deg", r"measures angle"),
        ("$AA", r"Unknown parameter. Did you mean 'A'"),
        ("$MATE", r"The parameter is a text"),
        ("5*metr", r"Neither a unit nor a function. Did you mean 'meter'"),
        ("5cm", r"goes on where it should end. Given: 'cm'"),
        ("sin 3", r"A function needs a parenthesis"),
        ("sin(3", r"not closed"),
        ("(3", r"not closed"),
        ("3)", r"goes on where it should end"),
        ("3*", r"A number is missing. Given: the end"),
        ("*cm", r"A number is missing. Given: '\*'"),
        ("1/0", r"Division by zero"),
        ("sqrt(-1)", r"no value here"),
        ("(-8)**0.5", r"no value here"),
        ("10**400", r"no value here"),
        ("1e400", r"not finite"),
        ("1e10", r"too large. Given: 1e10 = 1e\+10. Allowed: at most 1e\+09"),
        ("2**(3*cm)", r"An exponent must be a bare number"),
        ("exp($L)", r"exp takes no length"),
        ("pow(2)", r"another number of values. Given: 1"),
        ("sin(1,2)", r"another number of values. Given: 2"),
        ("__import__('os')", r"character does not belong into a number"),
        ("__import__", r"Neither a unit nor a function"),
        ("1;2", r"character does not belong"),
        ("(" * 60 + "1" + ")" * 60, r"nested more than 40 deep"),
        ("2**" * 60 + "1", r"nested more than 40 deep|no value"),
        ("1+" * 4000 + "1", r"Expected a number"),
        ("", r"A number is missing"),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        parameters().length_mm(word(text))
    assert HERE in str(refused.value)


def test_whole_numbers() -> None:
    for text in ("2.5", "0", "-1", "1e9"):
        with pytest.raises(InputError, match="a whole number from 1 to 10000"):
            parameters().whole(word(text), "a count")


def test_units_agree_with_each_other() -> None:
    assert UNITS["cm3"][0] == pytest.approx(UNITS["mL"][0], rel=1e-12)
    assert UNITS["deg"][0] * 180 == pytest.approx(math.pi, rel=1e-15)
    assert str(Measure(length=2.0, mass=1.0)) == "length^2 x mass"


NUMBERS = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: f"({value!r})")


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from("+-*"), st.sampled_from("+-*"))
def test_it_calculates_as_everybody(a: str, b: str, c: str, first: str, second: str) -> None:
    text = f"{a}{first}{b}{second}{c}"
    expected = eval(text)  # noqa: S307  made of numbers alone, above
    assert parameters().evaluated(word(text))[0].value == pytest.approx(expected, rel=1e-12, abs=1e-12)


SYMBOLS = st.sampled_from(
    ["1", "2.5", "1e3", "$A", "$L", "$T", "$Q", "cm", "deg", "g", "+", "-", "*", "/", "**", "^", "(", ")", ",", "sin",
     "sqrt", "pow", "atan2", "log", "é", ".", "e", "E5", "99999999999"]
)  # fmt: skip


@given(st.lists(SYMBOLS, max_size=12).map("".join))
def test_garbage_is_refused(text: str) -> None:
    values = parameters()
    for read in (values.length_mm, values.angle_deg, values.density_g_cm3, values.number):
        try:
            assert math.isfinite(read(word(text)))
        except InputError:
            continue
