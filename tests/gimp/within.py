"""The plug-in's dialog in the script's own process, where each of its widgets can be looked at."""

import time

import gi

for module, version in (("Gimp", "3.0"), ("GimpUi", "3.0"), ("Gtk", "3.0")):
    gi.require_version(module, version)
from gi.repository import Gimp, GimpUi, GLib, Gtk
from inside import plug_in

GimpUi.init("defocus-test")
dialog, procedures, rendering = map(plug_in, ("dialog", "procedures", "rendering"))
HERE = "plug-in-bokeh-here"
procedures.PROCEDURES[HERE] = procedures.PROCEDURES["plug-in-bokeh-portrait"]


class Opened(dialog.Dialog):
    """A dialog that is shown, with its first result.

    Parameters
    ----------
    layer
        Of the photo, or of a group that is rendered again.
    existing
        That group.
    """

    def __init__(self, layer, existing=None, wait=True):
        self.replies, self.failures, self.said = [], [], []
        # only where it was made a procedure has all its arguments; of another name, since the
        # plug-in's own is called too
        local = procedures.create(Gimp.get_plug_in(), HERE, lambda *_: None)
        self.config = local.create_config()
        if existing is not None:
            plug_in("arguments").fill(self.config, existing.record.parameters)
        call = plug_in("call").Call(local, self.config, True, False, layer.get_image(), [layer])
        before = set(Gtk.Window.list_toplevels())
        super().__init__(call, rendering.Render.of(layer, existing))
        self.window = next(
            each
            for each in Gtk.Window.list_toplevels()
            if each not in before and isinstance(each, Gtk.Dialog)
        )
        self.window.show()
        self.asking.now()
        if wait:
            self.settle()

    def show(self, reply):
        """Note what came."""
        super().show(reply)
        self.replies.append(reply)

    def failed(self, message):
        """Note what failed."""
        super().failed(message)
        self.failures.append(message)

    def say(self, text):
        """Note what is told of progress."""
        super().say(text)
        self.said.append(text)

    def settle(self, replies=1):
        """Wait until so many more replies are there."""
        enough = len(self.replies) + replies
        until(lambda: len(self.replies) >= enough or self.failures)
        if self.failures:
            raise AssertionError(self.failures)

    def shut(self):
        """Close it as Cancel does."""
        self.window.response(Gtk.ResponseType.CANCEL)
        self.asking.leave()
        self.window.destroy()
        self.asking.cancel()

    def button(self, label):
        """Find a button by its words, also in what opens above another."""
        windows = [self.window, *Gtk.Window.list_toplevels()]
        found = (w for window in windows for w in below(window) if isinstance(w, Gtk.Button))
        return next(w for w in found if w.get_label() == label)


def below(widget):
    """Return a widget and all in it, shown or not."""
    yield widget
    if isinstance(widget, Gtk.Container):
        children = []
        widget.forall(children.append)  # also the parts of a composed one
        for child in children:
            yield from below(child)


def until(condition, seconds=90):
    """Let all dialogs go on until something holds."""
    end = time.monotonic() + seconds
    context = GLib.MainContext.default()
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not happen")
        if not context.iteration(False):
            time.sleep(0.005)


def rest(seconds=0.3):
    """Let all dialogs go on for a while."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, seconds + 60)
