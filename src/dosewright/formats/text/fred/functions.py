"""The functions and constants that expressions of FRED input may use: those of mathematics, and a few of NumPy."""

import math
from collections.abc import Callable, Sequence

from dosewright.core.errors import refuse
from dosewright.formats.text.fred.scope import LARGEST_EXACT, LONGEST_TEXT, MOST_ITEMS, Value, Vector

CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
OF_ONE: dict[str, Callable[[float], float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": math.asin, "acos": math.acos, "atan": math.atan,
    "arcsin": math.asin, "arccos": math.acos, "arctan": math.atan,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "exp": math.exp, "log": math.log, "log10": math.log10, "log2": math.log2, "sqrt": math.sqrt,
    "floor": math.floor, "ceil": math.ceil, "fabs": math.fabs,
    "degrees": math.degrees, "radians": math.radians, "rad2deg": math.degrees, "deg2rad": math.radians,
}  # fmt: skip
OF_TWO: dict[str, Callable[[float, float], float]] = {
    "atan2": math.atan2, "arctan2": math.atan2, "pow": math.pow, "hypot": math.hypot, "fmod": math.fmod,
    "mod": lambda m, n: m % n,
}  # fmt: skip
RANDOM = ("random", "uniform", "gauss", "randint", "seed", "choice", "normalvariate", "shuffle", "sample", "rand")


def number(value: Value) -> float:
    """Return a value that must be a number; whole ones stay whole."""
    if isinstance(value, int | float):
        return value
    raise ValueError("a number is needed")


def numbers(value: Value) -> list[float]:
    """Return a value that must be a list of numbers."""
    if isinstance(value, list | tuple | range):
        if len(value) > MOST_ITEMS:
            raise ValueError(f"a list may have {MOST_ITEMS:,} items")
        return [number(one) for one in value]
    raise ValueError("a list of numbers is needed")


def items(value: Value) -> Sequence[Value]:
    """Return the items of a list; of a dictionary its keys."""
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, list | tuple | range):
        return value
    raise ValueError("a list is needed")


def limited(value: Value) -> Value:
    """Return a result: finite, and whole numbers in floating point where they are no longer exact."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int) and abs(value) > LARGEST_EXACT:
        value = float(value) if value.bit_length() < 1024 else math.inf
    if not math.isfinite(value):
        raise ValueError("the result is not a finite number")
    return value


def _vector(value: Value) -> Vector:
    return Vector(numbers(value))


def _count(value: Value) -> int:
    if number(value) != int(value) or not 0 <= value <= MOST_ITEMS:
        raise ValueError(f"a whole number up to {MOST_ITEMS:,} is needed")
    return int(value)


def _range(*bounds: Value) -> range:
    if not 1 <= len(bounds) <= 3 or any(number(b) != int(b) for b in bounds):
        raise ValueError("one to three whole numbers are needed")
    found = range(*(int(b) for b in bounds))
    # Found by subtraction: the length of a range may exceed what len() can say.
    if abs(found.stop - found.start) // abs(found.step) > MOST_ITEMS:
        raise ValueError(f"a range may have {MOST_ITEMS:,} items")
    return found


def _linspace(first: Value, last: Value, count: Value = 50) -> Vector:
    a, b, n = number(first), number(last), _count(count)
    return Vector(b if i == n - 1 and n > 1 else a + (b - a) * i / max(n - 1, 1) for i in range(n))


def _arange(*bounds: Value) -> Vector:
    values = [number(b) for b in bounds]
    if not 1 <= len(values) <= 3:
        raise ValueError("one to three numbers are needed")
    start, stop, step = (0, values[0], 1) if len(values) == 1 else (values[0], values[1], *(values[2:] or [1]))
    count = max(math.ceil((stop - start) / step), 0)
    return Vector(start + step * i for i in range(_count(count)))


def _dot(a: Value, b: Value) -> float:
    first, second = numbers(a), numbers(b)
    return math.fsum(x * y for x, y in zip(first, second, strict=True))


def _cross(a: Value, b: Value) -> Vector:
    (ax, ay, az), (bx, by, bz) = numbers(a), numbers(b)
    return Vector((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx))


def _distance(a: Value, b: Value) -> float:
    return math.dist(numbers(a), numbers(b))


def _extreme(choose: Callable[[list[float]], float]) -> Callable[..., float]:
    return lambda *given: choose(numbers(given[0]) if len(given) == 1 else [number(one) for one in given])


def _int(value: Value) -> Value:
    if isinstance(value, str):
        raise ValueError("a number is needed")
    return int(number(value))


def _str(value: Value) -> str:
    if not isinstance(value, bool | int | float | str):
        raise ValueError("a number or a word is needed")
    return str(value)[:LONGEST_TEXT]


def _round(value: Value, digits: Value = 0) -> float:
    return round(float(number(value)), _count(digits)) if digits else round(number(value))


def _abs(value: Value) -> Value:
    return Vector(abs(one) for one in value) if isinstance(value, Vector) else abs(number(value))


def _zip(*lists: Value) -> list[Value]:
    return [tuple(row) for row in zip(*(items(one) for one in lists), strict=False)]


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "range": _range, "len": lambda value: len(items(value)), "list": lambda value: list(items(value)),
    "enumerate": lambda value: [(n, one) for n, one in enumerate(items(value))], "zip": _zip,
    "min": _extreme(min), "max": _extreme(max), "sum": lambda value: math.fsum(numbers(value)),
    "prod": lambda value: math.prod(float(one) for one in numbers(value)), "abs": _abs, "round": _round,
    "int": _int, "float": lambda value: float(number(value)), "str": _str,
    "dot": _dot, "cross": _cross, "norm": lambda value: math.hypot(*numbers(value)), "distance": _distance,
    "array": _vector, "linspace": _linspace, "arange": _arange,
    "zeros": lambda count: Vector([0.0] * _count(count)), "ones": lambda count: Vector([1.0] * _count(count)),
}  # fmt: skip
ONLY_NUMPY = ("array", "linspace", "arange", "zeros", "ones")
KNOWN = (*FUNCTIONS, *OF_ONE, *OF_TWO)


def called(name: str, given: Sequence[Value]) -> Value:
    """Return what a function makes of its arguments; mathematics goes through vectors element by element."""
    if name in OF_ONE:
        (one,) = given
        if isinstance(one, Vector):
            return Vector(limited(OF_ONE[name](x)) for x in one)
        return limited(OF_ONE[name](number(one)))
    if name in OF_TWO:
        first, second = given
        return limited(OF_TWO[name](number(first), number(second)))
    return limited(FUNCTIONS[name](*given))


def method(of: Value, name: str, given: Sequence[Value]) -> Value:
    """Return what a method of a dictionary or a list makes of its arguments."""
    if isinstance(of, dict) and name in ("get", "keys", "values", "items"):
        if name != "get":
            return [tuple(one) if name == "items" else one for one in getattr(of, name)()]
        key, *default = given
        if not isinstance(key, str | int | float) or len(default) > 1:
            raise ValueError("a key is needed, and what to take where it is not there")
        if key not in of and not default:
            raise KeyError(key)
        return of.get(key, *default)
    if isinstance(of, list | tuple) and name == "item":
        (at,) = given
        return of[index(at)]
    if isinstance(of, Vector) and name == "astype":
        (kind,) = given
        return Vector(int(x) if kind == "int" else float(x) for x in of)
    raise refuse(f"Unknown method .{name}()", allowed="get, keys, values, items; item; astype")


def index(value: Value) -> int:
    """Return a value that must say which item."""
    if not isinstance(value, int):
        raise ValueError("an index is a whole number")
    return value
