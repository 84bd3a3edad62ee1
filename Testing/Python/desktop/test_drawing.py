"""Views drawn one by one: with views that are made up, because only the Slicer desktop has real ones."""

from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer


class View:
    """A view that counts its pauses and notes when it is drawn, as Slicer's do."""

    def __init__(self, name, drawn):
        self.name, self.drawn, self.pauses, self.visible = name, drawn, 0, True
        self.pauseRender = lambda: self.pause(1)
        self.resumeRender = lambda: self.pause(-1)
        self.forceRender = lambda: drawn.append(name)

    def pause(self, by):
        self.pauses += by


@pytest.fixture
def views(monkeypatch):
    """Three slice views on the screen; what is drawn is listed in ``drawn`` of the first."""
    drawn = []
    made = {name: View(name, drawn) for name in ("a", "b", "c")}
    widgets = {name: SimpleNamespace(sliceView=lambda view=view: view, visible=True) for name, view in made.items()}
    manager = SimpleNamespace(sliceViewNames=lambda: list(made), sliceWidget=widgets.get, threeDViewCount=0)
    app = SimpleNamespace(
        layoutManager=lambda: manager,
        pauseRender=lambda: [view.pauseRender() for view in made.values()],
        resumeRender=lambda: [view.resumeRender() for view in made.values()],
        processEvents=lambda: drawn.append("turn"),
    )
    monkeypatch.setattr(slicer, "app", app, False)
    return list(made.values())


def test_one_view_in_each_turn_of_the_event_loop(views):
    from PseudoProgressionAnalyzerLib.desktop.drawing import drawn_one_by_one

    with drawn_one_by_one():
        assert [view.pauses for view in views] == [1, 1, 1]
        with drawn_one_by_one():
            pass
        assert views[0].drawn == []  # the outer one draws
    assert views[0].drawn == ["a", "turn", "b", "turn", "c", "turn"]
    assert [view.pauses for view in views] == [0, 0, 0]


def test_a_view_that_is_not_on_the_screen_is_not_drawn(views):
    from PseudoProgressionAnalyzerLib.desktop.drawing import drawn_one_by_one

    views[1].visible = False
    with drawn_one_by_one():
        pass
    assert views[0].drawn == ["a", "turn", "c", "turn"]


def test_every_view_may_draw_again_after_an_error_between_two_of_them(views):
    from PseudoProgressionAnalyzerLib.desktop.drawing import drawn_one_by_one

    def stop():
        raise LookupError

    with pytest.raises(LookupError), drawn_one_by_one(stop):
        pass
    assert [view.pauses for view in views] == [0, 0, 0]
    assert views[0].drawn == ["a"]
    with pytest.raises(ZeroDivisionError), drawn_one_by_one():
        _ = 1 / 0
    assert [view.pauses for view in views] == [0, 0, 0]


@pytest.mark.parametrize("fails", ["while views are made", "while they are shown"])
def test_no_view_stays_black_after_an_error(views, monkeypatch, fails):
    from PseudoProgressionAnalyzerLib.desktop import drawing

    names = []
    monkeypatch.setattr(drawing, "_timeline_names", lambda: names)
    for name in ("a", "b", "c"):
        slicer.app.layoutManager().sliceWidget(name).visible = False
    for view in views:
        view.isHidden = lambda view=view: not view.visible
    turns = []

    def pause():
        turns.append([view.visible for view in views])
        if len(turns) == (1 if fails == "while views are made" else 2):
            raise LookupError

    with pytest.raises(LookupError), drawing.new_views_veiled(pause) as veiled:
        names += ["a", "b", "c"]
        veiled()
    assert turns[0] == [False, False, False]
    assert [view.visible for view in views] == [True, True, True]


def test_views_that_were_there_stay_in_sight(views, monkeypatch):
    """A row that is added does not empty the window."""
    from PseudoProgressionAnalyzerLib.desktop import drawing

    names, turns = ["a", "b"], []
    monkeypatch.setattr(drawing, "_timeline_names", lambda: names)
    for name in ("a", "b", "c"):
        slicer.app.layoutManager().sliceWidget(name).visible = False  # a layout that is made anew hides all of them
    for view in views:
        view.isHidden = lambda view=view: not view.visible
    with drawing.new_views_veiled(lambda: turns.append([view.visible for view in views])) as veiled:
        names.append("c")
        veiled()
    assert turns[0] == [True, True, False]
    assert [view.visible for view in views] == [True, True, True]
