"""Regions: what is drawn in which visit, and the Segment Editor to draw it with."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ... import texts
from ...measures import PURPOSES, Region
from ...report.words import label
from ...scene.build import COMPUTED_REFERENCE
from ...scene.nodes import ANATOMY, Kind
from ...scene.region_list import KIND_OF, reference_is_computed, segment_at
from ..editors import Editors, Edits
from ..lesion_work import LesionWork
from ..placeholder import when_empty
from ..section import Section, offer
from ..tables import fit_rows

VISIT, NAME, PURPOSE, CARRIED = range(4)
MOST = 200  # pixels of the table's height: longer ones scroll
DRAWN = [purpose for purpose in PURPOSES if purpose != "reference"]
"""What a region can be drawn as beside reference tissue, which has a segmentation of its own."""


class RegionsSection(Section):
    """The list of regions over Slicer's Segment Editors, one for each visit's lesions and reference tissue."""

    name = "regions"
    changes = (
        "regionsTable", "addLesionButton", "addFreeButton", "restoreButton", "purposeSelector", "proposeNextButton",
        "acceptRegionButton", "rejectRegionButton", "lesionsRadio", "referenceRadio", "editorStack",
    )  # fmt: skip

    def __init__(self, *parts):
        super().__init__(*parts)
        self.entered = True
        self.listed: list[Region] = []
        self.editors = Editors(
            self.ui.editorStack, self.edited, self.show_drawing, self.begin, self.session.choose_view
        )
        self.ui.regionsTable.verticalHeader().setVisible(False)
        when_empty(self.ui.regionsTable, _("What is drawn in which visit, once a patient is loaded"))
        self.ui.regionsTable.connect("itemChanged(QTableWidgetItem*)", self.changed)
        self.ui.regionsTable.connect("cellClicked(int,int)", lambda row, column: self.choose(row))
        self.ui.addLesionButton.connect("clicked()", lambda: self.add("lesion"))
        self.ui.addFreeButton.connect("clicked()", lambda: self.add("free"))
        self.ui.restoreButton.connect("clicked()", self.restore)
        self.ui.lesionsRadio.connect("toggled(bool)", self.turn_to)
        self.work = LesionWork(self.session)
        for purpose in DRAWN:
            self.ui.purposeSelector.addItem(label("purpose", purpose))
        self.ui.purposeSelector.connect("activated(int)", self.change_purpose)
        self.ui.proposeNextButton.connect("clicked()", self.propose_next)
        self.ui.acceptRegionButton.connect("clicked()", self.accept)
        self.ui.rejectRegionButton.connect("clicked()", self.reject)
        self.ui.regionsTable.connect("itemSelectionChanged()", self.show_chosen)

    def edited(self, edits: Edits) -> None:
        """A stroke, or segments that were added, renamed or removed."""
        self.panel.stroke(edits)

    def begin(self, visit: str, kind: str) -> None:
        """A stroke where nothing is drawn yet is a new region."""
        with self.panel.errors():
            self.session.add_region(visit, "reference" if kind == Kind.REFERENCE else "lesion")

    def measured(self) -> None:
        """The list follows where a region came, went or has another name."""
        if self.rows() != self.listed:
            self.refresh()
            self.enable(self.panel.busy)

    def show_drawing(self, visit: str) -> None:
        """Says in which visit one draws, and what."""
        tissue = self.editors.kind == Kind.REFERENCE
        if self.editors.editor is None:
            text = _("No reference tissue in visit {visit}") if tissue else _("Visit {visit} has no T1CE to draw on")
        else:
            text = _("Drawing reference tissue in visit {visit}") if tissue else _("Drawing in visit {visit}")
        self.ui.drawingLabel.text = text.format(visit=visit)
        (self.ui.referenceRadio if tissue else self.ui.lesionsRadio).checked = True
        self.enable(self.panel.busy)

    def turn_to(self, lesions: bool) -> None:
        """Draws lesions and free regions, or reference tissue."""
        self.editors.turn_to(Kind.LESION if lesions else Kind.REFERENCE)

    def add(self, purpose: str) -> None:
        """A new region in the chosen visit."""
        with self.panel.errors():
            visit = self.editors.visit
            _node, segment_id = self.session.add_region(visit, purpose)
            self.editors.turn_to(KIND_OF[purpose])
            self.editors.editor.setCurrentSegmentID(segment_id)
            self.editors.tell()  # the new segment is an edit, which takes older news away
            said = _("Added in {visit}. Next: choose Paint below and draw in the column of the visit.")
            self.panel.say(said.format(visit=visit))
        self.refresh()

    def restore(self) -> None:
        """The reference tissue of the visit as it is found without the user."""
        visit, done = self.editors.visit, False  # another one may be chosen meanwhile
        with self.panel.long_work() as (show, cancel):
            self.session.restore_reference(visit, show, cancel)
            done = True
        self.panel.refresh()
        if done:
            said = _("The reference tissue of {visit} is the one that was found again.")
            self.panel.say(said.format(visit=visit))

    def choose(self, row: int) -> None:
        """Chooses the visit of a row's region, and the region in its editor."""
        region = self.listed[row]
        self.session.go_to_visit(region.visit)
        found = segment_at(self.session.application.scene, region)
        if found is not None and self.editors.visit == region.visit:
            self.editors.turn_to(KIND_OF[region.purpose])
            self.editors.editor.setCurrentSegmentID(found[1])

    @property
    def chosen(self) -> Region | None:
        """The region whose row is selected; None where no row is, or where its tissue was found."""
        row = self.ui.regionsTable.currentRow()
        region = self.listed[row] if 0 <= row < len(self.listed) else None
        drawn = self.session.analysis.patient.regions if self.session.analysis is not None else []
        return region if any((one.visit, one.name) == (region.visit, region.name) for one in drawn if region) else None

    def show_chosen(self) -> None:
        """What can be done with the selected region."""
        region, blocked = self.chosen, self.ui.purposeSelector.blockSignals(True)
        if region is not None and region.purpose in DRAWN:
            self.ui.purposeSelector.currentIndex = DRAWN.index(region.purpose)
        self.ui.purposeSelector.blockSignals(blocked)
        self.enable(self.panel.busy)

    def change_purpose(self, index: int) -> None:
        """The selected region is something else."""
        region = self.chosen
        if region is not None and region.purpose != DRAWN[index]:
            with self.panel.errors():
                self.session.change_region(region.visit, region.name, purpose=DRAWN[index])
                self.panel.numbers_changed()

    def propose_next(self) -> None:
        """The selected region as it is, hatched in the next visit until it is accepted."""
        with self.panel.errors():
            visit, flags = self.work.propose_region(self.chosen.name, self.chosen.visit)
            said = _("Proposed in {visit}: not measured until you accept it.").format(visit=visit)
            said = " ".join([said, *(texts.sentence(flag) for flag in flags)])
            self.panel.say(said, lambda: self.work.region_proposed(visit))
        self.panel.refresh()

    def accept(self) -> None:
        """The proposed regions that wait become regions."""
        with self.panel.errors():
            visits = self.waiting()
            for visit in visits:
                self.work.accept(visit)
            said = _("Accepted in {visit}: measured, and edited like any segment.")
            self.panel.say(said.format(visit=", ".join(visits)))
        self.panel.refresh()

    def reject(self) -> None:
        """The proposed regions that wait go away."""
        for visit in self.waiting():
            self.work.reject(visit)
        self.panel.refresh()

    def waiting(self) -> list[str]:
        """Visits in which a proposed region waits; proposed lesions are accepted in section Lesions."""
        analysis = self.session.analysis
        return [one.id for one in analysis.patient.visits if self.work.region_proposed(one.id)] if analysis else []

    def changed(self, item: object) -> None:
        """A cell that the user changed: the name, or whether the region is carried."""
        if self.panel.refuses_tick(self):
            return
        region = self.listed[item.row()]
        with self.panel.errors():
            if item.column() == CARRIED:
                self.session.change_region(region.visit, region.name, carried=item.checkState() == qt.Qt.Checked)
                self.panel.numbers_changed()
            elif item.column() == NAME and item.text() and item.text() != region.name:
                segmentation, segment_id = segment_at(self.session.application.scene, region)
                segmentation.GetSegmentation().GetSegment(segment_id).SetName(item.text())
                self.editors.tell()

    def rows(self) -> list[Region]:
        """The regions of all visits, with reference tissue that was found."""
        analysis = self.session.analysis
        if analysis is None:
            return []
        found = [
            Region(COMPUTED_REFERENCE, visit.id, "reference", None)
            for visit in analysis.patient.visits
            if reference_is_computed(analysis, visit.id)
        ]
        order = [visit.id for visit in analysis.patient.visits]
        return sorted([*analysis.patient.regions, *found], key=lambda region: order.index(region.visit))

    def refresh(self) -> None:
        """The list as the analysis has it."""
        analysis, table = self.session.analysis, self.ui.regionsTable
        self.listed = [Region(**vars(region)) for region in self.rows()]
        blocked = table.blockSignals(True)
        table.setRowCount(len(self.listed))
        for row, region in enumerate(self.listed):
            computed = region.purpose == "reference" and reference_is_computed(analysis, region.visit)
            purpose = _("reference, drawn") if region.purpose == "reference" else label("purpose", region.purpose)
            words = (region.visit, region.name, _("reference, found") if computed else purpose, "")
            for column, text in enumerate(words):
                item = qt.QTableWidgetItem(text)
                flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
                if column == NAME and not computed:
                    flags |= qt.Qt.ItemIsEditable
                if column == CARRIED and region.purpose == "lesion":
                    flags |= qt.Qt.ItemIsUserCheckable
                if column == CARRIED and region.purpose != "reference":
                    on = region.carried or region.purpose == "free"
                    item.setCheckState(qt.Qt.Checked if on else qt.Qt.Unchecked)
                    item.setToolTip(_("Measured in every visit through the transforms, as a fixed region"))
                item.setFlags(flags)
                table.setItem(row, column, item)
        table.resizeColumnsToContents()
        table.blockSignals(blocked)
        fit_rows(table, MOST)

    def open(self) -> None:
        """Watches what is drawn."""
        self.editors.open()

    def close(self) -> None:
        """The editors let go of the scene."""
        self.work.forget()
        self.editors.close()
        self.ui.drawingLabel.text = ""
        self.listed = []

    def enable(self, busy: bool) -> None:
        """No effect listens to the views while long work runs."""
        self.editors.listen(self.entered and not busy)
        self.editors.watch_all()
        analysis, visit = self.session.analysis, self.editors.visit
        anatomy = analysis is not None and (visit, ANATOMY) in analysis.images
        no_anatomy = _("The chosen visit has no T1CE to draw on") if visit else _("Load a patient first")
        for button in (self.ui.addLesionButton, self.ui.addFreeButton):
            offer(button, anatomy, no_anatomy)
        offer(self.ui.editorStack, self.editors.editor is not None, self.ui.drawingLabel.text or no_anatomy)
        tissue = analysis is not None and visit in analysis.references
        drawn = tissue and not reference_is_computed(analysis, visit)
        region, unchosen = self.chosen, _("Choose a region above that you drew")
        offer(self.ui.purposeSelector, region is not None and region.purpose in DRAWN, unchosen)
        aligned = region is not None and region.visit in analysis.visit_to_reference
        offer(self.ui.proposeNextButton, aligned and region.purpose in DRAWN, unchosen)
        for button in (self.ui.acceptRegionButton, self.ui.rejectRegionButton):
            offer(button, bool(self.waiting()), _("There is no proposed region"))
        offer(self.ui.referenceRadio, tissue, _("There is no reference tissue in this visit: align and compute first"))
        offer(self.ui.restoreButton, drawn, _("The reference tissue of this visit is the one that was found"))

    def enter(self) -> None:
        """Drawing goes on."""
        self.entered = True
        self.editors.listen(not self.panel.busy)

    def exit(self) -> None:
        """No effect listens to the views any more."""
        self.entered = False
        self.editors.listen(False)
