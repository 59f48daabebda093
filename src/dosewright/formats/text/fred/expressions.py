"""Expressions of FRED input: Python's in form, evaluated part by part from a list of what is allowed; never as code.

FRED hands them to Python itself. Here the text is only parsed (`ast`), and every node that is not named below is
refused; so are random numbers, for the same input must give the same delivery.
"""

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.fred import functions
from dosewright.formats.text.fred.scope import LONGEST_TEXT, Function, Scope, Value, Vector, shown

LONGEST, DEEPEST, MOST_SIGNS = 200_000, 40, 200
DEEPEST_CALL = 40
NAME = re.compile(r"[A-Za-z_]\w*\Z")
# Strings; what nests; what separates; the signs and words that make a tree deeper.
SYMBOL = re.compile(
    r"'[^']*'|\"[^\"]*\"|([(\[{])|([)\]}])|([,:])"
    r"|(\*\*|//|[-+*/%<>=!~.]|\b(?:not|and|or|if|else|in)\b)"
)
OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def parsed(text: str, where: str) -> ast.expr:
    """Return an expression as a tree that is neither too large nor too deep to walk."""
    found = _tree(text.strip())
    if isinstance(found, str):
        raise refuse(found, given=repr(text.strip()[:80]), where=where)
    return found


@lru_cache(maxsize=1000)
def _tree(text: str) -> ast.expr | str:
    """Return the tree of a text, or what is against it; those of loops are made once."""
    if len(text) > LONGEST:
        return f"An expression has more than {LONGEST:,} characters"
    if "$" in text:
        return "Within an expression names stand without $"
    if _too_deep(text):
        return f"An expression has more than {DEEPEST} brackets inside each other, or {MOST_SIGNS} signs in a row"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python's about the text, such as on 1in
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "An expression cannot be read"


def _too_deep(text: str) -> bool:
    signs = [0]
    for found in SYMBOL.finditer(text):
        opened, closed, separator, sign = found.groups()
        if opened:
            signs.append(0)
        elif closed and len(signs) > 1:
            signs.pop()
        elif separator:
            signs[-1] = 0
        elif sign:
            signs[-1] += 1
        if len(signs) > DEEPEST or signs[-1] > MOST_SIGNS:
            return True
    return False


def evaluated(text: str, scope: Scope, where: str) -> Value:
    """Return the value of an expression."""
    return value_of(parsed(text, where), scope, where)


def value_of(tree: ast.expr, scope: Scope, where: str) -> Value:
    """Return the value of a parsed expression."""
    try:
        return _Walk(scope, where, {}, ()).value(tree)
    except RecursionError as error:
        raise refuse("Functions and expressions are nested too deeply", where=where) from error


@dataclass(frozen=True)
class _Walk:
    """One walk through a tree; `local` are the parameters of a function, `calls` the functions it came through."""

    scope: Scope
    where: str
    local: dict[str, Value]
    calls: tuple[str, ...]

    def refused(self, what: str, given: object = None, allowed: object = None) -> InputError:
        return refuse(what, given=given, allowed=allowed, where=self.where)

    def value(self, node: ast.expr) -> Value:
        """Return the value of a node."""
        self.scope.budget.step(1, self.where)
        visit = VISITS.get(type(node))
        if visit is None:
            raise self.refused(
                "An expression holds what is not allowed in it",
                given=type(node).__name__,
                allowed="numbers, words in quotes, lists, dictionaries, arithmetic, comparisons, calls",
            )
        return visit(self, node)

    def paid(self, value: Value) -> Value:
        """Return a value after taking a step for each of its items."""
        if isinstance(value, list | tuple | dict):
            self.scope.budget.step(len(value), self.where)
        return value

    def trying(self, of: Callable[[], Value], what: str) -> Value:
        """Return a result; what Python has against it becomes a message."""
        try:
            return of()
        except (ValueError, ZeroDivisionError, OverflowError, TypeError, IndexError, KeyError) as error:
            reason = {ZeroDivisionError: "division by zero", IndexError: "there are not so many items"}.get(type(error))
            if isinstance(error, KeyError):
                reason = f"there is no key {str(error)[:60]}"
            elif isinstance(error, TypeError):
                reason = "the number or the kind of values does not fit"
            raise self.refused(f"{what} has no value here", given=reason or str(error)[:100]) from error


def _constant(walk: _Walk, node: ast.Constant) -> Value:
    value = node.value
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return value
    if isinstance(value, bool | int | float):
        return walk.trying(lambda: functions.limited(value), "A number")
    raise walk.refused("A value is not allowed in expressions", given=type(value).__name__)


