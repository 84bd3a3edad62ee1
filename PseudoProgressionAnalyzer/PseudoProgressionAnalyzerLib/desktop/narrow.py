"""A panel that fits a small screen: long words wrap, and no content asks for more width than there is."""

from __future__ import annotations

import qt

LABEL = 190  # pixels of a label beside what it names, at most: longer ones wrap
CHOICES = 6  # characters that a list of choices asks room for, beside that of an icon


def fit(root: object) -> None:
    """Makes all widgets below this one content with a narrow panel."""
    for widget in root.findChildren(qt.QWidget):
        if widget.inherits("ctkCollapsibleButton"):
            widget.setSizePolicy(qt.QSizePolicy.Preferred, widget.sizePolicy.verticalPolicy())
        elif widget.inherits("QComboBox"):
            widget.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
            widget.setMinimumContentsLength(CHOICES)
        elif widget.inherits("QHeaderView"):
            widget.setHighlightSections(False)  # bold where a cell is chosen, the words would be cut
        elif widget.inherits("QLabel") and widget.wordWrap:
            widget.setSizePolicy(qt.QSizePolicy.Ignored, widget.sizePolicy.verticalPolicy())
        elif widget.inherits("QLabel") and widget.sizeHint.width() > LABEL:
            widget.setWordWrap(True)
            widget.setFixedWidth(LABEL)  # in a form, one that is narrower than its column is not high enough
