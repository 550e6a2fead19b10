"""Uses the plug-in's windows in the stand-in for Krita, and prints what was seen as JSON.

python afternoon.py PYKRITA PHOTO.png      run by test_windows.py, in a process of its own
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).with_name("standin")), sys.argv[1]]
krita = importlib.import_module("krita")
QtCore, QtGui, QtWidgets = krita.QtCore, krita.QtGui, krita.QtWidgets
QTest = importlib.import_module(f"{krita.BINDING}.QtTest").QTest
LEFT = QtCore.Qt.MouseButton.LeftButton
NO_KEY = QtCore.Qt.KeyboardModifier.NoModifier


def until(true, seconds=60):
    """Let Qt work until something that must come is there; gives it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"did not come: {[w.windowTitle() for w in windows()]}"
        QtWidgets.QApplication.processEvents()
        time.sleep(0.01)
    return found


def windows():
    return [w for w in QtWidgets.QApplication.topLevelWidgets() if w.isVisible()]


def window(kind):
    return until(lambda: next((w for w in windows() if type(w).__name__ == kind), None))


def tree(node):
    return [[n.name(), tree(n)] if n.childNodes() else n.name() for n in node.childNodes()]


def result_in(panel):
    until(lambda: "composite" in panel.preview._pictures)


def texts(widget, kind):
    return [each.text() for each in widget.findChildren(kind) if each.text()]


def message():
    box = window("QMessageBox")
    text = box.text()
    box.close()
    return text


def begin(facts, app):
    """Load the plug-in, as Krita does, and choose an entry while nothing is open."""
    app.window.qwindow().show()
    importlib.import_module("defocus_bokeh")
    actions = app.window.actions
    facts["menu"] = {name: action.text() for name, action in actions.items()}
    actions["defocus_rerender"].trigger()
    facts["nothing open"] = message()


def at_the_dialog(facts, app):
    """Look at everything, change it, press OK."""
    root = app.document.rootNode()
    app.window.actions["defocus_bokeh"].trigger()
    dialog = window("Dialog")
    panel, settings = dialog.panel, dialog.panel.settings
    result_in(panel)
    facts["labels"] = texts(settings, QtWidgets.QLabel) + texts(settings, QtWidgets.QCheckBox)
    facts["views"] = texts(panel.preview, QtWidgets.QPushButton)
    canvas = panel.preview.canvas
    seen = set()
    for button in panel.preview.buttons.values():
        QTest.mouseClick(button, LEFT)
        shown = canvas.grab().toImage()
        seen.add(bytes(shown.constBits().asarray(shown.sizeInBytes())))
    facts["pictures"] = len(seen)
    place = canvas._place()
    at = QtCore.QPoint(int(place.left() + 0.25 * place.width()), int(place.center().y()))
    QTest.mouseClick(canvas, LEFT, NO_KEY, at)
    facts["focus"] = [settings.parameters.focus, settings.parameters.focus_x]
    row = settings.presets
    row.list.setCurrentIndex(row.list.findData("dreamy"))
    row.save("Ulla")
    settings.widgets["f_number"].slider.setValue(0)
    facts["presets"] = [settings.parameters.f_number, row.list.currentText(), sorted(row.own)]
    row.list.setCurrentIndex(row.list.findData("Ulla"))
    row.delete.click()
    facts["presets"].append(sorted(row.own))
    an_aperture(facts, settings)
    dialog.buttons.button(QtWidgets.QDialogButtonBox.StandardButton.Ok).click()
    until(lambda: not dialog.isVisible())
    facts["made"] = tree(root)
    photo, group = root.childNodes()
    facts["changed"] = group.childNodes()[-1]._pixels != photo._pixels


def an_aperture(facts, settings):
    """Take a picture as aperture, after two files that will not do."""
    row, folder = settings.widgets["aperture_picture"], Path(os.environ["HOME"])
    picture = QtGui.QImage(600, 400, QtGui.QImage.Format.Format_ARGB32)
    picture.fill(QtGui.QColor(0, 0, 0, 0))
    picture.save(str(folder / "black.png"))
    for x in range(500, 580):
        for y in range(30, 70):
            picture.setPixelColor(x, y, QtGui.QColor(0, 255, 0))
    picture.save(str(folder / "bar.png"))
    said = []
    for name in ("none.png", "black.png", "bar.png"):
        row.take(str(folder / name))
        said.append(row.complaint.text())
    greyed = [name for name in settings.widgets if not settings.widgets[name].isEnabled()]
    facts["aperture"] = [*said, settings.parameters.aperture_picture, greyed, row.choose.text()]
    facts["aperture shown"] = not row.choose.icon().isNull()
    row.remove.click()
    facts["aperture removed"] = settings.parameters.aperture_picture
    row.take(str(folder / "bar.png"))


def at_the_docker(facts, app):
    """Render the group again."""
    app.document.setActiveNode(app.document.rootNode().childNodes()[1])
    app.docker = docker = app.factories[0].kind()  # Krita keeps it as long as its window
    docker.show()
    docker.canvasChanged(None)
    docker.take.click()
    result_in(docker.panel)
    docker.panel.settings.widgets["f_number"].box.setValue(1.0)
    facts["aperture kept"] = docker.panel.settings.parameters.aperture_picture
    facts["docker"] = [docker.take.text(), docker.render.text()]
    docker.render.click()
    facts["docker"].append(docker.render.text())
    until(lambda: not docker._busy)
    facts["again"] = tree(app.document.rootNode())
    docker.close()


def look_at_the_daemon(facts, app):
    """Open the window of its state."""
    app.window.actions["defocus_settings"].trigger()
    status = window("StatusWindow")
    until(lambda: "defocus doctor" in status.text())
    facts["status"] = [status.text(), status._stop.isEnabled()]
    status.close()


def document(photo):
    picture = QtGui.QImage(photo).scaled(120, 120)
    picture = picture.convertToFormat(QtGui.QImage.Format.Format_ARGB32)
    bits = picture.constBits()
    bits.setsize(picture.sizeInBytes())
    return krita.Document(bytes(bits), picture.width(), picture.height())


def play(photo):
    app, facts = krita.Krita.instance(), {}
    begin(facts, app)
    app.document = document(photo)
    for scene in (at_the_dialog, at_the_docker, look_at_the_daemon):
        scene(facts, app)
    facts["left"] = [type(each).__name__ for each in windows()]
    print(json.dumps(facts))


if __name__ == "__main__":
    application = QtWidgets.QApplication([])
    play(sys.argv[2])
    sys.stdout.flush()
    os._exit(0)  # Qt is not taken down in order without Krita
