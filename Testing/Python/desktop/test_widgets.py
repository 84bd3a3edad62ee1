"""What the widgets do with Slicer's views, signals and editors, with these made up: no desktop runs here."""

import contextlib
import datetime
import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from PseudoProgressionAnalyzerLib.measures import Event, InputError, Message


class Anything(ModuleType):
    """A module with every name that is asked for, each a class that takes anything."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda self, *arguments: None})
        made.connect = lambda self, *arguments: True
        return made


class Observed:
    """Anything with observers."""

    def __init__(self):
        self.observers = {}

    def AddObserver(self, event, function, priority=0.0):  # noqa: N802
        self.observers[len(self.observers)] = function
        return len(self.observers) - 1

    def RemoveObserver(self, tag):  # noqa: N802
        del self.observers[tag]


class Manager:
    """A layout manager: interactors by the name of their view, and who hears of another layout."""

    def __init__(self):
        self.views = {}
        self.connected = []

    def sliceViewNames(self):  # noqa: N802
        return list(self.views)

    def sliceWidget(self, name):  # noqa: N802
        interactor = self.views[name]
        view = SimpleNamespace(interactor=lambda: interactor)
        return None if interactor is None else SimpleNamespace(sliceView=lambda: view)

    def connect(self, signal, function):
        self.connected.append((signal, function))
        return True

    def disconnect(self, signal, function):
        self.connected.remove((signal, function))
        return True


@pytest.fixture
def later(monkeypatch):
    """What was put off until the events are over."""
    found = []
    qt = Anything("qt")
    qt.QTimer = MagicMock(singleShot=lambda delay, function: found.append(function))
    qt.QApplication = SimpleNamespace(keyboardModifiers=lambda: 0)
    qt.Qt = SimpleNamespace(ShiftModifier=1, QueuedConnection=2)
    words = ModuleType("slicer.i18n")
    words.tr = lambda text: text
    for name in [name for name, module in sys.modules.items() if ".desktop" in name and hasattr(module, "qt")]:
        monkeypatch.delitem(sys.modules, name)  # of tests that made up another Qt
    before = set(sys.modules)
    monkeypatch.setitem(sys.modules, "qt", qt)
    monkeypatch.setitem(sys.modules, "slicer.i18n", words)
    yield found
    for name in set(sys.modules) - before:  # they hold what was made up
        if ".desktop" in name:
            del sys.modules[name]


@pytest.fixture
def manager(monkeypatch):
    made = Manager()
    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=lambda: made), False)
    return made


@pytest.fixture
def pointer(later, manager, monkeypatch):
    """A pointer, not open yet; ``crosshair``, what is ``wanted``, and a scene that is whole are made up."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.pointer")
    crosshair = Observed()
    monkeypatch.setattr(module, "_crosshair", lambda: crosshair)
    monkeypatch.setattr(slicer, "vtkMRMLCrosshairNode", SimpleNamespace(CursorPositionModifiedEvent=1), raising=False)
    scene = SimpleNamespace(IsClosing=lambda: False, IsImporting=lambda: False)
    monkeypatch.setattr(slicer, "mrmlScene", scene, False)
    made = module.Pointer(lambda *pointed: None, lambda: made.patient)
    made.crosshair, made.patient = crosshair, ["2023-01-10"]
    return made


def test_the_pointer_follows_views_that_were_made_again_under_their_names(later, manager, pointer):
    first, second = Observed(), Observed()
    manager.views = {"PPA_0_0": first, "being made": None}
    pointer.open()
    assert len(first.observers) == 1
    pointer._moved(pointer.crosshair, "")
    assert later == []
    manager.views = {"PPA_0_0": second}
    pointer._moved(pointer.crosshair, "")
    later.pop()()
    assert (len(first.observers), len(second.observers), len(pointer.crosshair.observers)) == (0, 1, 1)
    pointer.close()
    assert second.observers == pointer.crosshair.observers == {}


def test_a_pointer_that_was_closed_hears_of_no_layout(manager, pointer):
    for _ in range(2):
        pointer.open()
        pointer.open()
        assert len(manager.connected) == 1
        pointer.close()
        assert manager.connected == []


def test_a_pointer_that_was_closed_meanwhile_follows_nothing_later(later, manager, pointer):
    """What was put off comes after the patient is gone."""
    first, second = Observed(), Observed()
    manager.views = {"PPA_0_0": first}
    pointer.open()
    manager.views = {"PPA_0_0": second}
    pointer._moved(pointer.crosshair, "")
    pointer.close()
    later.pop()()
    assert first.observers == second.observers == pointer.crosshair.observers == {}


