"""Maps: what was computed or accepted per visit, how it was acquired, and the signal curve under the pointer."""

from __future__ import annotations

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from ... import texts
from ...analysis import DscChoices
from ...analysis.dsc_maps import SHARES
from ...analysis.mapping import GIVEN_MAPS
from ...analysis.placing import read_time_series, voxel_at
from ...measures import Image, Message
from ...perfusion.dsc import MODELS
from ...report.perfusion import grade_of
from ...report.words import date_words, label
from ...scene import timeline
from ...scene.curve_plot import changed_file, curves_of, file_entry, show_curves
from ...scene.nodes import patient_node
from ..placeholder import when_empty
from ..plot_widget import plot_widget
from ..pointer import Pointer
from ..section import Section, offer
from ..tables import fill, fill_selector, give_last_the_rest

PLOT_HEIGHT = 240  # pixels
MOST = 170  # pixels of the table's height: longer ones scroll
FOUND = -1  # of a spin box: what is found in the series
SIGNALS = ("DSC", "ASL", "MRSI", "MRS")
"""Roles of series that maps are made of."""
PRELOAD = (None, True, False)


class MapsSection(Section):
    """Maps of all visits; a click into a view, or the pointer moved under Shift, chooses the voxel of the curve."""

    name = "maps"
    changes = ("mapSelector", "dscParameters")

    def __init__(self, *parts):
        super().__init__(*parts)
        self.pointer = Pointer(self._pointed, self._visits)
        self.plot = None
        self.series: tuple[str, Image] | None = None
        self.reading = False
        ui = self.ui
        ui.mapsTable.verticalHeader().setVisible(False)
        ui.mapsTable.setWordWrap(False)  # remarks: whole in the tool tip
        when_empty(ui.mapsTable, _("Where the maps of each visit come from, once a patient is loaded"))
        for model in MODELS:
            ui.dscModelSelector.addItem(model, model)
        for text in (_("unknown"), _("yes"), _("no")):
            ui.preloadSelector.addItem(text)
        ui.mapSelector.connect("activated(int)", lambda index: self.show_map())
        ui.dscVisitSelector.connect("currentIndexChanged(int)", lambda index: self.show_choices())
        ui.dscComputeButton.connect("clicked()", self.compute_again)

    def open(self) -> None:
        """Clicks and the crosshair are followed, where the patient has curves."""
        self.pointer.open()

    def close(self) -> None:
        """Nothing is observed any more; the plot lets go of its nodes, and the series of its memory."""
        self.pointer.close()
        self.series = None
        if self.plot is not None:
            self.plot.mrmlPlotViewNode().SetPlotChartNodeID(None)

    def refresh(self) -> None:
        """Which maps there are, where they come from, and how far they can be trusted."""
        analysis = self.session.analysis
        names = list(dict.fromkeys(name for _visit, name in analysis.maps)) if analysis else []
        none = _("No maps yet: load a patient, then align and compute.")
        if analysis is not None:
            none = _("No maps yet: align and compute.")
        if self.session.measured:
            none = _(
                "No maps: the visits have no series that maps are made of (DSC, ASL, spectra), and none was given."
            )
        self.ui.mapsLabel.text = "; ".join(map(map_words, names)) or none
        header = [_("Visit"), _("Maps from"), _("DSC protocol"), _("Trusted"), _("Flow"), _("Remarks")]
        rows, tips = [], {}
        for number, visit in enumerate(analysis.patient.visits if analysis else ()):
            cells, said = self._row(visit)
            rows.append([date_words(visit), *cells])
            tips[number, len(header) - 1] = "\n".join(said)
        fill(self.ui.mapsTable, header, rows, tips)
        give_last_the_rest(self.ui.mapsTable, MOST)
        fill_selector(self.ui.mapSelector, {name: map_words(name) for name in names})
        visits = {visit.id: date_words(visit) for visit in (analysis.patient.visits if analysis else ())
                  if visit.of_role("DSC")}  # fmt: skip
        fill_selector(self.ui.dscVisitSelector, visits)
        self.show_choices()
        self.pointer.follow()
        if self._visits() and not self.ui.curveHolder.layout().count():
            self.plot = plot_widget(self.ui.curveHolder, "PPACurve", "Signal curve", PLOT_HEIGHT)
        self.ui.curveHolder.visible = self.ui.curveLabel.visible = bool(self._visits())

    def enable(self, busy: bool) -> None:
        """What is possible now."""
        analysis = self.session.analysis
        made = bool(analysis and analysis.maps)
        offer(self.ui.mapSelector, made, _("Align and compute first"))
        ui = self.ui
        there = bool(analysis and any(visit.of_role("DSC") for visit in analysis.patient.visits))
        for widget in (ui.dscVisitSelector, ui.dscModelSelector, ui.steadyStateSpin, ui.bolusArrivalSpin,
                       ui.preloadSelector, ui.k1CheckBox):  # fmt: skip
            offer(widget, there, _("No DSC series is loaded"))
        why = _("Align and compute first") if there else _("No DSC series is loaded")
        offer(ui.dscComputeButton, self.session.measured and there, why)

    def show_map(self) -> None:
        """Lays the chosen map over the T1CE in the timeline's last row."""
        name, patient = self.ui.mapSelector.currentData, patient_node(slicer.mrmlScene)
        if name and patient is not None:
            with self.panel.long_work(stoppable=False):
                self.session.show_timeline(True)
                rows = [row for row in timeline.shown_rows(patient) if row.overlay != name]
                self.session.choose_rows([*rows, timeline.Row("T1CE", name)])

    def show_choices(self) -> None:
        """The parameters of the chosen visit."""
        analysis, visit = self.session.analysis, self.ui.dscVisitSelector.currentData
        chosen = analysis.dsc_choices.get(visit, DscChoices()) if analysis else DscChoices()
        self.ui.dscModelSelector.setCurrentIndex(list(MODELS).index(chosen.model))
        self.ui.steadyStateSpin.value = FOUND if chosen.steady_state is None else chosen.steady_state
        self.ui.bolusArrivalSpin.value = FOUND if chosen.bolus_arrival is None else chosen.bolus_arrival
        self.ui.preloadSelector.setCurrentIndex(PRELOAD.index(chosen.preload))
        self.ui.k1CheckBox.checked = chosen.with_k1

    def compute_again(self) -> None:
        """The chosen visit's maps with the parameters as they stand, and all that follows from them."""
        visit = self.ui.dscVisitSelector.currentData
        steady, arrival = self.ui.steadyStateSpin.value, self.ui.bolusArrivalSpin.value
        choices = DscChoices(
            model=self.ui.dscModelSelector.currentData,
            steady_state=None if steady == FOUND else steady,
            bolus_arrival=None if arrival == FOUND else arrival,
            preload=PRELOAD[self.ui.preloadSelector.currentIndex],
            with_k1=bool(self.ui.k1CheckBox.checked),
        )
        done = False
        with self.panel.long_work() as (show, cancel):
            self.session.map_again(visit, choices, show, cancel)
            done = True
        self.panel.refresh()
        if done:
            said = _("The maps of {visit} were made again, and all numbers with them.").format(visit=visit)
            self.panel.say(said)

    def show_voxel(self, visit: str, world: np.ndarray) -> bool:
        """Plots the curve at a point of the scene (RAS mm) in a visit; reads the series the first time. False where
        there is none."""
        analysis, patient = self.session.analysis, patient_node(slicer.mrmlScene)
        if (visit, "DSC") not in analysis.curves:
            self.ui.curveLabel.text = _("No DSC curves in {visit}.").format(visit=visit)
            return False
        image = self._series(visit)
        voxel = voxel_at(analysis, visit, "DSC", image, world) if image is not None else None
        signal = None if voxel is None else image.array[(slice(None), *voxel)].astype(float)
        curves = curves_of(analysis, visit, signal)
        place = "" if voxel is None else ", ".join(str(index) for index in voxel[::-1])
        title = _("{visit}, voxel {place}").format(visit=visit, place=place) if place else visit
        chart = show_curves(patient, analysis, visit, curves, title)
        if self.plot is not None:
            self.plot.mrmlPlotViewNode().SetPlotChartNodeID(chart.GetID())
        if image is not None:
            self.ui.curveLabel.text = self._numbers(visit, voxel) if voxel else _("Outside of the DSC series.")
        return voxel is not None

    def _row(self, visit: object) -> tuple[list[str], list[str]]:
        """Cells of a visit, and all remarks."""
        analysis = self.session.analysis
        measured = [role for role in (*SIGNALS, *GIVEN_MAPS) if visit.of_role(role)]
        grade = grade_of(analysis, visit.id)
        shares = analysis.curves.get((visit.id, "DSC"), {}).get("shares")
        trusted = f"{100 * shares[SHARES.index('trusted')]:.0f} %" if shares is not None else ""
        flow = _("yes") if (visit.id, "rCBF") in analysis.maps else ""
        absent = [message for (of, _name), reasons in analysis.absent.items() if of == visit.id for message in reasons]
        said = [texts.sentence(one) for one in (*absent, *(grade.reasons if grade else ()))]
        said = list(dict.fromkeys(said))
        return [
            ", ".join(role if role in SIGNALS else map_words(role) for role in measured),
            grade.grade if grade else "",
            trusted,
            flow,
            " ".join(said),
        ], said

    def _numbers(self, visit: str, voxel: tuple[int, int, int]) -> str:
        """What the maps of the series say in a voxel."""
        analysis, parts = self.session.analysis, []
        for name in ("rCBV_ratio", "K2", "PSR", "rCBF_ratio", "MTT"):
            one = analysis.maps.get((visit, name))
            if one is not None:
                value = one.array[voxel]
                trusted = np.isfinite(value) and (one.quality is None or one.quality[voxel])
                unit = "" if one.unit == "1" else f" {one.unit}"
                parts.append(
                    f"{map_words(name)} {value:.3g}{unit}"
                    if trusted
                    else _("{name} not trusted").format(name=map_words(name))
                )
        return "; ".join(parts)

    def _series(self, visit: str) -> Image | None:
        """The visit's DSC series without the head's motion, as its maps were made: kept from the last click, else read
        from disk while the interface stays alive."""
        if self.series is not None and self.series[0] == visit:
            return self.series[1]
        self.series = None
        analysis = self.session.analysis
        dsc, entry = analysis.patient.visit(visit).of_role("DSC"), file_entry(patient_node(slicer.mrmlScene), visit)
        found: list = []
        with self.panel.long_work() as (show, cancel):
            show(Message("step_read", {"visit": visit}), 0.0)
            found = self.session.in_background(
                lambda: (changed_file(entry), read_time_series(analysis, visit, dsc, cancelled=cancel.is_set)), cancel
            )
        if not found:
            self.ui.curveLabel.text = _("The series could not be read; the plot shows what the scene keeps.")
            return None
        warning, image = found
        if warning is not None:
            self.panel.say(texts.sentence(warning))
        self.series = visit, image
        return image

    def _visits(self) -> list[str]:
        analysis = self.session.analysis
        return [visit for visit, name in analysis.curves if name == "DSC"] if analysis else []

    def _pointed(self, visit: str, world: np.ndarray, clicked: bool) -> None:
        """A series is read after a click only."""
        if self.panel.busy or self.reading or self.panel.button(self.name).collapsed or self.session.analysis is None:
            return
        if not (clicked or (self.series and self.series[0] == visit)):
            return
        self.reading = True  # after the click was dealt with: reading lets events pass

        def later() -> None:
            try:
                with self.panel.errors():
                    self.show_voxel(visit, world)
            finally:
                self.reading = False

        qt.QTimer.singleShot(0, later)


def map_words(name: str) -> str:
    """What people call a map."""
    return label("map", name)
