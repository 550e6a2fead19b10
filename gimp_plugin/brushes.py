"""The tools over the preview: focus, and brushes for mask and depth, with undo for each step."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from daemon.light.strokes import TOOLS, Brush, Path
from daemon.light.words import tr
from gimp_plugin import picture
from gimp_plugin.canvas import Tool
from gimp_plugin.widgets import Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.strokes import Stroke
    from daemon.light.view import View
    from gimp_plugin.widgets import GdkPixbuf

SMALLEST, LARGEST = 0.2, 15.0
"""Radius of a brush in percent of the photo's long side."""
DOTS = 48
"""The brush is shown as a ring of so many dots."""
KEYS = {"bracketleft": 1 / 1.25, "bracketright": 1.25}
"""Key -> how many times as large it makes the brush."""


class BrushTool(Tool):
    """Draws strokes; shows the brush where the pointer is, and the path while it is drawn.

    Parameters
    ----------
    photo
        Width and height of the photo in pixels.
    drawn
        Called with what one drag has painted.
    redraw
        Shows the picture anew.
    """

    def __init__(
        self,
        photo: tuple[int, int],
        drawn: Callable[[tuple[Stroke, ...]], None],
        redraw: Callable[[], None],
    ) -> None:
        self.brush = Brush()
        self._photo, self._drawn, self._redraw = photo, drawn, redraw
        self._path: Path | None = None
        self._trail: list[tuple[float, float]] = []
        self._here: tuple[float, float] | None = None

    def pressed(self, x: float, y: float) -> bool:
        """Begin a stroke."""
        self._path = Path(self.brush, self._photo)
        self._trail = []
        self.moved(x, y)
        return True

    def moved(self, x: float, y: float) -> None:
        """Go on with it."""
        self._here = x, y
        if self._path is not None and self._path.add(x, y):
            self._trail.append((x, y))
        self._redraw()

    def released(self, x: float, y: float) -> None:
        """Finish it."""
        self.moved(x, y)
        path, self._path = self._path, None
        if path is not None:
            self._drawn(path.strokes())

    def hovered(self, point: tuple[float, float] | None) -> None:
        """Show the brush here."""
        self._here = point
        self._redraw()

    def settle(self) -> None:
        """Forget the path that was shown: the picture has it now."""
        if self._path is None:
            self._trail = []

    def draw(self, onto: GdkPixbuf.Pixbuf, view: View) -> None:
        """Draw the brush and the path."""
        radius = self.brush.radius * max(view.photo) * view.scale
        unit = view.density
        for x, y in self._trail:
            place = view.place(x, y)
            picture.fill(onto, place[0] - unit, place[1] - unit, 3 * unit, 3 * unit, picture.BLACK)
            picture.fill(onto, place[0], place[1], unit, unit, picture.WHITE)
        if self._here is None:
            return
        x, y = view.place(*self._here)
        for dot in range(DOTS):
            angle = 2 * math.pi * dot / DOTS
            at = x + radius * math.cos(angle), y + radius * math.sin(angle)
            picture.fill(onto, at[0], at[1], 2 * unit, 2 * unit, picture.BLACK)
            picture.fill(onto, at[0], at[1], unit, unit, picture.WHITE)