def test_a_pointer_asks_only_of_a_patient_that_is_whole(later, manager, pointer):
    manager.views = {"PPA_0_0": Observed()}
    slicer.mrmlScene.IsImporting = lambda: True
    pointer.wanted = MagicMock(side_effect=AssertionError("asked of half a patient"))
    pointer.open()
    assert later == [pointer.follow]
    slicer.mrmlScene.IsImporting, pointer.wanted = lambda: False, list
    later.pop()()
    assert pointer.crosshair.observers == {}
    pointer.wanted = lambda: ["2023-01-10"]
    manager.connected[0][1](0)
    assert len(pointer.crosshair.observers) == 1


@pytest.mark.parametrize("name", ["maps", "spectroscopy"])
def test_a_section_follows_the_pointer_from_open_to_close_where_there_is_something_to_show(
    later, manager, monkeypatch, name
):
    module = import_module(f"PseudoProgressionAnalyzerLib.desktop.sections.{name}")
    pointer = MagicMock()
    monkeypatch.setattr(module, "Pointer", lambda pointed, wanted: pointer(wanted) and pointer)
    monkeypatch.setattr(module, "when_empty", MagicMock(), raising=False)
    section = next(found for found in vars(module).values() if getattr(found, "name", "") == name)(
        MagicMock(), SimpleNamespace(analysis=None), None
    )
    assert not pointer.call_args.args[0]()  # no patient
    section.open()
    section.close()
    assert [call[0] for call in pointer.method_calls] == ["open", "close"]


