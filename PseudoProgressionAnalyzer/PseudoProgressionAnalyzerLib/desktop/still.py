"""The keyboard's focus never scrolls the panel by itself.

Qt hands the focus of a widget that is hidden or switched off to the next one, and a scroll area then scrolls to that:
an editor that another one takes the place of, a view that is hidden while another is enlarged, a button that is off
while work runs. Here the focus then stays with the scroll area, or outside of the panel. Tab scrolls as ever.
"""

from __future__ import annotations

import slicer

CHANGED = "focusChanged(QWidget*,QWidget*)"


class Still:
    """Follows the focus for a QScrollArea, until ``forget``."""

    def __init__(self, scroll: object):
        self.scroll = scroll
        slicer.app.connect(CHANGED, self.changed)

    def changed(self, old: object | None, new: object | None) -> None:
        """The focus went from one widget to another: by itself, where the first cannot have it any more."""
        if not self.scroll or old is None or new is None or (old.enabled and old.visible):
            return
        if self.scroll.isAncestorOf(new):
            if self.scroll.isAncestorOf(old):
                self.scroll.setFocus()
            else:
                new.clearFocus()

    def forget(self) -> None:
        """Ends it."""
        slicer.app.disconnect(CHANGED, self.changed)
