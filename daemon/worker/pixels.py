"""Between the bytes of a plane and the arrays of the library."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from bokeh_core.limits import BRIGHTEST, SAMPLED, checked_image, looks_like_codes
from bokeh_core.picture import from_linear, to_linear
from bokeh_core.transparency import continued
from bokeh_core.upsampling import strips
from daemon.wire.planes import NUMPY, File, Image, Plane
from daemon.worker.engine_api import WrongField, about

if TYPE_CHECKING:
    from daemon.wire.planes import DType

Float32: TypeAlias = npt.NDArray[np.float32]
Codes: TypeAlias = npt.NDArray[Any]
Tick: TypeAlias = Callable[[float], None]
Place: TypeAlias = tuple[slice, slice]
_FLOATS = "Divide codes by 255 or 65535 and say `transfer: srgb`, or send them as u8 or u16."


@dataclass(frozen=True, eq=False)
class Source:
    """A picture as it came: its declaration and its (H, W, C) codes."""

    plane: Image
    codes: Codes

    @property
    def colours(self) -> Codes:
        """Grey (H, W, 1) or RGB (H, W, 3) codes without alpha."""
        return self.codes[..., : 1 if self.plane.channels < 3 else 3]

    @property
    def alpha(self) -> Codes:
        """(H, W, 1) or (H, W, 0) codes."""
        return self.codes[..., self.colours.shape[2] :]

    def light(self, tick: Tick = lambda _: None) -> Float32:
        """Return (H, W, 3) linear light; negative (out of gamut) values become 0.

        Transparent pixels have the colours around them: what nobody sees must not be blurred in.
        `tick(fraction)` is called after every strip.
        """
        height, width = self.codes.shape[:2]
        if self.codes.dtype.kind == "f":
            self._check_floats()
        light = np.empty((height, width, 3), np.float32)
        for part in strips(height, width):
            values = to_linear(self.colours[part], self.plane.transfer)
            if self.codes.dtype.kind == "f":
                values = np.maximum(values, np.float32(0))
            light[part] = values  # grey fills all three
            tick(part.stop / height)
        return continued(light, self.alpha[..., 0]) if self.alpha.shape[2] else light

    def _check_floats(self) -> None:
        """Refuse what no picture is, where nobody would see it in the result.

        Raises
        ------
        WrongField
            NaN or infinity, more light than float files of 16 bits hold, or codes of 0 to 255.
        """
        brightest = 0.0
        for part in strips(*self.codes.shape[:2]):
            least, most = float(self.codes[part].min()), float(self.codes[part].max())
            if not (math.isfinite(least) and math.isfinite(most)):
                raise WrongField("image", "the image has NaN or infinity in it", _FLOATS)
            brightest = max(brightest, most)
        step = max(1, math.isqrt(self.plane.pixels // SAMPLED))
        if looks_like_codes(self.colours[::step, ::step]):
            text = "the image's floats look like codes (0 to 255): 1 is white"
            raise WrongField("image", text, _FLOATS)
        light = float(to_linear(np.array([brightest], np.float32), self.plane.transfer)[0])
        if light > BRIGHTEST:
            text = f"the image's light must be at most {BRIGHTEST:g}, got {light:g}"
            raise WrongField("image", text, _FLOATS)

    def composite(self, light: Float32, rendered: Float32, place: Place) -> Codes:
        """Encode the rendered pixels of a place (rows, columns) like the source.

        Where rendering changed nothing, and where nobody sees it, the source's own codes are kept,
        bit for bit (also those that linear light cannot hold, such as negative ones).
        """
        colours = rendered if self.plane.channels >= 3 else rendered[..., 1:2]
        codes = np.array(self.codes[place])
        coded = from_linear(colours, self.codes.dtype, self.plane.transfer)
        changed = (rendered != light[place]).any(axis=2)
        if self.alpha.shape[2]:
            changed &= self.alpha[place][..., 0] > 0
        np.copyto(codes[..., : colours.shape[2]], coded, where=changed[..., None])
        return codes

    def reduced(self, light: Float32, width: int, height: int) -> tuple[Source, Float32]:
        """Return the picture and its light at a smaller size, averaged in linear light."""
        small = shrink(light, width, height)
        colours = small if self.plane.channels >= 3 else small[..., 1:2]
        parts = [from_linear(colours, self.codes.dtype, self.plane.transfer)]
        if self.alpha.shape[2]:
            alpha = shrink(np.ascontiguousarray(self.alpha), width, height)
            parts.append(alpha.reshape(height, width, 1))
        plane = msgspec.structs.replace(self.plane, width=width, height=height)
        return Source(plane, np.concatenate(parts, axis=2)), small


def view(plane: Plane | File, data: memoryview) -> Codes:
    """Look at a frame's bytes as (H, W, C) codes, a file's as (N,) bytes, without a copy."""
    if isinstance(plane, File):
        return np.frombuffer(data, np.uint8)
    flat = np.frombuffer(data, np.dtype(NUMPY[plane.dtype]))
    return flat.reshape(plane.height, plane.width, plane.channels)


def map_values(name: str, codes: Codes) -> Float32:
    """Turn the codes of a matte or depth plane into (H, W) values in [0, 1]."""
    with about(name):
        return checked_image(name, to_linear(codes[..., 0], "linear"), 2, 1.0)


def map_codes(values: Float32, dtype: DType) -> Codes:
    """Turn (H, W) values in [0, 1] into codes of one channel."""
    return from_linear(values, np.dtype(NUMPY[dtype]), "linear")


def shrink(values: Codes, width: int, height: int) -> Codes:
    """Resize by the mean of the covered area."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))
