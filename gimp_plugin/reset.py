"""What *Reset* offers, in place of GIMP's own, which knows nothing of what was painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light.words import tr
from gimp_plugin.widgets import Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

RESET = 1
"""GIMP's own answer of its button."""


def offer(window: Gtk.Dialog, opened: Callable[[], None], fresh: Callable[[], None]) -> Gtk.Popover:
    """Give the button its words and what opens above it.

    Parameters
    ----------
    window
        Has the button.
    opened
        Brings back what was there when the dialog opened.
    fresh
        Brings back what a new photo begins with.
    """
    reset = window.get_widget_for_response(RESET)
    assert reset is not None
    reset.set_tooltip_text(tr("Go back to the beginning; Ctrl+Z takes that back"))
    popover = Gtk.Popover(relative_to=reset)
    column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
    for label, hint, done in (
        (
            tr("As when the dialog opened"),
            tr("Its settings; strokes since then go"),
            opened,
        ),
        (
            tr("As for a new photo"),
            tr("The first settings; strokes, and paint on Mask and Depth, are left out"),
            fresh,
        ),
    ):
        button = Gtk.Button(label=label, tooltip_text=hint)
        button.connect("clicked", _on_click, popover, done)
        column.pack_start(button, False, False, 0)
    column.show_all()
    popover.add(column)
    return popover


def _on_click(_: Gtk.Button, popover: Gtk.Popover, done: Callable[[], None]) -> None:
    popover.popdown()
    done()
