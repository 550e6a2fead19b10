"""The docker: the same settings and preview, at the edge of Krita's window."""

from __future__ import annotations

from typing import Any

import krita

from daemon.light.errors import PluginError
from daemon.light.words import tr
from krita_plugin.panel import Panel
from krita_plugin.qt import QtCore, QtWidgets


class Docker(krita.DockWidget):
    """A panel with buttons: one takes up the active layer, one renders it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Bokeh")
        body = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(body)
        self.panel = Panel(QtCore.Qt.Orientation.Vertical)
        scroll = QtWidgets.QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.panel)
        column.addWidget(scroll, 1)
        row = QtWidgets.QHBoxLayout()
        self.take = QtWidgets.QPushButton(tr("Take the active layer"))
        self.render = QtWidgets.QPushButton(tr("Render"))
        for button in (self.take, self.render):
            row.addWidget(button)
        column.addLayout(row)
        self.setWidget(body)
        self.take.clicked.connect(self.take_up)
        self.render.clicked.connect(self._on_render)
        self.panel.rendered.connect(self._on_rendered)
        self.panel.busy.connect(self._on_busy)
        self._on_busy(busy=False)

    def canvasChanged(self, canvas: Any) -> None:  # noqa: N802 - Krita's name
        """Let go of a picture that was closed."""
        if canvas is None or canvas.view() is None:
            self.panel.close_previews()
            self._on_busy(busy=False)

    def take_up(self) -> None:
        """Preview the active layer."""
        document = krita.Krita.instance().activeDocument()
        try:
            self.panel.open(document, document and document.activeNode())
        except PluginError as error:
            self.panel.preview.say(str(error))
        self._on_busy(busy=False)

    def _on_render(self) -> None:
        if self._busy:
            self.panel.cancel()
        else:
            self.panel.render()

    def _on_rendered(self, group: Any) -> None:
        """Go on with the group: the next Render renders it again."""
        self.panel.open(group.document, group.layer)

    def _on_busy(self, busy: bool) -> None:
        self._busy = busy
        self.take.setEnabled(not busy)
        self.render.setText(tr("Cancel") if busy else tr("Render"))
        self.render.setEnabled(busy or self.panel.is_open)
