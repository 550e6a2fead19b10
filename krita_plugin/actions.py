"""What the entries under Tools > Scripts do, for the active layer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import krita

from daemon.light import status
from daemon.light.connect import connect
from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.request import LayerRequest
from daemon.light.stages import in_words
from daemon.light.words import tr
from krita_plugin import group, samples
from krita_plugin.dialog import Dialog
from krita_plugin.editor import KRITA
from krita_plugin.job import Job, compute, crashed
from krita_plugin.qt import QtCore, QtWidgets, label
from krita_plugin.rendering import Render, Snapshot

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from daemon.light.client import Report

PATIENCE_MS = 500  # a window for progress appears only after that


def bokeh() -> None:
    """Open the dialog; on a Bokeh group, with its settings."""
    document, node = _active()
    Dialog(_window()).open_beside(document, node)


def rerender() -> None:
    """Render a Bokeh group again, from its maps as they are painted now."""
    snapshot = Snapshot.of(*_active())
    render(snapshot, _group(snapshot).record.parameters)


def focus_here() -> None:
    """Render a Bokeh group again, focused on what is selected; without a selection, ask."""
    document, node = _active()
    snapshot = Snapshot.of(document, node)
    parameters = _group(snapshot).record.parameters.resolved()
    if parameters.style == "paper":
        raise PluginError(
            tr(
                "The paper's blur has no focus: it goes by depth alone. Choose Bokeh and there the "
                "style Lens."
            )
        )
    selection, area = document.selection(), snapshot.area
    if selection is None:
        Dialog(_window()).open_beside(document, node)
        return
    x = (selection.x() + selection.width() / 2 - area.x) / area.width
    y = (selection.y() + selection.height() / 2 - area.y) / area.height
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        said = tr('The selection lies outside of the layer "{layer}".')
        raise PluginError(said.format(layer=snapshot.name))
    render(snapshot, dataclasses.replace(parameters, focus="point", focus_x=x, focus_y=y))


def select_subject() -> None:
    """Select the people; in a Bokeh group, what its painted Mask says."""
    snapshot = Snapshot.of(*_active())
    document, area, space = snapshot.document, snapshot.area, snapshot.space

    def coverage(report: Report, stop: threading.Event) -> bytes:
        if "mask" in snapshot.maps:
            return samples.to_bytes(space.grey(snapshot.maps["mask"]), space.depth)
        plane = _estimate(snapshot, "matte", report, stop)
        return plane if space.depth == "U8" else plane[1::2]

    def select(data: bytes) -> None:
        if not any(data):
            said = tr('No person was found in "{layer}". The selection is unchanged.')
            raise PluginError(said.format(layer=snapshot.name))
        selection = krita.Selection()
        selection.setPixelData(QtCore.QByteArray(data), *area.corners)
        document.setSelection(selection)

    _wait(tr("Select Subject"), coverage, select)


def depth_map() -> None:
    """Add the estimated depth of a layer (in a Bokeh group: of its source) above it."""
    snapshot = Snapshot.of(*_active())
    space = snapshot.space

    def estimate(report: Report, stop: threading.Event) -> bytes:
        plane = _estimate(snapshot, "depth", report, stop)
        return space.from_map(plane)

    def add(data: bytes) -> None:
        group.add_map(snapshot.document, snapshot.layer, snapshot.area, "Depth map", data)

    _wait(tr("Depth Map"), estimate, add)


def settings() -> None:
    """Show the daemon's state, with a switch."""
    StatusWindow(_window()).show()