def test_plots_follow_the_numbers_whoever_made_them_anew(later, monkeypatch):
    """A date that was corrected, another reference visit: not only strokes. Only the button says that there is none."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.sections.measurements")
    for name in ("fill", "fit_rows"):
        monkeypatch.setattr(module, name, MagicMock())
    section = module.MeasurementsSection.__new__(module.MeasurementsSection)
    section.ui, section.panel, section.session = MagicMock(), MagicMock(), MagicMock()
    section.ui.measurementsTable.rowCount = 0
    section.ui.measurementsTable.selectionModel().selectedIndexes = []
    section.shown, section.grid = ([], [], []), SimpleNamespace(measures=[SimpleNamespace(name="volume")])
    section._look = section.show_words = lambda *parts: None
    section.tips, section._draw, section.plotted = dict, MagicMock(return_value=False), []
    section.refresh()
    section._draw.assert_not_called()
    section.show_plot()
    section.panel.say.assert_called_once()
    section.refresh()
    assert section._draw.call_count == 2
    section.panel.say.assert_called_once()


@pytest.mark.parametrize(("columns", "names", "height"), [(390, 0, 87), (420, 0, 102), (390, 30, 102)])
def test_no_row_of_a_table_lies_under_its_scroll_bar(later, columns, names, height):
    """Columns wider than the table bring a bar, which Qt sets up only after the height was chosen."""
    fit_rows = import_module("PseudoProgressionAnalyzerLib.desktop.tables").fit_rows
    table = MagicMock(width=400, frameWidth=1, minimumHeight=0)
    header, rows, bar = table.horizontalHeader(), table.verticalHeader(), table.horizontalScrollBar()
    header.length.return_value, header.sizeHint.height.return_value = columns, 25
    rows.length.return_value, rows.width, rows.visible = 60, names, names > 0
    bar.maximum, bar.sizeHint.height.return_value = 0, 15
    fit_rows(table, 190)
    table.setFixedHeight.assert_called_once_with(height)


class Stretching:
    """A header whose last column is stretched as Qt does: to the room there is, but never below the width that it had
    when that was switched on; a table of this room with other columns of 100 pixels."""

    def __init__(self, room):
        self.room, self.last, self.least, self.stretched, self.heard = room, 0, None, False, []

    def setStretchLastSection(self, on):  # noqa: N802
        self.least = (self.last if on else None) if on != self.stretched else self.least
        self.stretched = on
        self.resize(self.room)

    def setColumnWidth(self, column, width):  # noqa: N802
        self.last = width
        self.least = width if self.stretched else None

    def connect(self, signal, function):
        self.heard.append(function)

    def resize(self, room):
        self.room = room
        if self.stretched:
            self.last = max(self.least, room - 100)
            for function in self.heard:
                function(1, 0, self.last)


def test_the_last_column_follows_a_panel_that_is_made_narrower_and_the_height_follows_it(later):
    tables = import_module("PseudoProgressionAnalyzerLib.desktop.tables")
    header = Stretching(600)
    table = MagicMock(columnCount=2, wordWrap=True, frameWidth=1, width=600, minimumHeight=0)
    table.horizontalHeader.return_value, table.setColumnWidth = header, header.setColumnWidth
    header.length, header.sizeHint = lambda: 100 + header.last, MagicMock(**{"height.return_value": 25})
    rows = table.verticalHeader()
    rows.visible, rows.length.return_value = False, 60
    table.horizontalScrollBar().sizeHint.height.return_value = 15
    held = {}
    table.property.side_effect, table.setProperty.side_effect = held.get, held.__setitem__
    for _ in range(2):
        tables.give_last_the_rest(table, 190)
        assert header.last == 500
    header.resize(400)
    assert header.last == 300
    timer = tables.qt.QTimer.return_value
    assert tables.qt.QTimer.call_count == 1  # however often it is filled
    table.resizeRowsToContents.reset_mock()
    (rested,) = [call.args[1] for call in timer.connect.call_args_list]
    rested()
    table.resizeRowsToContents.assert_called_once()


def test_rows_are_as_high_as_their_names_need_beside_three_visits(later):
    """Names are wrapped at the width that the narrowest panel leaves beside three visits; none is cut."""
    tables = import_module("PseudoProgressionAnalyzerLib.desktop.tables")
    tables.qt.QRect, tables.qt.Qt.TextWordWrap = lambda *sides: sides, 1
    names = ["Volume (mL)", "rCBV ratio without leakage correction, mean"]
    table = MagicMock(rowCount=2)
    table.verticalHeaderItem.side_effect = lambda row: MagicMock(**{"text.return_value": names[row]})
    header = table.verticalHeader()
    header.defaultSectionSize = 40
    height = lambda room, flags, text: MagicMock(**{"height.return_value": 17 * -(-7 * len(text) // room[2])})  # noqa: E731
    header.fontMetrics().boundingRect.side_effect = height
    tables.fit_names(table, 140)
    header.setFixedWidth.assert_called_once_with(140)
    assert [call.args for call in table.setRowHeight.call_args_list] == [(0, 40), (1, 3 * 17 + 6)]


def test_the_panel_is_as_wide_as_the_options_of_an_effect_ask_for(later):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.panel_width")
    module.qt.QEvent = SimpleNamespace(LayoutRequest=76)
    scroll, content = MagicMock(minimumWidth=400), MagicMock()
    scroll.setMinimumWidth.side_effect = lambda width: setattr(scroll, "minimumWidth", width)
    scroll.verticalScrollBar().sizeHint.width.return_value = 14
    width = module.PanelWidth(scroll)
    for asked, found in ((380, 400), (560, 574), (300, 400)):
        content.minimumSizeHint.width.return_value = asked
        assert width.eventFilter(content, SimpleNamespace(type=lambda: 1)) is False  # another event
        assert width.eventFilter(content, SimpleNamespace(type=lambda: 76)) is False
        assert scroll.minimumWidth == found


def test_an_example_is_listed_in_words_and_loaded_by_its_name(later, monkeypatch):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.sections.patient")
    monkeypatch.setitem(sys.modules, "slicer.packaging", MagicMock())
    for name in ("VisitsTable", "SeriesTable", "EventsTable", "VolumesTable"):
        monkeypatch.setattr(module, name, MagicMock())
    monkeypatch.setattr(module.PatientSection, "list_database", lambda section: None)
    module.qt.Qt.ToolTipRole = 3
    ui, session = MagicMock(), MagicMock()
    section = module.PatientSection(ui, session, MagicMock())
    listed = dict(call.args for call in ui.exampleSelector.addItem.call_args_list)
    assert listed["true progression"] == "true_progression" and not any("_" in words for words in listed)
    section._load = lambda work: work("show", "cancel")
    ui.exampleSelector.currentData = "true_progression"
    section.load_example()
    session.load_example.assert_called_once_with("true_progression", "show", "cancel")


def test_events_stand_by_their_dates_and_the_right_one_goes(later, monkeypatch):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.events_table")
    for name in ("give_last_the_rest", "when_empty", "tab_in_place"):
        monkeypatch.setattr(module, name, MagicMock())
    monkeypatch.setattr(module.EventsTable, "_show_form", lambda table: None)
    days = {"surgery": None, "dexamethasone": (2023, 3, 13), "radiotherapy": (2023, 3, 20), "biopsy": (2023, 3, 6)}
    events = [Event(kind, day and datetime.date(*day)) for kind, day in days.items()]
    patient, corrected = SimpleNamespace(events=events), []
    shown = MagicMock()
    table = module.EventsTable(shown, MagicMock(), MagicMock(), corrected.append, MagicMock())
    module.qt.QTableWidgetItem = lambda text: MagicMock()
    table.fill(patient)
    order = ["biopsy", "dexamethasone", "radiotherapy", "surgery"]
    assert [event.kind for event in table.events] == order
    shown.currentRow.return_value = 1
    table.remove()
    monkeypatch.setattr(module.editing, "set_events", lambda patient, kept: [event.kind for event in kept])
    assert corrected[0](patient) == [order[0], *order[2:]]


@pytest.mark.parametrize("refused", [False, True])
def test_a_refused_event_leaves_why_it_was_refused(later, monkeypatch, refused):
    """Also where one like it stands there already: what is to be done next is said of a new one alone."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.events_table")
    for name in ("give_last_the_rest", "when_empty", "tab_in_place"):
        monkeypatch.setattr(module, name, MagicMock())
    monkeypatch.setattr(module.EventsTable, "_show_form", lambda table: None)
    monkeypatch.setattr(module.editing, "set_events", lambda patient, kept: SimpleNamespace(events=kept))
    patient, said = SimpleNamespace(events=[Event(module.EVENT_KINDS[0], None)]), []

    def correct(edit):
        said.append("Other work is running" if refused else "Corrected")
        table.fill(patient if refused else edit(patient))

    table = module.EventsTable(MagicMock(), MagicMock(), MagicMock(currentIndex=0), correct, said.append)
    module.qt.QTableWidgetItem = lambda text: MagicMock()
    table.fill(patient)
    table.add()
    assert len(table.events) == (1 if refused else 2)
    assert said[0] == ("Other work is running" if refused else "Corrected")
    assert len(said) == (1 if refused else 2)


