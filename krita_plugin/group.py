"""The layer group a result lives in: made, found again, rendered again. On Qt's thread.

Krita's functions for scripts make a step to undo of each layer that is added to or removed from a
picture, and of nothing else. So a group is filled before it is added: one step takes it away.
Rendered again it is a copy with other pixels that is added, and the old group removed: two steps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.words import tr
from krita_plugin import record
from krita_plugin.pixels import Area
from krita_plugin.qt import QtCore
from krita_plugin.record import MAPS, ROLES, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

FULL = 255  # opacity
NORMAL = "normal"
NAMES = {"composite": "Composite", "mask": "Mask", "depth": "Depth", "rest": "Unblurred"}
"""Role -> what the layer is called at first."""
BY_HAND = "Composite, painted by hand"
"""Name of a Composite that was painted on, once there is a new one."""


@dataclass(frozen=True)
class Made:
    """A layer to be made.

    Parameters
    ----------
    pixels
        In the document's own format.
    digest
        Fingerprint to be kept of it.
    """

    pixels: bytes
    digest: str


@dataclass(frozen=True)
class Group:
    """A Bokeh group in a document."""

    document: Any
    layer: Any
    record: Record

    def member(self, role: str) -> Any:
        """Return the layer `composite`, `mask`, `depth` or `rest`; None when there is none."""
        return record.layer(self.document, self.record.members.get(role, ""))

    def source(self) -> Any:
        """Return the layer that was blurred.

        Raises
        ------
        PluginError
            It is gone.
        """
        found = record.layer(self.document, self.record.source)
        if found is None:
            said = tr(
                'The layer that "{layer}" was made from is gone. Bring it back with Undo, or '
                "select another layer and choose Bokeh."
            )
            raise PluginError(said.format(layer=self.layer.name()))
        return found


def find(document: Any, node: Any) -> Group | None:
    """Return the Bokeh group that a layer is, is in or belongs to.

    Raises
    ------
    PluginError
        What was kept about the groups is damaged.
    """
    known = record.records(document)
    owners = {each: number for number, kept in known.items() for each in kept.members.values()}
    while node is not None and known:
        number = record.number(node)
        number = owners.get(number, number)
        layer = record.layer(document, number) if number in known else None
        if layer is not None:
            return Group(document, layer, known[number])
        node = node.parentNode()
    return None


def insert(
    document: Any,
    source: Any,
    area: Area,
    layers: Mapping[str, Made],
    kept: Record,
    *,
    replaces: bool,
) -> Group:
    """Add a group right above its source, in one step to undo, and make its Composite active.

    Parameters
    ----------
    document, source
        The layer that was blurred, and where it is.
    area
        Where its pixels are.
    layers
        `composite`, `mask`, `depth`, from top to bottom; `rest` where only a part is selected of a
        source that lets something through.
    kept
        What is known but for the layers.
    replaces
        Whether the source is hidden, and the group blended in its place.
    """
    rest = "rest" in layers
    made = {role: _layer(document, area, NAMES[role], each.pixels) for role, each in layers.items()}
    for role in MAPS:
        made[role].setVisible(False)
    selection = document.selection()
    if selection is not None:
        limit = document.createTransparencyMask("Selection")
        limit.setSelection(selection)
        made["composite"].setChildNodes([limit])
        made["composite"].setInheritAlpha(rest)
    layer = document.createGroupLayer("Bokeh")
    layer.setChildNodes([made[role] for role in reversed(list(made))])
    if replaces:
        _take_place(layer, source)
    for role, node in made.items():
        kept = kept.with_member(role, record.number(node), layers[role].digest)
    source.parentNode().addChildNode(layer, source)
    record.keep(document, record.number(layer), kept)
    _show(document, made["composite"])
    return Group(document, layer, kept)


def replace(group: Group, area: Area, layers: Mapping[str, Made], kept: Record) -> Group:
    """Put a copy of a group with new pixels in its place, and show the result; two steps to undo.

    Parameters
    ----------
    group
        The group as it is. It keeps its record: Undo brings it back whole.
    area
        Where its source is.
    layers
        The new `composite`; `mask`, `depth` and `rest` when those are to be others.
    kept
        The new group's record, but for the layers.
    """
    document, old = group.document, group.layer
    active = document.activeNode()
    new = old.duplicate()
    copies = dict(zip(_numbers(old), _below(new), strict=True))
    for role in ROLES:
        member = copies.get(kept.members.get(role, ""))
        if member is not None:  # the user may have thrown it away, or out
            kept = kept.with_member(role, record.number(member), kept.digests.get(role, ""))
    for role, each in layers.items():
        member = copies.get(group.record.members.get(role, ""))
        if member is None and role == "composite":
            member = document.createNode(NAMES[role], "paintlayer")
            new.addChildNode(member, None)
        elif member is None:
            continue
        elif role == "composite" and _painted(group, member, area):
            _lay_aside(new, member)
        _fill(member, area, each.pixels)
        kept = kept.with_member(role, record.number(member), each.digest)
    made = Group(document, new, kept)
    old.parentNode().addChildNode(new, old)
    old.remove()
    record.keep(document, record.number(new), kept)
    for role in MAPS:
        map_layer = made.member(role)
        if map_layer is not None:
            map_layer.setVisible(False)
    made.member("composite").setVisible(True)
    _show(document, copies.get(record.number(active), active) if active else new)
    return made


def add_map(document: Any, source: Any, area: Area, name: str, pixels: bytes) -> Any:
    """Add a loose layer with a map right above a layer; one step to undo."""
    layer = _layer(document, area, name, pixels)
    source.parentNode().addChildNode(layer, source)
    _show(document, layer)
    return layer


def is_plain(source: Any) -> bool:
    """Whether what lies over an opaque source covers it; else both together would show."""
    normal = source.blendingMode() == NORMAL and not source.inheritAlpha()
    return normal and source.opacity() == FULL


def _layer(document: Any, area: Area, name: str, pixels: bytes) -> Any:
    layer = document.createNode(name, "paintlayer")
    layer.setPixelData(QtCore.QByteArray(pixels), *area.corners)
    return layer


def _below(node: Any) -> list[Any]:
    """Return a layer and all that are in it, always in the same order."""
    return [node, *(found for child in node.childNodes() for found in _below(child))]


def _numbers(node: Any) -> list[str]:
    return [record.number(each) for each in _below(node)]


def _fill(layer: Any, area: Area, pixels: bytes) -> None:
    """Put other pixels into a layer, and none where it had some and the source has none."""
    before = Area.of(layer)
    size = len(pixels) // (area.width * area.height)
    nothing = QtCore.QByteArray(bytes(before.width * before.height * size))
    layer.setPixelData(nothing, *before.corners)
    layer.setPixelData(QtCore.QByteArray(pixels), *area.corners)


def _painted(group: Group, composite: Any, area: Area) -> bool:
    """Whether the Composite is another than the one that was rendered."""
    now = hashlib.sha256(bytes(composite.pixelData(*area.corners))).hexdigest()
    return now != group.record.digests.get("composite")


def _lay_aside(group: Any, composite: Any) -> None:
    """Keep what somebody has painted: hidden, below what is rendered anew."""
    copy = composite.duplicate()
    copy.setName(BY_HAND)
    copy.setVisible(False)
    below = group.childNodes()
    at = [record.number(each) for each in below].index(record.number(composite))
    group.addChildNode(copy, below[at - 1] if at else None)


def _take_place(layer: Any, source: Any) -> None:
    """Show the group instead of the source, blended as that was."""
    layer.setOpacity(source.opacity())
    layer.setBlendingMode(source.blendingMode())
    layer.setInheritAlpha(source.inheritAlpha())
    layer.setVisible(source.visible())
    source.setVisible(False)


def _show(document: Any, active: Any) -> None:
    document.refreshProjection()
    document.setModified(True)
    # later: Krita is about to make active what was added last
    QtCore.QTimer.singleShot(0, lambda: document.setActiveNode(active))
