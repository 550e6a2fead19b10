"""Ways from a photo to its bokeh: whose matte, whose depth, how refined, which renderer."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from bokeh_core import rendering, segmentation, upsampling
from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.borders import border_refined
from bokeh_core.depth import estimate_depth
from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.networks import inference, registry, tasks
from bokeh_core.picture import from_linear, read_map
from bokeh_core.presets import NATURAL, PortraitLens
from bokeh_core.progress import ignore
from bokeh_core.segmentation import Refine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Float32 = npt.NDArray[np.float32]
Render = Literal["lens", "bins"]
PICTURES = (".png", ".tif", ".tiff", ".jpg", ".webp")


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes
    ----------
    name
        In tables.
    matte, depth
        A model's name (`defocus models list`), a weights file such as `defocus train` leaves
        (`.safetensors`), a map or a folder of maps named like the photos, or a Python file with a
        function `matte(rgb)` or `depth(rgb)`: uint8 sRGB (H, W, 3) to (h, w) in [0, 1].
    refine
        How a matte is brought to full size; a map from a file is taken as it is.
    render
        The lens, or the paper's five Gaussian bins.
    """

    name: str
    matte: str = registry.DEFAULT
    depth: str = registry.DEFAULT
    refine: Refine = "guided"
    render: Render = "lens"


KNOWN = {
    way.name: way
    for way in (
        Way("default"),
        Way("paper", refine="border", render="bins"),
        Way("bins", render="bins"),
        Way("vitmatte", matte="vitmatte-small"),
        Way("depth-anything", depth="depth-anything-v2-small"),
    )
}
"""Ways that have a name of their own; "paper" is its post-processing and renderer, and with
`:matte=FILE` its network too."""


def read(text: str) -> tuple[Way, ...]:
    """Read `NAME[:KEY=VALUE]...,NAME...`; a name that is not known begins as the default way.

    Raises
    ------
    InputError
        A key or a value that there is not, or a name twice.
    """
    found = [_way(word) for word in text.split(",") if word]
    names = [way.name for way in found]
    if not found or len(set(names)) < len(names):
        raise InputError(f"--ways {text}: every way needs a name of its own")
    return tuple(found)


def _way(text: str) -> Way:
    name, *settings = text.split(":")
    keys = [field.name for field in dataclasses.fields(Way)][1:]
    given = dict(setting.partition("=")[::2] for setting in settings)
    if not settings and name not in KNOWN:
        raise InputError(f"way {name}: there are {', '.join(KNOWN)}; or say what it is made of")
    for key, value in given.items():
        if key not in keys or not value:
            raise InputError(f"way {name}: {key}={value} is not one of {', '.join(keys)}")
    way = dataclasses.replace(KNOWN.get(name, Way(name)), **given)  # type: ignore[arg-type]
    for key, allowed in (("refine", get_args(Refine)), ("render", get_args(Render))):
        if getattr(way, key) not in allowed:
            raise InputError(f"way {name}: {key} must be one of {', '.join(allowed)}")
    return way


def matte_of(way: Way, photo: Path, rgb: Float32) -> Float32:
    """Return the (H, W) matte of a way.

    Raises
    ------
    InputError, ModelMissing, ModelCorrupt
        What the way names cannot be used.
    """
    path = Path(way.matte)
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return read_map(_map_file(path, photo, "mask"), (rgb.shape[1], rgb.shape[0]))
    if path.suffix == ".py":
        coarse = _called(path, "matte", rgb)
    elif path.suffix == ".safetensors":
        coarse = inference.predict(rgb, model=_opened(path, "portrait")).matte
    else:
        tasks.check(way.matte, "matte")
        return segmentation.portrait_matte(rgb, refine=way.refine, model=way.matte)
    if way.refine == "guided":
        return segmentation.guided(rgb, coarse, ignore)
    if way.refine not in ("border", "none"):
        raise InputError(f"way {way.name}: refine={way.refine} is for embedded networks")
    if way.refine == "border":
        coarse = border_refined(coarse, inference.luma(rgb, coarse.shape))
    return _enlarged(coarse, rgb)


def depth_of(way: Way, photo: Path, rgb: Float32, matte: Float32) -> Float32:
    """Return the (H, W) disparity of a way; raises as `matte_of`."""
    path = Path(way.depth)
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return read_map(_map_file(path, photo, "depth"), (rgb.shape[1], rgb.shape[0]))
    if path.suffix == ".py":
        return _enlarged(_called(path, "depth", rgb), rgb)
    if path.suffix == ".safetensors":
        return _enlarged(inference.predict(rgb, model=_opened(path, "depth")).disparity, rgb)
    tasks.check(way.depth, "depth")
    return estimate_depth(rgb, matte=matte, model=way.depth)


def _opened(path: Path, task: Literal["portrait", "depth"]) -> str:
    return registry.open_file(path, task).name


def composite_of(way: Way, rgb: Float32, matte: Float32, depth: Float32) -> Float32:
    """Render at f/2.8, or as the paper did; (H, W, 3) linear light."""
    height, width = depth.shape
    if way.render == "bins":
        return rendering.render(
            rgb, depth=depth, matte=matte, lens=BinnedGaussian.usual(width, height)
        )
    max_coc = PortraitLens().coc(NATURAL.f_number, max(width, height))
    return rendering.render(
        rgb, depth=depth, matte=matte, lens=NATURAL.lens(max_coc).resolved(depth, matte)
    )


def _map_file(path: Path, photo: Path, kind: str) -> Path:
    """Find the map of a photo: the file itself, or in a folder `STEM_kind` or `STEM`."""
    if not path.is_dir():
        return path
    stems: Sequence[str] = (f"{photo.stem}_{kind}", photo.stem)
    for stem in stems:
        for suffix in PICTURES:
            if (path / f"{stem}{suffix}").exists():
                return path / f"{stem}{suffix}"
    raise InputError(f"{path}: has no {' or '.join(f'{stem}.png' for stem in stems)}")


def _called(path: Path, name: str, rgb: Float32) -> Float32:
    function = _function(path.resolve(), name)
    found = np.asarray(function(from_linear(np.clip(rgb, 0, 1), np.uint8)), np.float32)
    if found.ndim != 2:
        raise InputError(f"{path}: {name} must give (h, w), got shape {found.shape}")
    return np.ascontiguousarray(np.clip(found, 0, 1))


@functools.cache
def _function(path: Path, name: str) -> Callable[[npt.NDArray[Any]], Any]:
    """Load a function from a file that the user named."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise ModelMissing(f"{path}: no such Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Any = getattr(module, name, None)
    if function is None:
        raise InputError(f"{path}: has no function {name}(rgb)")
    return function  # type: ignore[no-any-return]


def _enlarged(coarse: Float32, rgb: Float32) -> Float32:
    plane = upsampling.enlarged(coarse, rgb.shape[:2], lambda _: None)
    return np.asarray(np.clip(plane, 0, 1), np.float32)
