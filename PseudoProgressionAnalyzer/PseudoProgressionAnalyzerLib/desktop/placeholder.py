"""What an empty table, list or tree will show, in words where its rows will stand."""

from __future__ import annotations

import qt

CHANGES = ("rowsInserted(QModelIndex,int,int)", "rowsRemoved(QModelIndex,int,int)", "modelReset()")


def when_empty(view: object, text: str) -> object:
    """Writes a text into a view as long as it has no rows; returns its label, whose text can be changed."""
    label = qt.QLabel(text)
    label.setWordWrap(True)
    label.setAlignment(qt.Qt.AlignCenter)
    label.setEnabled(False)  # in the grey of the palette, light or dark
    label.setAttribute(qt.Qt.WA_TransparentForMouseEvents)
    layout = qt.QVBoxLayout(view.viewport())
    layout.addWidget(label)
    model = view.model()

    def follow(*changed: object) -> None:
        if label:  # a view that goes with the application empties its model last
            label.setVisible(model.rowCount() == 0)

    for signal in CHANGES:
        model.connect(signal, follow)
    follow()
    return label
