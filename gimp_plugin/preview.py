"""The preview of the dialog: result, original, mask or depth, before beside after, at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from daemon.light.depths import coloured
from daemon.light.dialog import ENOUGH, VIEWS, back_to_the_subject
from daemon.light.people import at
from daemon.light.words import tr
from gimp_plugin import picture
from gimp_plugin.brushes import BrushTool, Toolbar
from gimp_plugin.canvas import Canvas, Tool
from gimp_plugin.depth_strip import DepthStrip
from gimp_plugin.picture import Shown
from gimp_plugin.widgets import Gdk, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.light.depths import FocusRange
    from daemon.light.parameters import Parameters
    from daemon.light.people import Person
    from daemon.light.planes import Plane
    from daemon.light.strokes import Stroke
    from daemon.light.view import Area, View
    from gimp_plugin.widgets import GdkPixbuf

Picture = tuple[int, int, bytes]
"""Width, height and 8-bit RGB pixels."""
KEPT = 0x5ADC6EFF
"""Colour of the outline around who was chosen to stay sharp."""
if TYPE_CHECKING:
    Change = Callable[[Parameters], Parameters]


class Owner(Protocol):
    """Whom the preview belongs to: told what the user does in it."""

    def change(self, change: Change) -> None:
        """Turn the settings into those after a drag."""

    def clicked(self, x: float, y: float, *, more: bool) -> None:
        """Keep sharp who or what is at a place; with `more` besides those who are."""

    def drawn(self, strokes: tuple[Stroke, ...]) -> None:
        """Take what one drag has painted."""

    def looked(self) -> None:
        """See to it that another part, at another size, or another picture is there."""

    def undo(self) -> None:
        """Take one step back."""

    def redo(self) -> None:
        """Do it again."""


class Preview(Gtk.Box):
    """Shows 8-bit RGB pictures of a photo and tells where it was clicked.

    Parameters
    ----------
    photo
        Width and height of the photo in pixels.
    original
        Width, height and pixels of the untouched picture, shown until the first result.
    cut_out
        Gives an area of the untouched photo at full size, as 8-bit RGB.
    owner
        Told what the user does here.
    """

    def __init__(
        self,
        photo: tuple[int, int],
        original: Picture,
        cut_out: Callable[[Area], Picture],
        owner: Owner,
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._pictures = {"original": Shown(picture.of_bytes(*original))}
        self._cut_out, self._owner = cut_out, owner
        self.showing = "composite"
        self._point: tuple[float, float] | None = None
        self._depth: Plane | None = None
        self._range: FocusRange | None = None
        self._veil: GdkPixbuf.Pixbuf | None = None
        self._veiled = False
        self._people: Sequence[Person] = ()
        self._kept: Sequence[Person] = ()
        self._under: Person | None = None
        self._focusing = FocusTool(owner.clicked, self._on_hover)
        self.canvas = Canvas(photo, self._paint, self._on_look, self._focusing)
        self._brushing = BrushTool(photo, owner.drawn, self.canvas.redraw)
        self.tools = Toolbar(self._brushing, self._on_tool, owner.undo, owner.redo)
        self.pack_start(self.tools, False, False, 0)
        self.canvas.set_tooltip_text(
            tr(
                "Click on what is to be sharp; on a person: they stay sharp, all of them, and "
                "nobody else (with Shift: they too, or no more). The wheel zooms, dragging moves "
                "the picture; keys: + and -, 0 fits, 1 is 100 %"
            )
        )
        self.canvas.get_accessible().set_name(tr("Preview"))
        self.pack_start(self.canvas, True, True, 0)
        bar = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        bar.pack_start(self._switch(), True, True, 0)
        bar.pack_start(self._zooms(), False, False, 0)
        self.pack_start(bar, False, False, 0)
        self._strip = DepthStrip(owner.change, self._on_veil)
        self.pack_start(self._strip, False, False, 0)
        self._status = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=50, width_chars=50, lines=3)
        self._status.set_size_request(-1, 52)
        self._back = Gtk.Button.new_with_label(tr("Back to the subject"))
        self._back.set_tooltip_text(tr("Focus on the subject again, whoever that is"))
        self._back.set_valign(Gtk.Align.CENTER)
        self._back.connect("clicked", lambda _: owner.change(back_to_the_subject))
        below = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        below.pack_start(self._status, True, True, 0)
        below.pack_start(self._back, False, False, 0)
        self.pack_start(below, False, False, 0)

    def show_whole(self, pictures: dict[str, Picture]) -> None:
        """Replace some of `composite`, `matte`, `depth`, as a whole; what was there goes."""
        for name, each in pictures.items():
            self._pictures[name] = Shown(picture.of_bytes(*each))
        self._brushing.settle()
        self.canvas.redraw()

    def show_part(self, area: Area, pictures: dict[str, Picture]) -> None:
        """Show a part of some of them at full size."""
        for name, each in pictures.items():
            if name in self._pictures:
                whole = self._pictures[name].whole
                self._pictures[name] = Shown(whole, (area, picture.of_bytes(*each)))
        self.canvas.redraw()

    def is_coarse(self) -> bool:
        """Whether what is seen is there in fewer pixels than the screen could show."""
        view, shown = self.canvas.view, self._pictures.get(self.showing)
        if shown is None:
            return True
        if view.needs_full_size:
            return shown.part is None or not shown.part[0].holds(view.area)
        return shown.whole.get_width() < ENOUGH * min(1.0, view.scale) * view.photo[0]

    def mark(self, point: tuple[float, float] | None) -> None:
        """Show where the focus point is, or that there is none."""
        self._point = point
        self.canvas.redraw()

    def show_depths(self, depth: Plane) -> None:
        """Show how often every depth is in the photo; gets its whole map."""
        self._depth = depth
        self._strip.show_depths(depth)

    def show_people(self, people: Sequence[Person]) -> None:
        """Learn who is where: who is under the pointer is outlined."""
        self._people = people

    def show_kept(self, kept: Sequence[Person]) -> None:
        """Outline those who were chosen to stay sharp."""
        self._kept = kept
        self.canvas.redraw()

    def show_way_back(self, *, there: bool) -> None:
        """Say whether something else than the subject is in focus."""
        self._back.set_visible(there)

    def show_range(self, chosen: FocusRange | None) -> None:
        """Show which depths are in focus; None: nothing is."""
        self._range = chosen
        self._strip.show_range(chosen)
        self._lay_veil()

    def say(self, text: str) -> None:
        """Show one line under the picture."""
        self._status.set_text(text)

    def _switch(self) -> Gtk.Box:
        row = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL)
        row.set_layout(Gtk.ButtonBoxStyle.EXPAND)
        first = None
        for view, label in VIEWS:
            button = Gtk.RadioButton.new_with_label_from_widget(first, tr(label))
            button.set_mode(False)
            button.connect("toggled", self._on_view, view)
            row.add(button)
            first = first or button
        return row

    def _zooms(self) -> Gtk.Box:
        row = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL)
        row.set_layout(Gtk.ButtonBoxStyle.EXPAND)
        split = Gtk.ToggleButton.new_with_label(tr("Split"))
        split.set_tooltip_text(tr("Before at the left, after at the right; drag the line"))
        split.connect("toggled", self._on_split)
        row.add(split)
        for label, zoom, hint in (
            (tr("Fit"), None, tr("Show the whole photo (key 0)")),
            ("100 %", 1.0, tr("Show the photo's own pixels, rendered as OK will (key 1)")),
        ):
            button = Gtk.Button.new_with_label(label)
            button.set_tooltip_text(hint)
            button.connect("clicked", self._on_zoom, zoom)
            row.add(button)
        return row

    def _on_view(self, button: Gtk.RadioButton, view: str) -> None:
        if button.get_active():
            self.showing = view
            self._look_closer()
            self.canvas.redraw()
            self._owner.looked()

    def _on_split(self, button: Gtk.ToggleButton) -> None:
        self.canvas.split = 0.5 if button.get_active() else None
        self._look_closer()
        self.canvas.redraw()

    def _on_zoom(self, _: Gtk.Button, zoom: float | None) -> None:
        self.canvas.look(self.canvas.view.at(zoom))

    def _on_hover(self, point: tuple[float, float] | None) -> None:
        under = None if point is None else at(self._people, *point)
        if under is not self._under:
            self._under = under
            self.canvas.redraw()

    def _on_tool(self, brush: bool) -> None:
        self.canvas.tool = self._brushing if brush else self._focusing
        self.canvas.redraw()

    def _on_veil(self, veiled: bool) -> None:
        self._veiled = veiled
        self._lay_veil()

    def _lay_veil(self) -> None:
        """Colour the depths over the picture, or take the colours away."""
        depth, chosen, shown = self._depth, self._range, self._veil is not None
        self._veil = None
        if self._veiled and depth is not None and chosen is not None:
            colours = coloured(depth, chosen)
            self._veil = picture.of_bytes(depth.width, depth.height, colours)
        if shown or self._veil is not None:
            self.canvas.redraw()

    def _on_look(self) -> None:
        self._look_closer()
        self._owner.looked()

    def _look_closer(self) -> None:
        """Read what is seen of the original at full size."""
        view, original = self.canvas.view, self._pictures["original"]
        seen = self.showing == "original" or self.canvas.split is not None
        if not (view.needs_full_size and seen):
            return
        if original.part is None or not original.part[0].holds(view.area):
            piece = picture.of_bytes(*self._cut_out(view.region))
            self._pictures["original"] = Shown(original.whole, (view.region, piece))
            self.canvas.redraw()

    def _paint(self, onto: GdkPixbuf.Pixbuf, view: View) -> None:
        original = self._pictures["original"]
        self._pictures.get(self.showing, original).put(onto, view)
        if self._veil is not None:
            picture.overlaid(onto, self._veil, view)
        unit = view.density
        if self.canvas.split is not None:
            line = round(self.canvas.split * onto.get_width())
            original.put(onto, view, line)
            picture.fill(onto, line - unit, 0, 3 * unit, onto.get_height(), picture.BLACK)
            picture.fill(onto, line, 0, unit, onto.get_height(), picture.WHITE)
        for person in {*self._kept, *([self._under] if self._under else [])}:
            colour = picture.WHITE if person is self._under else KEPT
            places = [view.place(*corner) for corner in person.outline]
            picture.outline(onto, places, unit, colour)
        if self._point is not None:
            picture.cross(onto, *view.place(*self._point), unit)
        if self.canvas.tool is self._brushing:
            self._brushing.draw(onto, view)


class FocusTool(Tool):
    """A click sets the focus, or who is sharp; dragging moves the picture."""

    def __init__(
        self,
        click: Callable[..., None],
        hover: Callable[[tuple[float, float] | None], None],
    ) -> None:
        self._click, self._hover = click, hover

    def clicked(self, x: float, y: float, state: int) -> None:
        """Focus here; with Shift or Ctrl on one more person, or one less."""
        mask = Gdk.ModifierType
        more = state & (int(mask.SHIFT_MASK) | int(mask.CONTROL_MASK))
        self._click(x, y, more=bool(more))

    def hovered(self, point: tuple[float, float] | None) -> None:
        """Outline who is here."""
        self._hover(point)
