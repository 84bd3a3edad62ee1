"""The panel is never narrower than what stands in it: no bar below it hides the half of a button.

Slicer's segment editor asks for more width when an effect with many options is chosen, as in Slicer's own module.
"""

from __future__ import annotations

import qt


class PanelWidth(qt.QObject):
    """Keeps a QScrollArea as wide as its content asks for, and at least as wide as it asks for itself."""

    def __init__(self, scroll: object):
        qt.QObject.__init__(self)
        self.scroll = scroll
        self.least = scroll.minimumWidth
        scroll.widget().installEventFilter(self)

    def eventFilter(self, watched: object, event: object) -> bool:  # noqa: N802 (Qt's name)
        """Whether the event ends here: never."""
        if event.type() == qt.QEvent.LayoutRequest:
            self.fit(watched)
        return False

    def fit(self, content: object) -> None:
        """Sets the width where the content asks for another one."""
        bar = self.scroll.verticalScrollBar().sizeHint.width()
        width = max(self.least, content.minimumSizeHint.width() + bar)
        if self.scroll.minimumWidth != width:
            self.scroll.setMinimumWidth(width)
