"""What the panel asks of each of its sections, and what a section may ask of the panel.

A section is a class in ``sections/`` and a ``.ui`` file of its name in ``Resources/UI``; the panel stacks them. ``ui``
holds the widgets of all .ui files by name; a section touches only its own.

What the panel offers (``self.panel``): ``long_work()`` and ``errors()`` around what is long or may fail, ``say()`` for
one line of news, ``busy``, and ``refresh()`` after the analysis changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .panel import Panel
    from .session import Session


class Section:
    """A part of the panel; each one overrides what it needs.

    name: of the widget ``<name>Section`` (a ctkCollapsibleButton) and, with a capital, of the .ui file.
    """

    name: ClassVar[str]

    def __init__(self, ui: Any, session: Session, panel: Panel):
        self.ui = ui
        self.session = session
        self.panel = panel

    def open(self) -> None:
        """A patient came into the scene: watch its nodes. Followed by ``refresh``."""

    def close(self) -> None:
        """The scene is about to close: let go of every node."""

    def refresh(self) -> None:
        """Show everything as the analysis has it now, also that there is no patient. Called when the section is open,
        or as soon as the user opens it."""

    def measured(self) -> None:
        """The numbers changed by a stroke: show them at once, within milliseconds, or do nothing."""

    def settled(self) -> None:
        """The pen rests after strokes: what takes longer than ``measured`` may."""

    def enable(self, busy: bool) -> None:
        """Switch buttons on and off, with a tool tip that says why one is off. While busy, the panel has switched off
        the whole section."""

    def enter(self) -> None:
        """The user opens the module."""

    def exit(self) -> None:
        """The user opens another module."""


def offer(button: Any, possible: bool, why_not: str) -> None:
    """Switches a button on with the tool tip of its .ui file, or off with the reason as tool tip."""
    if button.property("tip") is None:
        button.setProperty("tip", button.toolTip)
    button.enabled = possible
    button.toolTip = button.property("tip") if possible else why_not