def _name(walk: _Walk, node: ast.Name) -> Value:
    for known in (walk.local, walk.scope.names, functions.CONSTANTS):
        if node.id in known:
            return known[node.id]
    if node.id in walk.scope.refused:
        raise InputError
    if node.id in ("int", "float"):
        return node.id  # the kind that astype() takes
    known_names = [*walk.local, *walk.scope.names, *functions.CONSTANTS]
    raise walk.refused(f"Unknown name.{nearest(node.id, known_names)}", given=node.id, allowed="def: NAME = ... before")


def _list(walk: _Walk, node: ast.List | ast.Tuple) -> Value:
    return [walk.value(one) for one in node.elts]


def _dictionary(walk: _Walk, node: ast.Dict) -> Value:
    found: dict[Value, Value] = {}
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        key = None if key_node is None else walk.value(key_node)
        if not isinstance(key, str | int | float) or key in found:
            raise walk.refused("A key of a dictionary must be a word or a number, each once", given=repr(key)[:60])
        found[key] = walk.value(value_node)
    return found


def _binary(walk: _Walk, node: ast.BinOp) -> Value:
    left, right = walk.value(node.left), walk.value(node.right)
    if isinstance(left, str) and isinstance(right, str) and isinstance(node.op, ast.Add):
        if len(left) + len(right) > LONGEST_TEXT:
            raise walk.refused(f"A text has more than {LONGEST_TEXT:,} characters")
        return left + right
    if isinstance(left, Vector) or isinstance(right, Vector):
        return _of_vectors(walk, node.op, left, right)
    if isinstance(left, list | tuple) or isinstance(right, list | tuple):
        raise walk.refused("Lists are not calculated with: Python would join or repeat them, FRED's arrays add",
                           given=f"{shown(left)}, {shown(right)}", allowed="np.array([...])")  # fmt: skip
    return walk.trying(lambda: _of_numbers(node.op, functions.number(left), functions.number(right)), "Arithmetic")


def _of_vectors(walk: _Walk, op: ast.operator, left: Value, right: Value) -> Vector:
    count = len(left) if isinstance(left, Vector) else len(right)
    walk.scope.budget.step(count, walk.where)

    def calculated() -> Vector:
        a, b = (functions.numbers(x) if isinstance(x, list | tuple) else [functions.number(x)] * count
                for x in (left, right))  # fmt: skip
        return Vector(_of_numbers(op, x, y) for x, y in zip(a, b, strict=True))

    found: Vector = walk.trying(calculated, "Arithmetic with vectors")
    return found


def _of_numbers(op: ast.operator, left: float, right: float) -> float:
    if isinstance(op, ast.Pow):
        whole = isinstance(left, int) and isinstance(right, int) and 0 <= right <= 64 and abs(left) <= 1 << 16
        result = left**right if whole else math.pow(left, right)
    elif type(op) in OPERATIONS:
        result = OPERATIONS[type(op)](left, right)
    else:
        raise ValueError("signs are + - * / // % **")
    found: float = functions.limited(result)
    return found


def _unary(walk: _Walk, node: ast.UnaryOp) -> Value:
    value = walk.value(node.operand)
    if isinstance(node.op, ast.Not):
        return not value
    if isinstance(node.op, ast.Invert):
        raise walk.refused("An expression holds what is not allowed in it", given="~")
    sign = -1 if isinstance(node.op, ast.USub) else 1
    if isinstance(value, Vector):
        return Vector(sign * x for x in walk.paid(value))
    return walk.trying(lambda: sign * functions.number(value), "A sign")


def _boolean(walk: _Walk, node: ast.BoolOp) -> Value:
    value: Value = True
    for one in node.values:
        value = walk.value(one)
        if bool(value) is isinstance(node.op, ast.Or):
            break
    return value


def _compared(walk: _Walk, node: ast.Compare) -> Value:
    left = walk.value(node.left)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = walk.value(right_node)
        if not _holds(walk, op, left, right):
            return False
        left = right
    return True


def _holds(walk: _Walk, op: ast.cmpop, left: Value, right: Value) -> bool:
    plain = isinstance(left, int | float | str)
    if isinstance(op, ast.In | ast.NotIn) and plain and isinstance(right, dict | list | tuple | range):
        walk.scope.budget.step(len(right), walk.where)
        return (left in right) is isinstance(op, ast.In)
    if type(op) not in COMPARISONS or not plain or not isinstance(right, int | float | str):
        raise walk.refused("Only numbers and words are compared", given=f"{shown(left)}, {shown(right)}")
    return bool(walk.trying(lambda: COMPARISONS[type(op)](left, right), "A comparison"))


