"""portrait_matte(): the network's matte, brought to full resolution along the photo's edges."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import devices, hair, strands, subjects, upsampling
from bokeh_core import progress as progress_rule
from bokeh_core.borders import border_refined
from bokeh_core.devices import room_on
from bokeh_core.errors import InputError
from bokeh_core.limits import checked_point
from bokeh_core.networks import hub, inference, registry, tasks
from bokeh_core.subjects import People, Subject

if TYPE_CHECKING:
    import torch

    from bokeh_core.devices import Device
    from bokeh_core.networks.hub import HubModel
    from bokeh_core.networks.inference import Prediction
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]
Refine = Literal["hair", "guided", "border", "matting", "none"]

FIT_SIDE = 1024
"""Long side at which the guided filter is fitted; full-size fits cost 10 times as much at 12 MP."""


def portrait_matte(
    rgb: Float32,
    *,
    people: People = "main",
    focus_point: tuple[float, float] | None = None,
    refine: Refine = "hair",
    model: str = registry.DEFAULT,
    device: Device = None,
    progress: Progress = progress_rule.ignore,
) -> Float32:
    """Estimate how much of each pixel is covered by the subject: people, else an animal.

    Parameters
    ----------
    rgb : ndarray (H, W, 3), float32
        Linear light, sRGB primaries, values >= 0; sides of at least 16 pixels.
    people
        "main": the people the photo is of, passers-by are background; where there is nobody, the
        main animal. "all": everybody. "pets": all animals. "anyone": everybody and all animals.
    focus_point
        x, y as fractions of width and height: keep only the person or animal there (or nearest to
        it), whoever it is.
    refine
        "hair": a small network finds the strands in the soft outline, at full size; "guided":
        follow the photo's edges, faster; "matting": the same, then closed-form alpha in the hair
        band (extra `[matting]`, slower); "border": the paper's border post-processing; "none":
        plain enlargement.
    model
        Name of embedded weights, see `defocus models list`; or of a fetched matting model, which
        refines the default network's guided matte and excludes "border" and "none".
    device
        Where to compute: the name of a torch device; None: the best there is.
    progress
        Called as `progress("matte", fraction)`; an exception raised in it stops the call.

    Returns
    -------
    ndarray (H, W), float32
        Coverage in [0, 1], 1 = subject; all 0 when there is nobody. What is never sure enough to
        be somebody is left out whole; `find_subject` says so.

    Raises
    ------
    InputError
        `rgb` or a parameter is unusable, or `model` has no matte.
    ModelMissing, ModelCorrupt
        The weights cannot be used.
    OutOfMemory
        The device has no room.

    References
    ----------
    He, Sun, Tang, "Guided Image Filtering" (2013); Levin, Lischinski, Weiss, "A Closed-Form
    Solution to Natural Image Matting" (2008).
    """
    return find_subject(rgb, Choice(people, focus_point, refine, model, device), progress).matte


def find_subject(
    rgb: Float32, choice: Choice, progress: Progress = progress_rule.ignore
) -> Subject:
    """Find the subject as `portrait_matte` does, with notes on what is doubtful about it."""
    rgb = inference.check_photo(rgb)
    tasks.check(choice.model, "matte")
    progress("matte", 0.0)
    seen = inference.predict(
        rgb, model=choice.model, device=choice.place, tick=lambda: progress("matte", 0.0)
    )
    return full_subject(rgb, seen, choice, progress_rule.part(progress, 0.4, 1.0))


@dataclass(frozen=True)
class Choice:
    """Whose matte, and how fine; the parameters of `portrait_matte`, checked."""

    people: People = "main"
    focus_point: tuple[float, float] | None = None
    refine: Refine = "hair"
    model: str = registry.DEFAULT
    device: Device = None

    @functools.cached_property
    def place(self) -> torch.device:
        """The device, found."""
        return devices.find(self.device)

    def __post_init__(self) -> None:
        if self.people not in get_args(People):
            names = ", ".join(get_args(People))
            raise InputError(f"people must be one of {names}, got {self.people!r}")
        if self.refine not in get_args(Refine):
            names = ", ".join(get_args(Refine))
            raise InputError(f"refine must be one of {names}, got {self.refine!r}")
        tasks.check_sees(self.model)
        optional = hub.MODELS.get(self.model)
        if optional and optional.task == "matte" and self.refine in ("border", "none"):
            raise InputError(f"{self.model} refines a guided matte, not refine={self.refine!r}")
        if self.focus_point is not None:
            checked_point(self.focus_point)


def full_subject(
    rgb: Float32,
    seen: Prediction,
    choice: Choice,
    progress: Progress,
) -> Subject:
    """Choose the subject in a prediction and bring its matte to the size of `rgb`."""
    optional = hub.MODELS.get(choice.model)
    matting = optional if optional and optional.task == "matte" else None
    if matting:
        with room_on(choice.place):  # a missing model is an error, whoever is in the photo
            hub.network(matting, choice.place)
    found = subjects.choose(seen, rgb, choice.people, choice.focus_point)
    progress("matte", 0.0)
    if found.matte.any():
        matte = _refined(rgb, found.matte, choice, matting, progress)
    else:
        matte = np.zeros(rgb.shape[:2], np.float32)
        progress("matte", 1.0)
    return Subject(matte, found.notes)


def _refined(
    rgb: Float32, coarse: Float32, choice: Choice, matting: HubModel | None, progress: Progress
) -> Float32:
    """Bring a matte from the network's size to that of `rgb`, as the choice says."""
    if choice.refine == "border":
        coarse = border_refined(coarse, inference.luma(rgb, coarse.shape))
    if choice.refine in ("border", "none"):
        matte = upsampling.enlarged(coarse, rgb.shape[:2], lambda f: progress("matte", f))
        return np.asarray(np.clip(matte, 0, 1), np.float32)
    if not matting and choice.refine == "hair":
        return strands.refined(rgb, coarse, choice.place, progress)
    if not matting and choice.refine == "guided":
        return guided(rgb, coarse, progress)
    matte = guided(rgb, coarse, progress_rule.part(progress, 0.0, 0.5))
    rest = progress_rule.part(progress, 0.5, 1.0)
    if matting:
        return hair.by_network(rgb, matte, matting, choice.place, rest)
    return hair.closed_form(rgb, matte, rest)


