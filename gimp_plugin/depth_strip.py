"""The depths of the photo from far to near, and the range in focus: two ends to drag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.light.depths import LEVELS, FocusRange, histogram
from daemon.light.words import tr
from gimp_plugin import picture
from gimp_plugin.painted import Painted
from gimp_plugin.widgets import GdkPixbuf, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.parameters import Parameters
    from daemon.light.planes import Plane

HEIGHT = 40
GRIP = 9.0
"""Logical pixels on either side of an end where it can be taken."""
GROUND, DIM = 0x303030FF, 0.45
"""Colour behind the bars; how bright bars out of focus are."""
WORDS = (
    "Farthest depth that is in focus; 0 is the farthest, 1 the nearest of the photo",
    "Nearest depth that is in focus; 0 is the farthest, 1 the nearest of the photo",
)


class DepthStrip(Gtk.Box):
    """A histogram with the range in focus on it, and the same range as two numbers.

    Parameters
    ----------
    change
        Called with the function that turns settings into those after the change.
    show_depth
        Called with whether the depths are to be laid over the picture.
    """

    def __init__(
        self,
        change: Callable[[Callable[[Parameters], Parameters]], None],
        show_depth: Callable[[bool], None],
    ) -> None:
        super().__init__(orientation=Gtk.Orientation.HORIZONTAL, spacing=6)
        self._change = change
        self._chosen: FocusRange | None = None
        self._telling = False
        self._bars = _Bars(self._take_end, self._take_focus)
        self._ends = [self._end(index) for index in range(2)]
        button = Gtk.ToggleButton.new_with_label(tr("Show depth"))
        button.set_tooltip_text(
            tr("Colour the picture: green is in focus, blue behind it, orange before it")
        )
        button.connect("toggled", lambda pressed: show_depth(pressed.get_active()))
        self.pack_start(self._bars, True, True, 0)
        for each in (*self._ends, button):
            self.pack_start(each, False, False, 0)
        self.set_sensitive(False)

    def show_depths(self, depth: Plane) -> None:
        """Show how often every depth is in a map."""
        self._bars.counts = histogram(depth)
        self._bars.redraw()

    def show_range(self, chosen: FocusRange | None) -> None:
        """Show what is in focus; None: nothing is, the paper's blur has no focus."""
        self._chosen = self._bars.chosen = chosen
        self.set_sensitive(chosen is not None)
        self._bars.redraw()
        if chosen is None:
            return
        self._telling = True
        for spin, value in zip(self._ends, (chosen.low, chosen.high), strict=True):
            spin.set_value(min(1.0, max(0.0, value)))
        self._telling = False

    def _end(self, index: int) -> Gtk.SpinButton:
        spin = Gtk.SpinButton.new_with_range(0.0, 1.0, 0.01)
        spin.set_digits(2)
        spin.set_tooltip_text(tr(WORDS[index]))
        spin.get_accessible().set_name(tr(WORDS[index]))
        spin.connect("value-changed", self._on_value, index)
        return spin

    def _on_value(self, spin: Gtk.SpinButton, index: int) -> None:
        if not self._telling:
            self._take_end(index == 1, spin.get_value())

    def _take_end(self, high: bool, depth: float) -> None:
        chosen = self._chosen
        if chosen is not None:
            self._change(lambda settings: chosen.moved_end(settings, high, depth))

    def _take_focus(self, depth: float) -> None:
        chosen = self._chosen
        if chosen is not None:
            self._change(lambda settings: chosen.moved(settings, depth))


class _Bars(Painted):
    """The histogram itself."""

    def __init__(self, end: Callable[[bool, float], None], focus: Callable[[float], None]) -> None:
        super().__init__(120, HEIGHT)
        self.counts = [0.0] * LEVELS
        self.chosen: FocusRange | None = None
        self._end, self._focus = end, focus
        self._held = ""
        self._off = 0.0
        self.set_can_focus(False)  # the two numbers beside it are for the keyboard
        self.set_tooltip_text(
            tr(
                "The depths in the photo, far at the left. Drag the ends of the green range, or "
                "the range itself"
            )
        )
        self.get_accessible().set_name(tr("Depths in the photo"))
        self.connect("button-press-event", self._on_press)
        self.connect("motion-notify-event", self._on_motion)
        self.connect("button-release-event", self._on_release)

    def paint(self, onto: GdkPixbuf.Pixbuf) -> None:
        """Draw a column for every pixel, then the ends."""
        width, height = onto.get_width(), onto.get_height()
        onto.fill(GROUND)
        for column in range(width):
            depth = (column + 0.5) / width
            share = self.counts[min(LEVELS - 1, int(depth * LEVELS))]
            tall = round((share**0.5) * (height - 2))  # what is seldom is seen too
            colour = (200, 200, 200) if self.chosen is None else self.chosen.colour(depth)
            inside = self.chosen is None or self.chosen.low <= depth <= self.chosen.high
            if inside:
                picture.fill(onto, column, 0, 1, height, _packed(colour, 0.3))
            strength = 1.0 if inside else DIM + 0.2
            picture.fill(onto, column, height - tall, 1, tall, _packed(colour, strength))
        if self.chosen is not None:
            for end in (self.chosen.low, self.chosen.high):
                self._draw_end(onto, end * width, height)

    def _draw_end(self, onto: GdkPixbuf.Pixbuf, x: float, height: int) -> None:
        unit = self.density
        x = min(max(x, unit), onto.get_width() - 2 * unit)
        picture.fill(onto, x - 2 * unit, 0, 5 * unit, height, picture.BLACK)
        picture.fill(onto, x - unit, 0, 3 * unit, height, picture.WHITE)

    def _depth(self, event: Any) -> float:
        return float(min(1.0, max(0.0, event.x / self.size[0])))

    def _on_press(self, _: Gtk.Widget, event: Any) -> bool:
        if self.chosen is None or event.button != 1:
            return True
        ends = self.chosen.low, self.chosen.high
        low, high = (self.size[0] * min(1.0, max(0.0, end)) for end in ends)
        near_low, near_high = abs(event.x - low), abs(event.x - high)
        if min(near_low, near_high) <= GRIP and high - low > GRIP / 2:
            self._held = "low" if near_low < near_high else "high"
        elif min(near_low, near_high) <= GRIP:  # both ends are here: the pointer's side decides
            self._held = "low" if event.x < (low + high) / 2 else "high"
        else:
            self._held = "range"
            within = low < event.x < high
            self._off = self.chosen.focus - self._depth(event) if within else 0.0
            self._move(event)
        return True

    def _on_motion(self, _: Gtk.Widget, event: Any) -> bool:
        self._move(event)
        return True

    def _on_release(self, _: Gtk.Widget, event: Any) -> bool:
        self._move(event)
        self._held = ""
        return True

    def _move(self, event: Any) -> None:
        if self._held == "range":
            self._focus(self._depth(event) + self._off)
        elif self._held:
            self._end(self._held == "high", self._depth(event))


def _packed(colour: tuple[int, int, int], strength: float) -> int:
    """Return a colour as GdkPixbuf takes it, darkened."""
    red, green, blue = (round(channel * strength) for channel in colour)
    return red << 24 | green << 16 | blue << 8 | 255
