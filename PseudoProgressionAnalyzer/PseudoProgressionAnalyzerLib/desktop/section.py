"""What the panel asks of each of its sections, and what a section may ask of the panel.

A section is a class in ``sections/`` and a ``.ui`` file of its name in ``Resources/UI``; the panel stacks them. ``ui``
holds the widgets of all .ui files by name; a section touches only its own.

What the panel offers (``self.panel``): ``long_work()`` and ``errors()`` around what is long or may fail, ``say()`` for
one line of news, ``busy``, and ``refresh()`` after the analysis changed.

While long work runs, a section can be folded, scrolled and read; what would change data (``changes``) is off, and says
so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from .panel import Panel
    from .session import Session


class Section:
    """A part of the panel; each one overrides what it needs.

    name: of the widget ``<name>Section`` (a ctkCollapsibleButton) and, with a capital, of the .ui file.
    changes: names of the widgets that change data, or that begin long work: off while long work runs. Of a group its
    content, so that it can be folded; of a table its editors and lists of choices, so that its rows can be chosen.
    """

    name: ClassVar[str]
    changes: ClassVar[tuple[str, ...]] = ()

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
        """Switch buttons on and off, with a tool tip that says why one is off. What ``changes`` names is off while busy
        whatever is said here."""

    def hold(self, held: bool) -> None:
        """Switches what changes data off, or on again as ``enable`` left it."""
        for name in self.changes:
            hold(getattr(self.ui, name), held)

    def enter(self) -> None:
        """The user opens the module."""

    def exit(self) -> None:
        """The user opens another module."""


def offer(widget: Any, possible: bool, why_not: str) -> None:
    """Switches a widget on with the tool tip of its .ui file, or off with the reason as tool tip. While it is held, it
    stays off until it is let go."""
    if widget.property("tip") is None:
        widget.setProperty("tip", widget.toolTip)
    widget.setProperty("possible", bool(possible))
    widget.setProperty("whyNot", why_not)
    _switch(widget)


def hold(widget: Any, held: bool) -> None:
    """Switches a widget off while work runs, or lets it go: it is then as ``offer`` said. Of tables and groups see
    ``Section.changes``; what comes into a table later is held by ``hold_again``."""
    parts = _parts(widget)
    if parts is None:
        if bool(widget.property("held")) != held:
            if widget.property("possible") is None:
                own = widget.isEnabledTo(widget.parentWidget())  # not whether a box around it is off or folded
                offer(widget, own, widget.toolTip)
            widget.setProperty("held", held)
            _switch(widget)
        return
    if widget.inherits("QAbstractItemView"):
        if widget.property("triggers") is None:
            widget.setProperty("triggers", int(widget.editTriggers))
        widget.setEditTriggers(0 if held else widget.property("triggers"))
        widget.setProperty("holds", held)
    for part in parts:
        hold(part, held)


def hold_again(table: Any) -> None:
    """After a table was filled: its new lists of choices are held where the table is."""
    if table.property("holds"):
        hold(table, True)


def _parts(widget: Any) -> list[Any] | None:
    """What of a table or group is switched instead of the whole; None of any other widget."""
    if widget.inherits("QAbstractItemView"):
        return widget.findChildren("QComboBox")
    if widget.inherits("ctkCollapsibleGroupBox"):
        return [part for part in widget.children() if part.isWidgetType() and not part.inherits("QLabel")]
    return None


def _switch(widget: Any) -> None:
    possible, held = widget.property("possible"), bool(widget.property("held"))
    widget.enabled = possible and not held
    held_now = _("Work is running: wait for it, or cancel it")
    widget.toolTip = widget.property("whyNot") if not possible else held_now if held else widget.property("tip")
