"""Plays a scene inside Krita, on its main thread, as a plug-in of its own; helpers for it.

A scene is a generator: while it waits it yields, and Krita's own event loop goes on. A loop of its
own would not do: Krita puts some of its work off until no event is being handled any more.
"""

import glob
import json
import os
import time
import traceback

from krita import Extension, Krita, Selection
from PyQt5.QtCore import QBuffer, QByteArray, QPoint, QRect, Qt, QTimer
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QLabel,
    QMainWindow,
    QMessageBox,
    QPlainTextEdit,
    QTextEdit,
)

OUT = os.environ["DEFOCUS_TEST_OUT"]
app = Krita.instance()


class Script(Extension):
    def setup(self):
        pass

    def createActions(self, window):
        QTimer.singleShot(500, run)


def run():
    """Play all scenes, one after the other."""
    step(play())


def play():
    yield from until(lambda: app.activeWindow() and app.activeWindow().qwindow().isVisible())
    app.activeWindow().qwindow().showMaximized()
    yield from spin(1)
    for path in sorted(glob.glob(os.path.join(OUT, "scripts", "*.py"))):
        name = os.path.basename(path)[:-3]
        facts = {}
        script = {**globals(), "facts": facts}
        exec(compile(open(path).read(), path, "exec"), script)
        for scene in [n for n in script if n.startswith("scene")]:
            try:
                yield from script[scene]()
            except Exception:
                grab().save(os.path.join(OUT, f"failed-{name}-{scene}.png"))
                facts["traceback"] = facts.get("traceback", "") + traceback.format_exc()
            facts.setdefault("left open", []).extend(shown())
            for window in windows():
                window.close()
        keep(name, facts)


def step(scene):
    """Go on with the scene, until it waits again."""
    try:
        next(scene)
    except StopIteration:
        os._exit(0)  # Krita asks about each document that was changed
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    QTimer.singleShot(50, lambda: step(scene))


def spin(seconds):
    """Let Krita live."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def until(true, seconds=60, what=None):
    """Wait for something that must come; gives it."""
    end = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what or true} did not come within {seconds} s; {shown()}")
        yield


def shown():
    """What windows say."""
    said = []
    for window in windows():
        for kind in (QLabel, QTextEdit, QPlainTextEdit):
            for part in window.findChildren(kind):
                said += [part.text() if kind is QLabel else part.toPlainText()]
    return said


def windows():
    """What is open beside Krita's own window."""
    mine = app.activeWindow().qwindow()
    found = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w.windowTitle()]
    return [w for w in found if w is not mine and not isinstance(w, QMainWindow)]


def of_kind(name):
    return next((w for w in windows() if type(w).__name__ == name), None)


def keep(name, data):
    """Leave bytes or a JSON value for the test outside."""
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else json.dumps(data).encode())


def grab():
    return QApplication.primaryScreen().grabWindow(0)


def shot(name):
    """Take a picture of the screen."""
    yield from spin(0.5)
    grab().save(os.path.join(OUT, f"{name}.png"))


def trigger(name):
    """Choose a menu entry of the plug-in."""
    app.action(f"defocus_{name}").trigger()


def dialog():
    """The plug-in's dialog, once it is there."""
    return (yield from until(lambda: of_kind("Dialog"), 30, "the dialog"))


def press(window, name):
    """Press OK or Cancel of a dialog."""
    kind = getattr(QDialogButtonBox, name)
    QTest.mouseClick(window.buttons.button(kind), Qt.LeftButton)


def message():
    """What a message says, once there is one; it is closed."""
    found = yield from until(lambda: of_kind("QMessageBox"), 60, "a message")
    text = found.text()
    found.close()
    yield from spin(0.2)
    return text


def quiet():
    """Wait until every job of the plug-in has ended."""
    import krita_plugin.job

    yield from until(lambda: not krita_plugin.job.RUNNING, 120, "the end of the jobs")
    yield from spin(0.2)


def picture(window):
    """What the preview shows, as bytes."""
    store = QBuffer()
    store.open(QBuffer.WriteOnly)
    window.panel.preview.canvas._picture.save(store, "PNG")
    return bytes(store.data())


def result_in(window, seconds=120):
    """Wait until the first result is in the preview."""
    yield from until(lambda: "composite" in window.panel.preview._pictures, seconds, "a preview")


def shown_document(document):
    """Show a document in Krita's window, and make it the active one."""
    view = app.activeWindow().addView(document)
    app.activeWindow().activate()
    view.setVisible()
    app.setActiveDocument(document)
    yield from until(lambda: document.activeNode() is not None, 30, "an active layer")
    return document


def document_of(path="photo.png", model=None, depth=None, profile=None, size=None):
    """A photo in another colour space, shown."""
    document = app.openDocument(os.path.join(OUT, path))
    if depth is not None:
        names = app.profiles(model, depth)
        document.setColorSpace(model, depth, next(n for n in names if profile in n))
    document = yield from shown_document(document)
    document.waitForDone()
    return document


def rendered(document, node, **settings):
    """Blur a layer, or render its group again, without a dialog; the group."""
    from daemon.light.parameters import Parameters
    from krita_plugin import actions, group
    from krita_plugin.rendering import Snapshot

    actions.render(Snapshot.of(document, node), Parameters(**settings))
    yield from quiet()
    return group.find(document, node) or group.find(document, document.activeNode())


def close(document):
    document.setModified(False)
    document.close()


def tree(document):
    """Names of all layers from top to bottom, nested as they are."""

    def names(node):
        return [
            [x.name(), names(x)] if x.type() == "grouplayer" else x.name()
            for x in reversed(node.childNodes())
            if x.type() in {"grouplayer", "paintlayer", "transparencymask"}
        ]

    return names(document.rootNode())


def named(document, name):
    """The topmost layer of a name."""
    return next(x for x in document.rootNode().findChildNodes(name, True) if x.name() == name)


def read(node, area=None):
    area = area or node.bounds()
    return bytes(node.pixelData(area.x(), area.y(), area.width(), area.height()))


def write(node, data, x, y, width, height):
    node.setPixelData(QByteArray(data), x, y, width, height)


def undo():
    app.action("edit_undo").trigger()
    app.activeDocument().waitForDone()
    yield from spin(0.5)


app.addExtension(Script(app))
