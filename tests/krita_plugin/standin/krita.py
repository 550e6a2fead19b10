"""A small stand-in for Krita's own module: one window, one picture, layers of 8 bits RGB.

What it gives back has the types that Krita gives: those of the PyQt that `DEFOCUS_TEST_QT` names.
"""

import importlib
import os

BINDING = os.environ["DEFOCUS_TEST_QT"]
QtCore, QtGui, QtWidgets = (
    importlib.import_module(f"{BINDING}.{name}") for name in ("QtCore", "QtGui", "QtWidgets")
)
QAction = getattr(QtGui, "QAction", None) or QtWidgets.QAction  # Qt 6 has moved it


class Extension(QtCore.QObject):
    pass


class DockWidget(QtWidgets.QDockWidget):
    pass


class DockWidgetFactoryBase:
    class DockPosition:
        DockRight = 1


class DockWidgetFactory:
    def __init__(self, name, place, kind):
        self.kind = kind


class Node:
    def __init__(self, document, name, kind):
        self.document, self._name, self._kind = document, name, kind
        self._parent, self._children = None, []
        self._area, self._pixels = QtCore.QRect(), b""
        self._visible, self._number = True, QtCore.QUuid.createUuid()

    def name(self):
        return self._name

    def uniqueId(self):
        return self._number

    def type(self):
        return self._kind

    def visible(self):
        return self._visible

    def setVisible(self, visible):
        self._visible = visible

    def opacity(self):
        return 255

    def blendingMode(self):
        return "normal"

    def inheritAlpha(self):
        return False

    def colorModel(self):
        return "RGBA"

    def colorDepth(self):
        return "U8"

    def colorProfile(self):
        return "sRGB-elle-V2-srgbtrc.icc"

    def bounds(self):
        return self._area

    def pixelData(self, x, y, width, height):
        assert QtCore.QRect(x, y, width, height) == self._area
        return QtCore.QByteArray(self._pixels)

    projectionPixelData = pixelData

    def setPixelData(self, data, x, y, width, height):
        assert len(data) == 4 * width * height
        self._area, self._pixels = QtCore.QRect(x, y, width, height), bytes(data)

    def thumbnail(self, width, height):
        size = self._area.width(), self._area.height()
        form = QtGui.QImage.Format.Format_ARGB32
        return QtGui.QImage(self._pixels, *size, 4 * size[0], form).copy().scaled(width, height)

    def parentNode(self):
        return self._parent

    def childNodes(self):
        return list(self._children)

    def addChildNode(self, node, above):
        at = self._children.index(above) + 1 if above is not None else 0
        self._children.insert(at, node)
        node._parent = self

    def setChildNodes(self, nodes):
        self._children = []
        for node in reversed(nodes):
            self.addChildNode(node, None)

    def remove(self):
        self._parent._children.remove(self)
        self._parent = None

    def duplicate(self):
        copy = Node(self.document, self._name, self._kind)
        copy._area, copy._pixels, copy._visible = self._area, self._pixels, self._visible
        copy.setChildNodes([child.duplicate() for child in self._children])
        return copy


class Document:
    def __init__(self, pixels, width, height):
        self._root = Node(self, "root", "grouplayer")
        self._notes = {}
        photo = self.createNode("photo", "paintlayer")
        photo.setPixelData(pixels, 0, 0, width, height)
        self._root.addChildNode(photo, None)
        self._active = photo

    colorModel = Node.colorModel
    colorDepth = Node.colorDepth
    colorProfile = Node.colorProfile

    def createNode(self, name, kind):
        return Node(self, name, kind)

    def createGroupLayer(self, name):
        return Node(self, name, "grouplayer")

    def rootNode(self):
        return self._root

    def activeNode(self):
        return self._active

    def setActiveNode(self, node):
        self._active = node

    def nodeByUniqueID(self, number):
        below = [self._root]
        for node in below:
            if node.uniqueId() == number:
                return node
            below += node.childNodes()
        return None

    def annotationTypes(self):
        return list(self._notes)

    def annotation(self, key):
        return self._notes[key]

    def setAnnotation(self, key, _description, data):
        self._notes[key] = data

    def selection(self):
        return None

    def waitForDone(self):
        pass

    def refreshProjection(self):
        pass

    def setModified(self, modified):
        pass


class Window:
    def __init__(self):
        self._window = QtWidgets.QMainWindow()
        self.actions = {}

    def qwindow(self):
        return self._window

    def createAction(self, name, text, _menu):
        self.actions[name] = QAction(text, self._window)
        return self.actions[name]


class Krita(QtCore.QObject):
    _only = None

    @classmethod
    def instance(cls):
        cls._only = cls._only or cls()
        return cls._only

    def __init__(self):
        super().__init__()
        self.document, self.window, self.kept = None, Window(), {}
        self.extensions, self.factories = [], []

    def activeDocument(self):
        return self.document

    def activeWindow(self):
        return self.window

    def addExtension(self, extension):
        self.extensions.append(extension)
        extension.setup()
        extension.createActions(self.window)

    def addDockWidgetFactory(self, factory):
        self.factories.append(factory)

    def icon(self, _name):
        return QtGui.QIcon()

    def readSetting(self, group, name, usual):
        return self.kept.get((group, name), usual)

    def writeSetting(self, group, name, value):
        self.kept[group, name] = value
