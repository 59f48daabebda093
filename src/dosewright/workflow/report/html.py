"""The few pieces of HTML a report is made of; every text is escaped here, so no caller can forget it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

KEPT_TOGETHER = 30  # rows that a printed page easily holds


class Markup(str):
    """HTML that is already safe; plain strings are not."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return a value as safe HTML: markup as it is, anything else escaped."""
    return value if isinstance(value, Markup) else Markup(escape(str(value), quote=True))


def join(parts: Iterable[object]) -> Markup:
    """Return parts one after another, each made safe."""
    return Markup("".join(text(p) for p in parts))


def element(tag: str, *content: object, css: str = "", identity: str = "") -> Markup:
    """Return ``<tag class=... id=...>content</tag>``; tag, class and id come from this package only."""
    attributes = (f' id="{escape(identity)}"' if identity else "") + (f' class="{escape(css)}"' if css else "")
    return Markup(f"<{tag}{attributes}>{join(content)}</{tag}>")


def section(identity: str, title: str, *content: object, css: str = "") -> Markup:
    """Return a titled section that its heading labels."""
    heading = Markup(f'<h2 id="{escape(identity)}-title">{text(title)}</h2>')
    opening = f'<section id="{escape(identity)}" aria-labelledby="{escape(identity)}-title" class="{escape(css)}">'
    return Markup(f"{opening}{heading}{join(content)}</section>")


def bullets(items: Sequence[object]) -> Markup:
    """Return an unordered list; nothing at all for no items."""
    return element("ul", *(element("li", item) for item in items)) if items else Markup("")


def definitions(pairs: Mapping[str, object], css: str = "pairs") -> Markup:
    """Return label and value pairs; the values of an empty mapping are nothing at all."""
    rows = (element("div", element("dt", label), element("dd", value)) for label, value in pairs.items())
    return element("dl", *rows, css=css) if pairs else Markup("")


def figure(picture: str, *, alt: str, caption: object) -> Markup:
    """Return a picture (data URI) with its alternative text and caption."""
    image = Markup(f'<img src="{escape(picture)}" alt="{escape(alt, quote=True)}">')
    return element("figure", image, element("figcaption", caption))


def swatch(number: int, colour: str) -> Markup:
    """Return a numbered disc in a structure's colour."""
    return Markup(f'<span class="mark" style="border-color:{escape(colour)};color:{escape(colour)}">{number:d}</span>')


@dataclass(frozen=True)
class Table:
    """A table: caption, column heads, rows, and an optional row of totals.

    The first cell of a row is its head; an empty one continues the row above. `text_columns` are the indices of
    columns that hold words; all others hold numbers and are set to the right.
    """

    caption: str
    heads: Sequence[object]
    rows: Sequence[Sequence[object]]
    total: Sequence[object] = ()
    text_columns: tuple[int, ...] = (0,)
    css: str = ""

    def html(self) -> Markup:
        """Return the table as HTML, in a frame that scrolls where the page is narrow."""
        caption = element("caption", self.caption) if self.caption else Markup("")
        heads = (self._cell("th", 'scope="col"', i, head) for i, head in enumerate(self.heads))
        body = (element("tr", *self._cells(row)) for row in self.rows)
        foot = element("tfoot", element("tr", *self._cells(self.total))) if self.total else Markup("")
        return element(
            "div",
            element(
                "table", caption, element("thead", element("tr", *heads)), element("tbody", *body), foot, css=self.css
            ),
            css="wide together" if len(self.rows) <= KEPT_TOGETHER else "wide",
        )

    def _cells(self, row: Sequence[object]) -> list[Markup]:
        first = self._cell("th", 'scope="row"', 0, row[0]) if row[0] != "" else self._cell("td", "", 0, "")
        return [first, *(self._cell("td", "", i, value) for i, value in enumerate(row[1:], start=1))]

    def _cell(self, tag: str, scope: str, column: int, value: object) -> Markup:
        attributes = (f" {scope}" if scope else "") + (' class="words"' if column in self.text_columns else "")
        return Markup(f"<{tag}{attributes}>{text(value)}</{tag}>")
