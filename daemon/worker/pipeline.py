"""One request through the library, every step remembered by the content it depends on.

pixels --to_linear--> light --networks--> matte, depth --(reduce)--> prepared --render--> result
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from bokeh_core import lens as library
from bokeh_core.depth import full_depth
from bokeh_core.networks import hub, registry, tasks
from bokeh_core.networks.inference import Prediction, predict
from bokeh_core.picture import PhoneMaps, maps_inside
from bokeh_core.progress import Progress, ignore, part
from bokeh_core.rendering import (
    Bounds,
    overridden_depth,
    prepare,
    render_prepared,
    render_tiles,
)
from bokeh_core.rendering.api import graded, part_taker
from bokeh_core.rendering.tiles import place
from bokeh_core.segmentation import Choice, full_subject
from bokeh_core.subjects import each_one
from bokeh_core.touching import full_at_points
from daemon.wire.capabilities import Limits
from daemon.wire.people import Person
from daemon.worker import pixels
from daemon.worker.asked import Asked
from daemon.worker.engine_api import Outcome, about
from daemon.worker.look import look_of, says_focus
from daemon.worker.pixels import Codes, Float32, Source
from daemon.worker.values import Cut, Maps, RenderInput, Value, declare, doubts, reduced

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from bokeh_core.binned_gaussian import BinnedGaussian
    from daemon.wire.planes import Input, Level, Output
    from daemon.wire.protocol import Render
    from daemon.worker.cache import UserCache

LAYERS_KEPT = 512 << 20
"""Most bytes of layers that are kept of a preview."""
SURFACE_BYTES, PYRAMID_BYTES = 100, 28
"""What the renderer keeps per pixel: of a picture cut ahead; of one that only is made ready, with
the tiles that were looked at."""
CUT_PIXELS = 4_000_000
"""Largest picture that is cut ahead: a preview, not a photo."""
FULL_KEPT_S = 120.0
"""Seconds for which a photo that is looked at in full size stays ready for the next part of it."""
RESULT_KEPT_S = Limits().result_kept_s
Kind = TypeVar("Kind")


@dataclass(eq=False)
class Task:
    """The computation of one request on one device."""

    cache: UserCache[Value]
    request: Render
    planes: Mapping[Input, Codes]
    device: str
    tile: int | None
    cached: list[Level] = dataclasses.field(default_factory=list)
    timing: dict[str, float] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def asked(self) -> Asked:
        """What the request asks for."""
        return Asked(self.request)

    def run(self, report: Progress) -> Outcome:
        """Compute the outcome, or find it."""
        # here: the joint call takes a model of either task, and given maps need none
        uses: tuple[hub.Task, ...] = ("matte", "depth")
        for task in uses:
            with about(f"{task}_model"):
                tasks.check(self.asked.model(task), task)
        key = self.asked.result_key()
        kept = self._find("result", key, Outcome)
        if kept is not None:
            return dataclasses.replace(kept, cached=self.cached, timing={})
        ready = self._prepared(report)
        outcome = self._outcome(ready, report)
        self.cache.put("result", key, outcome, keep_s=RESULT_KEPT_S)
        return outcome

    def _find(self, level: Level, key: Hashable, kind: type[Kind]) -> Kind | None:
        value = self.cache.get(level, key)
        if not isinstance(value, kind):
            return None
        if level not in self.cached:
            self.cached.append(level)
        return value

    # --- the steps

    def _prepared(self, report: Progress) -> RenderInput:
        """Return what the renderer reads; a preview's is worth keeping.

        At full size it is decoded anew in 0.1 s, and would take 12 bytes a pixel for as long as the
        picture is in the cache: it is kept only while somebody looks at parts of it.
        """
        scale = self.request.preview / self.asked.long_side
        small, in_part = 0 < scale < 1, self.request.region is not None
        if not small and not in_part:
            return self._stroked(self._full_size(report), 0, 1.0)
        rest, strokes = self.asked.prepared_key()[:-1], self.asked.strokes
        done = len(strokes)
        ready = None
        while ready is None and done >= 0:  # with the strokes so far, else with fewer, with none
            ready = self._find("prepared", (*rest, strokes[:done]), RenderInput)
            done -= ready is None
        keep_s = None if small else FULL_KEPT_S
        if ready is None:
            done, ready = 0, self._full_size(report)
            if small:
                with self._timed("reduce"):
                    ready = reduced(ready.source, ready.light, ready.maps, scale)
            self.cache.put("prepared", (*rest, ()), ready, keep_s=keep_s)
        if done < len(strokes):
            ready = self._stroked(ready, done, scale if small else 1.0)
            self.cache.put("prepared", (*rest, strokes), ready, keep_s=keep_s)
        return ready

    def _stroked(self, ready: RenderInput, done: int, scale: float) -> RenderInput:
        """Paint the strokes that come after the first `done` ones."""
        strokes = self.asked.strokes[done:]
        if not strokes:
            return ready
        with self._timed("strokes"):
            maps = ready.maps.stroked(ready.light, strokes, scale)
        return dataclasses.replace(ready, maps=maps)

    def _full_size(self, report: Progress) -> RenderInput:
        source = Source(self.request.image, self.planes["image"])
        with self._timed("decode"):
            light = source.light(lambda done: report("decode", 0.02 * done))
        return RenderInput(source, light, self._maps(light, part(report, 0.02, 0.5)))

    def _maps(self, light: Float32, report: Progress) -> Maps:
        given = {
            name: pixels.map_values(name, self.planes[name])
            for name in ("matte", "depth")
            if name in self.planes
        }
        own, of_file = self._own(light, report)
        known = {**own, **given}
        matte, depth = known.get("matte"), known.get("depth")
        nobody = self.request.subject == "none"
        if depth is not None and nobody:  # no matte is needed, not even for the depth's steps
            return Maps(np.zeros_like(depth), depth, of_file=of_file)
        notes: tuple[str, ...] = ()
        if matte is None or depth is None:
            seen = self._analysis(light, matte, report)
            matte, depth = seen.matte, seen.depth if depth is None else depth
            notes = seen.notes
        if nobody:
            return Maps(np.zeros_like(matte), depth, of_file=of_file)
        found = None
        if self.request.painted and "matte" in given:
            found = own.get("matte")
            found = self._analysis(light, None, report).matte if found is None else found
        if self.asked.points:
            found = matte if found is None else found
            with self._timed("subject"):
                matte = full_at_points(matte, light, self.asked.points, report)
        if "depth" in known:
            notes = (*notes, *doubts(matte, depth))
        return Maps(matte, depth, notes, found, of_file=of_file)

    def _own(self, light: Float32, report: Progress) -> tuple[dict[str, Float32], tuple[str, ...]]:
        """Give the maps inside the photo's file that are open, and notes on those that are used."""
        file, wanted = self.request.file, self.asked.open_maps
        if file is None or not wanted:
            return {}, ()
        key = (self.request.image, file)
        found = self._find("analysis", key, PhoneMaps)
        if found is None:
            with self._timed("file"):
                found = maps_inside(
                    self.planes["file"].tobytes(), light, lambda _: report("decode", 0.0)
                )
            self.cache.put("analysis", key, found)
        planes = {"depth": found.depth, "matte": found.matte}
        notes = {"depth": found.depth_notes, "matte": found.matte_notes}
        own = {name: plane for name in wanted if (plane := planes[name]) is not None}
        used = (name for name in wanted if name not in self.planes)
        return own, tuple(note for name in used for note in notes[name])

    def _analysis(self, light: Float32, given: Float32 | None, report: Progress) -> Maps:
        """Ask the networks for matte and depth, or for the depth of a given matte."""
        key = self.asked.analysis_key(of_matte=given is not None)
        kept = self._find("analysis", key, Maps)
        if kept is not None:
            return kept
        found = self._estimated(light, given, report)
        self.cache.put("analysis", key, found)
        return found

    def _estimated(self, light: Float32, matte: Float32 | None, report: Progress) -> Maps:
        """Bring what the networks see to full size; the depth has its steps on a given matte."""
        notes: tuple[str, ...] = ()
        seen: Prediction | None = None
        model = self.asked.model("matte")
        if matte is None:
            seen = self._seen(light, model, part(report, 0.0, 0.3), "matte")
            choice = Choice(self.asked.people, None, self.request.refine, model, self.device)
            with self._timed("matte"):
                subject = full_subject(light, seen, choice, part(report, 0.3, 0.7))
            matte, notes = subject.matte, subject.notes
        if seen is None or self.asked.model("depth") != model:
            seen = self._seen(light, self.asked.model("depth"), part(report, 0.7, 0.8), "depth")
        with self._timed("depth"):
            return Maps(matte, full_depth(light, seen, matte, part(report, 0.8, 1.0)), notes)

    def _seen(
        self, light: Float32, model: str, report: Progress, stage: Literal["matte", "depth"]
    ) -> Prediction:
        """Return what a network sees: the same whoever is the subject, and whatever is painted."""
        key = (self.request.image, registry.stamp(model))
        kept = self._find("analysis", key, Prediction)
        if kept is not None:
            return kept
        report(stage, 0.0)
        with self._timed("networks"):
            seen = predict(light, model=model, device=self.device, tick=lambda: report(stage, 0.0))
        self.cache.put("analysis", key, seen)
        return seen

    def _outcome(self, ready: RenderInput, report: Progress) -> Outcome:
        request = self.request
        made: dict[Output, Codes] = {}
        focus = None
        if "composite" in request.want:
            start = 0.5 if "depth" in self.timing else 0.0
            made["composite"], focus = self._composite(ready, part(report, start, 0.97))
        with self._timed("encode"):
            dtype = request.map_dtype or request.image.dtype
            for name in ("matte", "depth"):
                if name in request.want:
                    report("encode", 0.98)
                    values = getattr(ready.maps, name)[self._place(ready)]
                    made[name] = pixels.map_codes(values, dtype)
        report("send", 1.0)
        ordered = {name: np.ascontiguousarray(made[name]) for name in request.want}
        return Outcome(
            planes=[
                declare(name, codes, ready.source, self._digest(name, codes))
                for name, codes in ordered.items()
            ],
            pixels=list(ordered.values()),
            focus=focus,
            notes=self._notes(ready.maps),
            file_notes=list(ready.maps.of_file),
            people=self._each_one(),
            cached=self.cached,
            timing=self.timing,
            device=self.device,
        )

    def _digest(self, name: Output, codes: Codes) -> str | None:
        """Remember a map of the whole picture: sent back unchanged, it need not travel."""
        plane = self.request.image
        if name == "composite" or codes.shape[:2] != (plane.height, plane.width):
            return None
        digest = hashlib.sha256(codes.data).hexdigest()
        self.cache.put("image", digest, codes)
        return digest

    def _composite(self, ready: RenderInput, report: Progress) -> tuple[Codes, float | None]:
        request = self.request
        look = look_of(request, ready.maps.depth, ready.maps.matte).scaled(
            max(ready.light.shape[:2]) / self.asked.long_side
        )
        ready = _overridden(ready, look)
        maps = ready.maps
        matte = None if request.subject == "none" else maps.matte
        preview, wanted = request.preview > 0, self.asked.part
        ahead = wanted is not None or (preview and maps.depth.size <= CUT_PIXELS)
        source, light = ready.source, ready.light
        where = self._place(ready)
        codes = np.empty_like(source.codes[where])
        take = codes.__setitem__ if wanted is None else part_taker(codes, wanted)

        def put(place: pixels.Place, rendered: Float32) -> None:
            take(place, source.composite(light, rendered, place))

        with self._timed("render"):
            if ahead and self.tile is None and isinstance(look, library.Lens):
                cut = self._cut(ready, matte, look, part(report, 0.0, 0.5))
                rest = part(report, 0.5, 1.0)
                rendered = render_prepared(
                    cut.surfaces, look, progress=rest, preview=preview, part=wanted
                )
                codes[:] = source.composite(light, rendered, where)
            else:
                render_tiles(
                    put,
                    light,
                    depth=maps.depth,
                    matte=matte,
                    lens=look,
                    progress=report,
                    device=self.device,
                    preview=preview,
                    tile=self.tile,
                    part=wanted,
                )
        return codes, look.focus if isinstance(look, library.Lens) else None

    def _cut(
        self, ready: RenderInput, matte: Float32 | None, lens: library.Lens, report: Progress
    ) -> Cut:
        """Make the picture ready: a preview for any blur up to the next power of two.

        A photo of which a part is looked at at full size as for the whole result, so that the part
        is the same; its layers are not kept.
        """
        small, coc = self.request.preview > 0, lens.max_coc
        widest = 2.0 ** math.ceil(math.log2(max(coc, 8.0))) if small else graded(coc)
        sharp = (lens.focus, lens.focus_range, lens.foreground)
        key = (*self.asked.prepared_key(), widest, None if ready.maps.found is None else sharp)
        kept = self.cache.get("prepared", key)
        if isinstance(kept, Cut):
            return kept
        surfaces = prepare(
            ready.light,
            depth=ready.maps.depth,
            matte=matte,
            max_coc=widest,
            device=self.device,
            progress=report,
            keep_bytes=LAYERS_KEPT if small else 0,
        )
        cut = Cut(surfaces, SURFACE_BYTES if small else PYRAMID_BYTES)
        self.cache.put("prepared", key, cut, keep_s=None if small else FULL_KEPT_S)
        return cut

    # --- small facts

    def _each_one(self) -> list[Person]:
        """Say who is where, if that was asked for."""
        if not self.request.tell_people:
            return []
        light = Source(self.request.image, self.planes["image"]).light()
        seen = self._seen(light, self.asked.model("matte"), ignore, "matte")
        return [Person(point=p.point, outline=p.outline) for p in each_one(seen, light)]

    def _notes(self, maps: Maps) -> list[str]:
        """Say what is doubtful about the subject, and what is in focus where there is none."""
        request = self.request
        if says_focus(request) or "composite" not in request.want or maps.matte.any():
            return list(maps.notes)
        return [f"{note}: focused by depth" for note in maps.notes]

    def _place(self, ready: RenderInput) -> pixels.Place:
        """Return rows and columns of what is sent back."""
        height, width = ready.maps.depth.shape
        return place(self.asked.part or Bounds(0, 0, height, width))

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.timing[stage] = round(time.perf_counter() - began, 4)


def _overridden(ready: RenderInput, look: library.Lens | BinnedGaussian) -> RenderInput:
    """Return what the renderer reads with the depth of a matte that somebody decided on."""
    maps = ready.maps
    if maps.found is None or not isinstance(look, library.Lens):
        return ready
    depth = overridden_depth(maps.depth, maps.matte, maps.found, look)
    return dataclasses.replace(ready, maps=dataclasses.replace(maps, depth=depth))
