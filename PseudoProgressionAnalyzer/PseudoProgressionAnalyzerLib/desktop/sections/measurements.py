"""Measurements: measures by visits with their changes, to filter, to copy, to save and to plot."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ... import texts
from ...measures import Measurement
from ...report.measurement_grid import SIZE, TOPICS, Cell, Grid, Measure, as_text, measurement_grid, topic
from ...report.words import bound, date_words, label, quantity
from ...scene import plots
from ..placeholder import when_empty
from ..saving import file_to_save
from ..section import Section, offer
from ..tables import change, fill, fill_selector, fit_names, fit_rows
from ..time_plots import TimePlots

FOLDER = "PseudoProgressionAnalyzer/TableFolder"
"""Setting: the folder that a table was saved into last."""
HEAD = 140  # pixels of the names of the rows: beside them three visits fit into the narrowest panel
REGION = 196  # where region and kind stand below the name
COLUMN = 78  # pixels of a visit
MOST = 360  # pixels of the table's height: longer ones scroll


class MeasurementsSection(Section):
    """The table that follows each stroke, and plots in the panel: the layout of the views is left alone."""

    name = "measurements"
    changes = ("csvButton", "plotButton")

    def __init__(self, *parts):
        super().__init__(*parts)
        self.grid = Grid([], [], [])
        self.shown: tuple[list[str], list[str], list[list[str]]] = [], [], []
        self.listed: list[tuple[str, str, str]] | None = None  # kinds, regions and topics of the selectors
        self.plots = TimePlots(self.ui.plotBox, self.session.application, self.go_to)
        self.plotted: list[Measure] = []
        for selector in (self.ui.kindSelector, self.ui.regionSelector, self.ui.topicSelector):
            selector.connect("currentIndexChanged(int)", lambda index: self.refresh())
        self.ui.copyButton.connect("clicked()", self.copy)
        self.ui.csvButton.connect("clicked()", self.save)
        self.ui.plotButton.connect("clicked()", self.show_plot)
        table = self.ui.measurementsTable
        when_empty(table, _("Measures in rows, visits in columns, once you have pressed Align and compute"))
        table.connect("currentCellChanged(int,int,int,int)", self.show_words)
        table.verticalHeader().setDefaultAlignment(qt.Qt.AlignLeft | qt.Qt.AlignVCenter | qt.Qt.TextWordWrap)
        table.verticalHeader().setDefaultSectionSize(2 * table.fontMetrics().height() + 6)
        table.horizontalHeader().setDefaultSectionSize(COLUMN)

    def refresh(self) -> None:
        """All numbers, with what stands behind them as tool tips."""
        self._look()
        header, names, cells = self.shown
        table = self.ui.measurementsTable
        rows = [table.verticalHeaderItem(row).text() for row in range(table.rowCount)]
        fill(table, header, cells, self.tips(), names=names, width=COLUMN)
        if rows != names:
            fit_names(table, REGION if any("\n" in name for name in names) else HEAD)
        fit_rows(table, MOST)
        if rows != names:  # other measures: a choice among the ones before is none of these
            table.clearSelection()
            table.setCurrentCell(-1, -1)
        self.show_words(table.currentRow(), table.currentColumn())
        if self.plotted and self.session.analysis is not None:
            self._draw()

    def _look(self) -> None:
        analysis = self.session.analysis
        patient, rows = (analysis.patient, analysis.measurements) if analysis else (None, [])
        there = list(dict.fromkeys((row.kind, row.region, topic(row.name)) for row in rows))
        if there != self.listed:  # what is in the selectors is Qt's, which takes long to ask
            self.listed = there
            self._list_choices(there)
        kind, region, about = self.chosen
        shown = [
            row
            for row in rows
            if kind in ("", row.kind) and region in ("", row.region) and about in ("", topic(row.name))
        ]
        self.grid = measurement_grid(patient, shown) if patient else Grid([], [], [])
        self.shown = self.compact()

    @property
    def chosen(self) -> tuple[str, str, str]:
        """Kind, region and topic of the measures that are shown; empty: all."""
        selectors = (self.ui.kindSelector, self.ui.regionSelector, self.ui.topicSelector)
        return tuple(selector.currentData or "" for selector in selectors)

    def _list_choices(self, there: list[tuple[str, str, str]]) -> None:
        """All kinds, regions and topics that there are, to choose one of each; the chosen ones stay."""
        kinds = {kind: label("kind", kind) for kind in dict.fromkeys(("own", *(kind for kind, _r, _t in there)))}
        fill_selector(self.ui.kindSelector, kinds | {"": _("all kinds")})  # first the own ones: drawn
        regions = {region: region for region in dict.fromkeys(region for _k, region, _t in there)}
        fill_selector(self.ui.regionSelector, {"": _("all regions")} | regions)
        self.ui.regionSelector.visible = len(regions) > 1
        known = {
            SIZE: _("size and shape"),
            "perfusion": _("perfusion"),
            "spectroscopy": _("spectroscopy"),
            "diffusion": _("diffusion and APT"),
        }
        found = {about for _k, _r, about in there}
        topics = {about: known[about] for about in (SIZE, *TOPICS) if about in found}
        fill_selector(self.ui.topicSelector, {"": _("all measures")} | topics)

    def measured(self) -> None:
        """The numbers that a stroke changed, painted before the views are drawn again."""
        (header, names, cells), table = self.shown, self.ui.measurementsTable
        self._look()
        if self.shown[:2] == (header, names):
            table.viewport().repaint(change(table, cells, self.shown[2]))
        else:
            self.refresh()
            table.viewport().repaint()

    def settled(self) -> None:
        """Tool tips and plots follow once the pen rests."""
        self.refresh()

    def compact(self) -> tuple[list[str], list[str], list[list[str]]]:
        """Header, names of the rows and cells: a column for each visit, the change below the value."""
        patient = self.session.analysis.patient if self.session.analysis else None
        visits = [column.visit for column in self.grid.columns if not column.change]
        header = [date_words(patient.visit(visit)) for visit in visits]
        several = len({(measure.region, measure.kind, measure.drawn_in) for measure in self.grid.measures}) > 1
        names, cells = [], []
        for measure, found in zip(self.grid.measures, self.grid.cells, strict=True):
            names.append(f"{self.title(measure)}\n{self.where(measure)}" if several else self.title(measure))
            cells.append(["\n".join(cell.short for cell in parts if cell.short) for parts in self.by_visit(found)])
        return header, names, cells

    def tips(self) -> dict[tuple[int, int], str]:
        """What stands behind each cell of ``compact``."""
        header, _names, _cells = self.shown
        tips = {}
        for row, (measure, found) in enumerate(zip(self.grid.measures, self.grid.cells, strict=True)):
            for column, parts in enumerate(self.by_visit(found)):
                said = [text for cell in parts for text in words(cell)]
                title = f"{self.title(measure)} ({self.where(measure)}), {header[column]}"
                tips[row, column] = "\n".join([title, *said])
        return tips

    def by_visit(self, found: list[Cell]) -> list[list[Cell]]:
        """The cells of a row of the grid that belong to each visit: its value, then the change that ends in it."""
        cells: list[list[Cell]] = []
        for column, cell in zip(self.grid.columns, found, strict=True):
            if column.change:
                cells[-1].append(cell)
            else:
                cells.append([cell])
        return cells

    def title(self, measure: Measure) -> str:
        """What people call a measure, with its unit."""
        unit = "" if measure.unit == "1" else f" ({measure.unit})"
        return f"{label('measure', measure.name)}{unit}"

    def where(self, measure: Measure) -> str:
        """Region and kind of a measure."""
        if measure.kind == "fixed":
            return _("{region}, fixed from {visit}").format(region=measure.region, visit=measure.drawn_in)
        return f"{measure.region}, {label('kind', measure.kind)}"

    def texts(self) -> tuple[list[str], list[list[str]]]:
        """Header and cells for a spreadsheet: with intervals, and changes in columns of their own."""
        patient = self.session.analysis.patient if self.session.analysis else None
        header = [_("Region"), _("Measure"), _("Unit")] if patient else []
        change = _("change to {date}")
        for column in self.grid.columns:
            date = date_words(patient.visit(column.visit))
            header.append(change.format(date=date) if column.change else date)
        cells = []
        for measure, row in zip(self.grid.measures, self.grid.cells, strict=True):
            unit = "" if measure.unit == "1" else measure.unit
            cells.append([self.where(measure), label("measure", measure.name), unit, *(cell.text for cell in row)])
        return header, cells

    def show_words(self, row: int, column: int, *before: int) -> None:
        """What is behind the chosen number: interval, method, reference tissue, flags."""
        item = self.ui.measurementsTable.item(row, column)
        words = item.toolTip() if item is not None else ""
        if self.ui.measurementWords.plainText != words:
            self.ui.measurementWords.setPlainText(words)

    def copy(self) -> None:
        """The shown measures to the clipboard."""
        qt.QApplication.clipboard().setText(as_text(*self.texts()))
        self.panel.say(_("The table is on the clipboard."))

    def save(self) -> None:
        """measurements.csv where the user says."""
        file = file_to_save(_("Save measurements"), "measurements.csv", "CSV (*.csv)", FOLDER)
        if file:
            self.panel.settle()
            with self.panel.errors():
                self.session.save_measurements(file)
                self.panel.say(_("Saved in {file}").format(file=file))

    def show_plot(self) -> None:
        """The chosen rows over the true dates, a plot for each unit; all volumes where none is chosen."""
        chosen_cells = self.ui.measurementsTable.selectionModel().selectedIndexes
        numbers = sorted({index.row() for index in chosen_cells})
        chosen = [self.grid.measures[number] for number in numbers if number < len(self.grid.measures)]
        self.plotted = chosen or [measure for measure in self.grid.measures if measure.name == "volume"]
        with self.panel.errors():
            if not self._draw():
                self.panel.say(_("Nothing to plot: no value has a date."))
        self.panel.bring_into_view(self.ui.plotBox)

    def _draw(self) -> bool:
        """Plots as the numbers are now; whether there is anything to plot."""
        analysis = self.session.analysis
        several = len({(measure.region, measure.kind, measure.drawn_in) for measure in self.plotted}) > 1
        chosen = {}
        for measure in self.plotted:
            key = (measure.region, measure.kind, measure.drawn_in, measure.name)
            chosen[key] = f"{self.title(measure)}, {self.where(measure)}" if several else self.title(measure)
        axis, undated = _("date of the visit"), plots.undated(analysis.patient, analysis.measurements, chosen)
        if undated:
            axis = _("date of the visit; without a date, not shown: {visits}").format(visits=", ".join(undated))
        bounds = (_("95 % low"), _("95 % high"))  # short: legends cover what they explain
        charts = plots.plot_measures(
            self.session.application, analysis.patient, analysis.measurements, chosen, axis, bounds
        )
        self.plots.show(analysis.patient, charts)
        return bool(charts)

    def go_to(self, visit: str) -> None:
        """Goes to a visit."""
        if self.session.go_to_visit(visit) is None:
            self.panel.say(_("Visit {visit}; show the visits side by side to go there.").format(visit=visit))

    def close(self) -> None:
        """The charts and their views go with the scene."""
        self.plotted = []
        plots.remove_plots(self.session.application)
        self.plots.close()

    def enable(self, busy: bool) -> None:
        """There must be numbers."""
        analysis = self.session.analysis
        measured = analysis is not None and bool(analysis.measurements)
        for selector in (self.ui.kindSelector, self.ui.regionSelector, self.ui.topicSelector):
            offer(selector, measured, _("Align and compute first"))
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
    known = bound(row)
    if row.value is not None or known:
        shown = known or quantity(row.value, row.low, row.high, row.unit, sign=bool(row.compared_to))
        since = _("since {visit}:").format(visit=row.compared_to) if row.compared_to else ""
        lines.append(f"{since} {shown}".strip())
    if row.method and not row.compared_to:
        lines.append(row.method)
    if row.reference and not row.compared_to:
        lines.append(_("against {tissue}").format(tissue=row.reference))
    return lines + [texts.sentence(flag) for flag in row.flags]
