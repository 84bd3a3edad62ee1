"""Spectroscopy: the voxels over the anatomy, and the spectrum of the voxel that is clicked or under the crosshair."""

from __future__ import annotations

import numpy as np
import slicer
from slicer.i18n import tr as _

from ... import texts
from ...analysis.fitting_spectra import REFERENCE
from ...analysis.mean_spectra import waiting
from ...analysis.measuring_spectra import WAITING, measured_role
from ...analysis.placing import voxel_at
from ...measures import InputError, Message
from ...report.spectrum_words import lines_of, quality_line, ratios_table, why_not_accepted, why_uncertain
from ...report.words import label
from ...scene import timeline
from ...scene.nodes import patient_node
from ...scene.spectrum_cell import hide_cell, mark_cell
from ...scene.spectrum_plot import (
    GRIDS,
    OVERLAP,
    choose_whole_grid,
    lesion_overlap,
    show_spectrum,
    whole_grid,
    write_overlaps,
)
from ...spectroscopy.result import Curves, Fit
from ..plot_widget import plot_widget
from ..pointer import Pointer
from ..section import Section, offer

MAPS = (*GRIDS, OVERLAP)
PLOT_HEIGHT = 260  # pixels


class SpectroscopySection(Section):
    """Spectra of all visits; a click into a view, or the crosshair moved under Shift, chooses the voxel."""

    name = "spectroscopy"
    changes = ("spectraMapSelector", "wholeGridCheckBox")

    def __init__(self, *parts):
        super().__init__(*parts)
        self.pointer = Pointer(self._pointed, self._visits)
        self.plot = None
        self.shown: tuple | None = None  # visit and voxel whose spectrum is plotted
        self.ui.spectraMapSelector.connect("activated(int)", lambda index: self.show_map())
        self.ui.wholeGridCheckBox.connect("clicked(bool)", self.choose_whole)
        self.ui.spectrumSelector.connect("activated(int)", lambda index: self.show_region())

    def open(self) -> None:
        """Clicks and the crosshair are followed, where the patient has spectra."""
        self.pointer.open()

    def close(self) -> None:
        """Nothing is observed any more; the plot lets go of its nodes."""
        self.pointer.close()
        if self.plot is not None:
            self._nothing()

    def refresh(self) -> None:
        """In which visits there are spectra, and the maps that can be laid over the anatomy."""
        visits = self._visits()
        analysis = self.session.analysis
        if visits:
            counts = []
            for visit in visits:
                found = analysis.spectra_fits[visit, measured_role(analysis, visit)]
                counts.append(f"{visit}: {int(found.accepted.sum())} / {int(np.isfinite(found.snr).sum())}")
            self.ui.spectroscopyLabel.text = _("Accepted of fitted voxels. {counts}").format(counts="; ".join(counts))
        else:
            self.ui.spectroscopyLabel.text = self._why_none()
        offered = self._offered()
        selector = self.ui.spectraMapSelector
        if [selector.itemData(index) for index in range(selector.count)] != offered:
            selector.clear()
            for name in offered:
                selector.addItem(_("Accepted voxels in the lesion") if name == OVERLAP else label("map", name), name)
        self._show_whole()
        self._offer_regions()
        self.pointer.follow()
        if visits and not self.ui.spectrumHolder.layout().count():
            self.plot = plot_widget(self.ui.spectrumHolder, "PPASpectrum", "Spectrum", PLOT_HEIGHT)
        self._again()

    def measured(self) -> None:
        """The mean spectrum of a region that changed is not there until it is fitted again."""
        self._offer_regions()

    def settled(self) -> None:
        """What counts in the lesions follows their outlines; mean spectra of edited regions were fitted again."""
        self._offer_regions()
        self._again()
        if self.ui.spectraMapSelector.currentData == OVERLAP and self._visits():
            write_overlaps(patient_node(slicer.mrmlScene), self.session.analysis)

    def enable(self, busy: bool) -> None:
        """The selectors work where there are fits, those of maps where there are maps."""
        for selector in (self.ui.spectraMapSelector, self.ui.wholeGridCheckBox):
            offer(selector, bool(self._offered()), _("Align and compute first"))
        offer(self.ui.spectrumSelector, bool(self._visits()), _("Align and compute spectra first"))

    def show_map(self) -> None:
        """Lays the chosen map over the T1CE in the timeline's row of metabolite maps, with a legend of its own."""
        name = self.ui.spectraMapSelector.currentData
        patient = patient_node(slicer.mrmlScene)
        if not name or patient is None:
            return
        with self.panel.long_work(stoppable=False):
            if name == OVERLAP:
                write_overlaps(patient, self.session.analysis)
            self.session.show_timeline(True)
            rows = [row for row in timeline.shown_rows(patient) if row.overlay not in MAPS]
            self.session.choose_rows([*rows, timeline.Row("T1CE", name)])
            if whole_grid(patient) is None:
                choose_whole_grid(patient, True)
            self._show_whole()

    def choose_whole(self, whole: bool) -> None:
        """Colours every accepted voxel of the maps, or only those that stand out."""
        patient = patient_node(slicer.mrmlScene)
        if patient is not None:
            choose_whole_grid(patient, whole)

    def _show_whole(self) -> None:
        """The tick says what is shown."""
        patient = patient_node(slicer.mrmlScene)
        self.ui.wholeGridCheckBox.checked = bool(patient is not None and whole_grid(patient))

    def show_voxel(self, visit: str, world: np.ndarray) -> bool:
        """Plots the spectrum at a point of the scene (RAS mm) in a visit, with its numbers; False without one."""
        analysis = self.session.analysis
        role = measured_role(analysis, visit)
        if role is None:
            self._nothing(_("No spectra in {visit}.").format(visit=visit))
            return False
        voxel = voxel_at(analysis, visit, role, analysis.spectra_fits[visit, role], world)
        if voxel is None:
            self._nothing(_("Outside of the spectra of {visit}.").format(visit=visit))
            return False
        return (visit, voxel) == self.shown or self._show(visit, role, voxel)  # the pointer may move within the voxel

    def _show(self, visit: str, role: str, voxel: tuple[int, int, int]) -> bool:
        """Plots a voxel of a visit's spectra and outlines it in the views; False where it was not fitted."""
        analysis = self.session.analysis
        found = analysis.spectra_fits[visit, role]
        try:
            curves = found.curves(voxel)
        except InputError as error:
            self._nothing(texts.sentence(error.message))
            return False
        place = ", ".join(str(index) for index in voxel[::-1])
        self._plot(found, voxel, curves, _("{visit}, voxel {place}").format(visit=visit, place=place))
        mark_cell(patient_node(slicer.mrmlScene), analysis, visit, role, voxel)
        self.ui.spectrumSelector.setCurrentIndex(0)
        share = lesion_overlap(analysis, visit, role)[voxel]
        reasons = why_not_accepted(found, voxel)
        lines = [
            quality_line(found, voxel=voxel),
            _("{percent} % of the voxel lies in the lesion").format(percent=round(100 * share)),
            _("accepted") if not reasons else _("left out: {reasons}").format(reasons=", ".join(reasons)),
            *why_uncertain(found, voxel),
        ]
        self.ui.spectrumLabel.text = "; ".join(lines)
        self.ui.spectrumLabel.visible = True
        self.shown = visit, voxel
        return True

    def show_region(self) -> None:
        """Plots the mean spectrum of the chosen region; says so where it waits for the pen to rest."""
        key = self.ui.spectrumSelector.currentData
        found = self.session.analysis.region_spectra.get(tuple(key.split("\t"))) if key else None
        if found is not None and np.isfinite(found.snr).all():
            self.shown = None
            hide_cell(patient_node(slicer.mrmlScene))  # many voxels are in it
            voxel = (0, 0, 0)
            self._plot(found, voxel, found.curves(voxel), self.ui.spectrumSelector.currentText)
            self.ui.spectrumLabel.text = "; ".join([quality_line(found), *why_uncertain(found)])
            self.ui.spectrumLabel.visible = True
        else:
            self._nothing(texts.sentence(Message(WAITING)) if key else "")

    def _offer_regions(self) -> None:
        """The clicked voxel, and every region whose mean spectrum was fitted or is to be fitted again."""
        selector, analysis = self.ui.spectrumSelector, self.session.analysis
        offered = [("", _("Clicked voxel"))]
        for key in dict.fromkeys((*analysis.region_spectra, *waiting(analysis))) if analysis else ():
            visit, drawn_in, region = key
            name = _("reference tissue") if region == REFERENCE else region
            where = "" if drawn_in == visit else _(" (fixed, drawn in {visit})").format(visit=drawn_in)
            text = _("{visit}, mean of {region}").format(visit=visit, region=name + where)
            if key not in analysis.region_spectra:
                text = _("{text} (waiting)").format(text=text)
            offered.append(("\t".join(key), text))
        shown = [(selector.itemData(index), selector.itemText(index)) for index in range(selector.count)]
        if shown != offered:
            chosen = selector.currentData
            selector.clear()
            for key, text in offered:
                selector.addItem(text, key)
            keys = [key for key, _text in offered]
            selector.setCurrentIndex(keys.index(chosen) if chosen in keys else 0)

    def _plot(self, found: Fit, voxel: tuple[int, int, int], curves: Curves, title: str) -> None:
        """A voxel's curves, and its ratios in the table below."""
        chart = show_spectrum(patient_node(slicer.mrmlScene), curves, title, lines_of(found))
        if self.plot is not None:
            self.plot.mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
        self.ui.spectrumHolder.visible = True
        self.ui.spectrumTable.text = ratios_table(found, voxel)
        self.ui.spectrumTable.visible = True

    def _again(self) -> None:
        """What is shown once more, with the numbers of now."""
        if self.ui.spectrumSelector.currentData:
            self.show_region()
            return
        visit, voxel = self.shown or ("", None)
        role = measured_role(self.session.analysis, visit) if visit in self._visits() else None
        if role is None or any(
            place >= n for place, n in zip(voxel, self.session.analysis.spectra_fits[visit, role].shape, strict=True)
        ):
            self._nothing()
        else:
            self._show(visit, role, voxel)

    def _nothing(self, why: str = "") -> None:
        """No spectrum is plotted and no voxel outlined; why: else the sentence that asks for a click."""
        self.shown = None
        hide_cell(patient_node(slicer.mrmlScene))
        if self.plot is not None:
            self.plot.mrmlPlotViewNode().SetPlotChartNodeID(None)
        self.ui.spectrumHolder.visible = self.ui.spectrumTable.visible = False
        click = _("No voxel chosen yet: click one in a view, or move the pointer with Shift held, to see its spectrum.")
        self.ui.spectrumLabel.text = why or (click if self._visits() else "")
        self.ui.spectrumLabel.visible = bool(self.ui.spectrumLabel.text)

    def _offered(self) -> list[str]:
        """Names of the maps that can be laid over the anatomy."""
        analysis = self.session.analysis
        names = {name for _visit, name in analysis.maps} if analysis else set()
        grids = any(role == "MRSI" for _visit, role in analysis.spectra_fits) if analysis else False
        return [name for name in MAPS if name in names or (name == OVERLAP and grids)]

    def _why_none(self) -> str:
        """Why there are no spectra to look at, and what can be done about it."""
        analysis = self.session.analysis
        if analysis is None:
            return _("Load a patient first.")
        with_spectra = [visit.id for visit in analysis.patient.visits if visit.of_role("MRS") or visit.of_role("MRSI")]
        if with_spectra:
            computed = any(step == "step_spectra" for step, _visit in analysis.finished)
            if not computed:
                return _("Align and compute to fit the spectra.")
            said = [message for visit in with_spectra for message in analysis.messages.get(visit, ())]
            reasons = [texts.sentence(message) for message in said if message.code.startswith(("spectra_", "file_"))]
            return _("No spectra could be fitted. {reasons}").format(reasons=" ".join(dict.fromkeys(reasons)))
        if self._offered():
            return _("Metabolite maps made elsewhere are shown; there are no spectra to click.")
        return _(
            "This patient has no spectra. What is read: NIfTI-MRS, RDA, SPAR/SDAT, DICOM spectroscopy and GE P-files, "
            "named MRSI (a grid) or MRS (a single voxel) in the folder of their visit, or imported as DICOM. Pictures "
            "of spectra (screen captures) hold no numbers: export the spectra themselves."
        )

    def _visits(self) -> list[str]:
        analysis = self.session.analysis
        return [visit.id for visit in analysis.patient.visits if measured_role(analysis, visit.id)] if analysis else []

    def _pointed(self, visit: str, world: np.ndarray, clicked: bool) -> None:
        if not (self.panel.busy or self.panel.button(self.name).collapsed or self.session.analysis is None):
            self.show_voxel(visit, world)
