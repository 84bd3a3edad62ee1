"""The wheel scrolls the panel: what lies under the pointer keeps its value.

Qt gives the wheel to the widget under the pointer, and combo boxes, spin boxes, sliders and plots take it as a change.
Here it goes to the panel's scroll area. Tables and texts keep it once they were clicked, until they are at their end.
"""

from __future__ import annotations

import qt

VALUES = ("QComboBox", "QAbstractSpinBox", "QAbstractSlider", "ctkDoubleSpinBox", "qMRMLPlotView", "QTabBar")
LISTS = ("QAbstractItemView", "QTextEdit")
HELD = "ppaWheel"
"""Property of widgets that are watched already."""


class PanelWheel(qt.QObject):
    """Watches widgets inside a QScrollArea and gives their wheel to it."""

    def __init__(self, scroll: object):
        qt.QObject.__init__(self)
        self.scroll = scroll

    def watch(self, widget: object) -> None:
        """Watches all widgets in this one that take the wheel, and looks again when the pointer enters it: sections and
        Slicer's own widgets in them make parts later."""
        self._hold(widget)
        for child in widget.findChildren(qt.QWidget):
            if any(child.inherits(name) for name in VALUES) and not child.inherits("QScrollBar"):
                self._hold(child)
            elif any(child.inherits(name) for name in LISTS):
                self._hold(child.viewport())

    def _hold(self, widget: object) -> None:
        if not widget.property(HELD):
            widget.setProperty(HELD, True)
            widget.installEventFilter(self)

    def eventFilter(self, watched: object, event: object) -> bool:  # noqa: N802 (Qt's name)
        """Whether the event ends here."""
        kind = event.type()
        if kind == qt.QEvent.Enter and watched.inherits("ctkCollapsibleButton"):
            self.watch(watched)
        if kind != qt.QEvent.Wheel or watched.inherits("ctkCollapsibleButton"):
            return False
        owner = watched.parentWidget()
        if owner is not None and any(owner.inherits(name) for name in LISTS) and owner.hasFocus():
            return False
        bar = self.scroll.verticalScrollBar()
        step = event.angleDelta().y()
        bar.setValue(bar.value - round(step / 120 * 3 * bar.singleStep))
        return True
