"""Mattes and depths by onnxruntime from an exported file: no torch is imported.

from bokeh_core import onnx_maps
look = onnx_maps.load("portrait.onnx")   # written by `defocus models onnx portrait`
maps = look(photo)                       # (H, W, 3) uint8 sRGB -> {"matte": (H, W), ...}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bokeh_core import extras
from bokeh_core.errors import InputError, ModelCorrupt, ModelMissing, reason

if TYPE_CHECKING:
    from pathlib import Path

Float32 = npt.NDArray[np.float32]


class Look:
    """An exported network, ready to look at photos."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.outputs: tuple[str, ...] = tuple(given.name for given in session.get_outputs())
        """Names of the maps."""
        self.record: dict[str, Any] = json.loads(
            session.get_modelmeta().custom_metadata_map["defocus"]
        )
        """What the weights are and where they come from."""

    def __call__(self, photo: npt.NDArray[np.uint8]) -> dict[str, Float32]:
        """Return every map at the photo's size.

        Parameters
        ----------
        photo : ndarray (H, W, 3), uint8
            sRGB, upright.

        Returns
        -------
        dict of ndarray (H, W), float32
            In [0, 1]: `matte` of people, `animals`, `depth` (disparity, 1 = nearest), whichever the
            network gives. As the network sees them, enlarged linearly: without closer looks at
            small people and without refinement along the photo's edges.

        Raises
        ------
        InputError
            The photo is of another shape or type.
        """
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or not photo.size:
            raise InputError(f"photo must be (H, W, 3) uint8, got {photo.shape} of {photo.dtype}")
        found = self._session.run(None, {"photo": np.ascontiguousarray(photo)})
        return dict(zip(self.outputs, found, strict=True))


def load(path: str | Path, threads: int = 0) -> Look:
    """Open a file that `defocus models onnx` wrote; `threads` 0: all cores.

    Raises
    ------
    ModelMissing
        There is no such file, or the extra `[onnx]` is not installed.
    ModelCorrupt
        It is none of these files.
    """
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(f"onnxruntime is not installed: {extras.how_to_get('onnx')}") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # threads that spin while they wait starve each other on a busy machine
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        with open(path, "rb"):  # noqa: PTH123 - the runtime words this as it likes
            pass
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        return Look(session)
    except OSError as error:
        raise ModelMissing(f"{path}: {reason(error)}") from None
    except Exception as error:  # the runtime's errors share no base
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelCorrupt(f"{path} is no network that defocus exported: {said}") from error
