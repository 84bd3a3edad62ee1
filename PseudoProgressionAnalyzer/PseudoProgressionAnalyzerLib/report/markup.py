"""Pieces of HTML that every section of the report is made of. All data is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ..measures import Message, Patient, Visit
from . import words

FOLD = "fold"
"""Class of ``details`` that are folded away on the screen, and on paper left out."""
PRINTED = f"{FOLD} printed"
"""Classes of those that are printed in full, also where they are folded away."""

SECOND, PAIR_ENDS = "<!-- beside -->", "<!-- pair ends -->"
"""In ``beside``: between the two parts, and after them."""


@dataclass(frozen=True)
class Markup:
    """Words about one patient in one language, ready for HTML."""

    patient: Patient
    language: str = "english"

    def say(self, code: str, **parameters) -> str:
        """A label of this part's catalogue (``report_<code>``)."""
        return escape(words.say(f"report_{code}", self.language, **parameters))

    def label(self, group: str, name: str) -> str:
        """What people call a measure, kind of event, group ..."""
        return escape(words.label(group, name, self.language))

    def sentence(self, message: Message) -> str:
        """A message as a sentence."""
        return escape(words.sentence(message, self.language))

    def date(self, visit: Visit) -> str:
        """The visit's date, never broken over two lines."""
        return f'<span class="date">{escape(words.date_words(visit, self.language))}</span>'

    def visit(self, visit_id: str) -> str:
        """A visit by its date and day."""
        return words.visit_words(self.patient, visit_id, self.language)

    def bullets(self, messages: Iterable[Message]) -> str:
        """Messages as a list."""
        return f"<ul>{''.join(f'<li>{self.sentence(message)}</li>' for message in messages)}</ul>"

    def headed(self, code: str, sentences: Sequence[str]) -> str:
        """Plain sentences as a list below a heading; nothing where there are none."""
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence)
        return f"<h4>{self.say(code)}</h4><ul>{items}</ul>" if items else ""

    def fold(self, code: str, sentences: Sequence[str]) -> str:
        """As ``headed``, folded away on the screen."""
        heading = f"<h4>{self.say(code)}</h4>"
        opened = self.headed(code, sentences).replace(heading, f"<summary>{heading}</summary>", 1)
        return f'<details class="{PRINTED}">{opened}</details>' if opened else ""


class Notes:
    """Numbered remarks below a table: each sentence once."""

    def __init__(self, markup: Markup):
        self._markup = markup
        self._sentences: list[str] = []

    def marks(self, messages: Iterable[Message]) -> str:
        """The numbers of the messages as superscript."""
        numbers = []
        for message in messages:
            sentence = self._markup.sentence(message)
            if sentence not in self._sentences:
                self._sentences.append(sentence)
            numbers.append(self._sentences.index(sentence) + 1)
        shown = ", ".join(str(number) for number in dict.fromkeys(numbers))
        return f"<sup>{shown}</sup>" if shown else ""

    def text(self) -> str:
        """The remarks as a numbered list."""
        items = "".join(f"<li>{sentence}</li>" for sentence in self._sentences)
        return f'<ol class="notes">{items}</ol>' if items else ""


def beside(left: str, right: str) -> str:
    """Two finished parts side by side, one alone where the other is empty. For renderers without CSS the comment says
    where the second begins."""
    return f'<div class="pair">{left}{SECOND}{right}{PAIR_ENDS}</div>' if left and right else left + right


def table(heads: Sequence[str], rows: Sequence[str], foot: str = "") -> str:
    """A table of finished rows that scrolls sideways where the window is narrow."""
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join(rows)
    return f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody>{foot}</table></div>'


def row(head: str, cells: Sequence[str]) -> str:
    """A table row with its heading."""
    return f'<tr><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
