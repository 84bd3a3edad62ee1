"""A window for pictures that came with a patient: to be looked at, with the reason why nothing is measured in them."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from .. import texts
from ..formats.dicom_pictures import Picture, why_never_measured
from ..measures import Series, Visit

SIZE = 640  # pixels of the larger edge at first


class PictureWindow:
    """Pages of a picture with a slider where there are several; it stands beside the main window."""

    def __init__(self, picture: Picture, visit: Visit, series: Series):
        self.pixels = picture.pixels
        self.window = qt.QDialog(slicer.util.mainWindow())
        self.window.setWindowTitle(f"{visit.id}: {series.description or series.path.name}")
        layout = qt.QVBoxLayout(self.window)
        words = qt.QLabel(texts.sentence(why_never_measured(series)))
        words.wordWrap = True
        self.page = qt.QLabel()
        self.page.alignment = qt.Qt.AlignCenter
        self.page.setMinimumSize(200, 200)
        self.slider = qt.QSlider(qt.Qt.Horizontal)
        self.slider.setRange(0, len(self.pixels) - 1)
        self.slider.toolTip = _("Page")
        self.slider.visible = len(self.pixels) > 1
        for widget in (words, self.page, self.slider):
            layout.addWidget(widget)
        layout.setStretch(1, 1)
        self.slider.connect("valueChanged(int)", self.show)
        self.slider.setValue(0 if picture.affine is None else len(self.pixels) // 2)
        self.show(self.slider.value)
        self.window.show()

    def show(self, number: int) -> None:
        """Shows a page."""
        values = self.pixels[number]
        rows, columns = values.shape[:2]
        picture = qt.QImage(columns, rows, qt.QImage.Format_RGB888)
        header = f"P6 {columns} {rows} 255\n".encode()
        picture.loadFromData(qt.QByteArray(header + values.tobytes()), "PPM")
        shown = qt.QPixmap.fromImage(picture)
        self.page.pixmap = shown.scaled(SIZE, SIZE, qt.Qt.KeepAspectRatio, qt.Qt.SmoothTransformation)

    def close(self) -> None:
        """Closes the window for good."""
        self.window.close()
        self.window.deleteLater()
