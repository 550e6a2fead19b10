"""One request through the library, every step remembered by the content it depends on.

pixels --to_linear--> light --networks--> matte, depth --(reduce)--> prepared --render--> result
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec
import numpy as np

from bokeh_core import lens as library
from bokeh_core import rendering
from bokeh_core.analysis import analyse
from bokeh_core.depth import estimate_depth
from bokeh_core.errors import InputError
from bokeh_core.networks import registry, tasks
from bokeh_core.progress import Progress, part
from bokeh_core.rendering import prepare, render_prepared, render_tiles
from bokeh_core.segmentation import portrait_matte
from bokeh_core.subjects import full_at_point
from daemon import optics, samples
from daemon.figures import Limits
from daemon.planes import DTYPES, ResultPlane
from daemon.samples import Codes, Float32, Source
from daemon.work import Outcome

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from bokeh_core.subjects import People
    from daemon.cache import ContentCache
    from daemon.planes import Input, Level, Output
    from daemon.protocol import Render

SURFACE_BYTES = 100
"""What the renderer keeps per pixel of a picture that was cut ahead."""
CUT_PIXELS = 4_000_000
"""Largest picture that is cut ahead: a preview, not a photo."""
WHOLE = (slice(None), slice(None))
RESULT_KEPT_S = Limits().result_kept_s


@dataclass(frozen=True, eq=False)
class Maps:
    """Matte and disparity, (H, W) float32 in [0, 1]."""

    matte: Float32
    depth: Float32


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that the renderer reads, at the size of the result."""

    source: Source
    light: Float32
    maps: Maps


@dataclass(frozen=True, eq=False)
class Cut:
    """A small picture cut into surfaces, for quick changes of the lens."""

    surfaces: rendering.Prepared

    @property
    def nbytes(self) -> int:
        """Memory that it may grow to."""
        return SURFACE_BYTES * self.surfaces.depth.size


Kind = TypeVar("Kind")
Value: TypeAlias = Codes | Maps | Prepared | Cut | Outcome


def nbytes(value: Value) -> int:
    """Give the memory that a cached value takes."""
    if isinstance(value, Maps):
        return value.matte.nbytes + value.depth.nbytes
    if isinstance(value, Prepared):
        return value.light.nbytes + value.source.codes.nbytes + nbytes(value.maps)
    if isinstance(value, Outcome):
        return sum(plane.nbytes for plane in value.pixels)
    return int(value.nbytes)


