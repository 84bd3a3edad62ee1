"""No button of the panel is off without a reason that says why, whatever is loaded and computed; Qt is made up."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer

from PseudoProgressionAnalyzerLib.measures import Series
from PseudoProgressionAnalyzerLib.scene.build import build_scene

MODULE = Path(__file__).resolve().parents[3] / "PseudoProgressionAnalyzer"
DESKTOP = MODULE / "PseudoProgressionAnalyzerLib" / "desktop"
SECTIONS = re.findall(r"^    (\w+)Section,", (DESKTOP / "sections" / "__init__.py").read_text(), re.MULTILINE)
USED = re.compile(
    "QPushButton|QToolButton|QCheckBox|QRadioButton|QComboBox|QSpinBox|QDoubleSpinBox|QSlider|ctkSliderWidget"
    "|ctkPathLineEdit|qMRMLNodeComboBox|ctkCollapsibleGroupBox|QListWidget"
)
"""Kinds of widgets that people use."""


READ = {
    "kindSelector", "regionSelector", "topicSelector", "copyButton",
    "lesionVisitSelector", "asOfSelector", "spectrumSelector",
    "rowsList", "opacitySlider", "lowSpinBox", "highSpinBox", "lesionButton", "enlargeButton",
    "seriesGroup", "eventsGroup", "changeBox", "contextBox", "outcomeBox", "rulesBox",
}  # fmt: skip
"""What is only read or looked at, and stays on while work runs."""


class Widget:
    """A widget of a .ui file, as far as a section switches it on and off."""

    def __init__(self, element):
        said = element.find("property[@name='toolTip']/string")
        off = element.find("property[@name='enabled']/bool")
        self.kind = element.get("class")
        self.shut = False
        self.enabled = off is None or off.text != "false"
        self.toolTip = self.written = "" if said is None else said.text
        self.properties = {}
        self.editTriggers = 3
        self.inside = [Widget(one) for one in element.iter("widget") if one is not element]
        self.text = self.currentText = ""
        self.currentData = None
        self.count = 2
        self.checked = False
        self.currentIndex = -1

    @property
    def enabled(self):
        """As Qt says it: not where the box around it is off or folded."""
        return self.own and not self.shut

    @enabled.setter
    def enabled(self, on):
        self.own = on

    def isEnabledTo(self, parent):  # noqa: N802
        return self.own

    def parentWidget(self):  # noqa: N802
        return None

    def property(self, name):
        return self.properties.get(name)

    def setProperty(self, name, value):  # noqa: N802
        self.properties[name] = value

    def inherits(self, name):
        """Of the few kinds that are asked for."""
        kinds = {"QAbstractItemView": ("QTableWidget", "QListWidget", "QTreeWidget")}
        return self.kind in kinds.get(name, (name,))

    def children(self):
        return self.inside

    def isWidgetType(self):  # noqa: N802
        return True

    def findChildren(self, kind):  # noqa: N802
        return [one for one in self.inside if one.kind == kind]

    def setEditTriggers(self, triggers):  # noqa: N802
        self.editTriggers = triggers

    def currentRow(self):  # noqa: N802
        return -1

    def currentNode(self):  # noqa: N802
        return None


def widgets(section):
    """All widgets of a section's .ui file, by name."""
    found = ElementTree.parse(MODULE / "Resources" / "UI" / f"{section}.ui").iter("widget")
    return {element.get("name"): Widget(element) for element in found}


