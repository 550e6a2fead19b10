"""The window of Settings and Status."""

from __future__ import annotations

from daemon.light import status
from daemon.light.errors import PluginError
from daemon.light.settings import Settings
from daemon.light.words import tr
from gimp_plugin import background, switch
from gimp_plugin.bindings import GLib
from gimp_plugin.editor import GIMP
from gimp_plugin.settings_box import SettingsBox
from gimp_plugin.widgets import GimpUi, Gtk

START, STOP, APPLY = 1, 2, 3
REFRESH_MS = 1000


def run() -> None:
    """Show the window until it is closed."""
    GimpUi.init("plug-in-bokeh")
    window = StatusWindow()
    window.show_all()
    while (response := window.run()) in {START, STOP, APPLY}:
        window.act(response)
    window.leave()


class StatusWindow(Gtk.Dialog):
    """How the daemon is, renewed every second, and what is set for it."""

    def __init__(self) -> None:
        super().__init__(title=tr("Bokeh Settings and Status"))
        self.set_default_size(460, -1)
        self.add_button(tr("_Start daemon"), START)
        self.add_button(tr("S_top daemon"), STOP)
        self.add_button(tr("_Apply"), APPLY)
        self.add_button(tr("_Close"), Gtk.ResponseType.CLOSE)
        self.set_default_response(Gtk.ResponseType.CLOSE)
        self.set_response_sensitive(APPLY, False)
        self._state = Gtk.Grid(column_spacing=12, row_spacing=6, border_width=12)
        self._problem = Gtk.Label(
            xalign=0.0, wrap=True, max_width_chars=55, margin_start=12, label=_more()
        )
        content = self.get_content_area()
        content.pack_start(self._state, True, True, 0)
        content.pack_start(Gtk.Separator(), False, False, 0)
        try:
            held = background.wait_for(lambda _: Settings.read(GIMP), "Bokeh")
            self._settings = SettingsBox(held, self._on_choice)
            content.pack_start(self._settings, False, False, 0)
        except PluginError as error:
            self._problem.set_text(str(error))
        content.pack_start(self._problem, False, False, 6)
        self._show_state()
        self._timer = GLib.timeout_add(REFRESH_MS, self._show_state)

    def act(self, response: int) -> None:
        """Do what a button says; what fails is told in the window."""
        try:
            if response == APPLY:
                self._problem.set_text(self._apply())
            else:
                switch.act("start" if response == START else "stop")
                self._problem.set_text(_more())
        except PluginError as error:
            self._problem.set_text(str(error))

    def leave(self) -> None:
        """Close it."""
        GLib.source_remove(self._timer)
        self.destroy()

    def _apply(self) -> str:
        """Set what was chosen; a daemon that runs otherwise ends when its work is done."""
        chosen = self._settings.chosen
        background.wait_for(lambda _: chosen.write(GIMP), "Bokeh")
        outdated = self._settings.hold(chosen)
        self._on_choice()
        if outdated and status.stop(GIMP):
            return tr("Set. The daemon was stopped; it starts again with the next picture.")
        return tr("Set.")

    def _on_choice(self) -> None:
        self.set_response_sensitive(APPLY, self._settings.differs)

    def _show_state(self) -> bool:
        found = status.state(GIMP)
        for child in self._state.get_children():
            child.destroy()
        for row, (label, value) in enumerate(found.lines()):
            self._state.attach(Gtk.Label(label=label, xalign=1.0), 0, row, 1, 1)
            text = Gtk.Label(
                label=value, xalign=0.0, wrap=True, max_width_chars=50, selectable=True
            )
            self._state.attach(text, 1, row, 1, 1)
        self.set_response_sensitive(START, not found.up)
        self.set_response_sensitive(STOP, found.up)
        self._state.show_all()
        return True


def _more() -> str:
    return tr("More, and how to mend it: type `defocus doctor` in a terminal.")
