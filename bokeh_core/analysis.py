"""analyse(): matte and depth of a photo from one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bokeh_core import progress as progress_rule
from bokeh_core.depth import full_depth
from bokeh_core.maps import Analysis
from bokeh_core.networks import inference, registry
from bokeh_core.segmentation import Choice, Refine, full_subject

if TYPE_CHECKING:
    from bokeh_core.devices import Device
    from bokeh_core.progress import Progress
    from bokeh_core.subjects import People

Float32 = npt.NDArray[np.float32]


def analyse(
    rgb: Float32,
    *,
    people: People = "main",
    focus_point: tuple[float, float] | None = None,
    refine: Refine = "hair",
    model: str = registry.DEFAULT,
    device: Device = None,
    progress: Progress = progress_rule.ignore,
) -> Analysis:
    """Estimate matte and depth together; about half the time of the two separate calls.

    Parameters
    ----------
    rgb : ndarray (H, W, 3), float32
        Linear light, sRGB primaries, values >= 0; sides of at least 16 pixels.
    people, focus_point, refine
        Who is the subject and how fine the outline is, as of `portrait_matte`.
    model
        As of `portrait_matte`, or a depth model: an optional model does its own task, and the
        default network the other.
    device
        Where to compute: the name of a torch device; None: the best there is.
    progress
        Called as `progress(stage, fraction)` with the stages "matte" and "depth"; an exception
        raised in it stops the call.

    Returns
    -------
    Analysis
        `.matte`, `.depth`, and `.notes` on what is doubtful about the subject. `render` takes it
        whole; `matte, depth = analyse(rgb)` unpacks it.

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
    seen = inference.predict(
        rgb, model=model, device=choice.place, tick=lambda: progress("matte", 0.0)
    )
    subject = full_subject(rgb, seen, choice, progress_rule.part(progress, 0.3, 0.7))
    depth = full_depth(rgb, seen, subject.matte, progress_rule.part(progress, 0.7, 1.0))
    return Analysis(matte=subject.matte, depth=depth, notes=subject.notes)