def test_the_page_for_printing_is_offered_under_a_name_with_its_visit(later, monkeypatch):
    """As the folder of the report: pages as of two visits do not take each other's place."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.sections.assessment")
    section, offered = object.__new__(module.AssessmentSection), MagicMock(return_value=None)
    section.session = SimpleNamespace(as_of="2023-05-08")
    monkeypatch.setattr(module, "file_to_save", offered)
    section.save_pdf()
    assert offered.call_args.args[1] == "report_2023-05-08.pdf"
    section.session.as_of = "week 4/5"  # what no file name may hold
    section.save_pdf()
    assert offered.call_args.args[1] == "report_week_4_5.pdf"


def test_a_file_has_its_ending_also_where_only_a_name_was_typed(later, monkeypatch, tmp_path):
    """And the question before another file is replaced, which is the dialog's, holds for the name with its ending."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.saving")
    there = {"suffix": "", "name": ""}

    dialog = MagicMock()
    dialog.setDefaultSuffix.side_effect = lambda suffix: there.update(suffix=suffix)
    dialog.selectFile.side_effect = lambda name: there.update(name=name)
    dialog.selectedFiles.side_effect = lambda: [f"{tmp_path / 'mine'}.{there['suffix']}"]
    monkeypatch.setattr(module, "qt", MagicMock(**{"QFileDialog.return_value": dialog}))
    monkeypatch.setattr(module.slicer, "util", MagicMock(), False)
    chosen = module.file_to_save("Report", "report.pdf", "PDF (*.pdf)", "folder")
    assert (chosen, there["name"]) == (tmp_path / "mine.pdf", "report.pdf")


def test_what_was_wrong_with_a_criteria_file_goes_once_another_one_is_taken(later):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.sections.assessment")
    section = module.AssessmentSection.__new__(module.AssessmentSection)
    section.panel, section.session, section.show_assessment = MagicMock(), MagicMock(), MagicMock()
    section.panel.errors = lambda: contextlib.suppress(InputError)
    section.session.set_criteria.side_effect = InputError("json_syntax")
    section.take_criteria("bad.json")
    section.panel.say.assert_not_called()  # but for what ``errors`` says
    section.session.set_criteria.side_effect = None
    section.take_criteria("good.json")
    section.panel.say.assert_called_once()
    assert section.show_assessment.call_count == 2


def test_a_transform_that_is_edited_is_told_of_once_it_rests(later):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.transform_watch")
    rested, (first, second) = MagicMock(), (slicer.vtkMRMLLinearTransformNode() for _ in range(2))
    watch = module.TransformWatch(rested)
    watch.timer.connect.assert_called_once_with("timeout()", rested)
    watch.follow([first])
    watch.timer.start.assert_not_called()
    for step in range(3):  # as a slider that is dragged: each step begins the wait again
        first.SetMatrixTransformToParent(shifted(step + 1.0))
        assert watch.timer.start.call_count == step + 1
    watch.follow([second])
    first.SetMatrixTransformToParent(shifted(9.0))
    assert watch.timer.start.call_count == 3
    second.SetMatrixTransformToParent(shifted(9.0))
    assert watch.timer.start.call_count == 4
    watch.forget()
    second.SetMatrixTransformToParent(shifted(1.0))
    assert watch.timer.start.call_count == 4
    watch.timer.stop.assert_called_once()


