"""Puts the entries under Tools > Scripts and the docker into Krita's windows."""

from __future__ import annotations

import importlib
from typing import Any

import krita

from daemon.light.words import speak, tr
from krita_plugin.qt import languages

MENU = "tools/scripts"
DOCKER = "defocus_bokeh"


def entries() -> dict[str, str]:
    """Return what the menu says for each function of `actions`."""
    return {
        "bokeh": "Bokeh...",
        "rerender": tr("Bokeh: Re-render"),
        "focus_here": tr("Bokeh: Focus Here"),
        "select_subject": tr("Bokeh: Select Subject"),
        "depth_map": tr("Bokeh: Depth Map"),
        "settings": tr("Bokeh: Settings and Status..."),
    }


class Bokeh(krita.Extension):
    """Krita asks this object for the entries of each window."""

    def setup(self) -> None:
        """Do nothing: there is nothing before the first window."""

    def createActions(self, window: Any) -> None:  # noqa: N802 - Krita's name
        """Add the entries to a window's menu."""
        for name, text in entries().items():
            action = window.createAction(f"defocus_{name}", text, MENU)
            action.triggered.connect(lambda _checked=False, name=name: _run(name))


def _run(name: str) -> None:
    actions = importlib.import_module("krita_plugin.actions")  # the windows only when asked for
    actions.guarded(getattr(actions, name))()


def register() -> None:
    """Tell Krita what there is."""
    speak(languages())
    application = krita.Krita.instance()
    application.addExtension(Bokeh(application))
    docker = importlib.import_module("krita_plugin.docker").Docker
    place = krita.DockWidgetFactoryBase.DockPosition.DockRight
    application.addDockWidgetFactory(krita.DockWidgetFactory(DOCKER, place, docker))
