"""The module file and the .ui files, as far as they can be checked without Slicer."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[3] / "PseudoProgressionAnalyzer"
SOURCE = (MODULE / "PseudoProgressionAnalyzer.py").read_text(encoding="utf-8")
UI_FILES = sorted((MODULE / "Resources" / "UI").glob("*.ui"))
DESKTOP = MODULE / "PseudoProgressionAnalyzerLib" / "desktop"
LIGHT = {"pathlib", "typing", "slicer", "vtk"}


def parameters() -> set[str]:
    """Names of the typed parameter node's fields."""
    for node in ast.parse(SOURCE).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("ParameterNode"):
            return {field.target.id for field in node.body if isinstance(field, ast.AnnAssign)}
    raise AssertionError("no parameter node")


def section_names() -> list[str]:
    """Of the panel's sections, in their order."""
    lines = (DESKTOP / "sections" / "__init__.py").read_text()
    return [name.lower() for name in re.findall(r"^    (\w+)Section,", lines, re.MULTILINE)]


def widgets(path: Path) -> list[str]:
    return [widget.get("name") for widget in ElementTree.parse(path).iter("widget")]


def test_each_section_has_its_ui_file():
    files = {f"{name.capitalize()}.ui" for name in section_names()}
    assert files | {"PseudoProgressionAnalyzer.ui"} == {path.name for path in UI_FILES}
    for name in section_names():
        path = MODULE / "Resources" / "UI" / f"{name.capitalize()}.ui"
        top = ElementTree.parse(path).find("widget")
        assert top.get("class") == "qMRMLWidget", path.name  # passes the scene on
        inside = top.find("layout/item/widget")
        assert (inside.get("class"), inside.get("name")) == ("ctkCollapsibleButton", f"{name}Section")
        assert re.search(rf'^    name = "{name}"$', (DESKTOP / "sections" / f"{name}.py").read_text(), re.MULTILINE)


def test_no_two_widgets_of_the_panel_share_a_name():
    names = [name for path in UI_FILES for name in widgets(path)]
    assert sorted(set(names)) == sorted(names)


def test_bound_parameters_exist():
    bound = [
        found.find("string").text
        for path in UI_FILES
        for found in ElementTree.parse(path).iter("property")
        if found.get("name") == "SlicerParameterName"
    ]
    assert sorted(bound) == sorted(parameters())


def test_the_panel_uses_only_widgets_that_the_files_have():
    names = {name for path in UI_FILES for name in widgets(path)}
    for file in (MODULE / "PseudoProgressionAnalyzer.py", *DESKTOP.rglob("*.py")):
        used = set(re.findall(r"\bui\.([A-Za-z]+)\b", file.read_text()))
        assert used <= names, file.name


def test_a_section_touches_only_its_own_widgets():
    for name in section_names():
        used = re.findall(r"\bself\.ui\.([A-Za-z]+)\b", (DESKTOP / "sections" / f"{name}.py").read_text())
        assert set(used) <= set(widgets(MODULE / "Resources" / "UI" / f"{name.capitalize()}.ui")), name


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_the_ui_file_loads(path):
    """In Qt itself where it is there: not PythonQt, so no proof that the panel works, but that the file is one."""
    pytest.importorskip("PySide6.QtUiTools", reason="Qt cannot be loaded here", exc_type=ImportError)
    import os
    import subprocess
    import sys

    code = (
        "import sys; from PySide6.QtWidgets import QApplication, QWidget; from PySide6.QtUiTools import QUiLoader;"
        "app = QApplication([]); loaded = QUiLoader().load(sys.argv[1]); assert isinstance(loaded, QWidget);"
        "print(len(loaded.findChildren(QWidget)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= len(widgets(path)) - 1


def test_nothing_heavy_at_file_scope():
    """The module file is imported at every start of Slicer."""
    for node in ast.parse(SOURCE).body:
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= LIGHT
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] in LIGHT


def test_no_popup_but_through_slicer_and_no_print():
    for path in DESKTOP.rglob("*.py"):
        source = path.read_text()
        assert "QMessageBox" not in source
        assert path.name == "selftest.py" or not re.search(r"^\s*print\(", source, re.MULTILINE), path.name


def test_translated_texts_are_plain_literals():
    """Texts inside the translation call can be extracted: no f-string, nothing put together there."""
    for path in (
        MODULE / "PseudoProgressionAnalyzer.py",
        *DESKTOP.rglob("*.py"),
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}"
