"""Reads what the list of apertures shows beside its words."""

import within
from gi.repository import GdkPixbuf
from within import Gtk

image = load(os.path.join(OUT, "photo.png"))
dialog = within.Opened(image.get_layers()[0])
discs, blades = plug_in("discs", "daemon.light").DISCS, plug_in("parameters", "daemon.light").BLADES


def shown(combo):
    """Pictures in the lines of a list."""
    lines = combo.get_model()
    place = lines.get_iter_first()
    area = combo.get_area()
    while place is not None:
        area.apply_attributes(lines, place, False, False)
        cells = [c for c in combo.get_cells() if isinstance(c, Gtk.CellRendererPixbuf)]
        yield from (
            c.get_property("pixbuf").get_pixels() for c in cells if c.get_property("pixbuf")
        )
        place = lines.iter_next(place)


drawn = [GdkPixbuf.Pixbuf.new_from_file(str(discs / f"{name}.png")).get_pixels() for name in blades]
combos = [each for each in within.below(dialog.window) if isinstance(each, Gtk.ComboBox)]
lists = [list(shown(each)) for each in combos if each.get_model() is not None]
keep("facts", {"shapes": drawn in lists, "different": len(set(drawn)), "all": len(blades)})
dialog.shut()
