"""The picture beside the settings: result, original, mask or depth; a click sets the focus."""

from __future__ import annotations

from daemon.light.dialog import VIEWS
from daemon.light.words import tr
from krita_plugin.qt import QtCore, QtGui, QtWidgets, Signal, position

ARM, GAP = 9, 2  # of the cross, in pixels


class Canvas(QtWidgets.QWidget):
    """Shows one picture in its middle, as large as there is room, and tells where it is clicked.

    Parameters
    ----------
    side
        How wide and high it wants to be, in pixels.
    """

    clicked = Signal(float, float)
    """Fractions of the picture's width and height."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side
        self._picture = QtGui.QImage()
        self._point: tuple[float, float] | None = None
        self.setToolTip(tr("Click on what is to be sharp"))
        self.setMinimumSize(160, 120)
        grow = QtWidgets.QSizePolicy.Policy.Expanding
        self.setSizePolicy(grow, grow)

    def show_picture(self, picture: QtGui.QImage, point: tuple[float, float] | None) -> None:
        """Show a picture, with a cross at a point (fractions of its sides) if there is one."""
        self._picture, self._point = picture, point
        self.update()

    def sizeHint(self) -> QtCore.QSize:  # noqa: N802 - Qt's name
        """Return the size it wants to be."""
        return QtCore.QSize(self._side, self._side)

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:  # noqa: N802
        """Draw the picture and the cross."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        place = self._place()
        if not place.isEmpty():
            painter.drawImage(place, self._picture)
        if self._point is not None:
            x = place.left() + self._point[0] * place.width()
            y = place.top() + self._point[1] * place.height()
            for width, colour in (
                (3, QtCore.Qt.GlobalColor.black),
                (1, QtCore.Qt.GlobalColor.white),
            ):
                painter.setPen(QtGui.QPen(colour, width))
                for side in (-1, 1):
                    for dx, dy in ((side, 0), (0, side)):
                        start = QtCore.QPointF(x + GAP * dx, y + GAP * dy)
                        painter.drawLine(start, QtCore.QPointF(x + ARM * dx, y + ARM * dy))
        painter.end()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802
        """Tell which point of the picture was clicked."""
        place, at = self._place(), position(event)
        if place.contains(at):
            x = (at.x() - place.left()) / place.width()
            y = (at.y() - place.top()) / place.height()
            self.clicked.emit(min(x, 1.0), min(y, 1.0))

    def _place(self) -> QtCore.QRectF:
        """Return where the picture is drawn; never larger than it is."""
        size = QtCore.QSizeF(self._picture.size())
        room = QtCore.QSizeF(self.size())
        if size.width() > room.width() or size.height() > room.height():
            size = size.scaled(room, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        left = (room.width() - size.width()) / 2
        top = (room.height() - size.height()) / 2
        return QtCore.QRectF(QtCore.QPointF(left, top), size)


class Preview(QtWidgets.QWidget):
    """The canvas, the buttons for what it shows, and a line of words.

    Parameters
    ----------
    side
        How wide and high the canvas wants to be, in pixels.
    """

    clicked = Signal(float, float)

    def __init__(self, side: int) -> None:
        super().__init__()
        self._pictures: dict[str, QtGui.QImage] = {}
        self._view = "composite"
        self._point: tuple[float, float] | None = None
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.canvas = Canvas(side)
        self.canvas.clicked.connect(self.clicked)
        column.addWidget(self.canvas, 1)
        row = QtWidgets.QHBoxLayout()
        self.buttons = {}
        for view, label in VIEWS:
            button = QtWidgets.QPushButton(tr(label))
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setAutoDefault(False)
            button.setChecked(view == self._view)
            button.clicked.connect(lambda _checked, view=view: self.look_at(view))
            self.buttons[view] = button
            row.addWidget(button)
        column.addLayout(row)
        self.words = QtWidgets.QLabel()
        self.words.setWordWrap(True)
        self.words.setMinimumHeight(3 * self.words.fontMetrics().lineSpacing())
        column.addWidget(self.words)

    def start_with(self, original: QtGui.QImage) -> None:
        """Show another photo, of which nothing is computed yet."""
        self._pictures = {"original": original}
        self._draw()

    def clear(self) -> None:
        """Show nothing."""
        self._pictures = {}
        self._draw()

    def show_pictures(self, pictures: dict[str, QtGui.QImage]) -> None:
        """Replace some of `composite`, `matte`, `depth`."""
        self._pictures.update(pictures)
        self._draw()

    def mark(self, point: tuple[float, float] | None) -> None:
        """Show where the focus point is, or that there is none."""
        self._point = point
        self._draw()

    def look_at(self, view: str) -> None:
        """Show `composite`, `original`, `matte` or `depth`; the original until it is there."""
        self._view = view
        self._draw()

    def say(self, text: str) -> None:
        """Show a line below the picture."""
        self.words.setText(text)

    def _draw(self) -> None:
        nothing = self._pictures.get("original", QtGui.QImage())
        self.canvas.show_picture(self._pictures.get(self._view, nothing), self._point)