def guided(rgb: Float32, coarse: Float32, progress: Progress) -> Float32:
    """Fit a local linear model of the sure pixels' colours and apply it in the unsure band.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light.
    coarse : ndarray (h, w)
        A matte at the network's size, in [0, 1].

    Returns
    -------
    ndarray (H, W)
        In [0, 1].
    """
    height, width = rgb.shape[:2]
    size = upsampling.size_within((height, width), FIT_SIDE)
    colours = upsampling.guide(upsampling.resized(rgb, size))
    progress("matte", 0.1)
    plane = np.asarray(np.clip(upsampling.resized(coarse, size), 0, 1), np.float32)
    sure = (2 * plane - 1) ** 2
    network_pixel = max(size) / max(coarse.shape)
    radius = max(round(2 * network_pixel), 2)
    model = upsampling.fit(colours, plane, sure + np.float32(0.2), radius, 1e-3)
    progress("matte", 0.15)
    window = 2 * radius + 1
    kernel = np.ones((window, window), np.uint8)
    unsure = ((plane > 0.02) & (plane < 0.98)).astype(np.float32)
    band = np.asarray(cv2.blur(cv2.dilate(unsure, kernel), (radius, radius)), np.float32)
    progress("matte", 0.2)

    def strip(part: slice) -> Float32:
        fitted = upsampling.applied(model, rgb, part)
        plain = upsampling.rows_of(plane, (height, width), part)
        amount = upsampling.rows_of(band, (height, width), part)
        mixed = plain + amount * (np.clip(fitted, 0, 1) - plain)
        return np.asarray(np.clip((mixed - 0.06) / 0.88, 0, 1), np.float32)

    tick = progress_rule.part(progress, 0.2, 1.0)
    return upsampling.by_strips((height, width), strip, lambda f: tick("matte", f))
