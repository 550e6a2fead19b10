"""What is asked for one picture: the library's terms in, a job for daemon or engine out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from bokeh_core.lens import Lens
from daemon.client.client import RenderRequest
from daemon.wire import lens as wire_lens

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from bokeh_core.binned_gaussian import BinnedGaussian
    from bokeh_core.picture import Picture
    from daemon.wire.planes import DType, Output, Refine, Subject

OUTPUT: dict[str, Output] = {"mask": "matte", "depth": "depth", "composite": "composite"}


@dataclass(frozen=True, eq=False)
class PhotoRequest:
    """One picture with its maps and its blur."""

    picture: Picture
    lens: Lens | BinnedGaussian
    kinds: tuple[str, ...] = ("composite",)
    maps: Mapping[Literal["matte", "depth"], npt.NDArray[np.float32]] = dataclasses.field(
        default_factory=dict
    )
    subject: Subject = "main"
    map_dtype: DType = "u8"
    matte_model: str = ""
    depth_model: str = ""
    refine: Refine = "hair"
    painted: bool = False
    """Whether the matte is somebody's decision, which rules at every depth."""

    def job(self) -> RenderRequest:
        """Return what the daemon or the engine is asked to do."""
        codes_travel = self._codes_travel
        return RenderRequest(
            image=self.picture.pixels if codes_travel else self.picture.linear(),
            transfer="srgb" if codes_travel and self.picture.transfer == "srgb" else "linear",
            lens=_on_the_wire(self.lens),
            matte=self.maps.get("matte"),
            depth=self.maps.get("depth"),
            painted=self.painted,
            want=[OUTPUT[kind] for kind in self.kinds],
            subject=self.subject,
            map_dtype=self.map_dtype,
            matte_model=self.matte_model,
            depth_model=self.depth_model,
            refine=self.refine,
        )

    def composite(self, codes: npt.NDArray[Any]) -> Picture:
        """Make a picture of the composite that came back."""
        if self._codes_travel:
            return dataclasses.replace(self.picture, pixels=codes)
        return self.picture.with_linear(codes)

    @property
    def _codes_travel(self) -> bool:
        """Whether the picture's own codes can be sent; else its linear light is, as float32."""
        picture = self.picture
        return picture.pixels.dtype in (np.uint8, np.uint16) and isinstance(picture.transfer, str)


def _on_the_wire(lens: Lens | BinnedGaussian) -> wire_lens.Lens | wire_lens.BinnedGaussian:
    fields = dataclasses.asdict(lens)
    if isinstance(lens, Lens):
        return msgspec.convert(fields, wire_lens.Lens)
    return msgspec.convert(fields, wire_lens.BinnedGaussian)
