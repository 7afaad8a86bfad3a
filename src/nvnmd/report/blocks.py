"""What a page is made of: sections of text, key numbers, tables, figures, commands, and notes on what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Number:
    """A key number: its value with the unit, what it is, and a note in small print."""

    value: str
    unit: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Numbers:
    """Key numbers side by side."""

    numbers: Sequence[Number]
    kind: str = "numbers"


@dataclass(frozen=True)
class Table:
    """A table; a column head is a name, or `name|unit`. text_columns: those that are aligned to the left."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    text_columns: Sequence[int] = (0,)
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A picture as HTML (inline SVG or an image with embedded data) and what it shows."""

    html: str
    caption: str
    kind: str = "figure"


@dataclass(frozen=True)
class Pictures:
    """Figures side by side."""

    figures: Sequence[Figure]
    kind: str = "pictures"


@dataclass(frozen=True)
class Commands:
    """Lines to type."""

    text: str
    kind: str = "commands"


@dataclass(frozen=True)
class Missing:
    """Something this section would show, and the file that is not there."""

    what: str
    where: str
    kind: str = "missing"


@dataclass(frozen=True)
class Folded:
    """A long text behind a line that opens it."""

    title: str
    text: str
    kind: str = "folded"


Block = Text | Numbers | Table | Figure | Pictures | Commands | Missing | Folded


@dataclass
class Section:
    """A section with its anchor."""

    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)