def shifted(by):
    matrix = vtkMatrix4x4()
    matrix.SetElement(0, 3, by)
    return matrix


@pytest.mark.parametrize("busy", [False, True])
def test_the_panel_says_which_transform_was_edited_once_no_work_runs(later, monkeypatch, busy):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.sections.align")
    monkeypatch.setattr(module, "when_empty", MagicMock())
    monkeypatch.setattr(module, "TransformWatch", MagicMock())
    session, panel = MagicMock(), MagicMock(busy=busy)
    session.take_transforms.return_value = [Message("scene_transform_changed", {"visit": "2023-03-01"})]
    section = module.AlignSection(MagicMock(), session, panel)
    section.take_transforms()
    if busy:
        section.watch.later.assert_called_once()
        session.take_transforms.assert_not_called()
    else:
        panel.refresh.assert_called_once()
        assert "2023-03-01" in panel.say.call_args.args[0]
        session.take_transforms.return_value = []
        section.take_transforms()
        panel.refresh.assert_called_once()


class Focused:
    """A widget that may have the focus, inside or outside of the panel."""

    def __init__(self, inside, enabled=True, visible=True):
        self.inside, self.enabled, self.visible, self.cleared = inside, enabled, visible, False

    def clearFocus(self):  # noqa: N802
        self.cleared = True


