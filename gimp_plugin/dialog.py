"""The dialog of Portrait Bokeh and Re-render: settings at the right, live preview at the left."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from gimp_plugin import pixels, rendering, work
from gimp_plugin.bindings import Gimp, GLib, GObject
from gimp_plugin.engine import Engine
from gimp_plugin.parameters import PRESETS, Parameters
from gimp_plugin.preview import SIDE, Picture, Preview
from gimp_plugin.procedures import CLICKED_IN
from gimp_plugin.stages import in_words
from gimp_plugin.tools.portrait import answer, forget_point, parameters_of
from gimp_plugin.widgets import GimpUi, Gtk

if TYPE_CHECKING:
    from gimp_plugin.call import Call
    from gimp_plugin.client import Reply
    from gimp_plugin.group import Group

DEBOUNCE_MS = 80  # a moving slider tells more often than that
SLIDER_PX = 130
TOP = ("preset", "style", "f-number")
PAGES = {
    "Focus": ("focus", "focus-range", "focus-depth", "keep-subject-sharp", "people", "foreground"),
    "Aperture": ("aperture", "curvature", "rotation", "squeeze", "cat-eye", "ring"),
    "Light": ("highlights", "fringe", "grain"),
    "Paper": ("bins", "strength", "curve"),
}


def run(call: Call, layer: Gimp.Layer, existing: Group | None) -> Gimp.ValueArray:
    """Ask for the settings with a live preview, then render.

    Parameters
    ----------
    call
        Its arguments get the settings.
    layer
        The layer to blur; of a group, any of its members.
    existing
        The group to render again; None for a new one.
    """
    render = rendering.Render.of(layer, existing)
    if existing is not None:
        _fill(call.config, existing.record.parameters.resolved())
    else:
        forget_point(call.config, render.image)
    GimpUi.init("plug-in-bokeh")
    window = Dialog(call, render)
    if not window.run():
        return call.cancelled()
    parameters = parameters_of(call.config)
    call.config.set_property(CLICKED_IN, render.image.digest)
    job = render.job(parameters)
    reply = work.wait_for(lambda report: window.engine.finish(job, report), "Portrait Bokeh")
    return answer(call, render.put(parameters, reply))


class Dialog:
    """The window and what makes it live.

    Parameters
    ----------
    call
        The procedure, and its arguments that are shown.
    render
        What is asked from the daemon.
    """

    def __init__(self, call: Call, render: rendering.Render) -> None:
        self._config, self._layer, self._render = call.config, render.layer, render
        layer = render.layer
        self._timer = 0
        self._presetting = False
        self._open = True
        scale = min(1.0, SIDE / max(layer.get_width(), layer.get_height()))
        self._preview = Preview(pixels.small(layer, scale), self._focus_at)
        title = "Portrait Bokeh" if render.existing is None else "Re-render Bokeh"
        self._window = GimpUi.ProcedureDialog.new(call.procedure, call.config, title)
        self._lay_out()
        self._mark()
        self.engine = Engine(self._on_reply, self._on_failure, self._on_progress)
        self._listening = call.config.connect("notify", self._on_change)

    def run(self) -> bool:
        """Show the window until OK (True) or Cancel; after Cancel nothing computes any more."""
        self._ask()
        accepted = self._window.run()
        if self._timer:
            GLib.source_remove(self._timer)
        # what comes later has no widgets to show it
        self._open = False
        self._config.disconnect(self._listening)
        self._window.destroy()
        if not accepted:
            self.engine.close()
        return accepted

    def _lay_out(self) -> None:
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        row.pack_start(self._preview, False, False, 0)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12)
        column.pack_start(self._box("top", TOP), False, False, 0)
        self._pages = {}
        notebook = Gtk.Notebook()
        for title, names in PAGES.items():
            page = self._box(title.lower(), names)
            page.set_border_width(9)
            notebook.append_page(page, Gtk.Label(label=title))
            self._pages[title] = page
        column.pack_start(notebook, True, True, 0)
        row.pack_start(column, True, True, 0)
        row.set_border_width(6)
        self._window.get_content_area().pack_start(row, True, True, 0)
        row.show_all()
        self._show_relevant()

    def _box(self, name: str, properties: tuple[str, ...]) -> Gtk.Box:
        """Lay out widgets under each other; numbers get a slider, words a list.

        Left alone, GIMP 3.2 shows few words as radio buttons, too tall for a small screen.
        """
        fields = {field.name.replace("_", "-"): field for field in dataclasses.fields(Parameters)}
        for each in properties:
            if "choices" in fields[each].metadata:
                self._window.get_widget(each, Gtk.ComboBox)
            elif "low" in fields[each].metadata:
                slider = self._window.get_scale_entry(each, 1.0)
                slider.get_range().set_size_request(SLIDER_PX, -1)
                if each == "f-number":
                    slider.set_logarithmic(True)
                    slider.set_increments(0.1, 1.0)
        return self._window.fill_box(f"bokeh-{name}", list(properties))

    def _show_relevant(self) -> None:
        """Grey out what has no effect with the style and focus chosen."""
        parameters = parameters_of(self._config)
        lens = parameters.style == "lens"
        for title in ("Focus", "Aperture", "Light"):
            self._pages[title].set_sensitive(lens)
        self._pages["Paper"].set_sensitive(not lens)
        for name, used in (
            ("f-number", lens),
            ("focus-depth", parameters.focus == "depth"),
            ("keep-subject-sharp", parameters.focus == "subject"),
        ):
            self._window.get_widget(name, GObject.TYPE_NONE).set_sensitive(used)

    def _focus_at(self, x: float, y: float) -> None:
        self._config.set_property("focus-x", x)
        self._config.set_property("focus-y", y)
        self._config.set_property("focus", "point")

    def _mark(self) -> None:
        parameters = parameters_of(self._config)
        shown = parameters.focus == "point"
        self._preview.mark((parameters.focus_x, parameters.focus_y) if shown else None)

    def _on_change(self, config: Gimp.ProcedureConfig, changed: Any) -> None:
        if self._presetting:
            return
        name = changed.name.replace("-", "_")
        look = PRESETS[config.get_property("preset")]
        self._presetting = True
        if name == "preset":
            for field, value in look.items():
                config.set_property(field.replace("_", "-"), value)
        elif name in look:
            config.set_property("preset", "custom")
        self._presetting = False
        self._show_relevant()
        self._mark()
        if self._timer:
            GLib.source_remove(self._timer)
        self._timer = GLib.timeout_add(DEBOUNCE_MS, self._ask)

    def _ask(self) -> bool:
        self._timer = 0
        parameters = parameters_of(self._config).resolved()
        # cat's eyes take many times longer: until they are there, full discs show the rest
        rough = dataclasses.replace(parameters, preset="custom", cat_eye=0.0)
        looks = (rough, parameters) if parameters.cat_eye else (parameters,)
        jobs = map(self._render.job, looks)
        wanted = ("matte", "depth", "composite")
        self.engine.ask(*(dataclasses.replace(job, preview=SIDE, want=wanted) for job in jobs))
        return False

    def _on_reply(self, reply: Reply) -> None:
        GLib.idle_add(self._show, reply)

    def _on_failure(self, message: str) -> None:
        GLib.idle_add(self._say, message)

    def _on_progress(self, stage: str, fraction: float) -> None:
        GLib.idle_add(self._say, f"{in_words(stage).capitalize()}... {fraction:.0%}")

    def _say(self, text: str) -> bool:
        if self._open:
            self._preview.say(text)
        return False

    def _show(self, reply: Reply) -> bool:
        if not self._open:
            return False
        shown: dict[str, Picture] = {}
        for name, plane in reply.planes.items():
            shown[name] = plane.width, plane.height, pixels.to_screen(plane, self._layer)
        self._preview.show_pictures(shown)
        focus = "" if reply.focus is None else f"Focus at depth {reply.focus:.2f}. "
        self._preview.say(f"{focus}Click in the picture to focus on something else.")
        return False


def _fill(config: Gimp.ProcedureConfig, parameters: Parameters) -> None:
    for name, value in parameters.record().items():
        config.set_property(name.replace("_", "-"), value)
