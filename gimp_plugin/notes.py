"""Rows under the settings that say what else decides about the result, each with a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gimp_plugin.widgets import Gtk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


class Notes(Gtk.Box):
    """Rows of a sentence and a widget; only those that are true are seen.

    Parameters
    ----------
    rows
        Name -> sentence, and the widget that ends it, if there is one.
    """

    def __init__(self, rows: Mapping[str, tuple[str, Gtk.Widget | None]]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=3)
        self._rows = {name: self._row(*row) for name, row in rows.items()}

    def show_only(self, names: Collection[str]) -> None:
        """Show these rows and hide all others."""
        for name, row in self._rows.items():
            row.set_visible(name in names)

    def _row(self, sentence: str, way_out: Gtk.Widget | None) -> Gtk.Box:
        row = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=3)
        if sentence:
            label = Gtk.Label(label=sentence, xalign=0.0, wrap=True, max_width_chars=36)
            row.pack_start(label, False, False, 0)
        if way_out is not None:
            row.pack_start(way_out, False, False, 0)
        self.pack_start(row, False, False, 0)
        return row


def button(label: str, hint: str, clicked: Callable[..., None], *given: Any) -> Gtk.Button:
    """Make a button that calls `clicked` with what is given."""
    made = Gtk.Button(label=label, use_underline=True, tooltip_text=hint)
    made.connect("clicked", lambda _button: clicked(*given))
    return made


def icon(name: str, hint: str) -> Gtk.Button:
    """Make a button with a symbol, whose words are its hint."""
    button = Gtk.Button.new_from_icon_name(name, Gtk.IconSize.BUTTON)
    button.set_tooltip_text(hint)
    button.get_accessible().set_name(hint)
    return button
