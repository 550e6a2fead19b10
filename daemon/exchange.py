"""What a client asks for and gets, as arrays: one job with its pixels, and its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from daemon import protocol
from daemon.optics import Lens
from daemon.planes import DTYPES, NUMPY, Plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    import zmq

    from daemon.optics import BinnedGaussian, Camera
    from daemon.planes import DType, Input, Level, Output, Transfer

Pixels = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Job:
    """One request with its pixels: everything that `Client.render` sends.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), C of 1 to 4 with alpha last; uint8, uint16 or float32.
    transfer
        "srgb" (display-encoded) or "linear".
    lens, camera
        What to blur with; see `daemon.optics`.
    matte, depth
        Edited maps (H, W), uint8, uint16 or float32; None: the networks make them.
    want
        Planes to get back.
    subject, matte_model, depth_model, map_dtype, preview
        As in `daemon.protocol.Render`.
    deadline_s
        Give up after so long; None: never.
    """

    image: Pixels
    transfer: Transfer = "srgb"
    lens: Lens | BinnedGaussian = field(default_factory=Lens)
    camera: Camera | None = None
    matte: Pixels | None = None
    depth: Pixels | None = None
    want: Sequence[Output] = ("matte", "depth", "composite")
    subject: Literal["main", "all", "at_focus_point", "none"] = "main"
    matte_model: str = ""
    depth_model: str = ""
    map_dtype: DType | None = None
    preview: int = 0
    deadline_s: float | None = None

    def message(self, request: str) -> tuple[protocol.Render, dict[Input, Pixels]]:
        """Give the header and the pixels it declares, contiguous and little endian."""
        pixels: dict[Input, Pixels] = {"image": _wire_pixels(self.image)}
        planes: dict[Input, Plane] = {"image": _declare(pixels["image"], self.transfer)}
        maps: tuple[tuple[Input, Pixels | None], ...] = (
            ("matte", self.matte),
            ("depth", self.depth),
        )
        for name, values in maps:
            if values is not None:
                pixels[name] = _wire_pixels(values)
                planes[name] = _declare(pixels[name], "linear")
        header = protocol.Render(
            id=request,
            image=planes["image"],
            matte=planes.get("matte"),
            depth=planes.get("depth"),
            lens=self.lens,
            camera=self.camera,
            want=list(self.want),
            subject=self.subject,
            matte_model=self.matte_model,
            depth_model=self.depth_model,
            map_dtype=self.map_dtype,
            preview=self.preview,
            deadline_ms=0 if self.deadline_s is None else max(1, round(self.deadline_s * 1000)),
        )
        return header, pixels


@dataclass(frozen=True, eq=False)
class Rendered:
    """A result: `planes["composite"]` is (H, W, C), the maps are (H, W); read-only arrays."""

    planes: dict[Output, Pixels]
    focus: float | None
    cached: list[Level]
    timing: dict[str, float]
    device: str

    @classmethod
    def read(cls, message: protocol.Result, frames: Sequence[zmq.Frame]) -> Rendered:
        """Take a result apart."""
        planes: dict[Output, Pixels] = {}
        for plane, frame in zip(message.planes, frames, strict=True):
            shape = (plane.height, plane.width, plane.channels)
            pixels = np.frombuffer(frame.buffer, np.dtype(NUMPY[plane.dtype])).reshape(shape)
            planes[plane.name] = pixels if plane.name == "composite" else pixels[..., 0]
        return cls(planes, message.focus, message.cached, message.timing, message.device)


def _wire_pixels(pixels: Pixels) -> Pixels:
    if pixels.dtype.kind == "f" or pixels.dtype in (np.uint8, np.uint16):
        kind = "<f4" if pixels.dtype.kind == "f" else pixels.dtype.newbyteorder("<")
        return np.ascontiguousarray(pixels, dtype=kind)
    raise TypeError(f"pixels must be uint8, uint16 or float, not {pixels.dtype}")


def _declare(pixels: Pixels, transfer: Transfer) -> Plane:
    if pixels.ndim not in (2, 3) or pixels.size == 0:
        raise ValueError(f"pixels must be (H, W) or (H, W, C), not {pixels.shape}")
    return Plane(
        width=pixels.shape[1],
        height=pixels.shape[0],
        channels=pixels.shape[2] if pixels.ndim == 3 else 1,
        dtype=DTYPES[pixels.dtype.str],
        transfer=transfer,
        digest=hashlib.sha256(pixels.data).hexdigest(),
    )
