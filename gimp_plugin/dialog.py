"""The dialog of Portrait Bokeh and Re-render: settings at the right, live preview at the left."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.depths import FocusRange
from daemon.light.dialog import after_change, clicked, coarse, kept_people, told, wished
from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.stages import in_words
from daemon.light.strokes import History, have_room
from daemon.light.words import tr
from gimp_plugin import background, manual, rendering, reset, window_size
from gimp_plugin.arguments import EVERYWHERE, Arguments, fill, forget_point, parameters_of
from gimp_plugin.asking import Asking
from gimp_plugin.bindings import Gimp
from gimp_plugin.brushes import KEYS
from gimp_plugin.on_screen import OnScreen
from gimp_plugin.overrules import Overrules
from gimp_plugin.preview import Preview
from gimp_plugin.rendering import answer
from gimp_plugin.settings_column import SettingsColumn
from gimp_plugin.widgets import Gdk, GimpUi, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.light.people import Person
    from daemon.light.request import LayerRequest, Reply
    from daemon.light.strokes import Stroke
    from gimp_plugin.call import Call
    from gimp_plugin.group import Group

COLUMN_PX = 424
SUBJECT = "subject", "main"
"""What is in focus, and who, unless somebody says otherwise."""


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
    Gimp.progress_init(in_words("decode").capitalize())
    render = rendering.Render.of(layer, existing)
    Gimp.progress_end()
    if existing is not None:
        fill(call.config, existing.record.parameters.resolved())
    else:
        forget_point(call.config, render.image)
    call.config.set_property(EVERYWHERE, False)  # it belongs to this selection
    GimpUi.init("plug-in-bokeh")
    failure = ""
    strokes: tuple[Stroke, ...] = ()
    while True:  # after a failure the dialog is there again, with all that was set
        window = Dialog(call, render, failure, strokes)
        if not window.run():
            return call.cancelled()
        try:
            return answer(call, _finished(call, window))
        except PluginError as error:
            failure, strokes, render = str(error), window.strokes, window.render.again()


def _finished(call: Call, window: Dialog) -> Group:
    """Compute what the dialog was left with, and put it into the image."""
    parameters = parameters_of(call.config)
    everywhere = call.config.get_property(EVERYWHERE)
    render = dataclasses.replace(window.render.again(), everywhere=everywhere)
    render = render.with_strokes(window.strokes)
    request = render.request(parameters, window.strokes)
    reply = background.wait_for(
        lambda report: window.asking.finish(request, report), tr("Portrait Bokeh")
    )
    return render.put(parameters, reply)


@dataclass(frozen=True)
class State:
    """All that is chosen in the dialog: one step back or forward brings another.

    Parameters
    ----------
    parameters
        The settings.
    strokes
        Painted in the preview.
    forgotten
        Painted maps that are left out.
    everywhere
        Whether the blur pays no heed to the selection.
    """

    parameters: Parameters
    strokes: tuple[Stroke, ...] = ()
    forgotten: frozenset[str] = frozenset()
    everywhere: bool = False


class Dialog:
    """The window and what makes it live.

    Parameters
    ----------
    call
        The procedure, and its arguments that are shown.
    render
        What is asked from the daemon.
    failure
        Why the last try did not come to an end; empty at first.
    strokes
        What was painted then.
    """

    def __init__(
        self,
        call: Call,
        render: rendering.Render,
        failure: str = "",
        strokes: tuple[Stroke, ...] = (),
    ) -> None:
        self.render = render
        """What is asked from the daemon."""
        self.strokes = strokes
        """Painted in the preview so far."""
        self._screen = OnScreen(render)
        self._fresh = False
        self._focus: float | None = None
        self._people: Sequence[Person] = ()
        self._people_told = False
        self._arguments = Arguments(call.config, render.image, self._on_change)
        self._preview = Preview(
            (render.image.width, render.image.height),
            self._screen.original,
            self._screen.cut_out,
            self,
        )
        title = tr("Portrait Bokeh") if render.existing is None else tr("Re-render Bokeh")
        self._window = GimpUi.ProcedureDialog.new(call.procedure, call.config, title)
        self._settings = SettingsColumn(
            self._window, self._arguments, lambda other: self._change(parameters=other)
        )
        self._overrules = Overrules(self._arguments, self)
        self._lay_out()
        self._window.connect("key-press-event", self._on_key)
        self._window.connect("response", self._on_response)
        self.asking = Asking(self)
        self._opened = State(self._named(self._arguments.now))
        first = dataclasses.replace(self._state, parameters=self._opened.parameters)
        self._history = History(first)
        self._bring(first)
        self._arguments.listen()
        self._failure = failure

    def run(self) -> bool:
        """Show the window until OK (True) or Cancel; after Cancel nothing computes any more."""
        if self._failure:
            self.failed(self._failure)
        else:
            self.asking.now()
        accepted = self._window.run()
        self.asking.leave()
        self._arguments.close()
        window_size.keep(self._window)
        self._window.destroy()
        if not accepted:
            self.asking.cancel()
        return accepted

    def _lay_out(self) -> None:
        row = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        row.pack_start(self._preview, True, True, 0)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12)
        column.pack_start(self._settings, True, True, 0)
        column.pack_start(self._overrules, False, False, 0)
        column.set_size_request(COLUMN_PX, -1)
        row.pack_start(column, False, False, 0)
        row.set_border_width(6)
        self._window.get_content_area().pack_start(row, True, True, 0)
        row.show_all()
        self._window.add_button(tr("_Help"), Gtk.ResponseType.HELP)
        self._reset = reset.offer(
            self._window, lambda: self._begin(self._opened), lambda: self._begin(self._as_new)
        )
        window_size.restore(self._window)

    @property
    def _state(self) -> State:
        arguments = self._arguments
        return State(arguments.now, self.strokes, self.render.forgotten, arguments.everywhere)

    @property
    def _as_new(self) -> State:
        return State(self._named(Parameters()), forgotten=frozenset(self.render.painted))

    def _named(self, parameters: Parameters, changed: str = "style") -> Parameters:
        """Return settings with the preset that they are, or with what follows from a change."""
        return after_change(parameters, changed, self._settings.presets.own)

    def _begin(self, state: State) -> None:
        """Go to a state, as one step."""
        self._history.push(self._state)  # a change that nothing was asked for yet
        self._bring(state)
        self._ask_anew()

    def _change(self, **changed: Any) -> None:
        """Change something of the state; what follows in one moment is one step."""
        self._bring(dataclasses.replace(self._state, **changed))
        self._ask_anew()

    def _bring(self, state: State) -> None:
        """Show a state, with all that hangs on it."""
        self._arguments.put(state.parameters, everywhere=state.everywhere)
        self.strokes = state.strokes
        self.render = dataclasses.replace(self.render, forgotten=state.forgotten)
        self._settings.show_settings(state.parameters, painted="matte" in self.render.maps)
        self._show_overrules()
        self._mark()

    def _ask_anew(self) -> None:
        self._fresh = False
        self.asking.soon()

    def _show_overrules(self, *, failed: bool = False) -> None:
        self._overrules.show_those_of(
            self.render, self._arguments, limited=self._screen.limited, failed=failed
        )

    def _mark(self) -> None:
        """Show in the preview what is in focus."""
        parameters = self._arguments.now
        shown = parameters.focus == "point"
        self._preview.mark((parameters.focus_x, parameters.focus_y) if shown else None)
        self._preview.show_kept(kept_people(parameters, self._people))
        self._preview.show_way_back(there=(parameters.focus, parameters.people) != SUBJECT)
        focus = parameters.focus_depth if parameters.focus == "depth" else self._focus
        if parameters.style == "paper" or focus is None:
            self._preview.show_range(None)
        else:
            self._preview.show_range(FocusRange.of(parameters, focus))

    def _on_change(self, name: str) -> None:
        """Let follow what follows from a change in one of GIMP's widgets."""
        chosen, before = self._arguments.now, self._history.now.parameters
        untouched = chosen.focus_depth == before.focus_depth
        if (name, chosen.focus) == ("focus", "depth") and untouched and self._focus is not None:
            chosen = dataclasses.replace(chosen, focus_depth=self._focus)  # what was in focus stays
        self._change(parameters=self._named(chosen, name))

    def change(self, change: Callable[[Parameters], Parameters]) -> None:
        """Set what a click or a drag has changed."""
        self._change(parameters=change(self._arguments.now))

    def clicked(self, x: float, y: float, *, more: bool) -> None:
        """Keep sharp who or what is at a place; with `more` besides those who are."""
        self.change(lambda settings: clicked(settings, self._people, x, y, more=more))

    def drawn(self, strokes: tuple[Stroke, ...]) -> None:
        """Paint on the maps."""
        if have_room((*self.strokes, *strokes)):
            self._change(strokes=(*self.strokes, *strokes))
        else:
            self.say(tr("No more strokes fit. Press OK, then go on with Re-render."))

    def unpaint(self, name: str) -> None:
        """Leave out what was painted on a map."""
        self._change(forgotten=self.render.forgotten | {name})

    def try_again(self) -> None:
        """Ask anew for what has failed."""
        self.say("")
        self._fresh = False
        self.asking.now()

    def undo(self) -> None:
        """Take back the last stroke, click or setting."""
        self._step(self._history.undo)

    def redo(self) -> None:
        """Do it again."""
        self._step(self._history.redo)

    def _step(self, step: Callable[[], State]) -> None:
        self._history.push(self._state)  # a change that nothing was asked for yet
        self._bring(step())
        self._ask_anew()

    def _on_key(self, _: Gtk.Window, event: Any) -> bool:
        """Take steps back, make the brush larger, or open the page, not one of GIMP's manual."""
        name = Gdk.keyval_name(event.keyval) or ""
        if name == "F1":
            self._help()
            return True
        if self._settings.presets.is_naming:
            return False
        if int(event.state) & int(Gdk.ModifierType.CONTROL_MASK):
            if name in {"z", "Z", "y", "Y"}:
                back = name == "z"
                (self.undo if back else self.redo)()
                return True
        elif name in KEYS:
            self._preview.tools.enlarge(KEYS[name])
            return True
        return False

    def looked(self) -> None:
        """Ask for what is seen now."""
        if self._preview.is_coarse():
            self.asking.soon()

    def settle(self) -> None:
        """Take what is set as a step."""
        self._history.push(self._state)
        self._preview.tools.show_steps(undo=self._history.can_undo, redo=self._history.can_redo)

    def wishes(self) -> Sequence[LayerRequest]:
        """Return what to ask for now, from rough to fine."""
        self._arguments.forget_loaded_point()
        preview, state = self._preview, self._state
        looks = () if self._fresh else state.parameters.looks()
        rough = [coarse(self.render.request(look, self.strokes)) for look in looks]
        request = self.render.request(state.parameters, self.strokes)
        asked = [*rough, *wished(request, preview.canvas.view, preview.showing)]
        if asked and not self._people_told:
            asked[-1] = dataclasses.replace(asked[-1], tell_people=True)
        return asked

    def _on_response(self, window: Any, response: int) -> None:
        ours = {Gtk.ResponseType.HELP: self._help, reset.RESET: self._reset.popup}
        if response in ours:
            window.stop_emission_by_name("response")
            ours[response]()

    def _help(self) -> None:
        if not manual.open_page():
            said = tr("No browser could be opened. The page is {page}.")
            self._preview.say(said.format(page=manual.PAGE))

    def failed(self, message: str) -> None:
        """Say why there is no preview; without one, OK would fail as well."""
        self._preview.say(message)
        self._show_overrules(failed=True)
        self._window.set_response_sensitive(Gtk.ResponseType.OK, False)

    def say(self, text: str) -> None:
        """Show a line under the picture."""
        self._preview.say(text)

    def show(self, reply: Reply) -> None:
        """Show what came back."""
        shown = self._screen.pictures(reply, everywhere=self._arguments.everywhere)
        if reply.people:
            self._people, self._people_told = reply.people, True
            self._preview.show_people(reply.people)
            self._mark()
        if reply.region is not None:
            self._preview.show_part(reply.region, shown)
        else:
            self._fresh = not self.asking.is_behind
            self._focus = reply.focus
            self._preview.show_whole(shown)
            self._preview.show_depths(reply.planes["depth"])
            self._mark()
        self._show_overrules()
        self._window.set_response_sensitive(Gtk.ResponseType.OK, True)
        self.say(told(reply))
