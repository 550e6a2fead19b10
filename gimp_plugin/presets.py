"""The row of the presets: the ready-made ones and the user's own, saved and deleted here."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from daemon.light import own_presets
from daemon.light.dialog import after_change, look_in_words, presets, with_preset
from daemon.light.discs import disc
from daemon.light.errors import PluginError
from daemon.light.parameters import PRESETS, Parameters, look_of
from daemon.light.words import tr
from gimp_plugin import aperture_picture
from gimp_plugin.bindings import GLib
from gimp_plugin.notes import icon
from gimp_plugin.widgets import GdkPixbuf, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CHANGED = ""
"""Identifier of the line that stands for no preset."""
FIELD = next(field for field in dataclasses.fields(Parameters) if field.name == "preset")


class PresetRow(Gtk.Box):
    """A list of the presets, with buttons to save the settings under a name and to delete those.

    Parameters
    ----------
    get, put
        The settings as they are; what to do with others.
    """

    def __init__(self, get: Callable[[], Parameters], put: Callable[[Parameters], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=3)
        self._get, self._put = get, put
        self._filling = False
        self._shown: object = None
        store: Any = Gtk.ListStore  # introspection does not know that PyGObject takes columns
        self._lines = store(str, str, GdkPixbuf.Pixbuf)
        self._list = _new_list(self._lines)
        self._list.connect("changed", self._on_choice)
        self._complaint = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=36, no_show_all=True)
        save = icon("document-save-as", tr("Save these settings as a preset of your own"))
        self._delete = icon("edit-delete", tr("Delete this preset of your own"))
        self._delete.connect("clicked", lambda _button: self._tried(self._remove))
        self._naming = self._new_popover(save)
        save.connect("clicked", self._ask_for_name)
        label = Gtk.Label(label=tr(FIELD.metadata["label"]), use_underline=True)
        label.set_mnemonic_widget(self._list)
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=6)
        row.pack_start(label, False, False, 0)
        row.pack_start(self._list, True, True, 0)
        row.pack_start(save, False, False, 0)
        row.pack_start(self._delete, False, False, 0)
        self.pack_start(row, False, False, 0)
        self.pack_start(self._complaint, False, False, 0)
        self.own: dict[str, dict[str, Any]] = {}
        """The user's presets: name -> what it brings."""
        self._tried(self._load)

    @property
    def is_naming(self) -> bool:
        """Whether a name is being typed."""
        return bool(self._naming.get_visible())

    def show_look(self, parameters: Parameters) -> None:
        """Show which preset the settings are, or were before they were changed."""
        said, choices = look_in_words(parameters, self.own), presets(self.own)
        look = look_of(parameters)
        drawn = disc(look), look.get("aperture_picture")
        if self._shown == (said, choices, drawn):
            return
        self._shown = said, choices, drawn
        named = (parameters.based_on, said) in choices
        self._filling = True
        looks = {**PRESETS, **self.own, CHANGED: look}
        self._lines.clear()
        for name, label in choices if named else [(CHANGED, said), *choices]:
            self._lines.append([name, label, _drawn(looks[name])])
        self._list.set_active_id(parameters.based_on if named else CHANGED)
        self._filling = False
        self._delete.set_sensitive(parameters.based_on in self.own)

    def _on_choice(self, _: Gtk.ComboBox) -> None:
        name = self._list.get_active_id()
        if not self._filling and name:
            # not while the list tells of its change: it is filled anew
            GLib.idle_add(self._put, with_preset(self._get(), name, self.own))

    def _new_popover(self, button: Gtk.Button) -> Gtk.Popover:
        self._name = Gtk.Entry(max_length=own_presets.LONGEST, width_chars=24)
        self._name.set_placeholder_text(tr("Name of the preset"))
        self._keep = Gtk.Button(label=tr("Save"))
        self._name.connect("changed", self._on_name)
        for widget, signal in ((self._name, "activate"), (self._keep, "clicked")):
            widget.connect(signal, lambda _widget: self._tried(self._save))
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=6, border_width=6)
        row.pack_start(self._name, True, True, 0)
        row.pack_start(self._keep, False, False, 0)
        row.show_all()
        popover = Gtk.Popover(relative_to=button)
        popover.add(row)
        return popover

    def _ask_for_name(self, _: Gtk.Button) -> None:
        self._tried(self._load)
        based_on = self._get().based_on
        self._name.set_text(based_on if based_on in self.own else "")
        self._on_name(self._name)
        self._naming.popup()
        self._name.grab_focus()

    def _on_name(self, entry: Gtk.Entry) -> None:
        name = entry.get_text().strip()
        self._keep.set_label(tr("Replace") if name in self.own else tr("Save"))
        self._keep.set_sensitive(bool(name))

    def _save(self) -> None:
        self._naming.popdown()
        name = own_presets.save(self._name.get_text(), self._get())
        self._load()
        self._put(with_preset(self._get(), name, self.own))

    def _remove(self) -> None:
        own_presets.remove(self._get().based_on)
        self._load()
        self._put(after_change(dataclasses.replace(self._get(), based_on=""), "style", self.own))

    def _load(self) -> None:
        self.own = own_presets.load()

    def _tried(self, action: Callable[[], None]) -> None:
        """Do something with the file; what goes wrong stays to be read under the list."""
        try:
            action()
        except PluginError as error:
            self._complaint.set_text(str(error))
            self._complaint.show()
        else:
            self._complaint.hide()


def _new_list(lines: Gtk.ListStore) -> Gtk.ComboBox:
    """Make a list of names with pictures; the identifiers are the first column."""
    made = Gtk.ComboBox(model=lines, id_column=0, tooltip_text=tr(FIELD.metadata["help"]))
    # always on: else it loses the keyboard's focus whenever it is filled anew
    made.set_button_sensitivity(Gtk.SensitivityType.ON)
    picture, text = Gtk.CellRendererPixbuf(), Gtk.CellRendererText()
    for cell, attribute, column in ((picture, "pixbuf", 2), (text, "text", 1)):
        made.pack_start(cell, cell is text)
        made.add_attribute(cell, attribute, column)
    picture.set_padding(3, 1)
    return made


def _drawn(look: Mapping[str, Any]) -> GdkPixbuf.Pixbuf | None:
    """Show what a point of light becomes with a look."""
    own = look.get("aperture_picture")
    return aperture_picture.drawn(own) if own else picture_of(disc(look))


def picture_of(file: Path) -> GdkPixbuf.Pixbuf | None:
    """Read one of the small pictures of points of light; None where that cannot be."""
    try:
        return GdkPixbuf.Pixbuf.new_from_file(str(file))
    except GLib.Error:  # the name alone does as well
        return None
