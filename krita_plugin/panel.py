"""Settings, live preview and progress, as the dialog and the docker both show them."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING, Any

from daemon.light.dialog import SIDE, focused_at, told
from daemon.light.errors import PluginError
from daemon.light.facts import OUTPUTS
from daemon.light.gathering import Gathering
from daemon.light.preview_thread import PreviewThread
from daemon.light.stages import in_words
from daemon.light.words import tr
from krita_plugin import memory, pixels
from krita_plugin.editor import KRITA
from krita_plugin.job import Job, crashed
from krita_plugin.preview import Preview
from krita_plugin.qt import QtCore, QtWidgets, Signal
from krita_plugin.rendering import Render, Snapshot
from krita_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.client import Report
    from daemon.light.parameters import Parameters
    from daemon.light.request import Reply


NARROW = 300
"""Side of the preview in a docker, in pixels."""


class Panel(QtWidgets.QWidget):
    """What a render is asked for with.

    Parameters
    ----------
    orientation
        Whether the settings are beside the preview or below it.
    """

    rendered = Signal(object)
    """The Bokeh group, once it is in the document."""
    busy = Signal(bool)
    """Whether a render is being computed."""
    _replied = Signal(object, object)
    _complained = Signal(object, str)
    _reported = Signal(object, str, float)

    def __init__(self, orientation: QtCore.Qt.Orientation) -> None:
        super().__init__()
        self._render: Render | None = None
        self._snapshot: Snapshot | None = None
        self._previews: PreviewThread | None = None
        self._job: Job | None = None
        across = orientation == QtCore.Qt.Orientation.Horizontal
        self.preview, self.settings = Preview(SIDE if across else NARROW), Settings()
        self.progress = QtWidgets.QProgressBar()
        self.progress.setRange(0, 100)
        self._lay_out(across=across)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._gathering = Gathering()
        self._timer.timeout.connect(self._ask)
        self.settings.changed.connect(self._on_change)
        self.preview.clicked.connect(self._focus_at)
        self._replied.connect(self._on_reply)
        self._complained.connect(self._on_complaint)
        self._reported.connect(self._on_report)

    @property
    def is_open(self) -> bool:
        """Whether there is a picture in it."""
        return self._snapshot is not None

    def open(self, document: Any, node: Any) -> None:
        """Take up a layer, or a Bokeh group with its settings, and preview it.

        Raises
        ------
        PluginError
            It cannot be blurred.
        """
        self.close_previews()
        self._snapshot = snapshot = Snapshot.of(document, node)
        area = snapshot.area
        scale = min(1.0, SIDE / max(area.width, area.height))
        size = max(1, round(area.width * scale)), max(1, round(area.height * scale))
        self.preview.start_with(snapshot.layer.thumbnail(*size))
        self.preview.say(tr("Reading the picture..."))
        job = Job(lambda _report, _stop: Render.of(snapshot))
        job.done.connect(lambda render: self._begin(snapshot, render))
        job.failed.connect(lambda text: self._say_of(snapshot, text))
        job.start()

    def render(self) -> None:
        """Compute the result at full size and put it into the document; `rendered` follows."""
        if self._render is None or self._job is not None:
            return
        render, parameters, previews = self._render, self.settings.parameters, self._previews
        assert previews is not None
        self._timer.stop()
        request = render.request(parameters)

        def work(report: Report, stop: threading.Event) -> Any:
            return render.made(previews.finish(request, report, stop))

        memory.keep(parameters, render.image.digest)
        self._job = job = Job(work)
        unchanged = tr("Cancelled. The picture is unchanged.")
        for signal, follow in (
            (job.progressed, lambda stage, done: self._on_report(render, stage, done)),
            (job.done, lambda layers: self._put(render, parameters, layers)),
            (job.failed, lambda text: self._after(render, text)),
            (job.cancelled, lambda: self._after(render, unchanged)),
        ):
            signal.connect(self._while_wanted(job, follow))
        self.progress.setVisible(True)
        self.settings.setEnabled(False)
        self.busy.emit(True)
        job.start()

    def cancel(self) -> None:
        """Stop the render that is being computed, if one is."""
        if self._job is not None:
            self._job.cancel()

    def close_previews(self) -> None:
        """Let go of the picture; nothing is computed for it any more."""
        self._timer.stop()
        if self._job is not None:
            self.cancel()
            self._rest()
        if self._previews is not None:
            _hang_up(self._previews)
        self._render = self._snapshot = self._previews = None
        self.preview.clear()
        self.preview.say("")

    def _lay_out(self, *, across: bool) -> None:
        kind = QtWidgets.QHBoxLayout if across else QtWidgets.QVBoxLayout
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        both = kind()
        both.addWidget(self.preview, 1)
        both.addWidget(self.settings)
        column.addLayout(both, 1)
        column.addWidget(self.progress)
        self.progress.setVisible(False)

    def _begin(self, snapshot: Snapshot, render: Render) -> None:
        """Ask for the first preview, unless another picture was taken up meanwhile."""
        if snapshot is not self._snapshot:
            return
        self._render = render
        existing = snapshot.existing
        if existing is not None:
            self.settings.fill(existing.record.parameters.resolved())
        else:
            self.settings.fill(memory.recall(render.image.digest))
        self._mark()
        self._start_previews()

    def _start_previews(self) -> None:
        render = self._render
        self._previews = PreviewThread(
            KRITA,
            _quietly(lambda reply: self._replied.emit(render, reply)),
            _quietly(lambda text: self._complained.emit(render, text)),
            _quietly(lambda stage, done: self._reported.emit(render, stage, done)),
        )
        self._ask()

    def _ask(self) -> None:
        if self._render is None or self._previews is None or self._job is not None:
            return
        self._gathering.asked()
        requests = map(self._render.request, self.settings.parameters.looks())
        self._previews.ask(
            *(dataclasses.replace(each, preview=SIDE, want=OUTPUTS) for each in requests)
        )

    def _on_change(self) -> None:
        self._mark()
        if not self._timer.isActive():  # a drag is followed as it goes
            self._timer.start(self._gathering.wait_ms())

    def _focus_at(self, x: float, y: float) -> None:
        if self._render is not None and self._job is None:
            self.settings.fill(focused_at(self.settings.parameters, x, y))
            self._on_change()

    def _mark(self) -> None:
        chosen = self.settings.parameters
        at_point = chosen.focus == "point"
        self.preview.mark((chosen.focus_x, chosen.focus_y) if at_point else None)

    def _on_reply(self, render: Render, reply: Reply) -> None:
        if render is not self._render:
            return
        now = render.snapshot
        if not pixels.is_open(now.document):
            self.close_previews()
            self.preview.say(tr("The picture was closed."))
            return
        pictures = {
            name: pixels.to_screen(now.document, now.space, plane)
            for name, plane in reply.planes.items()
        }
        self.preview.show_pictures(pictures)
        self.preview.say(told(reply))

    def _on_complaint(self, render: Render, text: str) -> None:
        if render is self._render:
            self.preview.say(text)

    def _on_report(self, render: Render, stage: str, done: float) -> None:
        if render is self._render:
            self.preview.say(f"{in_words(stage).capitalize()}... {done:.0%}")
            self.progress.setValue(round(100 * done))

    def _say_of(self, snapshot: Snapshot, text: str) -> None:
        if snapshot is self._snapshot:
            self.preview.say(text)

    def _while_wanted(self, job: Job, follow: Callable[..., None]) -> Callable[..., None]:
        """Return what is done only while a job is still the one that is waited for.

        After that its window may be gone, widgets and all.
        """

        def followed(*given: Any) -> None:
            if job is self._job:
                follow(*given)

        return followed

    def _put(self, render: Render, parameters: Parameters, layers: Any) -> None:
        """Put the result into the document."""
        try:
            made = render.put(parameters, layers)
        except PluginError as error:
            self._after(render, str(error))
            return
        except Exception as error:  # noqa: BLE001 - Krita would only print it
            self._after(render, crashed(error))
            return
        self._rest()
        self.rendered.emit(made)

    def _after(self, render: Render, text: str) -> None:
        """Go on after a render that came to nothing."""
        self._rest()
        if render is self._render:
            self._start_previews()
            self.preview.say(text)

    def _rest(self) -> None:
        self._job = None
        self.progress.setVisible(False)
        self.progress.setValue(0)
        self.settings.setEnabled(True)
        self.busy.emit(False)


def _quietly(tell: Callable[..., None]) -> Callable[..., None]:
    """Return what tells a window something, or nothing once that is gone."""

    def telling(*given: Any) -> None:
        with contextlib.suppress(RuntimeError):
            tell(*given)

    return telling


def _hang_up(previews: PreviewThread) -> None:
    """End previews without waiting for their thread."""
    threading.Thread(target=previews.close, daemon=True).start()
