"""The aperture picture: a button that shows it and asks for a file, and one that takes it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.light.aperture_picture import LARGEST, grey_of, light_of, text_of
from daemon.light.errors import PluginError
from daemon.light.words import tr
from krita_plugin.qt import QtCore, QtGui, QtWidgets, Signal, label

if TYPE_CHECKING:
    import dataclasses


class Picture(QtWidgets.QWidget):
    """Holds the text of a picture; empty: none."""

    changed = Signal()

    def __init__(self, field: dataclasses.Field[Any]) -> None:
        super().__init__()
        self._text = ""
        self.choose = QtWidgets.QPushButton(f"{label(field.metadata['label'])}...")
        self.choose.clicked.connect(lambda _checked: self._ask())
        self.remove = QtWidgets.QToolButton()
        self.remove.setIcon(
            self.style().standardIcon(QtWidgets.QStyle.StandardPixmap.SP_DialogResetButton)
        )
        self.remove.setToolTip(tr("No aperture picture"))
        self.remove.setAccessibleName(tr("No aperture picture"))
        self.remove.clicked.connect(lambda _checked: self._change(""))
        self.complaint = QtWidgets.QLabel()
        self.complaint.setWordWrap(True)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.choose, 1)
        row.addWidget(self.remove)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.complaint)
        self.set_value("")

    def value(self) -> str:
        """Return the text."""
        return self._text

    def set_value(self, value: str) -> None:
        """Show another picture; nobody is told."""
        self._text = value
        self.choose.setIcon(drawn(value) if value else QtGui.QIcon())
        self.remove.setEnabled(bool(value))
        self._complain("")

    def take(self, path: str) -> None:
        """Take the picture of a file; what is wrong with it stays to be read under the button."""
        try:
            self._change(text_of(*_light_in(path)))
        except PluginError as error:
            self._complain(str(error))

    def _ask(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, tr("Aperture picture"))
        if path:
            self.take(path)

    def _change(self, text: str) -> None:
        self.set_value(text)
        self.changed.emit()

    def _complain(self, text: str) -> None:
        self.complaint.setText(text)
        self.complaint.setVisible(bool(text))


def drawn(text: str) -> QtGui.QIcon:
    """Draw an aperture picture as an icon."""
    side, grey = grey_of(text)
    image = QtGui.QImage(grey, side, side, side, QtGui.QImage.Format.Format_Grayscale8)
    return QtGui.QIcon(QtGui.QPixmap.fromImage(image))


def _light_in(path: str) -> tuple[list[float], int]:
    """Read a picture file at a long side of at most `LARGEST`.

    Returns
    -------
    list of float, int
        Linear light of its grey, none where it is transparent, and the pixels of a row.

    Raises
    ------
    PluginError
        Qt cannot read it.
    """
    image = QtGui.QImage(path)
    if image.isNull():
        raise PluginError(tr("{file} cannot be read as a picture.").format(file=path))
    if max(image.width(), image.height()) > LARGEST:
        image = image.scaled(
            LARGEST,
            LARGEST,
            QtCore.Qt.AspectRatioMode.KeepAspectRatio,
            QtCore.Qt.TransformationMode.SmoothTransformation,
        )
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    pixels = image.constBits()
    assert pixels is not None
    return light_of(pixels.asstring(image.bytesPerLine() * image.height())), image.width()