class StatusWindow(QtWidgets.QMessageBox):
    """The daemon's state, as it was when the window was opened or a button pressed."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Bokeh Settings and Status"))
        role = QtWidgets.QMessageBox.ButtonRole.ActionRole
        self._start = self.addButton(label("_Start daemon"), role)
        self._stop = self.addButton(label("S_top daemon"), role)
        self.addButton(QtWidgets.QMessageBox.StandardButton.Close)
        for button, work in ((self._start, self._begin), (self._stop, self._end)):
            button.clicked.disconnect()  # a message box would close
            button.clicked.connect(lambda _checked, work=work: self._do(work))
        self._do(lambda _report, _stop: None)

    def _do(self, work: Callable[[Report, threading.Event], None]) -> None:
        def task(report: Report, stop: threading.Event) -> status.State:
            work(report, stop)
            return status.state(KRITA)

        self.setText(tr("Asking the daemon..."))
        self._job = Job(task)
        self._job.done.connect(self._show)
        self._job.failed.connect(self.setText)
        self._job.start()

    def _show(self, state: status.State) -> None:
        lines = [f"{name}: {value}" for name, value in state.lines()]
        more = tr("More, and how to mend it: type `defocus doctor` in a terminal.")
        self.setText("\n".join([*lines, "", more]))
        self._start.setEnabled(not state.up)
        self._stop.setEnabled(state.up)

    @staticmethod
    def _begin(report: Report, stop: threading.Event) -> None:
        connect(KRITA, report, stop).close()

    @staticmethod
    def _end(_report: Report, _stop: threading.Event) -> None:
        status.stop(KRITA)


def guarded(action: Callable[[], object]) -> Callable[[], None]:
    """Return the action with every failure as one message; the document is as it was."""

    def run() -> None:
        try:
            action()
        except PluginError as error:
            complain(str(error))
        except Exception as error:  # noqa: BLE001 - Krita would only print it
            complain(crashed(error))

    return run


def complain(text: str) -> None:
    """Show a message; Krita goes on meanwhile."""
    box = QtWidgets.QMessageBox(_window())
    box.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QtWidgets.QMessageBox.Icon.Warning)
    box.setWindowTitle("Bokeh")
    box.setText(text)
    box.show()


def _active() -> tuple[Any, Any]:
    document = krita.Krita.instance().activeDocument()
    return document, document and document.activeNode()


def _window() -> Any:
    window = krita.Krita.instance().activeWindow()
    return window and window.qwindow()


def _group(snapshot: Snapshot) -> group.Group:
    if snapshot.existing is None:
        said = tr(
            '"{layer}" is in no Bokeh group. Select the Composite, Mask or Depth of one, or make '
            "one with Tools > Scripts > Bokeh."
        )
        raise PluginError(said.format(layer=snapshot.name))
    return snapshot.existing


def _estimate(snapshot: Snapshot, name: str, report: Report, stop: threading.Event) -> bytes:
    """Have one map made, `matte` or `depth`."""
    everything = LayerRequest.of(Render.of(snapshot).image, Parameters())
    reply = compute(dataclasses.replace(everything, want=(name,)), report, stop)
    return reply.planes[name].data


def render(snapshot: Snapshot, parameters: Parameters) -> None:
    """Blur a layer, or render its group again, with these settings; the result comes later."""

    def work(report: Report, stop: threading.Event) -> tuple[Render, Any]:
        render = Render.of(snapshot)
        return render, render.made(compute(render.request(parameters), report, stop))

    _wait("Bokeh", work, lambda made: made[0].put(parameters, made[1]))


def _wait(
    title: str,
    work: Callable[[Report, threading.Event], Any],
    then: Callable[[Any], object],
) -> None:
    """Work on a thread, with a window for progress and Cancel; `then` follows in Qt's thread."""
    window = QtWidgets.QProgressDialog(title, tr("Cancel"), 0, 100, _window())
    window.setWindowTitle("Bokeh")
    window.setMinimumDuration(PATIENCE_MS)
    window.setAutoReset(False)
    window.setAutoClose(False)
    job = Job(work)

    def report(stage: str, done: float) -> None:
        window.setLabelText(f"{title}: {in_words(stage)}")
        window.setValue(round(99 * done))

    def close() -> None:
        window.close()
        window.deleteLater()

    def finish(result: Any) -> None:
        close()
        guarded(lambda: then(result))()

    def fail(text: str) -> None:
        close()
        complain(text)

    window.canceled.connect(job.cancel)
    job.progressed.connect(report)
    job.done.connect(finish)
    job.failed.connect(fail)
    job.cancelled.connect(close)
    job.start()
