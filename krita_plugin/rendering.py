"""First render and re-render: read, compute, put the layers in.

Snapshot.of     on Qt's thread: bytes of the layer, of the painted maps
Render.of       on any: planes of them, and what is asked of the daemon
Render.made     on any: the layers' bytes of the answer
Render.put      on Qt's thread: the document changes, all at once, at the end
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.planes import Plane
from daemon.light.request import LayerRequest
from daemon.light.words import tr
from krita_plugin import group, pixels, record, samples
from krita_plugin.group import Made
from krita_plugin.pixels import Area, Space
from krita_plugin.record import MAPS, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.light.parameters import Parameters
    from daemon.light.request import Reply


@dataclass(frozen=True)
class Snapshot:
    """A layer as it is now, and the painted maps of its group.

    Parameters
    ----------
    document, layer, name
        Where it is, and what it is called.
    area, space
        Which part of the document it covers, and how its pixels are kept.
    image
        Its pixels, as Krita gives them.
    existing
        The group that is to be rendered again; None makes a new one.
    maps
        Role -> pixels of `mask` and `depth`, where the source is.
    selected
        Whether a part of the document is selected.
    plain
        Whether the layer is blended as usual.
    has_rest
        Whether the group shows the source itself where nothing was selected.
    """

    document: Any
    layer: Any
    name: str
    area: Area
    space: Space
    image: bytes
    existing: group.Group | None = None
    maps: Mapping[str, bytes] = field(default_factory=dict)
    selected: bool = False
    plain: bool = True
    has_rest: bool = False

    @classmethod
    def of(cls, document: Any, node: Any) -> Snapshot:
        """Read what is needed to blur a layer, or to render its Bokeh group again.

        Raises
        ------
        PluginError
            There is nothing to blur, or no way to do it.
        """
        if document is None or node is None:
            raise PluginError(tr("There is no picture open. Open a photo and select its layer."))
        space = Space.of(document)
        existing = group.find(document, node)
        layer = node if existing is None else existing.source()
        _check(document, layer)
        area = Area.of(layer)
        if area.width < 1 or area.height < 1:
            raise _empty(layer.name())
        document.waitForDone()
        found = {} if existing is None else {role: existing.member(role) for role in MAPS}
        return cls(
            document,
            layer,
            layer.name(),
            area,
            space,
            pixels.read(layer, area),
            existing,
            {role: pixels.read(each, area) for role, each in found.items() if each is not None},
            document.selection() is not None,
            group.is_plain(layer),
            existing is not None and existing.member("rest") is not None,
        )

    def is_current(self) -> bool:
        """Whether the document still has what was read: only then a result fits."""
        try:
            now = Snapshot.of(self.document, self.layer if not self.existing else self._member())
        except (PluginError, RuntimeError):  # Qt: the document is closed
            return False
        before = self.existing and self.existing.record
        return (
            (now.existing and now.existing.record) == before
            and (now.area, now.space, now.image) == (self.area, self.space, self.image)
            and now.maps == self.maps
        )

    def _member(self) -> Any:
        return None if self.existing is None else self.existing.layer


@dataclass(frozen=True)
class Render:
    """One render to be done.

    Parameters
    ----------
    snapshot
        Of the layer.
    image
        Its pixels, as they travel.
    maps
        Edited maps, `matte` and `depth`.
    """

    snapshot: Snapshot
    image: Plane
    maps: Mapping[str, Plane] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Render:
        """Turn what was read into what travels.

        Raises
        ------
        PluginError
            The layer has nothing on it.
        """
        space, area = snapshot.space, snapshot.area
        data = samples.to_wire(snapshot.image, space.depth, space.channels)
        kind = samples.TYPES[space.depth]
        size = area.width, area.height
        image = Plane(*size, space.channels, kind, space.transfer, data)
        if image.empty:
            raise _empty(snapshot.name)
        return cls(snapshot, image, _edited(snapshot, image.digest))

    def request(self, parameters: Parameters) -> LayerRequest:
        """Return what the daemon is asked for the full-size result."""
        unpainted = [name for name in MAPS.values() if name not in self.maps]
        return dataclasses.replace(
            LayerRequest.of(self.image, parameters),
            want=(*unpainted, "composite"),
            matte=self.maps.get("matte"),
            depth=self.maps.get("depth"),
        )

    def made(self, reply: Reply) -> dict[str, Made]:
        """Return the layers of an answer, `composite` first; maps only where they are others."""
        snapshot, (depth, channels) = self.snapshot, self._format
        data = samples.from_wire(reply.planes["composite"].data, depth, channels)
        rest = self._has_rest
        composite = samples.opaque(data, depth, channels) if rest else data
        layers = {"composite": Made(composite, hashlib.sha256(composite).hexdigest())}
        for role, name in MAPS.items():
            if name in reply.planes:
                layer = snapshot.space.from_map(reply.planes[name].data)
                digest = hashlib.sha256(snapshot.space.grey(layer)).hexdigest()
                if snapshot.existing is None or digest != self._known(role):
                    layers[role] = Made(layer, digest)
        if rest and (snapshot.existing is None or self.image.digest != self._source_digest):
            layers["rest"] = Made(snapshot.image, "")
        return layers

    def put(self, parameters: Parameters, layers: Mapping[str, Made]) -> group.Group:
        """Put the result into the document.

        Raises
        ------
        PluginError
            The document is not any more as it was read; it stays as it is.
        """
        now = self.snapshot
        if not now.is_current():
            raise PluginError(
                tr(
                    "The picture was changed while its blur was computed, so the result does not "
                    "fit any more and was left out. The picture is as you left it; choose Bokeh "
                    "again."
                )
            )
        if now.existing is None:
            kept = Record(parameters, record.number(now.layer), self.image.digest, {}, {})
            replaces = not (now.plain and self.image.opaque)
            return group.insert(now.document, now.layer, now.area, layers, kept, replaces=replaces)
        kept = dataclasses.replace(now.existing.record, parameters=parameters)
        if self.image.digest != kept.source_digest:  # on another source the maps are the user's
            kept = dataclasses.replace(
                kept,
                source_digest=self.image.digest,
                digests={role: each for role, each in kept.digests.items() if role not in MAPS},
            )
        return group.replace(now.existing, now.area, layers, kept)

    @property
    def _format(self) -> tuple[str, int]:
        return self.snapshot.space.depth, self.snapshot.space.channels

    @property
    def _has_rest(self) -> bool:
        """Whether the source itself is shown, below the result, where nothing is selected."""
        now = self.snapshot
        if now.existing is not None:
            return now.has_rest
        return now.selected and not (now.plain and self.image.opaque)

    @property
    def _source_digest(self) -> str:
        existing = self.snapshot.existing
        return "" if existing is None else existing.record.source_digest

    def _known(self, role: str) -> str:
        existing = self.snapshot.existing
        return "" if existing is None else existing.record.digests.get(role, "")


def _edited(snapshot: Snapshot, source_digest: str) -> dict[str, Plane]:
    """Return the maps of a group that differ from what the networks gave for its source."""
    existing = snapshot.existing
    if existing is None:
        return {}
    kept, space, maps = existing.record, snapshot.space, {}
    for role, name in MAPS.items():
        if role in snapshot.maps:
            data = space.grey(snapshot.maps[role])
            known = hashlib.sha256(data).hexdigest() == kept.digests.get(role)
            if not known or source_digest != kept.source_digest:
                size = snapshot.area.width, snapshot.area.height
                maps[name] = Plane(*size, 1, samples.TYPES[space.depth], "linear", data)
    return maps


def _empty(name: str) -> PluginError:
    said = tr(
        'The layer "{layer}" is empty (fully transparent). Select the photo\'s layer and try again.'
    )
    return PluginError(said.format(layer=name))


def _check(document: Any, layer: Any) -> None:
    for name in ("colorModel", "colorDepth", "colorProfile"):
        if getattr(layer, name)() != getattr(document, name)():
            said = tr(
                'The layer "{layer}" has other colours than the picture. Choose Layer > Convert > '
                "Convert Layer Color Space, take those of the picture, and try again."
            )
            raise PluginError(said.format(layer=layer.name()))
