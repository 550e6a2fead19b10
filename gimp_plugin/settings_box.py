"""The daemon's settings in plain words: what computes, how much it remembers, when it starts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.light.words import tr
from gimp_plugin.widgets import Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.settings import Settings

LEAST_MB, MOST_MB, STEP_MB = 0, 1 << 20, 256


class SettingsBox(Gtk.Grid):
    """Widgets for what can be set.

    Parameters
    ----------
    held
        What holds now; what has no widget here stays as it is.
    changed
        Called whenever something was chosen.
    """

    def __init__(self, held: Settings, changed: Callable[[], None]) -> None:
        super().__init__(column_spacing=12, row_spacing=6, border_width=12)
        self._held = held
        self._device = Gtk.ComboBoxText()
        devices = {"auto": tr("The best device there is"), "cpu": tr("The processor only")}
        for name, words in {**devices, held.device: devices.get(held.device, held.device)}.items():
            self._device.append(name, words)
        self._device.set_active_id(held.device)
        self._cache = Gtk.SpinButton.new_with_range(LEAST_MB, MOST_MB, STEP_MB)
        self._cache.set_value(held.cache_mb)
        self._cache.set_tooltip_text(
            tr("What it remembers of photos, so that a second look is quick; the oldest goes first")
        )
        self._login = Gtk.CheckButton(label=tr("Start when I _log in"), use_underline=True)
        self._login.set_active(held.at_login)
        for row, (words, widget) in enumerate(
            (
                (tr("Compute _on"), self._device),
                (tr("_Memory for photos, MB"), self._cache),
                ("", self._login),
            )
        ):
            label = Gtk.Label(label=words, use_underline=True, xalign=1.0)
            label.set_mnemonic_widget(widget)
            self.attach(label, 0, row, 1, 1)
            self.attach(widget, 1, row, 1, 1)
        self._device.connect("changed", lambda _: changed())
        self._cache.connect("value-changed", lambda _: changed())
        self._login.connect("toggled", lambda _: changed())

    @property
    def chosen(self) -> Settings:
        """What the widgets say."""
        return replace(
            self._held,
            device=self._device.get_active_id() or self._held.device,
            cache_mb=self._cache.get_value_as_int(),
            at_login=self._login.get_active(),
        )

    @property
    def differs(self) -> bool:
        """Whether something was chosen that does not hold yet."""
        return self.chosen != self._held

    def hold(self, held: Settings) -> bool:
        """Take in what holds from now on; tells whether a daemon that runs has other settings."""
        before, self._held = self._held, held
        return replace(before, at_login=held.at_login) != held
