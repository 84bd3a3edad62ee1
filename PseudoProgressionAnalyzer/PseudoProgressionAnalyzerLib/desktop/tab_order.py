"""The Tab key in forms that are made when the panel runs: Qt puts what is made later at the end of the window."""

from __future__ import annotations

import qt


def tab_in_place(form: object) -> None:
    """Tab goes through the children of a form, in the order they were made in, where the form itself stands."""
    before = form
    while before.focusPolicy == qt.Qt.NoFocus:  # ends at the form's own children at the latest
        before = before.previousInFocusChain()
    for widget in form.children():
        if widget.isWidgetType() and widget.focusPolicy != qt.Qt.NoFocus:
            qt.QWidget.setTabOrder(before, widget)
            before = widget