@dataclass(eq=False)
class Task:
    """The computation of one request on one device."""

    cache: ContentCache[Value]
    request: Render
    planes: Mapping[Input, Codes]
    device: str
    tile: int | None
    cached: list[Level] = dataclasses.field(default_factory=list)
    timing: dict[str, float] = dataclasses.field(default_factory=dict)

    def run(self, report: Progress) -> Outcome:
        """Compute the outcome, or find it."""
        request = self.request
        # here: the joint call takes a model of either task, and given maps need none
        tasks.check(request.matte_model, "matte")
        tasks.check(request.depth_model, "depth")
        looks = (request.lens, request.camera, tuple(request.want), request.map_dtype)
        key = (*self._prepared_key(), *looks)
        kept = self._find("result", key, Outcome)
        if kept is not None:
            return dataclasses.replace(kept, cached=self.cached, timing={})
        ready = self._prepared(report)
        outcome = self._outcome(ready, report)
        self.cache.put("result", key, outcome, keep_s=RESULT_KEPT_S)
        return outcome

    # --- what is looked up under what

    def _analysis_key(self) -> Hashable:
        request = self.request
        if request.matte is not None:  # then the depth alone is estimated, on its outline
            return (request.image, request.matte, request.depth_model)
        return (request.image, request.matte_model, request.depth_model, self._people())

    def _prepared_key(self) -> tuple[Hashable, ...]:
        request = self.request
        point = self._focus_point() if request.subject == "at_focus_point" else None
        subject = (request.subject, point)
        return (self._analysis_key(), request.matte, request.depth, *subject, request.preview)

    def _find(self, level: Level, key: Hashable, kind: type[Kind]) -> Kind | None:
        value = self.cache.get(level, key)
        if not isinstance(value, kind):
            return None
        self.cached.append(level)
        return value

    # --- the steps

    def _prepared(self, report: Progress) -> Prepared:
        """Give what the renderer reads; only a preview's is worth keeping.

        At full size it is decoded anew in 0.1 s, and would take 12 bytes a pixel for as long as the
        picture is in the cache.
        """
        scale = self.request.preview / self._long_side()
        if not 0 < scale < 1:
            return self._full_size(report)
        key = self._prepared_key()
        kept = self._find("prepared", key, Prepared)
        if kept is not None:
            return kept
        full = self._full_size(report)
        with self._timed("reduce"):
            ready = _reduced(full.source, full.light, full.maps, scale)
        self.cache.put("prepared", key, ready)
        return ready

    def _full_size(self, report: Progress) -> Prepared:
        source = Source(self.request.image, self.planes["image"])
        with self._timed("decode"):
            light = source.light(lambda done: report("decode", 0.02 * done))
        return Prepared(source, light, self._maps(light, part(report, 0.02, 0.5)))

    def _maps(self, light: Float32, report: Progress) -> Maps:
        given = {
            name: samples.map_values(name, self.planes[name])
            for name in ("matte", "depth")
            if name in self.planes
        }
        matte, depth = given.get("matte"), given.get("depth")
        nobody = self.request.subject == "none"
        if depth is not None and nobody:  # no matte is needed, not even for the depth's steps
            return Maps(np.zeros_like(depth), depth)
        if matte is None or depth is None:
            found = self._analysis(light, matte, report)
            matte, depth = found.matte, found.depth if depth is None else depth
        if nobody:
            matte = np.zeros_like(matte)
        elif self.request.subject == "at_focus_point":
            with self._timed("subject"):
                matte = full_at_point(matte, self._focus_point(), report)
        return Maps(matte, depth)

    def _analysis(self, light: Float32, given: Float32 | None, report: Progress) -> Maps:
        """Ask the networks for matte and depth, or for the depth of a given matte."""
        key = self._analysis_key()
        kept = self._find("analysis", key, Maps)
        if kept is not None:
            return kept
        with self._timed("networks"):
            found = self._estimated(light, given, report)
        self.cache.put("analysis", key, found)
        return found

    def _estimated(self, light: Float32, matte: Float32 | None, report: Progress) -> Maps:
        people, device = self._people(), self.device
        matte_model = self.request.matte_model or registry.DEFAULT
        depth_model = self.request.depth_model or registry.DEFAULT
        if matte is None and matte_model == depth_model:
            both = analyse(light, people=people, model=matte_model, device=device, progress=report)
            return Maps(*both)
        rest = report
        if matte is None:
            first, rest = part(report, 0.0, 0.5), part(report, 0.5, 1.0)
            matte = portrait_matte(
                light, people=people, model=matte_model, device=device, progress=first
            )
        depth = estimate_depth(light, matte=matte, model=depth_model, device=device, progress=rest)
        return Maps(matte, depth)

    def _outcome(self, ready: Prepared, report: Progress) -> Outcome:
        request = self.request
        pixels: dict[Output, Codes] = {}
        focus = None
        if "composite" in request.want:
            start = 0.5 if "networks" in self.timing else 0.0
            pixels["composite"], focus = self._composite(ready, part(report, start, 0.97))
        with self._timed("encode"):
            dtype = request.map_dtype or request.image.dtype
            for name in ("matte", "depth"):
                if name in request.want:
                    report("encode", 0.98)
                    pixels[name] = samples.map_codes(getattr(ready.maps, name), dtype)
        report("send", 1.0)
        ordered = {name: np.ascontiguousarray(pixels[name]) for name in request.want}
        return Outcome(
            planes=[_declare(name, codes, ready.source) for name, codes in ordered.items()],
            pixels=list(ordered.values()),
            focus=focus,
            cached=self.cached,
            timing=self.timing,
            device=self.device,
        )

    def _composite(self, ready: Prepared, report: Progress) -> tuple[Codes, float | None]:
        maps = ready.maps
        look = self._look(maps).scaled(max(ready.light.shape[:2]) / self._long_side())
        matte = None if self.request.subject == "none" else maps.matte
        small = self.request.preview > 0 and maps.depth.size <= CUT_PIXELS and self.tile is None
        source, light = ready.source, ready.light
        codes = np.empty_like(source.codes)

        def put(place: samples.Place, rendered: Float32) -> None:
            codes[place] = source.composite(light, rendered, place)

        with self._timed("render"):
            if small and isinstance(look, library.Lens):
                cut = self._cut(ready, matte, look.max_coc, part(report, 0.0, 0.5))
                rest = part(report, 0.5, 1.0)
                put(WHOLE, render_prepared(cut.surfaces, look, progress=rest, preview=True))
            else:
                render_tiles(
                    *(put, light, maps.depth, matte, look),
                    progress=report,
                    device=self.device,
                    preview=self.request.preview > 0,
                    tile=self.tile,
                )
        return codes, look.focus if isinstance(look, library.Lens) else None

    def _cut(self, ready: Prepared, matte: Float32 | None, max_coc: float, report: Progress) -> Cut:
        """Cut a preview into surfaces, for this blur and any up to the next power of two."""
        reach = 2.0 ** math.ceil(math.log2(max(max_coc, 8.0)))
        key = (*self._prepared_key(), reach)
        kept = self.cache.get("prepared", key)
        if isinstance(kept, Cut):
            return kept
        light, depth = ready.light, ready.maps.depth
        cut = Cut(prepare(light, depth, matte, max_coc=reach, device=self.device, progress=report))
        self.cache.put("prepared", key, cut)
        return cut

    def _look(self, maps: Maps) -> library.Lens | library.BinnedGaussian:
        request = self.request
        fields = msgspec.structs.asdict(request.lens)
        if isinstance(request.lens, optics.BinnedGaussian):
            return library.BinnedGaussian(**fields)
        if request.camera is not None:
            camera = msgspec.structs.asdict(request.camera)
            far = camera.pop("farthest_m")
            physical = library.Lens.from_camera(
                image_width_px=request.image.width,
                **camera,
                **({} if far is None else {"farthest_m": far}),
            )
            fields["max_coc"] = physical.max_coc
            if request.lens.focus is None and request.lens.focus_point is None:
                fields["focus"] = physical.focus
        return library.Lens(**fields).resolved(maps.depth, maps.matte)

    # --- small facts

    def _people(self) -> People:
        """Who is in the matte: everybody where a focus point then picks one of them."""
        return "all" if self.request.subject in {"all", "at_focus_point"} else "main"

    def _focus_point(self) -> tuple[float, float]:
        lens = self.request.lens
        point = lens.focus_point if isinstance(lens, optics.Lens) else None
        if point is None:
            raise InputError("subject at_focus_point needs lens.focus_point")
        return point

    def _long_side(self) -> int:
        return max(self.request.image.width, self.request.image.height)

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.timing[stage] = round(time.perf_counter() - began, 4)


def _reduced(source: Source, light: Float32, maps: Maps, scale: float) -> Prepared:
    height, width = (max(1, round(side * scale)) for side in light.shape[:2])
    small, small_light = source.reduced(light, width, height)
    shrunk = Maps(*(samples.shrink(m, width, height) for m in (maps.matte, maps.depth)))
    return Prepared(small, small_light, shrunk)


def _declare(name: Output, codes: Codes, source: Source) -> ResultPlane:
    composite = name == "composite"
    return ResultPlane(
        name=name,
        width=codes.shape[1],
        height=codes.shape[0],
        channels=codes.shape[2] if composite else 1,
        dtype=DTYPES[codes.dtype.str],
        transfer=source.plane.transfer if composite else "linear",
    )