def _chosen(walk: _Walk, node: ast.IfExp) -> Value:
    return walk.value(node.body if walk.value(node.test) else node.orelse)


def _subscript(walk: _Walk, node: ast.Subscript) -> Value:
    of = walk.value(node.value)
    if isinstance(node.slice, ast.Slice):
        if not isinstance(of, list | tuple | range):
            raise walk.refused("Only lists have parts", given=shown(of))
        ends = (node.slice.lower, node.slice.upper, node.slice.step)
        bounds = [None if one is None else walk.value(one) for one in ends]
        part = walk.trying(lambda: of[slice(*bounds)], "A part of a list")
        walk.paid(part)
        return Vector(part) if isinstance(of, Vector) else part
    at = walk.value(node.slice)
    if isinstance(of, dict) and isinstance(at, str | int | float):
        return walk.trying(lambda: of[at], "An item")
    if isinstance(of, list | tuple | range):
        return walk.trying(lambda: of[functions.index(at)], "An item")
    raise walk.refused("Only lists and dictionaries have items", given=f"{shown(of)}, item {shown(at)}")


def _attribute(walk: _Walk, node: ast.Attribute) -> Value:
    if isinstance(node.value, ast.Name) and node.value.id in ("np", "math") and node.attr in functions.CONSTANTS:
        return functions.CONSTANTS[node.attr]
    raise walk.refused("An attribute is not allowed in expressions", given=f".{node.attr}"[:60])


def _call(walk: _Walk, node: ast.Call) -> Value:
    if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
        raise walk.refused("Arguments stand without names and stars", given=ast.unparse(node.func)[:60])
    given = [walk.value(one) for one in node.args]
    walk.scope.budget.step(sum(len(one) for one in given if isinstance(one, list | tuple | range | dict)), walk.where)
    called = node.func
    if isinstance(called, ast.Attribute):
        if not (isinstance(called.value, ast.Name) and called.value.id in ("np", "numpy", "math")):
            return _method(walk, walk.value(called.value), called.attr, given)
        return _function(walk, called.attr, given, of_numpy=called.value.id != "math")
    if not isinstance(called, ast.Name):
        raise walk.refused("Only a name can be called")
    if called.id in walk.scope.functions:
        return _own_function(walk, walk.scope.functions[called.id], given)
    if called.id in walk.scope.refused:
        raise InputError
    return _function(walk, called.id, given, of_numpy=False)


def _method(walk: _Walk, of: Value, name: str, given: Sequence[Value]) -> Value:
    try:
        return walk.paid(walk.trying(lambda: functions.method(of, name, given), f".{name[:40]}()"))
    except InputError as error:
        located = [text if "Where:" in text else f"{text} Where: {walk.where}." for text in error.problems]
        raise InputError(*located) from error


def _function(walk: _Walk, name: str, given: Sequence[Value], *, of_numpy: bool) -> Value:
    if name in functions.RANDOM:
        raise walk.refused("Random numbers are not allowed: the same input must give the same delivery", given=name)
    if name not in functions.KNOWN or (name in functions.ONLY_NUMPY and not of_numpy):
        builtin = [f"np.{one}" if one in functions.ONLY_NUMPY else one for one in functions.KNOWN]
        known = [*walk.scope.functions, *builtin]
        raise walk.refused(f"Unknown function.{nearest(name, known)}", given=name[:60], allowed="func: NAME(...) = ...")
    return walk.paid(walk.trying(lambda: functions.called(name, given), f"{name}()"))


def _own_function(walk: _Walk, function: Function, given: Sequence[Value]) -> Value:
    if function.name in walk.calls:
        raise walk.refused("A function calls itself", given=" > ".join([*walk.calls, function.name])[:200])
    if len(walk.calls) >= DEEPEST_CALL:
        raise walk.refused(f"Functions call each other more than {DEEPEST_CALL} deep", given=function.name)
    if len(given) != len(function.parameters):
        raise walk.refused(f"{function.name}() has another number of values", given=len(given),
                           allowed=len(function.parameters))  # fmt: skip
    local = dict(zip(function.parameters, given, strict=True))
    return _Walk(walk.scope, walk.where, local, (*walk.calls, function.name)).value(function.body)


VISITS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _dictionary,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compared,
    ast.IfExp: _chosen,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.Call: _call,
}
