"""The picture in the dialog: as large as there is room, zoomed by the wheel, panned by dragging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.light.view import STEP, View
from gimp_plugin.painted import Painted
from gimp_plugin.widgets import Gdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from gimp_plugin.widgets import GdkPixbuf, Gtk

SMALLEST = 320, 240
DRAGGED = 4.0
"""Logical pixels that a pressed pointer moves before it is a drag and no click."""
PAN = 40.0
GRIP = 6.0
"""Logical pixels on either side of the line between before and after where it can be taken."""


class Tool:
    """What the pointer does in the picture, here nothing; places are fractions of its sides."""

    def pressed(self, _x: float, _y: float) -> bool:
        """Begin; True when the drag belongs to the tool, False when it pans."""
        return False

    def moved(self, _x: float, _y: float) -> None:
        """Go on with what was begun."""

    def released(self, _x: float, _y: float) -> None:
        """End what was begun."""

    def clicked(self, _x: float, _y: float, _state: int) -> None:
        """Pressed and let go at one place; `_state` are Gdk's modifier keys."""

    def hovered(self, _point: tuple[float, float] | None) -> None:
        """Show what would happen here; None: the pointer left."""


class Canvas(Painted):
    """Shows what is drawn for a view, and tells a tool what the pointer does.

    Parameters
    ----------
    photo
        Width and height of the photo in pixels.
    draw
        Called with an empty picture of the size that is shown, and the view; draws it.
    looked
        Called when another part of the photo is seen, or at another size.
    tool
        Gets what the pointer does; may be replaced.
    """

    def __init__(
        self,
        photo: tuple[int, int],
        draw: Callable[[GdkPixbuf.Pixbuf, View], None],
        looked: Callable[[], None],
        tool: Tool,
    ) -> None:
        super().__init__(*SMALLEST)
        self.view = View(photo, SMALLEST)
        self.tool = tool
        self.split: float | None = None
        """Where before ends and after begins, as a fraction of the shown width; None: no split."""
        self._draw, self._looked = draw, looked
        self._press: tuple[float, float] | None = None
        self._held = ""
        self.connect("button-press-event", self._on_press)
        self.connect("motion-notify-event", self._on_motion)
        self.connect("button-release-event", self._on_release)
        self.connect("leave-notify-event", self._on_leave)
        self.connect("scroll-event", self._on_scroll)
        self.connect("key-press-event", self._on_key)

    def extent(self) -> tuple[int, int]:
        """Return width and height of what is seen of the photo, in screen pixels."""
        return self.view.shown

    def paint(self, onto: GdkPixbuf.Pixbuf) -> None:
        """Draw what is seen."""
        self._draw(onto, self.view)

    def resized(self) -> None:
        """Look at the photo in the new size."""
        self.look(self.view.resized(*self.size, self.density))

    def look(self, view: View) -> None:
        """Look at the photo in another way."""
        if view != self.view:
            self.view = view
            self.redraw()
            self._looked()

    def zoom(self, factor: float) -> None:
        """Zoom around the middle."""
        width, height = self.view.window
        self.look(self.view.zoomed(factor, width / 2, height / 2))

    def _at(self, event: Any) -> tuple[float, float] | None:
        return self.view.fraction(event.x, event.y)

    def _clamped(self, event: Any) -> tuple[float, float]:
        """Return the place of an event, beside the photo the nearest one in it."""
        inside = [
            min(max(at, (w - s / self.view.density) / 2), (w + s / self.view.density) / 2 - 1e-3)
            for at, w, s in zip((event.x, event.y), self.view.window, self.view.shown, strict=True)
        ]
        return self.view.fraction(inside[0], inside[1]) or (0.5, 0.5)

    def _on_press(self, _: Gtk.Widget, event: Any) -> bool:
        self.grab_focus()
        if int(event.type) != int(Gdk.EventType.BUTTON_PRESS):
            return True
        self._press = event.x, event.y
        point = self._at(event)
        if self._on_line(event):
            self._held = "line"
        elif event.button == 1 and point is not None and self.tool.pressed(*point):
            self._held = "tool"
        else:
            self._held = "pan?" if event.button == 1 else "pan"
        return True

    def _on_motion(self, _: Gtk.Widget, event: Any) -> bool:
        if self._press is None:
            self.tool.hovered(self._at(event))
            return True
        right, down = event.x - self._press[0], event.y - self._press[1]
        if self._held == "pan?" and max(abs(right), abs(down)) > DRAGGED:
            self._held = "pan"
        if self._held == "line":
            self._move_line(event)
        elif self._held == "tool":
            self.tool.moved(*self._clamped(event))
        elif self._held == "pan":
            self._press = event.x, event.y
            self.look(self.view.panned(right, down))
        return True

    def _on_release(self, _: Gtk.Widget, event: Any) -> bool:
        held, self._held, self._press = self._held, "", None
        point = self._at(event)
        if held == "tool":
            self.tool.released(*self._clamped(event))
        elif held == "pan?" and point is not None:
            self.tool.clicked(*point, int(event.state))
        return True

    def _on_leave(self, _: Gtk.Widget, _event: Any) -> bool:
        if self._press is None:
            self.tool.hovered(None)
        return False

    def _on_scroll(self, _: Gtk.Widget, event: Any) -> bool:
        direction = event.direction
        if direction == Gdk.ScrollDirection.SMOOTH:
            steps = -event.delta_y
        else:
            ways = {Gdk.ScrollDirection.UP: 1.0, Gdk.ScrollDirection.DOWN: -1.0}
            steps = ways.get(direction, 0.0)
        self.look(self.view.zoomed(STEP**steps, event.x, event.y))
        return True

    def _on_key(self, _: Gtk.Widget, event: Any) -> bool:
        name: str = Gdk.keyval_name(event.keyval) or ""
        ways = {"Left": (PAN, 0), "Right": (-PAN, 0), "Up": (0, PAN), "Down": (0, -PAN)}
        if int(event.state) & (
            int(Gdk.ModifierType.CONTROL_MASK) | int(Gdk.ModifierType.MOD1_MASK)
        ):
            return False
        if name in {"plus", "equal", "KP_Add"}:
            self.zoom(STEP)
        elif name in {"minus", "KP_Subtract"}:
            self.zoom(1 / STEP)
        elif name in {"0", "KP_0"}:
            self.look(self.view.at(None))
        elif name in {"1", "KP_1"}:
            self.look(self.view.at(1.0))
        elif name in ways and not self.view.is_fit:
            self.look(self.view.panned(*ways[name]))
        else:
            return False
        return True

    def _on_line(self, event: Any) -> bool:
        if self.split is None:
            return False
        shown = self.view.shown[0] / self.view.density
        line = (self.view.window[0] - shown) / 2 + self.split * shown
        return bool(abs(event.x - line) <= GRIP)

    def _move_line(self, event: Any) -> None:
        shown = self.view.shown[0] / self.view.density
        at = (event.x - (self.view.window[0] - shown) / 2) / shown
        self.split = min(1.0, max(0.0, at))
        self.redraw()
