"""XMP packets (ISO 16684-1): the orientation, what is no longer true, and the extended part."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from xml.dom import minidom
from xml.parsers.expat import ExpatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIFF = "http://ns.adobe.com/tiff/1.0/"
EXIF = "http://ns.adobe.com/exif/1.0/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NOTE = "http://ns.adobe.com/xmp/note/"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_MOTION = ("MicroVideo", "MotionPhoto")
_ATTACHED = (
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/focus/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/1.0/panorama/depthmap/",
    "http://ns.google.com/photos/dd/1.0/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.apple.com/depthData/1.0/",
    "http://ns.apple.com/pixeldatainfo/1.0/",
)
"""Namespaces that describe pictures and films attached to the file, which the result has not."""
_THUMBNAILS = ("http://ns.adobe.com/xap/1.0/", "Thumbnails")
_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_EMPTY = (
    f'{_PACKET}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
).encode()
_DC, _BASIC = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/xap/1.0/"
_PREFIXES = {_DC: "dc", _BASIC: "xmp", EXIF: "exif"}
_PROPERTIES: dict[str, tuple[str, str, str]] = {
    "Title": (_DC, "title", "Alt"),
    "Author": (_DC, "creator", "Seq"),
    "Description": (_DC, "description", "Alt"),
    "Copyright": (_DC, "rights", "Alt"),
    "Source": (_DC, "source", ""),
    "Software": (_BASIC, "CreatorTool", ""),
    "Comment": (EXIF, "UserComment", "Alt"),
}
"""PNG's keywords (third edition, 11.3.3.1) and the properties that mean the same."""
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
"""Packets in UTF-16, whose end a zero byte may be."""
_SILENT = {"about", "xmptk"}


def parsed(xmp: bytes | None) -> minidom.Document | None:
    """Parse a packet; None for what is no XML, or declares entities of its own."""
    if not xmp:
        return None
    try:
        wide = xmp.startswith(_WIDE)
        text = xmp if wide else xmp.strip(b"\x00 \r\n\t")
        plain = xmp.replace(b"\x00", b"") if wide else text
        if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
            return None
        return minidom.parseString(text)  # noqa: S318 - no entities; expat bounds the rest
    except (ExpatError, ValueError, LookupError):
        return None


def values(document: minidom.Document, namespace: str, name: str) -> Iterator[str]:
    """Yield a property's values, be they attributes or elements, wherever they stand."""
    for element in _elements(document):
        if element.namespaceURI == namespace and element.localName == name:
            yield _text(element)
        if element.hasAttributeNS(namespace, name):
            yield element.getAttributeNS(namespace, name)


def orientation(xmp: bytes | None) -> int | None:
    """Return the orientation that a packet tells, 1 to 8; None without a sound one."""
    document = parsed(xmp)
    if document is None:
        return None
    for value in values(document, TIFF, "Orientation"):
        if value.strip() in "12345678" and len(value.strip()) == 1:
            return int(value)
    return None


def upright(xmp: bytes | None, size: tuple[int, int]) -> bytes | None:
    """Make a packet true for an upright picture of this width and height, alone in its file.

    What describes attached pictures, and thumbnails, is taken out; None when nothing else is left.
    A packet that says nothing of this stays as it is, byte for byte.
    """
    document = parsed(xmp)
    if document is None:
        return xmp or None
    width, height = (str(value) for value in size)
    wanted = {
        (TIFF, "Orientation"): "1",
        (TIFF, "ImageWidth"): width,
        (TIFF, "ImageLength"): height,
        (EXIF, "PixelXDimension"): width,
        (EXIF, "PixelYDimension"): height,
    }
    changed = _without_attached(document)
    for element in list(_elements(document)):
        for (namespace, name), value in wanted.items():
            if element.hasAttributeNS(namespace, name):
                changed |= element.getAttributeNS(namespace, name) != value
                element.getAttributeNodeNS(namespace, name).value = value  # type: ignore[union-attr]
            if element.namespaceURI == namespace and element.localName == name:
                changed |= _text(element) != value
                _set_text(document, element, value)
    if not changed:
        return xmp
    return None if _is_empty(document) else serialised(document)


def with_texts(
    xmp: bytes | None, texts: list[tuple[str, str]]
) -> tuple[bytes | None, list[tuple[str, str]]]:
    """Put texts into the packet as the properties that mean the same; give back what is left."""
    document = parsed(xmp or _EMPTY) if texts else None
    if document is None:
        return xmp, texts
    roots = document.getElementsByTagNameNS(RDF, "RDF")
    if not roots:
        return xmp, texts
    new, left = document.createElementNS(RDF, "rdf:Description"), []
    new.setAttributeNS(RDF, "rdf:about", "")
    for keyword, text in texts:
        meant = _PROPERTIES.get(keyword)
        if meant is None or any(values(document, *meant[:2])) or not _legal(text):
            left.append((keyword, text))
            continue
        namespace, name, kind = meant
        prefix = _PREFIXES[namespace]
        new.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
        node = document.createElementNS(namespace, f"{prefix}:{name}")
        holder = node
        if kind:
            holder = document.createElementNS(RDF, f"rdf:{kind}")
            item = document.createElementNS(RDF, "rdf:li")
            if kind == "Alt":
                item.setAttribute("xml:lang", "x-default")
            holder.appendChild(item)
            node.appendChild(holder)
            holder = item
        holder.appendChild(document.createTextNode(text))
        new.appendChild(node)
    if not new.childNodes:
        return xmp, left
    roots[0].appendChild(new)
    return serialised(document), left


