"""What `defocus dataset` makes of one photo or scene: sharp picture, mask, depth and bokeh."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import progress
from bokeh_core.errors import InputError
from bokeh_core.lens import WIDEST, Lens, disparity_at
from bokeh_core.picture import Picture, from_linear, read, write, write_map
from bokeh_core.presets import PortraitLens
from daemon.batch.work import Made
from daemon.cli import backend, error_text
from daemon.cli.request import PhotoRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bokeh_core.evaluation.thin_lens import Scene

Float32 = npt.NDArray[np.float32]
SHAPES: dict[str, dict[str, Any]] = {
    "round": {},
    "hexagon": {"blades": 6, "curvature": 0.2},
    "triangle": {"blades": 3},
    "ring": {"ring": 0.9},
    "cat-eye": {"cat_eye": 0.8},
    "anamorphic": {"squeeze": 1.8},
}
"""Aperture by name -> fields of `Lens`."""
SAMPLES = 400
"""Lens points of a scene's exact bokeh."""
CACHE_BYTES = 1 << 30  # matte and depth of a photo are found once for all its variations


@dataclass(frozen=True)
class Variation:
    """One bokeh of a picture: aperture number, what is in focus, shape of the aperture.

    `focus` is "subject", a depth from 0 to 1, or a point X:Y as fractions of width and height.
    """

    f_number: float
    focus: str
    shape: str

    @property
    def name(self) -> str:
        """Return the part of a file's name that tells variations apart."""
        return f"f{self.f_number:g}-{self.focus.replace(':', 'x')}-{self.shape}"

    def lens(self, long_side: int) -> Lens:
        """Return the lens for a picture of this size."""
        lens = Lens(
            keep_subject_sharp=self.focus == "subject",
            **SHAPES[self.shape],
            **self._in_focus(),
        )
        most = WIDEST * math.sqrt(lens.area_of_disc())
        return lens.with_disc(min(PortraitLens().coc(self.f_number, long_side), most))

    def _in_focus(self) -> dict[str, Any]:
        if self.focus == "subject":
            return {}
        if ":" in self.focus:
            x, y = self.focus.split(":")
            return {"focus_point": (float(x), float(y))}
        return {"focus": float(self.focus)}


def variations(
    f_numbers: Sequence[float], focuses: Sequence[str], shapes: Sequence[str]
) -> tuple[Variation, ...]:
    """Combine everything with everything.

    Raises
    ------
    InputError
        A value is out of range.
    """
    every = tuple(Variation(*each) for each in itertools.product(f_numbers, focuses, shapes))
    for variation in every:
        if variation.shape not in SHAPES:
            raise InputError(f"--shapes {variation.shape}: there are {', '.join(SHAPES)}")
        try:
            variation.lens(1024)
        except ValueError as error:
            raise InputError(f"{variation.name}: {error}") from None
    return every


@dataclass(frozen=True)
class Files:
    """How the files of one picture are written.

    Attributes
    ----------
    name
        Of the picture, in all file names.
    linear
        32-bit float TIFF in linear light; else 8-bit PNG, display-encoded, and 16-bit maps.
    """

    name: str
    linear: bool

    def write(
        self, folder: Path, sharp: Float32, maps: dict[str, Float32], bokeh: dict[str, Float32]
    ) -> dict[str, Path]:
        """Write everything below `folder`; gives the files by kind."""
        suffix = ".tif" if self.linear else ".png"
        paths = {
            "image": folder / "images" / f"{self.name}{suffix}",
            "mask": folder / "masks" / f"{self.name}{suffix}",
            "depth": folder / "depths" / f"{self.name}{suffix}",
        }
        paths |= {kind: folder / "bokeh" / f"{self.name}-{kind}{suffix}" for kind in bokeh}
        for path in paths.values():
            path.parent.mkdir(exist_ok=True)
        for kind, light in {"image": sharp, **bokeh}.items():
            write(paths[kind], self._picture(light))
        for kind, values in maps.items():
            write_map(paths[kind], values, np.float32 if self.linear else np.uint16)
        return paths

    def _picture(self, light: Float32) -> Picture:
        if self.linear:
            return Picture(np.asarray(light, np.float32), "linear")
        return Picture(from_linear(np.clip(light, 0, 1), np.uint8), "srgb")