@pytest.fixture
def still(later, manager):
    """What keeps the panel still, on a scroll area that counts how often it took the focus."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.still")
    slicer.app.connect = slicer.app.disconnect = lambda *parts: None
    scroll = MagicMock(isAncestorOf=lambda widget: widget.inside)
    return module.Still(scroll)


@pytest.mark.parametrize("gone", [{"enabled": False}, {"visible": False}])
def test_the_focus_of_what_is_hidden_or_off_scrolls_no_panel(still, gone):
    inside = Focused(True)
    still.changed(Focused(True, **gone), inside)
    assert still.scroll.setFocus.call_count == 1 and not inside.cleared
    still.changed(Focused(False, **gone), inside)
    assert still.scroll.setFocus.call_count == 1 and inside.cleared


def test_tab_and_clicks_move_the_focus_as_ever(still):
    inside, outside = Focused(True), Focused(False)
    for old, new in ((Focused(True), inside), (Focused(False), inside), (None, inside), (Focused(True), None)):
        still.changed(old, new)
    still.changed(Focused(True, enabled=False), outside)
    assert still.scroll.setFocus.call_count == 0 and not inside.cleared and not outside.cleared


def test_titles_are_taken_out_of_the_views(manager):
    from PseudoProgressionAnalyzerLib.desktop.view_titles import ViewTitles

    props = []
    renderer = SimpleNamespace(AddViewProp=props.append, RemoveViewProp=props.remove, HasViewProp=props.__contains__)
    window = SimpleNamespace(GetRenderers=lambda: SimpleNamespace(GetFirstRenderer=lambda: renderer))
    view = SimpleNamespace(
        renderWindow=lambda: window, cornerAnnotation=lambda: SimpleNamespace(SetVisibility=lambda on: None)
    )
    node, titles = slicer.vtkMRMLSliceNode(), ViewTitles()
    node.SetLayoutName("PPA_0_0")
    corner = titles._corner(node, SimpleNamespace(sliceView=lambda: view))
    assert titles._corner(node, SimpleNamespace(sliceView=lambda: view)) is corner and props == [corner]
    titles.forget()
    assert props == []


class Editor:
    """A Segment Editor with Paint in use."""

    def __init__(self):
        self.name = "Paint"
        self.calls = []

    def activeEffect(self):  # noqa: N802
        return SimpleNamespace(name=self.name) if self.name else None

    def setActiveEffect(self, effect):  # noqa: N802
        self.name = ""

    def setActiveEffectByName(self, name):  # noqa: N802
        self.name = name

    def __getattr__(self, name):
        return lambda *arguments: self.calls.append(name)


@pytest.mark.parametrize("effect", ["Paint", ""])
def test_the_effect_comes_back_after_long_work(later, effect):
    from PseudoProgressionAnalyzerLib.desktop.editors import Editors

    editors = Editors(None, lambda edits: None, lambda visit: None)
    editor = editors.editors["visit", editors.kind] = Editor()
    editors.visit, editor.name = "visit", effect
    editors.listen(False)
    assert editor.name == ""
    editors.listen(True)
    assert editor.name == effect


@pytest.mark.parametrize("effect", ["Paint", ""])
def test_no_view_is_drawn_between_the_end_of_a_stroke_and_its_numbers(later, manager, monkeypatch, effect):
    from PseudoProgressionAnalyzerLib.desktop.editors import Editors

    told = []
    slicer.app.pauseRender, slicer.app.resumeRender = (lambda: told.append("pause")), (lambda: told.append("draw"))
    manager.views = {"one": Observed(), "other": Observed()}
    view, other = (SimpleNamespace(GetLayoutName=lambda name=name: name) for name in ("one", "other"))
    editors = Editors(None, lambda edits: told.append("numbers"), lambda visit: None)
    editors.soon = SimpleNamespace(ask=lambda: told.append("asked"), forget=lambda: None)
    editor = editors.editors["visit", editors.kind] = Editor()
    editors.visit, editor.name = "visit", effect
    editors.strokes.follow(view)
    editors.strokes.follow(view)
    _pressed, let_go = manager.views["one"].observers.values()
    let_go(manager.views["one"], "LeftButtonReleaseEvent")
    assert told == (["pause", "asked"] if effect else [])
    editors.tell()  # the effect changed nothing
    assert told == (["pause", "asked", "draw"] if effect else [])
    editors.strokes.follow(other)
    assert not manager.views["one"].observers
    assert len(manager.views["other"].observers) == 2
    editors.strokes.follow(None)
    assert not manager.views["other"].observers


@pytest.mark.parametrize(
    ("effect", "segments", "chosen", "asked"),
    [
        ("Paint", [], "", ["visit"]),
        ("Erase", [], "", []),
        ("", [], "", []),
        ("Paint", ["one"], "", []),
        ("Erase", ["one"], "", []),
        ("Paint", ["one", "other"], "other", []),
    ],
)
def test_no_stroke_is_lost_for_want_of_a_segment(later, manager, effect, segments, chosen, asked):
    """After the chosen one was removed, and in a visit where nothing is drawn yet."""
    from PseudoProgressionAnalyzerLib.desktop.editors import Editors

    slicer.vtkSlicerSegmentationsModuleLogic().SetMRMLScene(slicer.vtkMRMLScene())  # registers how segments are kept
    segmentation, told = slicer.vtkSegmentation(), []
    for name in segments:
        segmentation.AddEmptySegment(name, name)

    def make(visit, kind):
        told.append(visit)
        segmentation.AddEmptySegment("new", "new")

    editors = Editors(None, lambda edits: None, lambda visit: None, make)
    picked = [chosen]
    editors.editors["visit", editors.kind] = SimpleNamespace(
        activeEffect=lambda: SimpleNamespace(name=effect) if effect else None,
        currentSegmentID=lambda: picked[-1],
        setCurrentSegmentID=picked.append,
        segmentationNode=lambda: SimpleNamespace(GetSegmentation=lambda: segmentation),
    )
    editors.visit = "visit"
    view = SimpleNamespace(GetLayoutName=lambda: "one")
    interactor = manager.views["one"] = Observed()
    for key in ("GetShiftKey", "GetControlKey", "GetAltKey"):
        setattr(interactor, key, lambda: 0)
    interactor.GetEventPosition = lambda: (1, 2)
    editors.strokes.follow(view)
    pressed, _released = interactor.observers.values()
    pressed(interactor, "LeftButtonPressEvent")
    assert told == asked
    wanted = chosen or ("new" if asked else segments[0] if segments and effect else "")
    assert picked[-1] == wanted


def test_no_effect_keeps_the_views_of_a_patient_that_is_closed(later, monkeypatch):
    """An editor does not listen to a scene that closes: the effect stays active unless it is told itself."""
    from PseudoProgressionAnalyzerLib.desktop.editors import Editors

    monkeypatch.setattr(slicer, "mrmlScene", slicer.vtkMRMLScene(), False)
    editors = Editors(MagicMock(), lambda edits: None, lambda visit: None)
    deaf, hearing = MagicMock(), MagicMock(**{"activeEffect.return_value": None})
    deaf.mrmlSegmentEditorNode.return_value = hearing.mrmlSegmentEditorNode.return_value = None
    editors.editors = {("first", editors.kind): deaf, ("second", editors.kind): hearing}
    editors.close()
    deaf.activeEffect().deactivate.assert_called_once_with()


def test_editors_of_a_closed_patient_serve_the_next_one(later, monkeypatch):
    """Slicer's leave widgets behind when they are deleted."""
    from PseudoProgressionAnalyzerLib.desktop.editors import Editors

    scene, made = slicer.vtkMRMLScene(), []

    def make():
        editor = MagicMock()
        editor.setMRMLSegmentEditorNode = lambda node: setattr(editor, "node", node)
        editor.mrmlSegmentEditorNode = lambda: editor.node
        made.append(editor)
        return editor

    monkeypatch.setattr(slicer, "mrmlScene", scene, False)
    monkeypatch.setattr(slicer, "qMRMLSegmentEditorWidget", make, False)
    scene.RegisterNodeClass(slicer.vtkMRMLSegmentEditorNode())
    editors = Editors(MagicMock(), lambda edits: None, lambda visit: None)
    editors.timer = MagicMock()
    for patients in range(3):
        segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "lesions")
        for visit in ("first", "second"):
            editors.editors[visit, editors.kind] = editors._editor(segmentation, None)
        assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentEditorNode") == 2
        assert len(made) == 2, f"patient {patients + 1}"
        assert len({id(editor) for editor in editors.editors.values()}) == 2
        editors.close()
        assert editors.editors == {}
        assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentEditorNode") == 0
        assert all(editor.node is None for editor in made)


