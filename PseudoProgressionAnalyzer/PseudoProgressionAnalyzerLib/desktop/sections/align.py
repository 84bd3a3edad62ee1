"""Align: every visit to the reference visit, how far that can be trusted, and the user's own transforms."""

from __future__ import annotations

from slicer.i18n import tr as _

from ...analysis.aligning import is_users
from ...scene import check_view
from ...scene.timeline import is_shown
from .. import tables
from ..section import Section, offer


class AlignSection(Section):
    """Aligns and computes; a table says per visit how far edges lie apart and how uncertain the
    transform is."""

    name = "align"

    def __init__(self, *parts):
        super().__init__(*parts)
        self.ui.alignButton.connect("clicked()", lambda: self.compute("step_align"))
        self.ui.computeButton.connect("clicked()", self.compute)
        self.ui.useTransformButton.connect("clicked()", self.use_transform)
        self.ui.computedTransformButton.connect("clicked()", self.use_computed)
        self.ui.trustTable.connect("itemSelectionChanged()", self.choose)
        self.ui.transformSelector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: self.enable(False))
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
        with self.panel.long_work() as (show, cancel):
            self.session.set_reference_visit(self.ui.referenceSelector.currentText)
            self.session.compute(show, cancel, last_step)
        self.panel.refresh()

    def use_transform(self) -> None:
        """The chosen transform node instead of the computed transform of the chosen visit."""
        with self.panel.long_work() as (show, cancel):
            self.session.use_transform(self.visit, self.ui.transformSelector.currentNode(), show, cancel)
        self.panel.refresh()

    def use_computed(self) -> None:
        """The computed transform again instead of the user's own."""
        with self.panel.long_work() as (show, cancel):
            self.session.use_computed_transform(self.visit, show, cancel)
        self.panel.refresh()

    def choose(self, *_chosen: int) -> None:
        """Another visit is looked at, or in another way."""
        self.enable(self.panel.busy)
        self.check()

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
        tables.fill(self.ui.trustTable, *self._rows())
        if self.ui.checkBox.checked:
            self.check()  # transforms may be others now

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        header = [_("Visit"), _("Fits (mm)"), _("Edges before"), _("after (mm)"), _("Transform")]
        analysis = self.session.analysis
        rows = []
        for visit in analysis.patient.visits if analysis else []:
            trust = analysis.alignment.get(visit.id)
            if trust is None:
                rows.append([visit.id, "", "", "", _("none yet")])
                continue
            names = ("uncertainty", "edge_distance_before", "edge_distance_after")
            numbers = [f"{trust[name]:.2f}" if name in trust else _("unknown") for name in names]
            if visit.id == analysis.reference_visit:
                rows.append([visit.id, "", "", "", _("reference")])
            else:
                rows.append([visit.id, *numbers, _("your own") if is_users(analysis, visit.id) else _("computed")])
        return header, rows

    def close(self) -> None:
        """The timeline shows what it showed before."""
        self.ui.checkBox.checked = False

    def enable(self, busy: bool) -> None:
        """What needs a patient, an aligned visit, or a transform."""
        analysis, visit = self.session.analysis, self.visit
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