@dataclass(frozen=True)
class FromPhoto:
    """Takes mask and depth from the networks, and the bokeh from the renderer."""

    files: Files
    variations: tuple[Variation, ...]
    long_side: int
    device: str

    def __call__(self, source: Path | None, folder: Path) -> Made:
        """Make the files of one photo."""
        assert source is not None
        read_picture = read(source)
        sharp = _reduced(read_picture.linear()[..., :3], self.long_side)
        picture = Picture(sharp, "linear")
        maps: dict[str, Float32] = {}
        bokeh: dict[str, Float32] = {}
        focus: dict[str, float | None] = {}
        where = ""
        for variation in self.variations:
            order = PhotoRequest(
                picture=picture,
                lens=variation.lens(max(picture.width, picture.height)),
                kinds=("composite",) if maps else ("mask", "depth", "composite"),
                map_dtype="f32",
            )
            made = studio(self.device).make(order.job(), progress.ignore)
            if not maps:
                maps = {"mask": made.planes["matte"], "depth": made.planes["depth"]}
                maps = {name: plane.reshape(plane.shape[:2]) for name, plane in maps.items()}
            bokeh[variation.name] = made.planes["composite"]
            focus[variation.name], where = made.focus, made.where
        return Made(
            files=self.files.write(folder, sharp, maps, bokeh),
            facts={"size": [picture.width, picture.height], "focus": focus, "truth": "estimated"},
            notes=read_picture.notes,
            device=where.removeprefix("here, "),
        )

    def explain(self, error: Exception) -> str:
        """Word an error."""
        return error_text.words(error)


@dataclass(frozen=True)
class FromScene:
    """Samples a made-up scene through a thin lens: all of it is exact."""

    files: Files
    variations: tuple[Variation, ...]
    long_side: int
    kind: int
    seed: int

    def __call__(self, source: Path | None, folder: Path) -> Made:  # noqa: ARG002 - made up
        """Make the files of one scene."""
        from bokeh_core.evaluation.thin_lens import photograph, pinhole  # noqa: PLC0415 - torch

        lenses = {variation.name: variation.lens(self.long_side) for variation in self.variations}
        scene = self._scene(max(lens.max_coc for lens in lenses.values()))
        truth = pinhole(scene)
        bokeh, focus = {}, {}
        for name, lens in lenses.items():
            focus[name] = _focus(lens, scene, truth.depth)
            bokeh[name] = photograph(
                scene, max_coc=lens.max_coc, focus=focus[name], samples=SAMPLES
            )
        maps = {"mask": truth.matte, "depth": truth.depth}
        return Made(
            files=self.files.write(folder, truth.rgb, maps, bokeh),
            facts={"size": [scene.width, scene.height], "focus": focus, "truth": "exact"},
            device="cpu",
        )

    def explain(self, error: Exception) -> str:
        """Word an error."""
        return error_text.words(error)

    def _scene(self, max_coc: float) -> Scene:
        from bokeh_core.evaluation.scenes import SCENES  # noqa: PLC0415 - torch

        return SCENES[self.kind](self.long_side, math.ceil(max_coc) + 4, self.seed)


@dataclass(frozen=True)
class SceneItem:
    """A scene as an item of a batch: it has a number instead of a file."""

    number: int
    kinds: int
    path: None = None

    @property
    def key(self) -> str:
        """Return its name."""
        return f"scenes/{self.number:04}"

    def digest(self) -> str:
        """Return the SHA-256 of its name, which is all that it is made from."""
        return hashlib.sha256(self.key.encode()).hexdigest()


@functools.lru_cache(maxsize=1)
def studio(device: str) -> backend.Here:
    """Return this process's engine."""
    return backend.Here(device, cache_bytes=CACHE_BYTES)


def _focus(lens: Lens, scene: Scene, depth: Float32) -> float:
    if lens.focus_point is not None:
        return disparity_at(depth, *lens.focus_point)
    if lens.focus is not None:
        return lens.focus
    return next(layer.disparity for layer in scene.layers if layer.subject)


def _reduced(light: Float32, long_side: int) -> Float32:
    """Reduce to a long side, averaged in linear light; grey becomes RGB."""
    if light.shape[2] != 3:
        light = np.repeat(light[..., :1], 3, axis=2)
    height, width = light.shape[:2]
    scale = long_side / max(height, width)
    if long_side and scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        light = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.ascontiguousarray(np.maximum(light, 0))


def settings_of(work: FromPhoto | FromScene) -> dict[str, Any]:
    """Return what decides the files besides the picture, in values that JSON knows."""
    told = {
        "variations": [dataclasses.asdict(each) for each in work.variations],
        "linear": work.files.linear,
        "long_side": work.long_side,
    }
    return told | ({"samples": SAMPLES} if isinstance(work, FromScene) else {})