@pytest.fixture
def columns(later, monkeypatch):
    """Editors of a patient with lesions in three visits, the third without the segment ``edema``, and the node of a
    visit's editor once the visit is chosen. Nodes and segmentations are Slicer's own."""
    from PseudoProgressionAnalyzerLib.desktop import editors as module

    scene = slicer.vtkMRMLScene()
    scene.RegisterNodeClass(slicer.vtkMRMLSegmentEditorNode())
    slicer.vtkSlicerSegmentationsModuleLogic().SetMRMLScene(scene)  # registers how segments are converted

    def make():
        editor, state = MagicMock(), {}
        editor.setMRMLSegmentEditorNode = lambda node: state.update(node=node)
        editor.mrmlSegmentEditorNode = lambda: state["node"]
        editor.setSegmentationNode = lambda node: state["node"] and state["node"].SetAndObserveSegmentationNode(node)
        return editor

    monkeypatch.setattr(slicer, "mrmlScene", scene, False)
    monkeypatch.setattr(slicer, "qMRMLSegmentEditorWidget", make, False)
    drawn = {}

    def patient():
        for visit, names in (("one", "lesion edema"), ("two", "lesion edema"), ("three", "lesion")):
            drawn[visit] = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", visit)
            for name in names.split():
                drawn[visit].GetSegmentation().AddEmptySegment(name, name)

    monkeypatch.setattr(module, "find", lambda patient, kind, visit, role="": drawn[visit])
    monkeypatch.setattr(module, "patient_node", lambda scene: SimpleNamespace(GetText=lambda: "text"))
    made = module.Editors(MagicMock(), lambda edits: None, lambda visit: None)
    patient()

    def at(visit):
        monkeypatch.setattr(module, "chosen_visit", lambda patient: visit)
        made.follow()
        return made.editor.mrmlSegmentEditorNode()

    return SimpleNamespace(at=at, close=lambda: (made.close(), scene.Clear(1), patient()))


def settings_of(node):
    return (
        node.GetAttribute("BrushAbsoluteDiameter"), node.GetOverwriteMode(), node.GetSourceVolumeIntensityMask(),
        tuple(node.GetSourceVolumeIntensityMaskRange()), node.GetMaskMode(), node.GetMaskSegmentID(),
    )  # fmt: skip


def test_masks_and_overwriting_go_with_the_chosen_visit_and_come_back(columns):
    """The same stroke does the same in every column; but not in those of the next patient."""
    fresh = settings_of(columns.at("one"))
    node = columns.at("one")
    node.SetAttribute("BrushAbsoluteDiameter", "33")
    node.SetOverwriteMode(node.OverwriteNone)
    node.SetSourceVolumeIntensityMask(True)
    node.SetSourceVolumeIntensityMaskRange(10, 20)
    node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments)
    set_so = settings_of(node)
    assert set_so != fresh
    assert settings_of(columns.at("two")) == set_so
    columns.at("two").SetSourceVolumeIntensityMaskRange(11, 21)
    columns.at("two").SetOverwriteMode(node.OverwriteVisibleSegments)
    changed = settings_of(columns.at("two"))
    assert settings_of(columns.at("one")) == changed
    columns.close()
    for visit in ("one", "two", "three"):
        assert settings_of(columns.at(visit)) == fresh, visit


def test_the_segment_of_a_mask_counts_where_it_exists(columns):
    inside = slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment
    everywhere = slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
    node = columns.at("one")
    node.SetMaskMode(inside)
    node.SetMaskSegmentID("edema")
    expected = {"one": inside, "two": inside, "three": everywhere}
    for visit in ("two", "three", "two", "one", "three", "one"):
        assert columns.at(visit).GetMaskMode() == expected[visit], visit
        assert columns.at(visit).GetMaskSegmentID() == "edema"
    columns.at("one").SetMaskMode(everywhere)  # as the editor does; it keeps the id
    for visit in ("three", "two", "one"):
        assert columns.at(visit).GetMaskMode() == everywhere, visit