@pytest.fixture
def made_up(monkeypatch, made_session):
    """The library's desktop part with a Qt that takes anything."""
    words = ModuleType("slicer.i18n")
    words.tr = lambda text: text
    qt, util = MagicMock(), MagicMock()
    for base in ("QObject", "VTKObservationMixin"):
        setattr(qt, base, type(base, (), {}))
        setattr(util, base, type(base, (), {}))
    for name in [name for name in sys.modules if ".desktop" in name and "session" not in name]:
        monkeypatch.delitem(sys.modules, name)
    before = set(sys.modules)
    for name, module in (("qt", qt), ("slicer.i18n", words), ("slicer.util", util)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(slicer, "util", util, False)
    monkeypatch.setattr(slicer, "mrmlScene", made_session.application.scene, False)
    yield made_session
    for name in set(sys.modules) - before:
        if ".desktop" in name:
            del sys.modules[name]


@pytest.fixture(params=["nothing", "loaded", "aligned", "computed"])
def state(request, made_up, analysis):
    """A session in which nothing is loaded, two visits with a DSC series are, those are aligned, all is computed."""
    if request.param == "nothing":
        return request.param, made_up
    analysis.patient.visits[0].series.append(Series("DSC", Path("dsc.nii")))
    if request.param == "loaded":
        for kept in (analysis.visit_to_reference, analysis.alignment, analysis.maps, analysis.references):
            kept.clear()
        analysis.finished = {step for step in analysis.finished if step[0] == "step_read"}
        analysis.reference_visit = ""
    build_scene(made_up.application, analysis)
    if request.param == "computed":
        made_up.compute()
    return request.param, made_up


def built(section, session):
    """A section with the widgets of its file and nothing chosen in its tables."""
    module = import_module(f"PseudoProgressionAnalyzerLib.desktop.sections.{section.lower()}")
    made = next(found for found in vars(module).values() if getattr(found, "name", "") == section.lower())
    made = made.__new__(made)
    made.ui, made.session = SimpleNamespace(**widgets(section)), session
    made.panel = MagicMock(busy=False)
    made.work = MagicMock(proposed=lambda visit: False, region_proposed=lambda visit: False)
    made.watched, made.series, made.listed, made.rows = MagicMock(), MagicMock(picture=None), [], []
    made.events, made.shortcuts, made.entered = MagicMock(chosen=None), [], True
    first = session.analysis.patient.visits[0].id if session.analysis else ""
    made.editors, made.watch = MagicMock(visit=first), MagicMock()
    if section == "Lesions":
        made.ui.lesionVisitSelector.currentText = first
    return made


def unexplained(ui):
    """Widgets that are off with the tool tip of their file, or with none."""
    used = {name: widget for name, widget in vars(ui).items() if USED.fullmatch(widget.kind)}
    return [name for name, one in used.items() if not one.enabled and one.toolTip in ("", one.written)]


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_off_says_why(section, state):
    _name, session = state
    made = built(section, session)
    made.enable(False)
    assert unexplained(made.ui) == []


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_on_has_its_own_tool_tip_again(section, state):
    name, session = state
    made = built(section, session)
    made.enable(False)
    for widget in vars(made.ui).values():
        assert not widget.enabled or widget.toolTip == widget.written
    if name == "nothing":
        on = {name for name, one in vars(made.ui).items() if USED.fullmatch(one.kind) and one.enabled}
        assert "alignButton" not in on and "reportButton" not in on and "clickButton" not in on


@pytest.mark.parametrize("section", SECTIONS)
def test_while_work_runs_only_what_changes_nothing_is_on(section, made_up):
    """Read from the section's file, so that a new button is either held or listed here."""
    made = built(section, made_up)
    used = {name for name, one in vars(made.ui).items() if USED.fullmatch(one.kind)}
    inside = {name for group in made.changes for name in _names_inside(section, group)}
    assert used - set(made.changes) - inside - READ == set()
    assert not READ & (set(made.changes) | inside)


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_held_says_why_and_is_as_before_afterwards(section, state):
    _name, session = state
    made = built(section, session)
    made.enable(False)
    before = {name: (one.enabled, one.toolTip, one.editTriggers) for name, one in vars(made.ui).items()}
    made.hold(True)
    made.enable(True)  # as sections do again and again
    for name in made.changes:
        one = getattr(made.ui, name)
        if one.inherits("QAbstractItemView"):
            assert one.editTriggers == 0 and one.enabled == before[name][0]  # its rows can be chosen
        elif one.inherits("ctkCollapsibleGroupBox"):
            assert one.enabled == before[name][0] and not any(part.enabled for part in one.inside
                                                              if part.kind != "QLabel")  # fmt: skip
        else:
            assert not one.enabled
            assert "Work is running" in one.toolTip or (one.toolTip == before[name][1] and not before[name][0])
    made.hold(False)
    made.enable(False)
    assert before == {name: (one.enabled, one.toolTip, one.editTriggers) for name, one in vars(made.ui).items()}


def test_what_comes_into_a_held_table_is_held_with_it(made_up):
    from PseudoProgressionAnalyzerLib.desktop.section import hold, hold_again

    table = Widget(ElementTree.fromstring("<widget class='QTableWidget' name='a'/>"))
    choice = Widget(ElementTree.fromstring("<widget class='QComboBox' name='b'/>"))
    table.inside.append(choice)
    hold_again(table)
    assert choice.enabled
    hold(table, True)
    table.inside[:] = [Widget(ElementTree.fromstring("<widget class='QComboBox' name='b'/>"))]
    hold_again(table)
    assert not table.inside[0].enabled
    hold(table, False)
    assert table.inside[0].enabled and table.editTriggers == 3


def test_what_is_in_a_folded_box_is_on_after_work_once_the_box_is_open(made_up):
    from PseudoProgressionAnalyzerLib.desktop.section import hold

    box = Widget(ElementTree.fromstring("<widget class='ctkCollapsibleGroupBox' name='a'/>"))
    choice, off = (Widget(ElementTree.fromstring("<widget class='QComboBox' name='b'/>")) for _ in range(2))
    box.inside += [choice, off]
    off.enabled = False
    choice.shut = off.shut = True
    hold(box, True)
    hold(box, False)
    choice.shut = off.shut = False
    assert choice.enabled and not off.enabled


def _names_inside(section, name):
    """Names of the widgets inside a widget of a section's file."""
    every = ElementTree.parse(MODULE / "Resources" / "UI" / f"{section}.ui").iter("widget")
    return {one.get("name") for element in every if element.get("name") == name for one in element.iter("widget")}


def test_a_button_that_is_off_without_a_reason_is_found(made_up):
    one = ElementTree.fromstring(
        "<widget class='QPushButton' name='a'><property name='enabled'><bool>false</bool></property></widget>"
    )
    ui = SimpleNamespace(a=Widget(one))
    assert unexplained(ui) == ["a"]
    from PseudoProgressionAnalyzerLib.desktop.section import offer

    offer(ui.a, False, "Load a patient first")
    assert unexplained(ui) == []
    ui.a.toolTip = ui.a.written = "Loads"
    assert unexplained(ui) == ["a"]


def test_nothing_is_switched_off_but_with_a_reason():
    """What sections and tables switch off goes through ``offer`` or ``hold``, which give the reason."""
    allowed = {"section.py", "panel.py", "placeholder.py", "selftest.py"}
    for path in DESKTOP.rglob("*.py"):
        found = re.findall(r"\.enabled = |(?<!shortcut)\.setEnabled\(|\.setDisabled\(", path.read_text())
        assert path.name in allowed or not found, path.name


def test_a_patient_imported_meanwhile_can_be_loaded(made_up):
    """In Slicer's DICOM module, from which one comes back."""
    made = built("Patient", made_up)
    made.ui.databaseSelector.count = 0
    made.enable(False)
    assert not made.ui.databaseButton.enabled
    made.list_database = lambda: setattr(made.ui.databaseSelector, "count", 1)
    made.enter()
    assert made.ui.databaseButton.enabled and made.ui.databaseSelector.enabled
