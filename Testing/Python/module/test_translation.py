"""Every text that the panel shows goes through the translation call ``_``, or comes from the catalogue."""

import ast
import re
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[3] / "PseudoProgressionAnalyzer"
DESKTOP = MODULE / "PseudoProgressionAnalyzerLib" / "desktop"
FILES = [
    MODULE / "PseudoProgressionAnalyzer.py",
    *(path for path in sorted(DESKTOP.rglob("*.py")) if path.name != "selftest.py"),
]
SPEAKING = {
    "say", "offer", "errorDisplay", "warningDisplay", "confirmOkCancelDisplay", "confirmYesNoDisplay", "infoDisplay",
    "setText", "setToolTip", "setTitle", "setWindowTitle", "setPlaceholderText", "setPlainText", "setStatusTip",
    "setWhatsThis", "addItem", "addItems", "addAction", "setItemText", "setHeaderLabels", "setHorizontalHeaderLabels",
    "setVerticalHeaderLabels", "setHeaderItem", "showMessage", "getOpenFileName", "file_to_save",
    "getExistingDirectory", "getText", "getItem", "fill", "QTableWidgetItem", "QLabel", "QPushButton", "QCheckBox",
    "QAction", "QTreeWidgetItem",
}  # fmt: skip
SHOWN = {"text", "toolTip", "title", "windowTitle", "placeholderText", "plainText", "specialValueText", "suffix"}
WORDS = re.compile(r"[A-Za-z]{3,}")
NOT_WORDS = re.compile(
    r"[\w.-]+\.(csv|json|pdf)|\w*[ ]?\(\*\.\w+\)"  # files and kinds of files
    r"|[a-z][\w.]*|[A-Z]\w*[_.]\w*|[A-Z0-9]{2,}"  # nodes, parameters, sequences
    r"|#[0-9a-f]{6}|</?\w+[^<]*>"  # colors, tags
)
"""File names and kinds of files, names of nodes and parameters, colors, tags: nobody translates them."""


def untranslated(source: str) -> list[tuple[int, str]]:
    """(line, text) of texts that are shown as they stand in the source."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts = []
        if isinstance(node, ast.Call) and name_of(node.func) in SPEAKING:
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr in SHOWN for target in node.targets
        ):
            parts = [node.value]
        for part in parts:
            found += [(each.lineno, each.value) for each in literals(part) if is_text(each.value)]
    return found


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def literals(node: ast.expr):
    """Literal texts in an expression; those inside any call (``_``, ``label``, ``join`` ...) are that call's."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif not isinstance(node, (ast.Call, ast.Subscript, ast.Compare)):
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


def is_text(value: str) -> bool:
    return bool(WORDS.search(value)) and not NOT_WORDS.fullmatch(value.strip())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(MODULE).as_posix())
def test_what_is_shown_can_be_translated(path):
    assert untranslated(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'panel.say("Nothing to plot")',
        'ui.label.text = "No visit yet"',
        'ui.label.text = f"{count} visits are left out"',
        'offer(button, measured, "Align and compute first")',
        'ui.label.text = name if name else "not drawn yet"',
        'box.addItem("all measures", "")',
        'table.setHorizontalHeaderLabels(["Visit", "Days since radiotherapy"])',
    ],
)
def test_an_untranslated_text_is_found(line):
    assert untranslated(line)


@pytest.mark.parametrize(
    "line",
    [
        'panel.say(_("Nothing to plot"))',
        'panel.say(_("Saved {file}").format(file=file))',
        'ui.label.text = ", ".join(names)',
        'file_to_save(title, "report.pdf", "PDF (*.pdf)")',
        'box.addItem(label("kind", kind), kind)',
    ],
)
def test_what_is_translated_or_no_text_passes(line):
    assert not untranslated(line)