def test_entries_of_a_bars_menus_that_own_themselves_get_their_menu_as_parent(later, monkeypatch):
    """Those of Slicer's slice views: nobody deletes them with the view. Entries that have an owner keep it."""
    from PseudoProgressionAnalyzerLib.desktop import timeline_window

    class Entry:
        def __init__(self, shown, parent):
            self.shown, self.owner = shown, parent
            self.defaultWidget, self.parent = lambda: self.shown, lambda: self.owner

        def setParent(self, parent):  # noqa: N802
            self.owner = parent

    menu, slider = object(), object()
    own, empty, loose = (SimpleNamespace(parent=lambda menu=menu: menu) for menu in (menu, menu, None))
    entries = [Entry(own, own), Entry(empty, slider), Entry(None, slider), Entry(loose, loose)]
    bar = SimpleNamespace(findChildren=lambda kind: entries)
    manager = SimpleNamespace(
        sliceWidget=lambda name: SimpleNamespace(sliceController=lambda: bar) if name == "PPA_0_0" else None
    )
    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=lambda: manager), False)
    scene = slicer.vtkMRMLScene()
    for name in ("PPA_0_0", "PPA_0_1", "Red"):  # one of them has no widget yet
        node = slicer.vtkMRMLSliceNode()
        node.SetLayoutName(name)
        scene.AddNode(node)
    timeline_window.own_menu_entries(SimpleNamespace(scene=scene))
    assert [entry.owner for entry in entries] == [menu, slider, slider, loose]


def test_editors_that_go_take_their_keys_with_them(later, monkeypatch):
    """Keys of a Segment Editor belong to Slicer's main window: they would stay and take those of Slicer."""
    module = import_module("PseudoProgressionAnalyzerLib.desktop.editors")
    monkeypatch.setattr(slicer, "mrmlScene", slicer.vtkMRMLScene(), False)
    editors = module.Editors(MagicMock(), lambda edits: None, lambda visit: None)
    made = editors.editors["visit", editors.kind] = MagicMock()
    made.mrmlSegmentEditorNode.return_value = None
    for name in ("removeObservers", "_draw", "_watch_release"):
        monkeypatch.setattr(editors, name, lambda *parts: None, raising=False)
    editors.soon = MagicMock()
    editors.close()
    made.uninstallKeyboardShortcuts.assert_called_once()
    assert editors.editors == {}


def test_a_plot_of_the_panel_is_not_saved_with_the_scene(later, monkeypatch):
    module = import_module("PseudoProgressionAnalyzerLib.desktop.plot_widget")
    scene = slicer.vtkMRMLScene()
    monkeypatch.setattr(slicer, "mrmlScene", scene, False)
    monkeypatch.setattr(slicer, "qMRMLPlotWidget", MagicMock(), False)
    monkeypatch.setattr(module, "qt", MagicMock())
    module.plot_widget(MagicMock(), "PPASpectrum", "Spectrum", 100)
    assert not scene.GetSingletonNode("PPASpectrum", "vtkMRMLPlotViewNode").GetSaveWithScene()


def test_tab_goes_through_a_form_where_it_stands(later, monkeypatch):
    """Children of a form that were made after the widgets below it come between those above and those below."""
    from PseudoProgressionAnalyzerLib.desktop import tab_order

    chain = []

    def widget(name, focus="tab"):
        made = SimpleNamespace(name=name, focusPolicy=focus, isWidgetType=lambda: True)
        made.previousInFocusChain = lambda: chain[chain.index(made) - 1]
        chain.append(made)
        return made

    def set_tab_order(first, second):
        chain.remove(second)
        chain.insert(chain.index(first) + 1, second)

    qt = SimpleNamespace(Qt=SimpleNamespace(NoFocus="none"), QWidget=SimpleNamespace(setTabOrder=set_tab_order))
    monkeypatch.setattr(tab_order, "qt", qt)
    widget("table"), widget("remove")
    form = widget("form", "none")
    widget("apply"), widget("next section")
    layout = SimpleNamespace(isWidgetType=lambda: False)
    form.children = lambda: [layout, label, date, end]
    label, date, end = widget("label", "none"), widget("date"), widget("end")
    tab_order.tab_in_place(form)
    order = [each.name for each in chain if each.focusPolicy != "none"]
    assert order == ["table", "remove", "date", "end", "apply", "next section"]
