"""analyse(): matte and depth of a photo from one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bokeh_core import progress as progress_rule
from bokeh_core.depth import full_depth
from bokeh_core.networks import inference, registry
from bokeh_core.segmentation import Choice, Refine, full_matte

if TYPE_CHECKING:
    from bokeh_core.progress import Progress
    from bokeh_core.subjects import People

Float32 = npt.NDArray[np.float32]


def analyse(
    rgb: Float32,
    *,
    people: People = "main",
    focus_point: tuple[float, float] | None = None,
    refine: Refine = "guided",
    model: str = registry.DEFAULT,
    device: str = "cpu",
    progress: Progress = progress_rule.ignore,
) -> tuple[Float32, Float32]:
    """Estimate matte and depth together; about half the time of the two separate calls.

    The parameters are those of `portrait_matte`, but `model` may be a depth model too: an optional
    one does its own task, and the default network the other. Stages reported are "matte" and
    "depth".

    Returns
    -------
    matte, depth : ndarray (H, W), float32
        As from `portrait_matte` and `estimate_depth`; the depth steps lie on this matte's outline.

    Raises
    ------
    InputError
        `rgb` or a parameter is unusable.
    ModelMissing, ModelCorrupt
        The weights cannot be used.
    OutOfMemory
        The device has no room.
    """
    rgb = inference.check_photo(rgb)
    choice = Choice(people, focus_point, refine, model, device)
    progress("matte", 0.0)
    seen = inference.predict(rgb, model=model, device=device, tick=lambda: progress("matte", 0.0))
    matte = full_matte(rgb, seen, choice, progress_rule.part(progress, 0.3, 0.7))
    return matte, full_depth(rgb, seen, matte, progress_rule.part(progress, 0.7, 1.0))
