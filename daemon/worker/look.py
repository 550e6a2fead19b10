"""The lens of a request as the library knows it: its focus found, a camera's values worked in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec

from bokeh_core import lens as library
from bokeh_core import presets
from bokeh_core.binned_gaussian import BinnedGaussian
from daemon.wire import lens as wire_lens
from daemon.worker.engine_api import about

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from daemon.wire.planes import Image
    from daemon.wire.protocol import Render

FARTHEST_M = 1e6
"""Stands for infinity as a distance in focus."""


def look_of(
    request: Render, depth: npt.NDArray[np.float32], matte: npt.NDArray[np.float32]
) -> library.Lens | BinnedGaussian:
    """Return what a request is blurred with, for the full-size image.

    Parameters
    ----------
    request
        Checked by `daemon.wire.checks`.
    depth, matte
        (H, W) in [0, 1], of any size: they say how deep the subject is.

    Raises
    ------
    WrongField
        The camera's values blur more than the renderer can.
    """
    if isinstance(request.lens, wire_lens.Preset):
        look = _preset(request.lens, request.image)
        return look.resolved(depth, matte) if isinstance(look, library.Lens) else look
    fields = msgspec.structs.asdict(request.lens)
    if isinstance(request.lens, wire_lens.BinnedGaussian):
        return BinnedGaussian(**fields)
    lens = library.Lens(**fields)
    camera = request.camera
    if camera is None:
        return lens.resolved(depth, matte)
    if camera.nearest_m is not None and camera.focus_distance_m is not None:
        physical = _physical(request, camera, camera.focus_distance_m)
        return dataclasses.replace(lens, focus=physical.focus).with_disc(physical.max_coc)
    lens = lens.resolved(depth, matte)
    assert lens.focus is not None
    distance = camera.focus_distance_m or _distance(camera, lens.focus)
    return lens.with_disc(_physical(request, camera, distance).max_coc)


def _preset(asked: wire_lens.Preset, image: Image) -> library.Lens | BinnedGaussian:
    """Make what the command line makes of the same name."""
    if asked.name in presets.PAPERS:
        return presets.PAPERS[asked.name](image.width, image.height)
    look = presets.LOOKS[asked.name]
    f_number = look.f_number if asked.f_number is None else asked.f_number
    with about("lens.f_number"):
        radius = presets.PortraitLens().coc(f_number, max(image.width, image.height))
        lens = look.lens(radius)
    if asked.focus is None and asked.focus_point is None:
        return lens
    return dataclasses.replace(
        lens, focus=asked.focus, focus_point=asked.focus_point, keep_subject_sharp=False
    )


def says_focus(request: Render) -> bool:
    """Whether a request says itself what is in focus, instead of leaving it to the subject."""
    lens, camera = request.lens, request.camera
    if isinstance(lens, wire_lens.BinnedGaussian):
        return False
    if (lens.focus, lens.focus_point) != (None, None):
        return True
    return camera is not None and None not in (camera.nearest_m, camera.focus_distance_m)


def _distance(camera: wire_lens.Camera, focus: float) -> float:
    """Return the distance in metres of a disparity, where the camera says what depth stands for."""
    assert camera.nearest_m is not None
    far = 0.0 if camera.farthest_m is None else 1.0 / camera.farthest_m
    inverse = far + focus * (1.0 / camera.nearest_m - far)
    return 1.0 / max(inverse, 1.0 / FARTHEST_M)


def _physical(request: Render, camera: wire_lens.Camera, distance: float) -> library.Lens:
    values = msgspec.structs.asdict(camera) | {"focus_distance_m": distance}
    given = {name: value for name, value in values.items() if value is not None}
    with about("camera"):
        return library.Lens.from_camera(image_width_px=request.image.width, **given)
