"""The words of a statement, one after another, each asked for by what it must be."""

from collections.abc import Callable

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.solids import Triple
from dosewright.formats.text.gamos.expressions import Parameters
from dosewright.formats.text.gamos.lexer import Statement, Word


class Cursor:
    """Reads the words of a statement from the first on; what is missing or left over is refused."""

    def __init__(self, statement: Statement, parameters: Parameters) -> None:
        self.statement, self.parameters = statement, parameters
        self.at = 0

    @property
    def where(self) -> str:
        """The place of the statement."""
        return self.statement.where

    def left(self) -> list[Word]:
        """Return the words not read yet."""
        return self.statement.words[self.at :]

    def word(self, what: str) -> Word:
        """Return the next word."""
        words = self.statement.words
        if self.at >= len(words):
            last = words[-1].where if words else self.where
            raise refuse(f"{self.statement.tag} ends before {what}", given=f"{len(words)} words", where=last)
        self.at += 1
        return words[self.at - 1]

    def name(self, what: str = "a name") -> str:
        """Return the next word as a name, ``$NAME`` as the text it stands for."""
        return self.parameters.text(self.word(what))

    def one_of(self, known: tuple[str, ...], what: str) -> str:
        """Return the next word, which must be one of those known, in any case."""
        word = self.word(what)
        text = self.parameters.text(word)
        if text.upper() not in known:
            raise refuse(f"Expected {what}.{nearest(text, known)}", given=repr(text), allowed=", ".join(known),
                         where=word.where)  # fmt: skip
        return text.upper()

    def length_mm(self, what: str) -> float:
        """Return the next word as a length."""
        return _told(what, self.parameters.length_mm, self.word(what))

    def point_mm(self) -> Triple:
        """Return the next three words as a place."""
        return self.length_mm("x"), self.length_mm("y"), self.length_mm("z")

    def positive_mm(self, what: str) -> float:
        """Return the next word as a length above zero."""
        word = self.word(what)
        length = _told(what, self.parameters.length_mm, word)
        if not length > 0:
            raise refuse(f"{what} must be positive", given=f"{word.text} = {length:g} mm", where=word.where)
        return length

    def number(self, what: str) -> float:
        """Return the next word as a bare number."""
        return _told(what, self.parameters.number, self.word(what))

    def whole(self, what: str, most: int = 10000) -> int:
        """Return the next word as a count from 1."""
        return self.parameters.whole(self.word(what), what, most)

    def end(self) -> None:
        """Refuse words that are left over."""
        left = self.left()
        if left:
            shown = " ".join(word.text for word in left[:6]) + (" ..." if len(left) > 6 else "")
            raise refuse(f"{self.statement.tag} has more words than it needs", given=f"{len(left)} more: {shown}",
                         where=left[0].where)  # fmt: skip


def _told(what: str, read: Callable[[Word], float], word: Word) -> float:
    """Return a word as a number; a word that is none is refused with what was to be there."""
    try:
        return read(word)
    except InputError as error:
        raise InputError(*(f"{what[0].upper()}{what[1:]}: {problem}" for problem in error.problems)) from error
