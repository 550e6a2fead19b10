"""Qt's classes for Python, those of the Krita that runs this: PyQt5 in Krita 5, PyQt6 in Krita 6.

The system may have both, and the wrong one would bring a second Qt into Krita's process: so it is
the one that Krita's own classes are made with. Enumerations are written out in full
(`Qt.AlignmentFlag.AlignLeft`): both understand that.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import krita

from daemon.light.words import tr

if TYPE_CHECKING:
    from PyQt6 import QtCore, QtGui, QtWidgets
else:
    homes = (kind.__module__.partition(".")[0] for kind in krita.Extension.__mro__)
    BINDING = next(home for home in homes if home.startswith("PyQt"))
    QtCore, QtGui, QtWidgets = (
        importlib.import_module(f"{BINDING}.{name}") for name in ("QtCore", "QtGui", "QtWidgets")
    )

Signal = QtCore.pyqtSignal

__all__ = ["QtCore", "QtGui", "QtWidgets", "Signal", "label", "languages", "position"]


def languages() -> list[str]:
    """Return the languages of Krita's windows as gettext calls them, best first."""
    return [name.replace("-", "_") for name in QtCore.QLocale().uiLanguages()]


def label(text: str) -> str:
    """Return a setting's or a button's words in the user's language, with Qt's mark for its key."""
    return tr(text).replace("_", "&")


def position(event: QtGui.QMouseEvent) -> QtCore.QPointF:
    """Return where in its widget the mouse was pressed."""
    if hasattr(event, "position"):
        return event.position()
    return QtCore.QPointF(event.pos())
