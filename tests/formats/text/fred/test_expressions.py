"""Expressions of FRED input: Python's values, and nothing that runs for ever or reaches out."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text.fred.expressions import evaluated, parsed
from dosewright.formats.text.fred.scope import Budget, Function, Scope, Vector, as_text

HERE = "a.inp, line 1"


def scope() -> Scope:
    names = {"N": 5, "x": 2.5, "L": Vector((8.0, 6.0, 13.0)), "spot": {"P": [1.0, 2.0, 3.0], "w": 1.5}, "word": "RS"}
    functions = {"area": Function("area", ("r",), parsed("pi*r**2", HERE))}
    return Scope(names, functions, budget=Budget(steps=100_000))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+2*3", 7),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("2**3**2", 512),
        ("7//2", 3),
        ("-7%3", 2),
        ("mod(7,3)", 1),
        ("7/2", 3.5),
        ("N-1 if x>2 else 0", 4),
        ("1<x<=2.5 and not N==4", True),
        ("N==4 or x", 2.5),
        ("0 or 0.0", 0.0),
        ("'P' in spot", True),
        ("3 not in [1,2]", True),
        ("area(2)", 4 * math.pi),
        ("math.sqrt(9)", 3.0),
        ("np.pi", math.pi),
        ("sin(radians(30))", 0.5),
        ("atan2(1,1)", math.pi / 4),
        ("int(8/0.3)", 26),
        ("round(2.567,2)", 2.57),
        ("norm([3,4])", 5.0),
        ("distance([1,1],[4,5])", 5.0),
        ("dot([1,2,3],[4,5,6])", 32.0),
        ("max(1,5,3)", 5),
        ("min([4,2])", 2),
        ("sum([1,2,3])", 6.0),
        ("len(spot)", 2),
        ("spot.get('w')", 1.5),
        ("spot.get('v', 7)", 7),
        ("spot['P'][1]", 2.0),
        ("spot.get('P').item(2)", 3.0),
        ("word + '_1'", "RS_1"),
        ("str(N) + 'x'", "5x"),
        ("True", True),
    ],
)
def test_values(text: str, value: object) -> None:
    found = evaluated(text, scope(), HERE)
    assert found == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("L/0.3", (8 / 0.3, 20.0, 13 / 0.3)),
        ("(L/0.3).astype(int)", (26, 20, 43)),
        ("-L", (-8, -6, -13)),
        ("L + np.array([1,2,3])", (9, 8, 16)),
        ("2*L - L", (8, 6, 13)),
        ("cross(np.array([1,0,0]), np.array([0,1,0]))", (0, 0, 1)),
        ("np.linspace(0,1,5)", (0, 0.25, 0.5, 0.75, 1)),
        ("np.arange(3)", (0, 1, 2)),
        ("np.arange(1,2,0.5)", (1, 1.5)),
        ("np.sqrt(np.array([4,9]))", (2, 3)),
        ("L[1:]", (6, 13)),
    ],
)
def test_vectors(text: str, value: tuple[float, ...]) -> None:
    found = evaluated(text, scope(), HERE)
    assert isinstance(found, Vector)
    assert tuple(found) == pytest.approx(value, rel=1e-9)


def test_lists_dictionaries_and_ranges() -> None:
    assert evaluated("[1, 'a', N]", scope(), HERE) == [1, "a", 5]
    assert evaluated("{'a': [N], 2: x}", scope(), HERE) == {"a": [5], 2: 2.5}
    assert list(evaluated("range(1, 10, 4)", scope(), HERE)) == [1, 5, 9]
    assert evaluated("list(enumerate(['a']))", scope(), HERE) == [(0, "a")]
    assert evaluated("zip([1,2],[3,4])", scope(), HERE) == [(1, 3), (2, 4)]
    assert evaluated("spot.keys()", scope(), HERE) == ["P", "w"]


def test_numbers_keep_their_digits_in_text() -> None:
    assert as_text(0.1 + 0.2, HERE) == "0.30000000000000004"
    assert as_text(Vector((1.0, 2.5)), HERE) == "[1.0,2.5]"
    assert as_text(True, HERE) == "true"
    with pytest.raises(InputError, match="cannot stand in the text"):
        as_text({"a": 1}, HERE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/0", "division by zero"),
        ("unknown + 1", "Unknown name"),
        ("word2", "Did you mean 'word'"),
        ("sinus(1)", "Unknown function"),
        ("array([1])", "np.array"),
        ("random()", "Random numbers"),
        ("np.random()", "Random numbers"),
        ("[1]+[2]", "np.array"),
        ("[0]*3", "np.array"),
        ("'a'*3", "Arithmetic has no value"),
        ("(-8)**0.5", "no value here"),
        ("area(1,2)", "another number of values"),
        ("spot['q']", "no key 'q'"),
        ("spot.get('q')", "no key 'q'"),
        ("spot.pop('w')", "Unknown method"),
        ("L[7]", "not so many items"),
        ("L + np.array([1])", "no value here"),
        ("x.real", "attribute is not allowed"),
        ("$x", "without \\$"),
        ("1 +", "cannot be read"),
        ("", "cannot be read"),
        ("[i for i in range(3)]", "ListComp"),
        ("lambda: 1", "Lambda"),
        ("f'{x}'", "JoinedStr"),
        ("(y := 3)", "NamedExpr"),
        ("range(*[1])", "without names and stars"),
        ("__import__('os').system('true')", "Unknown function"),
        ("().__class__", "attribute is not allowed"),
        ("spot.__class__", "attribute is not allowed"),
        ("'{}'.format(1)", "Unknown method"),
        ("1j", "complex"),
        ("b'a'", "bytes"),
        ("None", "NoneType"),
        ("exp(1000)", "no value here"),
        ("1e400", "not a finite number"),
        ("[1] == [1]", "Only numbers and words"),
        ("1 < 'a'", "kind of values does not fit"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        evaluated(text, scope(), HERE)
    assert all(HERE in problem for problem in refused.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "10**400 * 10**400",
        "range(10**12)",
        "np.linspace(0,1,10**9)",
        "np.zeros(10**9)",
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 50_000 + "1",
        "1" + "+1" * 50_000,
        "not " * 20_000 + "1",
        "x" + ".a" * 50_000,
        "x" + "[0]" * 50_000,
        "1" * 5000,
        "prod(range(1,100000))",
        "'" + "a" * 300_000 + "'",
    ],
)
def test_nothing_takes_for_ever(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(InputError):
        evaluated(text, scope(), HERE)
    assert time.monotonic() - began < 1.0


def test_functions_that_call_themselves_or_double_without_end() -> None:
    known = scope()
    for name, body in {"f": "g(x)+1", "g": "f(x)-1", "t0": "x"}.items():
        known.functions[name] = Function(name, ("x",), parsed(body, HERE))
    with pytest.raises(InputError, match=r"calls itself.*f > g > f"):
        evaluated("f(1)", known, HERE)
    for n in range(1, 40):
        known.functions[f"t{n}"] = Function(f"t{n}", ("x",), parsed(f"t{n - 1}(x)+t{n - 1}(x)", HERE))
    with pytest.raises(InputError, match="too many steps"):
        evaluated("t35(1)", known, HERE)


TOKENS = st.sampled_from(
    [*"+-*/%()[]{},:.<>=", "**", "//", "not ", " and ", " in ", " if ", " else ", "N", "x", "L", "spot", "word", "area",
     "np.", "range", "sum", "1", "2.5", "1e300", "'P'", ".get", ".item", "astype", "array", "lambda ", "for ", " "]
)  # fmt: skip


@settings(max_examples=300, deadline=2000)
@given(st.one_of(st.lists(TOKENS, max_size=25).map("".join), st.text(max_size=60)))
def test_anything_gives_a_value_or_an_input_error(text: str) -> None:
    known = scope()
    known.budget.steps = 20_000
    try:
        evaluated(text, known, HERE)
    except InputError as refused:
        assert all(len(problem) < 1000 for problem in refused.problems)
