"""Measurements: measures by visits with their changes, to copy, to save and to plot."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ... import texts
from ...measures import Measurement
from ...report import measurements_csv
from ...report.measurement_grid import Cell, Grid, Measure, as_text, measurement_grid
from ...report.words import date_words, label, quantity
from ...scene import plots
from ...scene.timeline_steps import go_to_visit
from ..section import Section, offer
from ..tables import fill

FOLDER = "PseudoProgressionAnalyzer/TableFolder"
"""Setting: the folder that a table was saved into last."""
FIRST_COLUMNS = 3


class MeasurementsSection(Section):
    """The table that follows each stroke, and a plot in the panel: the layout of the views is left alone."""

    name = "measurements"

    def __init__(self, *parts):
        super().__init__(*parts)
        self.grid = Grid([], [], [])
        self.plot = None
        self.plot_node = None
        self.plotted: list[Measure] = []
        self.ui.kindSelector.connect("currentIndexChanged(int)", lambda index: self.refresh())
        self.ui.copyButton.connect("clicked()", self.copy)
        self.ui.csvButton.connect("clicked()", self.save)
        self.ui.plotButton.connect("clicked()", self.show_plot)
        self.ui.measurementsTable.connect("currentCellChanged(int,int,int,int)", self.show_words)

    def refresh(self) -> None:
        """All numbers, with what stands behind them as tool tips."""
        self._show(with_tips=True)

    def _show(self, with_tips: bool) -> None:
        analysis = self.session.analysis
        patient, rows = (analysis.patient, analysis.measurements) if analysis else (None, [])
        self._list_kinds(rows)
        kind = self.ui.kindSelector.itemData(self.ui.kindSelector.currentIndex)
        shown = [row for row in rows if not kind or row.kind == kind]
        self.grid = measurement_grid(patient, shown) if patient else Grid([], [], [])
        header, cells = self.texts()
        tips = {
            (number, column + FIRST_COLUMNS): "\n".join(words(cell))
            for number, row in enumerate(self.grid.cells)
            for column, cell in enumerate(row)
            if with_tips and cell.rows
        }
        fill(self.ui.measurementsTable, header, cells, tips, keep_tips=not with_tips)

    def _list_kinds(self, rows: list[Measurement]) -> None:
        """All kinds of rows that there are, to choose one; the chosen one stays."""
        selector = self.ui.kindSelector
        kinds = ["", *dict.fromkeys(row.kind for row in rows)]
        if [selector.itemData(number) or "" for number in range(selector.count)] != kinds:
            chosen = selector.itemData(selector.currentIndex) if selector.count else ""
            blocked = selector.blockSignals(True)
            selector.clear()
            for kind in kinds:
                selector.addItem(label("kind", kind) if kind else _("all measures"), kind)
            selector.setCurrentIndex(max(0, kinds.index(chosen) if chosen in kinds else 0))
            selector.blockSignals(blocked)

    def measured(self) -> None:
        """The numbers that a stroke changed, painted before the views are drawn again."""
        self._show(with_tips=False)
        self.ui.measurementsTable.viewport().repaint()

    def settled(self) -> None:
        """Tool tips and plot follow once the pen rests."""
        self.refresh()
        if self.plotted:
            self._draw()

    def texts(self) -> tuple[list[str], list[list[str]]]:
        """Header and cells as shown."""
        patient = self.session.analysis.patient if self.session.analysis else None
        header = [_("Region"), _("Measure"), _("Unit")] if patient else []
        change, fixed = _("change to {date}"), _("{region}, fixed from {visit}")
        for column in self.grid.columns:
            date = date_words(patient.visit(column.visit))
            header.append(change.format(date=date) if column.change else date)
        cells = []
        for measure, row in zip(self.grid.measures, self.grid.cells, strict=True):
            where = measure.region
            if measure.kind == "fixed":
                where = fixed.format(region=measure.region, visit=measure.drawn_in)
            elif measure.kind != "own":
                where = f"{measure.region} ({label('kind', measure.kind)})"
            unit = "" if measure.unit == "1" else measure.unit
            cells.append([where, measure.name, unit, *(cell.text for cell in row)])
        return header, cells

    def show_words(self, row: int, column: int, *before: int) -> None:
        """What is behind the chosen number: interval, method, reference tissue, flags."""
        column -= FIRST_COLUMNS
        inside = 0 <= row < len(self.grid.cells) and 0 <= column < len(self.grid.columns)
        self.ui.measurementWords.text = "\n".join(words(self.grid.cells[row][column])) if inside else ""

    def copy(self) -> None:
        """The whole table to the clipboard."""
        qt.QApplication.clipboard().setText(as_text(*self.texts()))
        self.panel.say(_("The table is on the clipboard."))

    def save(self) -> None:
        """measurements.csv where the user says."""
        start = str(Path(slicer.util.settingsValue(FOLDER, "")) / "measurements.csv")
        title = _("Save measurements")
        file = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, start, "CSV (*.csv)")
        if file:
            qt.QSettings().setValue(FOLDER, str(Path(file).parent))
            with self.panel.errors():
                measurements_csv.write(self.session.analysis.patient, self.session.analysis.measurements, Path(file))
                self.panel.say(_("Saved in {file}").format(file=file))

    def show_plot(self) -> None:
        """The chosen rows over the true dates; all volumes where none is chosen."""
        chosen_cells = self.ui.measurementsTable.selectionModel().selectedIndexes
        numbers = sorted({index.row() for index in chosen_cells})
        chosen = [self.grid.measures[number] for number in numbers if number < len(self.grid.measures)]
        self.plotted = chosen or [measure for measure in self.grid.measures if measure.name == "volume"]
        with self.panel.errors():
            self._draw()

    def _draw(self) -> None:
        analysis = self.session.analysis
        keys = [(measure.region, measure.kind, measure.drawn_in, measure.name) for measure in self.plotted]
        chart = plots.plot_measures(self.session.application, analysis.patient, analysis.measurements, keys)
        if chart is None:
            self.panel.say(_("Nothing to plot: no value has a date."))
        plots.show_chart(self._plot_view(), chart)

    def _plot_view(self) -> object:
        """The node of the panel's own plot view, made the first time."""
        if self.plot is None:
            self.plot = slicer.qMRMLPlotWidget()
            self.plot.setMinimumHeight(260)
            self.plot.plotView().connect("dataSelected(vtkStringArray*,vtkCollection*)", self.point_clicked)
            self.ui.plotBox.layout().addWidget(self.plot)
        if self.plot_node is None:
            self.plot_node = plots.plot_view(self.session.application)
            self.plot.setMRMLScene(slicer.mrmlScene)
            self.plot.setMRMLPlotViewNode(self.plot_node)
        self.plot.visible = True
        return self.plot_node

    def point_clicked(self, series: object, points: object) -> None:
        """Goes to the visit of a point."""
        for number in range(series.GetNumberOfValues()):
            node = slicer.mrmlScene.GetNodeByID(series.GetValue(number))
            ids = points.GetItemAsObject(number)
            if node is not None and ids is not None and ids.GetNumberOfValues():
                visit = plots.visit_of_point(node, int(ids.GetValue(0)))
                if visit and go_to_visit(self.session.application, visit) is None:
                    self.panel.say(_("Visit {visit}").format(visit=visit))

    def close(self) -> None:
        """The chart and its view go with the scene."""
        self.plotted = []
        plots.remove_plots(self.session.application)
        if self.plot_node is not None:
            self.plot.setMRMLPlotViewNode(None)
            self.plot.visible = False
            slicer.mrmlScene.RemoveNode(self.plot_node)
            self.plot_node = None

    def enable(self, busy: bool) -> None:
        """There must be numbers."""
        analysis = self.session.analysis
        measured = analysis is not None and bool(analysis.measurements)
        for button in (self.ui.copyButton, self.ui.csvButton, self.ui.plotButton):
            offer(button, measured, _("Align and compute first"))


def words(cell: Cell) -> list[str]:
    """What a cell stands for, line by line."""
    lines: list[str] = []
    for row in cell.rows:
        lines += [line for line in measurement_words(row) if line not in lines]
    return lines


def measurement_words(row: Measurement) -> list[str]:
    """A number with its interval, what it is compared with, method, reference tissue and flags."""
    lines = []
    if row.value is not None:
        shown = quantity(row.value, row.low, row.high, row.unit, sign=bool(row.compared_to))
        since = _("since {visit}:").format(visit=row.compared_to) if row.compared_to else ""
        lines.append(f"{since} {shown}".strip())
    if row.method and not row.compared_to:
        lines.append(row.method)
    if row.reference and not row.compared_to:
        lines.append(_("against {tissue}").format(tissue=row.reference))
    return lines + [texts.sentence(flag) for flag in row.flags]
