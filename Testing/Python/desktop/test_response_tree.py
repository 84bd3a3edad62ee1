"""The tree of responses opens where people click; Qt is made up, and tells of clicks in its own order."""

import sys
from types import ModuleType
from unittest.mock import MagicMock

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)


class Item:
    """A line with so many others below it."""

    def __init__(self, below):
        self.below, self.open, self.turned = below, False, 0

    def childCount(self):  # noqa: N802
        return self.below

    def isExpanded(self):  # noqa: N802
        return self.open

    def setExpanded(self, on):  # noqa: N802
        self.open, self.turned = on, self.turned + 1


class Tree:
    """What a section connects, and whether Qt opens a line by itself."""

    def __init__(self):
        self.signals, self.by_itself, self.current = {}, True, None

    def connect(self, signal, slot):
        self.signals[signal.partition("(")[0]] = slot

    def setExpandsOnDoubleClick(self, on):  # noqa: N802
        self.by_itself = on

    def currentItem(self):  # noqa: N802
        return self.current

    def click(self, item):
        self.signals["itemClicked"](item, 0)

    def double_click(self, item):
        """As Qt 5.15 tells it: press, click, press, double click."""
        self.click(item)
        self.signals.get("itemDoubleClicked", lambda *_: None)(item, 0)
        if self.by_itself:
            item.setExpanded(not item.isExpanded())


@pytest.fixture
def tree(monkeypatch):
    """A tree that opens by its lines; ``keys`` are the shortcuts that it got."""
    qt = ModuleType("qt")
    qt.Qt, qt.QKeySequence, qt.QShortcut = MagicMock(), lambda key: key, MagicMock()
    words = ModuleType("slicer.i18n")
    words.tr = lambda text: text
    monkeypatch.setitem(sys.modules, "qt", qt)
    monkeypatch.setitem(sys.modules, "slicer.i18n", words)
    monkeypatch.delitem(sys.modules, "PseudoProgressionAnalyzerLib.desktop.response_tree", raising=False)
    from PseudoProgressionAnalyzerLib.desktop.response_tree import open_by_lines

    made = Tree()
    open_by_lines(made)
    made.keys = [call.args[1] for call in qt.QShortcut.return_value.connect.call_args_list]
    yield made
    sys.modules.pop("PseudoProgressionAnalyzerLib.desktop.response_tree", None)


@pytest.mark.parametrize("way", ["click", "double_click"])
def test_a_line_opens_by_a_click_and_closes_by_another(tree, way):
    item = Item(below=2)
    getattr(tree, way)(item)
    assert item.isExpanded()
    getattr(tree, way)(item)
    assert not item.isExpanded()


def test_a_line_opens_by_enter(tree):
    assert len(tree.keys) == 2, "Return, and Enter of the number keys"
    for enter in tree.keys:
        tree.current = None
        enter()
        tree.current = Item(below=1)
        enter()
        assert tree.current.isExpanded()


def test_a_sentence_with_nothing_below_is_left_alone(tree):
    item = Item(below=0)
    tree.double_click(item)
    assert item.turned == 0
