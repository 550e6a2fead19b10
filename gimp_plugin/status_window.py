"""The window of Settings and Status."""

from __future__ import annotations

from gimp_plugin import status
from gimp_plugin.bindings import GLib
from gimp_plugin.errors import PluginError
from gimp_plugin.tools import settings
from gimp_plugin.widgets import GimpUi, Gtk

START, STOP = 1, 2
REFRESH_MS = 1000
HELP = "More, and how to mend it: type `defocus doctor` in a terminal."


def run() -> None:
    """Show the window until it is closed."""
    GimpUi.init("plug-in-bokeh")
    window = Gtk.Dialog(title="Bokeh Settings and Status")
    window.set_default_size(460, -1)
    window.add_button("_Start daemon", START)
    window.add_button("S_top daemon", STOP)
    window.add_button("_Close", Gtk.ResponseType.CLOSE)
    grid = Gtk.Grid(column_spacing=12, row_spacing=6, border_width=12)
    problem = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=55, label=HELP)
    content = window.get_content_area()
    content.pack_start(grid, True, True, 0)
    content.pack_start(problem, False, False, 6)

    def show() -> bool:
        found = status.state()
        for child in grid.get_children():
            child.destroy()
        for row, (label, value) in enumerate(status.lines(found)):
            grid.attach(Gtk.Label(label=label, xalign=1.0), 0, row, 1, 1)
            text = Gtk.Label(
                label=value, xalign=0.0, wrap=True, max_width_chars=50, selectable=True
            )
            grid.attach(text, 1, row, 1, 1)
        window.set_response_sensitive(START, not found["up"])
        window.set_response_sensitive(STOP, found["up"])
        grid.show_all()
        return True

    show()
    window.set_default_response(Gtk.ResponseType.CLOSE)
    timer = GLib.timeout_add(REFRESH_MS, show)
    window.show_all()
    while (response := window.run()) in {START, STOP}:
        try:
            settings.act("start" if response == START else "stop")
            problem.set_text(HELP)
        except PluginError as error:  # noqa: PERF203 - the window lives on
            problem.set_text(str(error))
    GLib.source_remove(timer)
    window.destroy()
