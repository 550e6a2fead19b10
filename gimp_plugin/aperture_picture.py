"""The row of the aperture picture: a file is chosen for it, or it is taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light.aperture_picture import LARGEST, grey_of, text_of
from daemon.light.discs import SIDE
from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.words import tr
from gimp_plugin import pixels
from gimp_plugin.bindings import GLib
from gimp_plugin.notes import icon
from gimp_plugin.widgets import GdkPixbuf, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

    from gimp_plugin.bindings import Gio

WORDS = Parameters.__dataclass_fields__["aperture_picture"].metadata


class PictureRow(Gtk.Box):
    """A button that shows the picture and asks for another, and one that takes it away.

    Parameters
    ----------
    put
        Called with the text of a picture; empty: none.
    """

    def __init__(self, put: Callable[[str], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=3)
        self._put = put
        self._image = Gtk.Image()
        choose = Gtk.Button(
            label=f"{tr(WORDS['label'])}...",
            use_underline=True,
            image=self._image,
            always_show_image=True,
            tooltip_text=tr(WORDS["help"]),
        )
        choose.connect("clicked", self._on_choose)
        self._remove = icon("edit-clear", tr("No aperture picture"))
        self._remove.connect("clicked", lambda _button: self._tried(put, ""))
        self._complaint = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=36, no_show_all=True)
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=6)
        row.pack_start(choose, True, True, 0)
        row.pack_start(self._remove, False, False, 0)
        self.pack_start(row, False, False, 0)
        self.pack_start(self._complaint, False, False, 0)

    def show_picture(self, text: str) -> None:
        """Show what is set."""
        self._image.set_from_pixbuf(drawn(text) if text else None)
        self._remove.set_sensitive(bool(text))

    def _on_choose(self, _: Gtk.Button) -> None:
        window = self.get_toplevel()
        assert isinstance(window, Gtk.Window)
        asked = Gtk.FileChooserNative.new(
            tr("Aperture picture"), window, Gtk.FileChooserAction.OPEN, None, None
        )
        chosen = asked.run() == Gtk.ResponseType.ACCEPT
        file = asked.get_file()
        asked.destroy()
        if chosen and file is not None:
            self._tried(self._take, file)

    def _take(self, file: Gio.File) -> None:
        self._put(text_of(*pixels.light_in(file, LARGEST)))

    def _tried(self, action: Callable[..., None], *given: object) -> None:
        """Do something; what is wrong with the picture stays to be read under the button."""
        try:
            action(*given)
        except PluginError as error:
            self._complaint.set_text(str(error))
            self._complaint.show()
        else:
            self._complaint.hide()


def drawn(text: str) -> GdkPixbuf.Pixbuf | None:
    """Draw an aperture picture as small as those of the other apertures."""
    side, grey = grey_of(text)
    colours = GLib.Bytes.new(bytes(each for level in grey for each in (level,) * 3))
    whole = GdkPixbuf.Pixbuf.new_from_bytes(
        colours, GdkPixbuf.Colorspace.RGB, False, 8, side, side, 3 * side
    )
    return whole.scale_simple(SIDE, SIDE, GdkPixbuf.InterpType.BILINEAR)
