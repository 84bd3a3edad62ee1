"""Align: every visit to the reference visit, how far that can be trusted, and the user's own transforms."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from slicer.i18n import tr as _

from ... import texts
from ...analysis.aligning import doubts, is_users, trust
from ...imaging import agreement
from ...imaging.registration import UNCERTAINTY_LIMIT
from ...report.words import date_words
from ...scene import check_view
from ...scene.nodes import patient_node
from ...scene.timeline import is_shown
from ...scene.transforms import transform_nodes
from .. import tables
from ..placeholder import when_empty
from ..section import Section, offer
from ..transform_watch import TransformWatch

MOST = 190  # pixels of the table's height: longer ones scroll


def words_of(trusted: str) -> str:
    """What people read of ``trust``."""
    return {
        "none": _("not aligned yet"),
        "reference": _("reference"),
        "own": _("your own"),
        "good": _("good"),
        "check": _("check by eye"),
        "failed": _("failed"),
    }[trusted]


def reason_of(trusted: str) -> str:
    """Why a visit without doubts is trusted as it is."""
    return {
        "reference": _("All other visits are aligned to this one"),
        "own": _("Your own transform: nothing is known of its uncertainty"),
        "good": _("No doubt was found: uncertainty and edges, in this row, are below their limits"),
    }.get(trusted, words_of(trusted))


class AlignSection(Section):
    """Aligns and computes; a table says per visit whether the alignment can be trusted, how uncertain it is, and how
    far edges lie apart."""

    name = "align"
    changes = (
        "referenceSelector", "alignButton", "computeButton", "checkBox", "checkSelector", "fadeSlider",
        "transformSelector", "useTransformButton", "computedTransformButton",
    )  # fmt: skip

    def __init__(self, *parts):
        super().__init__(*parts)
        self.ui.trustTable.verticalHeader().setVisible(False)
        when_empty(self.ui.trustTable, _("How well each visit is aligned, once a patient is loaded"))
        self.ui.alignButton.connect("clicked()", lambda: self.compute("step_align"))
        self.ui.computeButton.connect("clicked()", self.compute)
        self.ui.useTransformButton.connect("clicked()", self.use_transform)
        self.ui.computedTransformButton.connect("clicked()", self.use_computed)
        self.ui.trustTable.connect("itemSelectionChanged()", self.choose)
        self.ui.transformSelector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: self.enable(False))
        self.watch = TransformWatch(self.take_transforms)
        self.ui.checkSelector.addItems([_("Fading"), _("Checkerboard")])
        self.ui.checkBox.connect("toggled(bool)", lambda on: self.check())
        self.ui.checkSelector.connect("currentIndexChanged(int)", self.choose)
        self.ui.fadeSlider.connect("valueChanged(double)", lambda value: self.check())

    @property
    def visit(self) -> str:
        """The visit of the chosen row; empty without one."""
        analysis, row = self.session.analysis, self.ui.trustTable.currentRow()
        return analysis.patient.visits[row].id if analysis and 0 <= row < len(analysis.patient.visits) else ""

    def compute(self, last_step: str = "") -> None:
        """Aligns to the chosen visit, then maps, measures and assesses, or stops after a step."""

        def work(show: Callable, cancel: Event) -> None:
            self.session.set_reference_visit(self.ui.referenceSelector.currentText)
            self.session.compute(show, cancel, last_step)

        self._work(work, "" if last_step else _("Computed."))

    def use_transform(self) -> None:
        """The chosen transform node instead of the computed transform of the chosen visit."""
        visit, node = self.visit, self.ui.transformSelector.currentNode()
        said = _("Your own transform holds for {visit}.").format(visit=visit)
        self._work(lambda show, cancel: self.session.use_transform(visit, node, show, cancel), said)

    def use_computed(self) -> None:
        """The computed transform again instead of the user's own."""
        visit = self.visit
        said = _("{visit} was aligned again.").format(visit=visit)
        self._work(lambda show, cancel: self.session.use_computed_transform(visit, show, cancel), said)

    def take_transforms(self) -> None:
        """Transforms that were edited elsewhere in Slicer count as the user's own, once nothing else runs."""
        if self.panel.busy:
            self.watch.later()
            return
        with self.panel.errors():
            said = self.session.take_transforms()
            if said:
                self.panel.refresh()
                self.panel.say(" ".join(map(texts.sentence, said)))

    def _work(self, work: Callable, said: str) -> None:
        """Long work, and where it came to its end what was done and what is next."""
        done = False
        with self.panel.long_work() as (show, cancel):
            work(show, cancel)
            done = True
        self.panel.refresh()
        if done and self.session.analysis is not None:
            self.panel.say_next(said)

    def choose(self, *_chosen: int) -> None:
        """Another visit is looked at, or in another way."""
        self.check()
        self.enable(self.panel.busy)

    def check(self) -> None:
        """The chosen visit with the reference visit in the first view of its column, faded by the slider or as a
        checkerboard; the view's title says so."""
        with self.panel.errors():
            self._show_check()
        self.session.titles.update(self.session.application)

    def _show_check(self) -> None:
        application, visit = self.session.application, self.visit
        reference = self.session.analysis.reference_visit if self.session.analysis else ""
        if not self.ui.checkBox.checked or visit in ("", reference):
            check_view.hide(application)
            return
        if self._checkerboard:
            shown = check_view.show_checkerboard(application, visit, reference)
        else:
            shown = check_view.show(application, visit, reference, self.ui.fadeSlider.value)
        if not shown:
            self.ui.checkBox.checked = False
            self.panel.say(_("Show the row T1CE and the visit in the timeline to check it by eye."))

    @property
    def _checkerboard(self) -> bool:
        return self.ui.checkSelector.currentIndex == 1

    def refresh(self) -> None:
        """Visits to align to, and the table of trust."""
        analysis = self.session.analysis
        visits = [visit.id for visit in analysis.patient.visits if visit.of_role("T1CE")] if analysis else []
        selector = self.ui.referenceSelector
        if visits != [selector.itemText(index) for index in range(selector.count)]:
            selector.clear()
            selector.addItems(visits)
        if analysis is not None and analysis.reference_visit:
            selector.setCurrentText(analysis.reference_visit)
        header, rows, tips = self._rows()
        tables.fill(self.ui.trustTable, header, rows, tips)
        tables.explain(self.ui.trustTable, self._header_tips())
        tables.fit_rows(self.ui.trustTable, MOST)
        if self.ui.checkBox.checked:
            self.check()  # transforms may be others now

    def _rows(self) -> tuple[list[str], list[list[str]], dict[tuple[int, int], str]]:
        """Header, cells and tool tips: the doubts of a visit at its word of trust."""
        header = [_("Visit"), _("Alignment"), _("Uncertainty"), _("Edges before"), _("Edges after")]
        analysis = self.session.analysis
        rows, tips = [], {}
        for number, visit in enumerate(analysis.patient.visits if analysis else []):
            found, trusted = analysis.alignment.get(visit.id, {}), trust(analysis, visit.id)
            numbers = ["", "", ""]
            if trusted not in ("none", "reference"):
                names = ("uncertainty", "edge_distance_before", "edge_distance_after")
                numbers = [_("{number} mm").format(number=f"{found[name]:.1f}") if name in found else _("unknown")
                           for name in names]  # fmt: skip
            rows.append([date_words(visit), words_of(trusted), *numbers])
            said = [texts.sentence(doubt) for doubt in doubts(analysis, visit.id)]
            tips[number, 1] = "\n".join(said) or reason_of(trusted)
        return header, rows, tips

    def _header_tips(self) -> list[str]:
        """What each column means, and what is good."""
        uncertainty = _("How far the alignment may be off, from fits made in other ways. Good: below {limit:g} mm")
        after = _(
            "How far the edges of skull and ventricles lie apart after aligning. Good: below {limit:g} mm, and less "
            "than before"
        )
        return [
            _("Choose a visit to check it by eye, or to give it a transform of your own"),
            _(
                "good: no doubt was found; check by eye: look before you compare voxel by voxel; failed: the fit was "
                "given up or edges lie apart, give a transform of your own. Point at the word for the reason"
            ),
            uncertainty.format(limit=UNCERTAINTY_LIMIT),
            _("How far the edges of skull and ventricles lie apart by the scanner's own coordinates"),
            after.format(limit=agreement.LIMIT),
        ]

    def close(self) -> None:
        """The timeline shows what it showed before, and no transform is watched."""
        self.ui.checkBox.checked = False
        self.watch.forget()

    def enable(self, busy: bool) -> None:
        """What needs a patient, an aligned visit, or a transform."""
        analysis, visit, patient = self.session.analysis, self.visit, patient_node(self.session.application.scene)
        self.watch.follow(transform_nodes(patient) if patient is not None else [])
        if self.ui.checkBox.checked and not busy and not check_view.is_shown(self.session.application, visit):
            self.ui.checkBox.checked = False  # the views show something else by now: another page, other rows
        why = _("Load a patient first")
        for button in (self.ui.alignButton, self.ui.computeButton, self.ui.referenceSelector):
            offer(button, analysis is not None, why)
        other = bool(visit) and bool(analysis.reference_visit) and visit != analysis.reference_visit
        why = _("Choose an aligned visit in the table that is not the reference visit")
        has_node = self.ui.transformSelector.currentNode() is not None
        offer(self.ui.useTransformButton, other and has_node, _("Choose a transform") if other else why)
        own = other and is_users(analysis, visit)
        offer(self.ui.computedTransformButton, own, _("The transform of this visit is the computed one"))
        aligned = other and visit in analysis.visit_to_reference and is_shown(self.session.application)
        for widget in (self.ui.checkBox, self.ui.checkSelector):
            offer(widget, aligned, why)
        fading = aligned and not self._checkerboard
        offer(self.ui.fadeSlider, fading, why if not aligned else _("For fading"))
