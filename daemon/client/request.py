"""What a client asks for and gets, as arrays: one job with its pixels, and its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daemon.client.errors import ProtocolError
from daemon.wire import protocol
from daemon.wire.lens import Lens
from daemon.wire.planes import BYTES_PER_SAMPLE, DTYPES, NUMPY, File, Image, Map

if TYPE_CHECKING:
    from collections.abc import Sequence

    import zmq

    from daemon.wire.lens import Camera, Look
    from daemon.wire.people import Point
    from daemon.wire.planes import (
        DType,
        Input,
        Level,
        Output,
        Refine,
        Region,
        ResultPlane,
        Subject,
        Transfer,
    )
    from daemon.wire.strokes import Stroke

Pixels = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """One request with its pixels: everything that `Client.render` sends.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), C of 1 to 4 with alpha last; uint8, uint16 or float32.
    transfer
        "srgb" (display-encoded) or "linear".
    lens, camera
        What to blur with; see `daemon.wire.lens`.
    matte, depth
        Edited maps (H, W), uint8, uint16 or float32; None: the networks make them.
    painted
        Whether the matte was painted over what the networks find, see `daemon.wire.protocol`.
    file
        Content of the file that the image came from, for the maps that a phone left in it.
    want
        Planes to get back.
    subject, matte_model, depth_model, refine, map_dtype, preview
        As in `daemon.wire.protocol.Render`.
    region, strokes, people, tell_people
        As in `daemon.wire.protocol.Render`.
    deadline_s
        Give up after so long; None: never.
    """

    image: Pixels
    transfer: Transfer = "srgb"
    lens: Look = field(default_factory=Lens)
    camera: Camera | None = None
    matte: Pixels | None = None
    depth: Pixels | None = None
    painted: bool = False
    file: bytes | None = None
    want: Sequence[Output] = ("matte", "depth", "composite")
    subject: Subject = "main"
    matte_model: str = ""
    depth_model: str = ""
    refine: Refine = "hair"
    map_dtype: DType | None = None
    preview: int = 0
    region: Region | None = None
    strokes: Sequence[Stroke] = ()
    people: Sequence[Point] = ()
    tell_people: bool = False
    deadline_s: float | None = None

    def message(self, request: str) -> tuple[protocol.Render, dict[Input, Pixels]]:
        """Return the header and the pixels it declares, contiguous and little endian."""
        pixels: dict[Input, Pixels] = {"image": _wire_pixels(self.image)}
        maps: dict[Input, Map] = {}
        given: tuple[tuple[Input, Pixels | None], ...] = (
            ("matte", self.matte),
            ("depth", self.depth),
        )
        for name, values in given:
            if values is not None:
                pixels[name] = _wire_pixels(values)
                maps[name] = Map(**_declaration(pixels[name]))
        file = None
        if self.file is not None:
            pixels["file"] = np.frombuffer(self.file, np.uint8)
            file = File(nbytes=len(self.file), digest=hashlib.sha256(self.file).hexdigest())
        header = protocol.Render(
            id=request,
            image=Image(transfer=self.transfer, **_declaration(pixels["image"])),
            matte=maps.get("matte"),
            depth=maps.get("depth"),
            painted=self.painted,
            file=file,
            lens=self.lens,
            camera=self.camera,
            want=list(self.want),
            subject=self.subject,
            matte_model=self.matte_model,
            depth_model=self.depth_model,
            refine=self.refine,
            map_dtype=self.map_dtype,
            preview=self.preview,
            region=self.region,
            strokes=list(self.strokes),
            people=list(self.people),
            tell_people=self.tell_people,
            deadline_ms=0 if self.deadline_s is None else max(1, round(self.deadline_s * 1000)),
        )
        return header, pixels


@dataclass(frozen=True, eq=False)
class Rendered:
    """A result: `planes["composite"]` is (H, W, C), the maps are (H, W); read-only arrays."""

    planes: dict[Output, Pixels]
    focus: float | None
    notes: list[str]
    cached: list[Level]
    timing: dict[str, float]
    device: str

    @classmethod
    def read(
        cls, message: protocol.Result, frames: Sequence[zmq.Frame], asked: protocol.Render
    ) -> Rendered:
        """Take a result apart.

        Raises
        ------
        ProtocolError
            It is not what was asked for.
        """
        names = [plane.name for plane in message.planes]
        if names != asked.want or len(frames) != len(names):
            raise ProtocolError(f"{len(frames)} frames for {names}, asked was for {asked.want}")
        planes: dict[Output, Pixels] = {}
        for plane, frame in zip(message.planes, frames, strict=True):
            _check(plane, len(frame), asked)
            shape = (plane.height, plane.width, plane.channels)
            pixels = np.frombuffer(frame.buffer, np.dtype(NUMPY[plane.dtype])).reshape(shape)
            planes[plane.name] = pixels if plane.name == "composite" else pixels[..., 0]
        return cls(
            planes=planes,
            focus=message.focus,
            notes=[*message.notes, *message.file_notes],
            cached=message.cached,
            timing=message.timing,
            device=message.device,
        )


def _check(plane: ResultPlane, nbytes: int, asked: protocol.Render) -> None:
    image, whole = asked.image, plane.name == "composite"
    fit = (image.channels, image.dtype) if whole else (1, asked.map_dtype or image.dtype)
    if (plane.channels, plane.dtype) != fit:
        raise ProtocolError(f"{plane}, and not {fit[0]} channels of {fit[1]}")
    part = asked.region or image
    full = (plane.width, plane.height) == (part.width, part.height)
    smaller = plane.width <= image.width and plane.height <= image.height
    if not full and not (asked.preview and smaller):
        raise ProtocolError(f"{plane.name} of {plane.width} x {plane.height} pixels")
    if nbytes != plane.width * plane.height * plane.channels * BYTES_PER_SAMPLE[plane.dtype]:
        raise ProtocolError(f"{nbytes} bytes for {plane}")


def _wire_pixels(pixels: Pixels) -> Pixels:
    if pixels.dtype.kind == "f" or pixels.dtype in (np.uint8, np.uint16):
        kind = "<f4" if pixels.dtype.kind == "f" else pixels.dtype.newbyteorder("<")
        return np.ascontiguousarray(pixels, dtype=kind)
    raise TypeError(f"pixels must be uint8, uint16 or float, not {pixels.dtype}")


def _declaration(pixels: Pixels) -> dict[str, Any]:
    if pixels.ndim not in (2, 3) or pixels.size == 0:
        raise ValueError(f"pixels must be (H, W) or (H, W, C), not {pixels.shape}")
    return {
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "channels": pixels.shape[2] if pixels.ndim == 3 else 1,
        "dtype": DTYPES[pixels.dtype.str],
        "digest": hashlib.sha256(pixels.data).hexdigest(),
    }