def merged(xmp: bytes, extended: bytes) -> bytes | None:
    """Put the extended part's properties into the packet; None when either is no XML."""
    document, more = parsed(xmp), parsed(extended)
    if document is None or more is None:
        return None
    targets = document.getElementsByTagNameNS(RDF, "RDF")
    sources = more.getElementsByTagNameNS(RDF, "RDF")
    if not targets or not sources:
        return None
    _remove(document, lambda namespace, name: namespace == NOTE and name == "HasExtendedXMP")
    declared = [
        attribute for attribute in sources[0].attributes.values() if attribute.prefix == "xmlns"
    ]
    for child in [c for c in sources[0].childNodes if c.nodeType == c.ELEMENT_NODE]:
        moved = document.importNode(child, deep=True)
        for attribute in declared:
            if not moved.hasAttribute(attribute.name):
                moved.setAttributeNS(_XMLNS, attribute.name, attribute.value)
        targets[0].appendChild(moved)
    return serialised(document)


def pointer_to(extended: bytes) -> bytes:
    """Make the packet that only points at an extended part (XMP part 3, 1.1.3.1)."""
    guid = digest(extended)
    return (
        f'{_PACKET}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:xmpNote="{NOTE}" xmpNote:HasExtendedXMP="{guid}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def digest(extended: bytes) -> str:
    """Return the name that ties packet and extended part together."""
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()


def without_pointer(xmp: bytes) -> bytes | None:
    """Take out the pointer at an extended part that is not there."""
    document = parsed(xmp)
    if document is None or not _remove(
        document, lambda namespace, name: namespace == NOTE and name == "HasExtendedXMP"
    ):
        return xmp
    return None if _is_empty(document) else serialised(document)


def serialised(document: minidom.Document) -> bytes:
    """Return a document as a packet in UTF-8."""
    body = "".join(
        node.toxml() for node in document.childNodes if node.nodeType == node.ELEMENT_NODE
    )
    return f'{_PACKET}{body}<?xpacket end="w"?>'.encode()


def attached(document: minidom.Document) -> bool:
    """Whether a packet describes attached pictures or films."""
    return any(
        _is_attached(node.namespaceURI, node.localName)
        for element in _elements(document)
        for node in (element, *element.attributes.values())
    )


def _is_attached(namespace: str | None, name: str | None) -> bool:
    if namespace == _CAMERA:
        return (name or "").startswith(_MOTION)
    return (namespace, name) == _THUMBNAILS or (namespace or "").startswith(_ATTACHED)


def _without_attached(document: minidom.Document) -> bool:
    changed = _remove(document, _is_attached)
    for element in _elements(document):
        for attribute in list(element.attributes.values()):
            if attribute.namespaceURI == _XMLNS and attribute.value.startswith(_ATTACHED):
                element.removeAttributeNode(attribute)
                changed = True
    return changed


def _remove(document: minidom.Document, is_gone: Callable[[str | None, str | None], bool]) -> bool:
    changed = False
    for element in list(_elements(document)):
        for attribute in list(element.attributes.values()):
            if is_gone(attribute.namespaceURI, attribute.localName):
                element.removeAttributeNode(attribute)
                changed = True
        if is_gone(element.namespaceURI, element.localName):
            if element.parentNode is not None and element is not document.documentElement:
                element.parentNode.removeChild(element)
            changed = True
    return changed


def _legal(text: str) -> bool:
    """Whether XML 1.0 can hold a text."""
    return all(letter >= " " or letter in "\t\n\r" for letter in text)


def _is_empty(document: minidom.Document) -> bool:
    for element in _elements(document):
        if any(
            attribute.namespaceURI != _XMLNS and attribute.localName not in _SILENT
            for attribute in element.attributes.values()
        ):
            return False
        if any(node.data.strip() for node in element.childNodes if node.nodeType == node.TEXT_NODE):
            return False
    return True


def _elements(document: minidom.Document) -> Iterator[minidom.Element]:
    yield from document.getElementsByTagName("*")


def _text(element: minidom.Element) -> str:
    return "".join(n.data for n in element.childNodes if n.nodeType == n.TEXT_NODE).strip()


def _set_text(document: minidom.Document, element: minidom.Element, value: str) -> None:
    for child in list(element.childNodes):
        element.removeChild(child)
    element.appendChild(document.createTextNode(value))