class Toolbar(Gtk.Box):
    """Buttons that choose what the pointer does.

    Parameters
    ----------
    brushing
        The tool whose brush is set here.
    choose
        Called with True for the brush, False for clicking the focus.
    undo, redo
        Called for one step back, one step forward.
    """

    def __init__(
        self,
        brushing: BrushTool,
        choose: Callable[[bool], None],
        undo: Callable[[], None],
        redo: Callable[[], None],
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        self._brushing, self._choose = brushing, choose
        self.pack_start(self._tools(), True, True, 0)
        self._options = self._brush_options()
        self.pack_start(self._options, False, False, 0)
        self._undo = self._step("edit-undo-symbolic", tr("Take back the last step (Ctrl+Z)"), undo)
        self._redo = self._step("edit-redo-symbolic", tr("Do it again (Ctrl+Y)"), redo)
        steps = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL)
        steps.set_layout(Gtk.ButtonBoxStyle.EXPAND)
        steps.add(self._undo)
        steps.add(self._redo)
        self.pack_start(steps, False, False, 0)
        self.show_steps(undo=False, redo=False)

    def show_steps(self, *, undo: bool, redo: bool) -> None:
        """Say whether there are steps to take back, or to do again."""
        self._undo.set_sensitive(undo)
        self._redo.set_sensitive(redo)

    def enlarge(self, factor: float) -> None:
        """Make the brush so many times as large."""
        self._size.set_value(self._size.get_value() * factor)

    def _tools(self) -> Gtk.Box:
        row = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL)
        row.set_layout(Gtk.ButtonBoxStyle.EXPAND)
        first = Gtk.RadioButton.new_with_label_from_widget(None, tr("Focus"))
        first.set_tooltip_text(tr("Click on what is to be sharp; dragging moves the picture"))
        first.set_mode(False)
        first.connect("toggled", self._on_tool, "")
        row.add(first)
        for name, (label, hint, _, _) in TOOLS.items():
            button = Gtk.RadioButton.new_with_label_from_widget(first, tr(label))
            button.set_mode(False)
            button.set_tooltip_text(
                tr("{hint}. The middle mouse button moves the picture").format(hint=tr(hint))
            )
            button.connect("toggled", self._on_tool, name)
            row.add(button)
        return row

    def _brush_options(self) -> Gtk.MenuButton:
        button = Gtk.MenuButton()
        button.add(Gtk.Label(label=tr("Brush")))
        button.set_tooltip_text(
            tr("Size and softness of the brush; the keys [ and ] change the size")
        )
        popover = Gtk.Popover()
        grid = Gtk.Grid(column_spacing=12, row_spacing=6, border_width=12)
        brush = self._brushing.brush
        self._size = self._slider(grid, 0, tr("Size, % of the photo"), SMALLEST, LARGEST)
        self._soft = self._slider(grid, 1, tr("Softness, %"), 0.0, 100.0)
        edges = Gtk.CheckButton.new_with_label(tr("Stop at outlines"))
        edges.set_tooltip_text(tr("A stroke inside a sleeve ends where the sleeve ends"))
        self._size.set_value(100 * brush.radius)
        self._soft.set_value(100 * brush.softness)
        edges.set_active(brush.edges)
        self._size.connect("value-changed", self._on_option, "radius")
        self._soft.connect("value-changed", self._on_option, "softness")
        edges.connect("toggled", self._on_edges)
        grid.attach(edges, 0, 2, 2, 1)
        popover.add(grid)
        grid.show_all()
        button.set_popover(popover)
        return button

    def _slider(self, grid: Gtk.Grid, row: int, text: str, low: float, high: float) -> Gtk.Scale:
        label = Gtk.Label(label=text, xalign=0.0)
        scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, low, high, 0.1)
        scale.set_size_request(160, -1)
        scale.get_accessible().set_name(text)
        label.set_mnemonic_widget(scale)
        grid.attach(label, 0, row, 1, 1)
        grid.attach(scale, 1, row, 1, 1)
        return scale

    def _step(self, icon: str, hint: str, done: Callable[[], None]) -> Gtk.Button:
        button = Gtk.Button.new_from_icon_name(icon, Gtk.IconSize.BUTTON)
        button.set_tooltip_text(hint)
        button.get_accessible().set_name(hint)
        button.connect("clicked", lambda _: done())
        return button

    def _on_tool(self, button: Gtk.RadioButton, name: str) -> None:
        if button.get_active():
            if name:
                self._set(tool=name)
            self._choose(bool(name))

    def _on_option(self, scale: Gtk.Scale, name: str) -> None:
        self._set(**{name: scale.get_value() / 100})

    def _on_edges(self, button: Gtk.CheckButton) -> None:
        self._set(edges=button.get_active())

    def _set(self, **changed: Any) -> None:
        self._brushing.brush = dataclasses.replace(self._brushing.brush, **changed)
