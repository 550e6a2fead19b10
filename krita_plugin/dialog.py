"""The window of Bokeh... and of Re-render."""

from __future__ import annotations

from typing import Any

from daemon.light.errors import PluginError
from krita_plugin.panel import Panel
from krita_plugin.qt import QtCore, QtWidgets

OPEN: list[Dialog] = []
"""Kept from being thrown away while they are shown; Krita goes on meanwhile."""


class Dialog(QtWidgets.QDialog):
    """Settings with a live preview; OK puts the result into the document, then it closes.

    Parameters
    ----------
    parent
        Krita's window.
    """

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.setWindowTitle("Bokeh")
        column = QtWidgets.QVBoxLayout(self)
        self.panel = Panel(QtCore.Qt.Orientation.Horizontal)
        column.addWidget(self.panel, 1)
        kinds = QtWidgets.QDialogButtonBox.StandardButton
        self.buttons = QtWidgets.QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self.buttons.accepted.connect(self.panel.render)
        self.buttons.rejected.connect(self.reject)
        column.addWidget(self.buttons)
        self.panel.rendered.connect(lambda _group: self.accept())
        self.panel.busy.connect(self._on_busy)
        self.resize(self.sizeHint())  # else two thirds of the screen at most

    def open_beside(self, document: Any, node: Any) -> None:
        """Show the window for a layer, or for any of a Bokeh group; Krita can be used meanwhile.

        Raises
        ------
        PluginError
            It cannot be blurred.
        """
        try:
            self.panel.open(document, node)
        except PluginError:
            self.deleteLater()
            raise
        OPEN.append(self)
        self.show()

    def done(self, result: int) -> None:
        """Close; what is still being computed is stopped, and the document stays as it is."""
        self.panel.close_previews()
        if self in OPEN:
            OPEN.remove(self)
        super().done(result)
        self.deleteLater()

    def _on_busy(self, busy: bool) -> None:
        ok = QtWidgets.QDialogButtonBox.StandardButton.Ok
        self.buttons.button(ok).setEnabled(not busy)
