"""Reads what is in a document, on Qt's thread; its bytes are turned elsewhere (`samples`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.words import tr
from krita_plugin import samples
from krita_plugin.qt import QtCore, QtGui

if TYPE_CHECKING:
    from daemon.light.planes import Plane

CHANNELS = {"RGBA": 4, "GRAYA": 2}
"""Krita's colour model -> channels of every layer."""
MIDDLE = {"U8": b"\x80", "U16": b"\x00\x80", "F16": b"\x00\x38", "F32": b"\x00\x00\x00\x3f"}
"""One half: in a linear profile it looks 188 bright, in all others about 128."""
BETWEEN = 158


@dataclass(frozen=True)
class Space:
    """How a document keeps its pixels.

    Parameters
    ----------
    depth
        `U8`, `U16`, `F16` or `F32`.
    channels
        4 of colour, 2 of grey.
    transfer
        `linear` or `srgb`, the wire's word that is nearest to the profile's curve.
    """

    depth: str
    channels: int
    transfer: str

    @property
    def is_linear(self) -> bool:
        """Whether its numbers are light."""
        return self.transfer == "linear"

    def grey(self, data: bytes) -> bytes:
        """Return what a painted map in it says, see `samples.grey`."""
        return samples.grey(data, self.depth, self.channels, linear=self.is_linear)

    def from_map(self, data: bytes) -> bytes:
        """Return a layer of it for a map of the daemon's, see `samples.from_map`."""
        return samples.from_map(data, self.depth, self.channels, linear=self.is_linear)

    @classmethod
    def of(cls, document: Any) -> Space:
        """Look at a document.

        Raises
        ------
        PluginError
            Its colours are neither RGB nor grey.
        """
        channels = CHANNELS.get(document.colorModel())
        if channels is None or document.colorDepth() not in samples.TYPES:
            raise PluginError(
                tr(
                    "Bokeh works in RGB and in greyscale. Choose Image > Convert Image Color Space "
                    "first."
                )
            )
        depth = document.colorDepth()
        pixel = MIDDLE[depth] * (channels - 1) + samples.OPAQUE[depth]
        probe = document.createNode("probe", "paintlayer")
        probe.setPixelData(pixel * 64, 0, 0, 8, 8)
        seen = QtGui.QColor(probe.thumbnail(8, 8).pixel(4, 4)).green()
        return cls(depth, channels, "linear" if seen > BETWEEN else "srgb")


@dataclass(frozen=True)
class Area:
    """A rectangle of a document, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def of(cls, node: Any) -> Area:
        """Return where a layer has anything, also beyond the canvas."""
        found = node.bounds()
        return cls(found.x(), found.y(), found.width(), found.height())

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Left, top, width and height, as Krita's functions want them."""
        return self.x, self.y, self.width, self.height


def is_open(document: Any) -> bool:
    """Whether a document has not been closed; of one that has, every function gives nothing."""
    return document.rootNode() is not None


def read(node: Any, area: Area) -> bytes:
    """Return the pixels of a layer, or of a whole group, with its masks; without its opacity."""
    return bytes(node.projectionPixelData(*area.corners))


def to_screen(document: Any, space: Space, plane: Plane) -> QtGui.QImage:
    """Return a picture, or a map, of the daemon's as the screen shows it: in sRGB."""
    if plane.channels == 1:
        grey = plane.data if plane.dtype == "u8" else plane.data[1::2]
        form = QtGui.QImage.Format.Format_Grayscale8
        return QtGui.QImage(grey, plane.width, plane.height, plane.width, form).copy()
    pixels = samples.from_wire(plane.data, space.depth, space.channels)
    node = document.createNode("preview", "paintlayer")
    shown = samples.opaque(pixels, space.depth, space.channels)
    node.setPixelData(QtCore.QByteArray(shown), 0, 0, plane.width, plane.height)
    return node.thumbnail(plane.width, plane.height)
