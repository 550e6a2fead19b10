"""The settings at the right of the dialog: presets, amount of blur, pages of sliders and lists."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from daemon.light.dialog import PAGES, ZONES, without_effect
from daemon.light.discs import DISCS
from daemon.light.parameters import BLADES, Parameters, amount_of, f_number_of
from daemon.light.words import tr
from gimp_plugin.aperture_picture import PictureRow
from gimp_plugin.bindings import GObject
from gimp_plugin.presets import PresetRow, picture_of
from gimp_plugin.widgets import GimpUi, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

    from gimp_plugin.arguments import Arguments

SLIDER_PX = 110
ON_THE_STRIP = {"focus_depth"}
"""What is set below the picture: where its depths are seen."""
PICTURE = "aperture_picture"


class SettingsColumn(Gtk.Box):
    """GIMP's own widgets for the settings, where they have them.

    Parameters
    ----------
    window
        Makes the widgets.
    arguments
        What they set.
    put
        Called with other settings as a whole.
    """

    def __init__(
        self,
        window: GimpUi.ProcedureDialog,
        arguments: Arguments,
        put: Callable[[Parameters], None],
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=12)
        self._window, self._arguments = window, arguments
        self._telling = False
        self.presets = PresetRow(lambda: arguments.now, put)
        self._amount = self._new_amount()
        self._picture = PictureRow(lambda text: arguments.choose(PICTURE.replace("_", "-"), text))
        for row in (self.presets, self._amount, self._box("f_number", ("f_number",))):
            self.pack_start(row, False, False, 0)
        self._pages = {}
        self._shown = ["f_number"]
        notebook = Gtk.Notebook()
        for title, names in PAGES.items():
            here = tuple(name for name in names if name not in {*ON_THE_STRIP, PICTURE})
            self._shown += here
            page = self._box(title.lower(), here)
            if PICTURE in names:
                page.pack_start(self._picture, False, False, 0)
                page.reorder_child(self._picture, names.index(PICTURE))
            page.set_border_width(9)
            notebook.append_page(page, Gtk.Label(label=tr(title)))
            self._pages[title] = page
        self.pack_start(notebook, True, True, 0)
        _show_shapes(self._window.get_widget("aperture", Gtk.ComboBox))

    def show_settings(self, parameters: Parameters, *, painted: bool) -> None:
        """Show what is set, and grey out what has no effect with what else is chosen.

        Parameters
        ----------
        parameters
            The settings.
        painted
            Whether a painted Mask says who is the subject.
        """
        idle = without_effect(parameters) | ({"people"} if painted else set())
        self.presets.show_look(parameters)
        for name in self._shown:
            widget = self._window.get_widget(name.replace("_", "-"), GObject.TYPE_NONE)
            widget.set_sensitive(name not in idle)
        self._picture.show_picture(parameters.aperture_picture)
        self._picture.set_sensitive(PICTURE not in idle)
        self._pages[ZONES].set_visible(parameters.style == "paper")
        self._amount.set_sensitive("f_number" not in idle)
        if f_number_of(self._amount.get_value()) != parameters.f_number:
            self._telling = True
            self._amount.set_value(amount_of(parameters.f_number))
            self._telling = False

    def _box(self, name: str, settings: tuple[str, ...]) -> Gtk.Box:
        """Lay out widgets under each other; numbers get a slider, words a list.

        Left alone, GIMP 3.2 shows few words as radio buttons, too tall for a small screen.
        """
        fields = {field.name.replace("_", "-"): field for field in dataclasses.fields(Parameters)}
        properties = [setting.replace("_", "-") for setting in settings]
        for each in properties:
            if "choices" in fields[each].metadata:
                self._window.get_widget(each, Gtk.ComboBox)
            elif "low" in fields[each].metadata:
                factor = fields[each].metadata["factor"]
                slider: Any = self._window.get_scale_entry(each, factor)
                slider.get_range().set_size_request(SLIDER_PX, -1)
                if each == "f-number":
                    slider.set_logarithmic(True)
                    slider.set_increments(0.1, 1.0)
        box = self._window.fill_box(f"bokeh-{name}", properties)
        assert isinstance(box, Gtk.Box)
        return box

    def _new_amount(self) -> GimpUi.ScaleEntry:
        """Make the slider of those who do not think in f-numbers."""
        amount = GimpUi.ScaleEntry.new(tr("Amount of blur, %"), 0.0, 0.0, 100.0, 0)
        amount.set_tooltip_text(tr("0 is hardly any, 100 that of the fastest lens, f/0.7"))
        amount.get_range().set_size_request(SLIDER_PX, -1)
        amount.connect("value-changed", self._on_amount)
        return amount

    def _on_amount(self, amount: Any) -> None:
        if not self._telling:
            self._arguments.choose("f-number", f_number_of(amount.get_value()))


def _show_shapes(widget: Gtk.Widget) -> None:
    """Show in the list of apertures what a point of light becomes with each, before its words."""
    listed = _list_in(widget)
    if listed is None:
        return  # another GIMP may lay it out otherwise: the words do as well
    pictures = {name: picture_of(DISCS / f"{name}.png") for name in BLADES}

    def show(_: Gtk.ComboBox, cell: Any, lines: Any, line: Any, _data: None) -> None:
        names = [lines.get_value(line, column) for column in range(lines.get_n_columns())]
        cell.set_property("pixbuf", next((pictures[n] for n in names if n in pictures), None))

    cell = Gtk.CellRendererPixbuf()
    cell.set_padding(3, 1)
    listed.pack_start(cell, False)
    listed.reorder(cell, 0)
    listed.set_cell_data_func(cell, show, None)


def _list_in(widget: Gtk.Widget) -> Gtk.ComboBox | None:
    """Find the list in a widget of GIMP's, which has its label beside it."""
    if isinstance(widget, Gtk.ComboBox) or not isinstance(widget, Gtk.Container):
        return widget if isinstance(widget, Gtk.ComboBox) else None
    found = map(_list_in, widget.get_children())
    return next((each for each in found if each is not None), None)
