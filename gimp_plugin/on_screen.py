"""Replies of the daemon as the screen shows them: what OK will put into the image."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gimp_plugin import pixels
from gimp_plugin.formats import MAP_CURVE
from gimp_plugin.group import MAPS
from gimp_plugin.limit import Limit

if TYPE_CHECKING:
    from daemon.light.request import Reply
    from daemon.light.view import Area
    from gimp_plugin.preview import Picture
    from gimp_plugin.rendering import Render

ORIGINAL = 1400
"""Long side in pixels of the untouched photo, until it is looked at closer."""


class OnScreen:
    """Converts pixels with the colours of a layer's image to 8-bit sRGB.

    Parameters
    ----------
    render
        Has the photo, its layer and the group.
    """

    def __init__(self, render: Render) -> None:
        self._layer, self._photo = render.layer, render.image
        self._limit = Limit.of(render.layer, render.existing)

    @property
    def limited(self) -> bool:
        """Whether a selection or a layer mask says where the blur shows."""
        return self._limit is not None

    @property
    def original(self) -> Picture:
        """The untouched photo, shrunk."""
        scale = min(1.0, ORIGINAL / max(self._photo.width, self._photo.height))
        return pixels.small(self._layer, scale)

    def cut_out(self, area: Area) -> Picture:
        """Return a part of the untouched photo at full size."""
        piece = self._photo.cropped(area)
        return piece.width, piece.height, pixels.to_screen(piece, self._layer)

    def pictures(self, reply: Reply, *, everywhere: bool) -> dict[str, Picture]:
        """Convert all planes of a reply.

        Parameters
        ----------
        reply
            What the daemon has made.
        everywhere
            Whether to pay no heed to what limits the blur.
        """
        shown: dict[str, Picture] = {}
        for name, plane in reply.planes.items():
            curve = MAP_CURVE if name in MAPS.values() else ""
            data = pixels.to_screen(plane, self._layer, curve)
            shown[name] = plane.width, plane.height, data
        if "composite" in shown and self._limit is not None and not everywhere:
            result, region = shown["composite"], reply.region
            whole = 0, 0, self._photo.width, self._photo.height
            area = whole if region is None else dataclasses.astuple(region)
            shown["composite"] = result[0], result[1], self._limit.shown(result, area)
        return shown
