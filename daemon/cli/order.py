"""What is asked for one picture, and what comes back, in the library's terms."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from bokeh_core.lens import Lens
from daemon import optics
from daemon.planes import DType, Input, Output, Plane, Transfer
from daemon.protocol import Render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bokeh_core.lens import BinnedGaussian
    from bokeh_core.picture import Picture

Codes = npt.NDArray[Any]
OUTPUT: dict[str, Output] = {"mask": "matte", "depth": "depth", "composite": "composite"}
_WIRE: dict[np.dtype[Any], DType] = {np.dtype(np.uint8): "u8", np.dtype(np.uint16): "u16"}


@dataclass(frozen=True, eq=False)
class Order:
    """One picture with its maps and its blur."""

    picture: Picture
    lens: Lens | BinnedGaussian
    kinds: tuple[str, ...]
    maps: Mapping[Literal["matte", "depth"], npt.NDArray[np.float32]]
    subject: Literal["all", "at_focus_point", "none"] = "all"
    map_dtype: DType = "u8"

    def message(self, identity: str) -> tuple[Render, dict[Input, Codes]]:
        """Give the request and the pixels that it names."""
        planes: dict[Input, Codes] = {"image": self._codes()}
        planes |= {name: values[..., None] for name, values in self.maps.items()}
        transfer: Transfer = (
            "srgb" if self._native and self.picture.transfer == "srgb" else "linear"
        )
        request = Render(
            id=identity,
            image=_plane(planes["image"], transfer),
            matte=_plane(planes["matte"], "linear") if "matte" in planes else None,
            depth=_plane(planes["depth"], "linear") if "depth" in planes else None,
            lens=self._lens(),
            want=[OUTPUT[name] for name in self.kinds],
            subject=self.subject,
            map_dtype=self.map_dtype,
        )
        return request, planes

    def composite(self, codes: Codes) -> Picture:
        """Make a picture of the composite that came back."""
        if self._native:
            return dataclasses.replace(self.picture, pixels=codes)
        return self.picture.with_linear(codes)

    def _lens(self) -> optics.Lens | optics.BinnedGaussian:
        fields = dataclasses.asdict(self.lens)
        if isinstance(self.lens, Lens):
            return msgspec.convert(fields, optics.Lens)
        return msgspec.convert(fields, optics.BinnedGaussian)

    @property
    def _native(self) -> bool:
        """Whether the picture's own codes can travel; else its linear light does, as float."""
        picture = self.picture
        return picture.pixels.dtype in _WIRE and isinstance(picture.transfer, str)

    def _codes(self) -> Codes:
        return self.picture.pixels if self._native else self.picture.linear()


def _plane(codes: Codes, transfer: Transfer) -> Plane:
    height, width, channels = codes.shape
    return Plane(
        width=width,
        height=height,
        channels=channels,
        dtype=_WIRE.get(codes.dtype, "f32"),
        transfer=transfer,
        digest=hashlib.sha256(np.ascontiguousarray(codes).data).hexdigest(),
    )
