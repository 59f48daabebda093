"""The preprocessor of FRED input: includes, definitions, loops and conditions, down to lines of plain input.

Files are looked for in the input folder first, then beside the file that includes them. Loops, functions and includes
of an input share one budget, so that every input ends.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.fred.expressions import NAME, evaluated, parsed
from dosewright.formats.text.fred.scope import Budget, ExhaustedError, Function, Scope, Value, as_text
from dosewright.formats.text.fred.source import Choice, Loop, Node, read_source
from dosewright.formats.text.lines import Line

DEEPEST = 60  # includes and loops inside each other
MOST_PROBLEMS = 200
DEFINITION = re.compile(r"(def|func|include)\s*:\s*(.*)\Z", re.DOTALL)
FUNCTION = re.compile(r"([A-Za-z_]\w*)\s*\(([^()]*)\)\s*=(?!=)\s*(.+)\Z", re.DOTALL)
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.+)\Z", re.DOTALL)
SIMPLE = re.compile(r"\$([A-Za-z_]\w*)")
QUOTED = re.compile(r"(['\"])(.*)\1\Z")


def preprocess(path: Path, folder: Path | None, problems: list[str],
               budget: Budget | None = None) -> tuple[list[Line], bool]:  # fmt: skip
    """Return the lines of plain input, each with the file and line it comes from, and whether none is lost.

    `folder` is the input folder, by default that of the file. What cannot be read is added to `problems`; a definition
    that cannot be read loses no line by itself.
    """
    work = _Work(folder or path.parent, Scope(budget=budget or Budget()), problems)
    try:
        work.include(path, "")
    except ExhaustedError as error:
        problems += error.problems
        work.complete = False
    return work.lines, work.complete


@dataclass
class _Work:
    """An input while it is expanded."""

    folder: Path
    scope: Scope
    problems: list[str]
    lines: list[Line] = field(default_factory=list)
    opened: list[Path] = field(default_factory=list)  # the file that is read, and those that include it
    sources: dict[Path, list[Node]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    depth: int = 0
    complete: bool = True

    @contextmanager
    def deeper(self, where: str) -> Iterator[None]:
        """Count one loop, condition or include inside others."""
        self.depth += 1
        if self.depth > DEEPEST:
            what = f"Loops and includes are nested more than {DEEPEST} deep"
            raise ExhaustedError(*refuse(what, where=where).problems)
        try:
            yield
        finally:
            self.depth -= 1

    def include(self, path: Path, where: str) -> None:
        """Expand a file."""
        real = path.resolve()
        if real in self.opened:
            chain = " > ".join(one.name for one in [*self.opened[self.opened.index(real) :], real])
            raise refuse("A file includes itself", given=chain, where=where)
        if real not in self.sources:
            self.sources[real] = []  # a file that cannot be read is told once
            before = len(self.problems)
            self.sources[real] = read_source(path, self.problems)
            self.complete = self.complete and len(self.problems) == before
        self.opened.append(real)
        try:
            with self.deeper(where):
                self.expand(self.sources[real])
        finally:
            self.opened.pop()

    def expand(self, nodes: Sequence[Node]) -> None:
        """Expand lines, loops and conditions in their order."""
        for node in nodes:
            where = node.where if isinstance(node, Line) else node.line.where
            self.scope.budget.step(1, where)
            try:
                if isinstance(node, Loop):
                    self.loop(node)
                elif isinstance(node, Choice):
                    chosen = bool(evaluated(node.condition, self.scope, where))
                    with self.deeper(where):
                        self.expand(node.body if chosen else node.otherwise)
                else:
                    self.line(node)
            except ExhaustedError:
                raise
            except InputError as error:
                defines = isinstance(node, Line) and DEFINITION.match(node.text)
                self.complete = self.complete and bool(defines and defines[1] != "include")
                self.tell(error)

    def tell(self, error: InputError) -> None:
        """Add problems, each once, for a line in a loop has the same again and again."""
        new = [problem for problem in error.problems if problem not in self.told]
        self.told.update(new)
        self.problems += new
        if len(self.told) > MOST_PROBLEMS:
            raise ExhaustedError(*refuse(f"More than {MOST_PROBLEMS} problems").problems) from error

    def loop(self, loop: Loop) -> None:
        """Expand the body of a loop for every item."""
        where = loop.line.where
        items = evaluated(loop.items, self.scope, where)
        if not isinstance(items, list | tuple | range | dict):
            raise refuse("A loop needs a list", given=loop.items[:80], where=where)
        with self.deeper(where):
            for item in list(items):
                self.scope.budget.step(1, where)
                for name, value in self.unpacked(loop.targets, item, where):
                    self.scope.names[name] = value
                self.expand(loop.body)

    def unpacked(self, targets: tuple[str, ...], item: Value, where: str) -> list[tuple[str, Value]]:
        """Return the names of a loop with their values."""
        if len(targets) == 1:
            return [(targets[0], item)]
        if not isinstance(item, list | tuple) or len(item) != len(targets):
            raise refuse("A loop has another number of names than its items have values", given=", ".join(targets),
                         where=where)  # fmt: skip
        return list(zip(targets, item, strict=True))

    def line(self, line: Line) -> None:
        """Carry out a definition or an include; else keep the line with values in the place of names."""
        found = DEFINITION.match(line.text)
        if found and found[1] == "def":
            self.define(found[2], line.where)
        elif found and found[1] == "func":
            self.define_function(found[2], line.where)
        elif found:
            self.include(self.found(substituted(found[2], self.scope, line.where), line.where), line.where)
        else:
            self.scope.budget.line(line.where)
            text = substituted(line.text, self.scope, line.where) if "$" in line.text else line.text
            self.lines.append(line if text == line.text else Line(line.path, line.number, text))

    def define(self, text: str, where: str) -> None:
        """Carry out ``def: name = expression``."""
        found = ASSIGNMENT.match(text)
        if not found:
            raise refuse("A definition cannot be read", given=text[:80], allowed="def: name = expression", where=where)
        try:
            self.scope.names[found[1]] = evaluated(found[2], self.scope, where)
        except InputError:
            self.scope.refused.add(found[1])
            raise

    def define_function(self, text: str, where: str) -> None:
        """Carry out ``func: name(parameters) = expression``."""
        found = FUNCTION.match(text)
        names = tuple(name.strip() for name in found[2].split(",")) if found and found[2].strip() else ()
        if not found or any(not NAME.match(name) for name in names) or len(set(names)) < len(names):
            raise refuse("A function cannot be read", given=text[:80], allowed="func: name(a, b) = expression",
                         where=where)  # fmt: skip
        try:
            self.scope.functions[found[1]] = Function(found[1], names, parsed(found[3], where))
        except InputError:
            self.scope.refused.add(found[1])
            raise

    def found(self, name: str, where: str) -> Path:
        """Return the file that an include means."""
        quoted = QUOTED.match(name.strip())
        name = quoted[2] if quoted else name.strip()
        folders = dict.fromkeys([self.folder, self.opened[-1].parent])
        for folder in folders:
            try:
                if name and (folder / name).is_file():
                    return folder / name
            except (OSError, ValueError):
                break
        raise refuse(f"An included file is not there.{self.near(name)}", given=name[:200],
                     allowed="a path from the input folder, or from the folder of this file", where=where)  # fmt: skip

    def near(self, name: str) -> str:
        """Return the file beside one that is not there, whose name is nearest."""
        try:
            there = [str(Path(name).with_name(one.name)) for one in (self.folder / name).parent.glob("*")]
        except (OSError, ValueError):
            return ""
        return nearest(name, there)


def substituted(text: str, scope: Scope, where: str) -> str:
    """Return a text with the values of ``$name`` and ``${expression}``."""
    pieces, at = [], 0
    while (sign := text.find("$", at)) >= 0:
        pieces.append(text[at:sign])
        if text[sign + 1 : sign + 2] == "{":
            end = _closing(text, sign + 2, where)
            expression, at = text[sign + 2 : end], end + 1
        elif found := SIMPLE.match(text, sign):
            expression, at = found[1], found.end()
        else:
            raise refuse("A $ needs a name or an expression", given=text[sign : sign + 20],
                         allowed="$name, ${expression}", where=where)  # fmt: skip
        value = evaluated(expression, scope, where)
        if isinstance(value, list | tuple | range):
            scope.budget.step(len(value), where)
        pieces.append(as_text(value, where))
    return "".join([*pieces, text[at:]])


def _closing(text: str, at: int, where: str) -> int:
    """Return where the brace closes that opens before a place."""
    depth, quote = 1, ""
    for place in range(at, len(text)):
        sign = text[place]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            if not depth:
                return place
    raise refuse("${ is not closed by }", given=text[at - 2 : at + 40], where=where,
                 allowed="} on the same line; % and // begin comments, mod(a,b) does not")  # fmt: skip
