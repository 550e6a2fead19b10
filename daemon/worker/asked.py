"""What a request asks for, in the words of the library; and under what its answers are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bokeh_core.networks import registry
from bokeh_core.rendering import Bounds
from bokeh_core.rendering.api import checked_part
from daemon.wire import lens as wire_lens
from daemon.worker.engine_api import about

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bokeh_core.networks.own import Use
    from bokeh_core.subjects import People
    from daemon.wire.protocol import Render
    from daemon.wire.strokes import Stroke


@dataclass(frozen=True)
class Asked:
    """Facts of one request."""

    request: Render

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """What was painted on the maps, in order."""
        return tuple(self.request.strokes)

    @property
    def open_maps(self) -> tuple[str, ...]:
        """The maps of which nobody has said where they come from: a phone's own come first.

        A matte may also have been painted over the phone's.
        """
        request = self.request
        depth = request.depth is None and not request.depth_model
        anyone = request.subject == "main" and not request.people
        unsaid = request.matte is None or request.painted
        matte = unsaid and not request.matte_model and anyone
        return tuple(name for name, open_ in (("depth", depth), ("matte", matte)) if open_)

    @property
    def people(self) -> People:
        """Who is in the matte: anyone where points then pick some of them."""
        subject = self.request.subject
        if self.points or subject == "at_focus_point":
            return "anyone"
        return "main" if subject == "none" else subject

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Where those are who are the subject; empty: it is told by other words."""
        if self.request.people:
            return tuple(self.request.people)
        return (self._focus_point,) if self.request.subject == "at_focus_point" else ()

    @property
    def _focus_point(self) -> tuple[float, float]:
        lens = self.request.lens
        point = None if isinstance(lens, wire_lens.BinnedGaussian) else lens.focus_point
        assert point is not None, "checked by daemon.wire.checks"
        return point

    @property
    def part(self) -> Bounds | None:
        """The part of the picture that is wanted; None: all of it.

        Raises
        ------
        InputError
            It is not within the picture.
        """
        region, image = self.request.region, self.request.image
        if region is None:
            return None
        part = Bounds(region.top, region.left, region.height, region.width)
        with about("region"):
            checked_part(part, (image.height, image.width))
        return part

    @property
    def long_side(self) -> int:
        """The picture's longer side in pixels."""
        return max(self.request.image.width, self.request.image.height)

    def model(self, use: Use) -> str:
        """Name the model of a task: what the request says, else what the user has chosen."""
        named = {"matte": self.request.matte_model, "depth": self.request.depth_model, "hair": ""}
        return named[use] or registry.chosen(use)

    def analysis_key(self, *, of_matte: bool) -> Hashable:
        """Tell what the maps depend on; `of_matte`: the depth alone, on a given outline."""
        request = self.request
        if of_matte:
            return (request.image, request.matte or request.file, self._weights("depth"))
        matte = (self._weights("matte"), self._weights("hair"), request.refine)
        return (request.image, *matte, self._weights("depth"), self.people)

    def prepared_key(self) -> tuple[Hashable, ...]:
        """Tell what the renderer's input depends on; the strokes come last."""
        request = self.request
        given = (request.matte, request.painted, request.depth, request.file, self.open_maps)
        subject = (request.subject, self.points)
        analysis = self.analysis_key(of_matte=request.matte is not None)
        return (analysis, *given, *subject, request.preview, self.strokes)

    def result_key(self) -> Hashable:
        """Tell what the result depends on."""
        request = self.request
        looks = (request.lens, request.camera, tuple(request.want), request.map_dtype)
        return (*self.prepared_key(), *looks, self.part, request.tell_people)

    def _weights(self, use: Use) -> str:
        """Tell the weights of a task: another file under the same name gives other results."""
        return registry.stamp(self.model(use))
