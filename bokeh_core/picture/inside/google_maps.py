"""GDepth (XMP with the map in base64) and Dynamic Depth (maps appended to the JPEG)."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bokeh_core.errors import InputError
from bokeh_core.picture import xmp
from bokeh_core.picture.inside.found import Disparity, from_distance, from_inverse, unit
from bokeh_core.picture.limits import check_size

if TYPE_CHECKING:
    from xml.dom import minidom

    from bokeh_core.picture.transfer import Float32

_GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"
_DD = "http://ns.google.com/photos/dd/1.0/"
_CONTAINERS = ("http://ns.google.com/photos/1.0/container/", f"{_DD}container/")
_ITEMS = ("http://ns.google.com/photos/1.0/container/item/", f"{_DD}item/")
_DEPTH_MAPS = (f"{_DD}depthmap/", f"{_DD}camera/depthmap/")


@dataclass(frozen=True)
class _Item:
    mime: str
    length: int
    padding: int
    semantic: str
    uri: str


def found(data: bytes, packet: bytes | None) -> Disparity | None:
    """Find a depth map by what the XMP says, extended part included; None where there is none."""
    document = xmp.parsed(packet)
    if document is None:
        return None
    return _gdepth(document) or _dynamic(data, document)


def _gdepth(document: minidom.Document) -> Disparity | None:
    encoded = _one(document, (_GDEPTH,), "Data")
    if not encoded:
        return None
    try:
        raw = base64.b64decode("".join(encoded.split()) + "==")
    except (binascii.Error, ValueError):
        raise InputError("its GDepth is no base64") from None
    return _disparity(document, (_GDEPTH,), decoded(raw))


def _dynamic(data: bytes, document: minidom.Document) -> Disparity | None:
    """Take the item that is the depth map: items lie one after the other at the file's end."""
    items = _items(document)
    wanted = _one(document, _DEPTH_MAPS, "DepthURI")
    end = len(data)
    for item in reversed(items[1:]):
        start = end - item.length - item.padding
        is_depth = item.semantic.lower() in {"depth", "depthmap"} or (
            "depth" in item.uri.lower() and "confidence" not in item.uri.lower()
        )
        if item.uri and wanted:
            is_depth = item.uri == wanted
        if is_depth and 0 < start < end:
            return _disparity(document, _DEPTH_MAPS, decoded(data[start : start + item.length]))
        end = start
    return None


def _items(document: minidom.Document) -> list[_Item]:
    """Read the directory of what is appended; the first is the photo itself."""
    items = []
    for namespace in _CONTAINERS:
        for element in document.getElementsByTagNameNS(namespace, "Item"):
            found_values = {
                name: _of(element, name)
                for name in ("Mime", "Length", "Padding", "Semantic", "DataURI")
            }
            items.append(
                _Item(
                    found_values["Mime"],
                    _whole(found_values["Length"]),
                    _whole(found_values["Padding"]),
                    found_values["Semantic"],
                    found_values["DataURI"],
                )
            )
    return items


def _of(element: minidom.Element, name: str) -> str:
    for namespace in (*_ITEMS, *_CONTAINERS):
        if element.hasAttributeNS(namespace, name):
            return element.getAttributeNS(namespace, name)
        for child in element.getElementsByTagNameNS(namespace, name):
            return "".join(n.data for n in child.childNodes if n.nodeType == n.TEXT_NODE).strip()
    return ""


def _whole(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 12 else 0


def decoded(raw: bytes) -> Float32:
    """Decode an embedded JPEG or PNG to grey from 0 to 1; any error of Pillow on damaged data."""
    with Image.open(io.BytesIO(raw), formats=["JPEG", "PNG"]) as image:
        check_size(image.width, image.height, 1)
        wide = image.mode.startswith("I")
        codes = np.asarray(image if wide or image.mode == "L" else image.convert("L"))
    return unit(codes.astype(np.uint16) if wide else codes)


def _disparity(
    document: minidom.Document, namespaces: tuple[str, ...], codes: Float32
) -> Disparity:
    near, far = (_number(_one(document, namespaces, name)) for name in ("Near", "Far"))
    units = _one(document, namespaces, "Units") or "m"
    if units.lower() not in {"m", "meters", "metres"}:
        factor = {"mm": 0.001, "cm": 0.01}.get(units.lower())
        near, far = (value * factor if value and factor else None for value in (near, far))
    form = _one(document, namespaces, "Format") or "RangeInverse"
    return (from_distance if form == "RangeLinear" else from_inverse)(codes, near, far)


def _one(document: minidom.Document, namespaces: tuple[str, ...], name: str) -> str | None:
    for namespace in namespaces:
        for value in xmp.values(document, namespace, name):
            return value.strip()
    return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None
