"""The page as PDF through Qt: the first sheet holds what a browser shows first, pictures beside numbers."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("PySide6.QtGui", reason="Qt cannot be loaded here", exc_type=ImportError)

CODE = """
import json, sys, types
from pathlib import Path
from PySide6 import QtCore, QtGui

# PythonQt, which Slicer has, puts everything into one module
qt = types.ModuleType("qt")
for module in (QtCore, QtGui):
    vars(qt).update({name: getattr(module, name) for name in dir(module) if name[0] == "Q"})
sys.modules["qt"] = qt
application = QtGui.QGuiApplication([])
from PseudoProgressionAnalyzerLib.desktop import pdf

page, file = Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2])
sheets, drawn = [], pdf._document
def document(*arguments):
    made = drawn(*arguments)
    sheets.append((made.pageCount(), pictures(made), made))
    return made
def pictures(made):
    found, block = [], made.begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            format = fragments.fragment().charFormat()
            if format.isImageFormat():
                place = made.documentLayout().blockBoundingRect(block)
                found.append((format.toImageFormat().name(), place.x(), place.y()))
            fragments += 1
        block = block.next()
    return found
pdf._document = document
if "--one" in sys.argv:
    found = []
    for lines in range(1, 120):
        tried = []
        made, size = pdf._on_one("<p>a line</p>" * lines, {}, 680.0, 1000.0, lambda: tried.append(1))
        plain = drawn("<p>a line</p>" * lines, {}, 680.0, 1000.0)
        found.append((plain.pageCount(), made.pageCount(), size, len(tried)))
    print(json.dumps(found))
    raise SystemExit
pdf.write(page, file)
count, placed, first = sheets[0]
print(json.dumps((count, placed, first.pageSize().width(), first.pageSize().height(), len(sheets))))
"""


@pytest.fixture
def printed(tmp_path):
    """(sheets of the first piece, its pictures as (name, left, top), width and height of a sheet, pieces)."""

    def write(page, *options):
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-c", CODE, str(tmp_path / "page.html"), str(tmp_path / "page.pdf"), *options],
            capture_output=True,
            text=True,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert run.returncode == 0, run.stderr
        assert options or (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")
        return json.loads(run.stdout)

    return write


def test_page_one_holds_the_pictures_beside_the_numbers(session, printed):
    session.compute()
    sheets, pictures, width, height, pieces = printed(session.report_page())
    assert sheets <= 2 and pieces > 1
    ((left, top),) = [(left, top) for name, left, top in pictures if name.startswith("picture")]  # the strip
    assert left > 0.4 * width and 0 < top < 0.8 * height


def test_a_summary_of_a_few_lines_more_than_a_sheet_is_made_smaller(printed):
    found = printed("", "--one")
    assert all(size == 1 for plain, _made, size, _tried in found if plain == 1)
    fitted = [(made, size) for plain, made, size, _tried in found if plain == 2 and size < 1]
    assert len(fitted) > 3 and all(made == 1 and size >= 0.85 for made, size in fitted)
    assert found[-1][0] == found[-1][1] > 1 and found[-1][2] == 1  # far too long: as it is
    assert {tried for _plain, _made, size, tried in found if size == 0.9} == {2}, "a turn of the interface after each"
    assert found[-1][3] == 4
