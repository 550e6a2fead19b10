"""Losses of the default network: a matte with exact borders, disparity up to scale and shift."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_MARGIN = 0.05
"""Difference of disparity beyond which `order` asks for no more."""


def matte_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy, heavier along the border; soft IoU; how far outlines lie; per picture.

    Parameters
    ----------
    logits, target : Tensor (B, 1, H, W)
        Target in [0, 1].

    Returns
    -------
    Tensor (B,)
    """
    return region_loss(logits, target) + 0.25 * outline_error(torch.sigmoid(logits), target)


def region_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy, heavier along the border, and soft IoU; parameters as of `matte_loss`."""
    window = max(logits.shape[-2:]) // 64 * 2 + 1
    band = border(target, window)
    weight = 1 + 3 * band
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (entropy * weight).mean((1, 2, 3)) / weight.mean((1, 2, 3))
    inside = torch.sigmoid(logits)
    common = (inside * target).sum((1, 2, 3))
    union = (inside + target).sum((1, 2, 3)) - common
    slack = 0.002 * target[0].numel()  # an empty target must not make every stray pixel count fully
    overlap = (common + slack) / (union + slack)
    return entropy + 0.5 * (1 - overlap)


def outline_error(inside: Tensor, target: Tensor) -> Tensor:
    """One minus the soft F-score of outlines within 3 px at a long side of 640; per picture.

    The score that mattes are judged by: a wrong outline in a few pixels costs as much of a thin arm
    as of a wide back, where the overlap hardly notices it. 0 where neither has an outline.

    Parameters
    ----------
    inside, target : Tensor (B, 1, H, W)
        In [0, 1].

    Returns
    -------
    Tensor (B,)

    References
    ----------
    Bokhovkin, Burnaev, "Boundary Loss for Remote Sensing Imagery Semantic Segmentation" (2019).
    """
    window = 2 * max(round(max(inside.shape[-2:]) * 3 / 640), 1) + 1
    found, wanted = border(inside, 3), border(target, 3)
    slack = 1e-4 * target[0].numel()  # a stray pixel in an empty picture must not cost everything
    hit = (found * _largest(wanted, window)).sum((1, 2, 3))
    reached = (wanted * _largest(found, window)).sum((1, 2, 3))
    precision = (hit + slack) / (found.sum((1, 2, 3)) + slack)
    recall = (reached + slack) / (wanted.sum((1, 2, 3)) + slack)
    return 1 - 2 * precision * recall / (precision + recall)


def border(target: Tensor, window: int) -> Tensor:
    """1 within about half a `window` (pixels) of the target's border, else 0..1."""
    return _largest(target, window) + _largest(-target, window)


def _largest(plane: Tensor, window: int) -> Tensor:
    """Maximum in a square of side `window` (odd); as two lines it is a tenth of a step cheaper.

    `max_pool2d` keeps indices, for which a CPU takes ten times as long as for the maximum; its way
    back then is the faster one.
    """
    if not plane.requires_grad and plane.device.type == "cpu":
        return _largest_along(_largest_along(plane, window, 3), window, 2)
    pad = window // 2
    across = F.max_pool2d(plane, (1, window), 1, (0, pad))
    return F.max_pool2d(across, (window, 1), 1, (pad, 0))


def _largest_along(plane: Tensor, window: int, axis: int) -> Tensor:
    """Maximum in a line, found by doubling its length."""
    pad = window // 2
    sides = (pad, pad, 0, 0) if axis == 3 else (0, 0, pad, pad)
    found = F.pad(plane, sides, value=-torch.inf)
    length = 1
    while length < window:
        step = min(length, window - length)
        rest = found.shape[axis] - step
        found = torch.maximum(found.narrow(axis, 0, rest), found.narrow(axis, step, rest))
        length += step
    return found


def disparity_loss(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Absolute, scale-and-shift-invariant, gradient and two ordering terms; per picture.

    Parameters
    ----------
    logits, target, mask : Tensor (B, 1, h, w)
        Target disparity and subject mask in [0, 1].

    Returns
    -------
    Tensor (B,)
    """
    disparity = torch.sigmoid(logits)
    absolute = (disparity - target).abs().mean((1, 2, 3))
    shape = 0.5 * invariant(disparity, target) + 0.1 * order(disparity, target)
    return absolute + shape + 0.05 * _ordering(disparity, target, mask)


def invariant(disparity: Tensor, target: Tensor) -> Tensor:
    """Error after removing median and spread, plus its gradients; per picture, (B,)."""
    difference = _normalised(disparity) - _normalised(target)
    return difference.abs().mean((1, 2, 3)) + _gradient(difference)


def _normalised(x: Tensor) -> Tensor:
    """Subtract the median, divide by the mean distance from it (Ranftl et al. 2020, eq. 5)."""
    flat = x.flatten(1)
    centre = flat.median(1, keepdim=True).values
    spread = (flat - centre).abs().mean(1, keepdim=True).clamp_min(0.02)
    return ((flat - centre) / spread).view_as(x)


def _gradient(difference: Tensor, scales: int = 3) -> Tensor:
    """Mean absolute gradient of the difference over scales (after Ranftl et al. 2020, eq. 11)."""
    total = difference.new_zeros(len(difference))
    for _ in range(scales):
        across = (difference[..., 1:] - difference[..., :-1]).abs().mean((1, 2, 3))
        down = (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean((1, 2, 3))
        total = total + across + down
        difference = F.avg_pool2d(difference, 2)
    return total / scales


def order(disparity: Tensor, target: Tensor, pairs: int = 4096) -> Tensor:
    """How much pairs of points anywhere are too close together or in the wrong order; per picture.

    0 for the target itself. The absolute terms hardly see the background, where a few hundredths of
    disparity decide what lies behind what.

    Parameters
    ----------
    disparity, target : Tensor (B, 1, h, w)
        In [0, 1].

    Returns
    -------
    Tensor (B,)
    """
    predicted, label = disparity.flatten(1), target.flatten(1)
    steps = torch.arange(pairs, device=label.device)
    one, two = (steps * 7919) % label.shape[1], (steps * 104729 + steps // 7) % label.shape[1]
    apart = label[:, one] - label[:, two]
    wanted = apart.abs().clamp_max(_MARGIN)
    reached = (predicted[:, one] - predicted[:, two]) * torch.sign(apart)
    return (wanted - reached).clamp_min(0).mean(1) / _MARGIN


def _ordering(disparity: Tensor, target: Tensor, mask: Tensor, pairs: int = 512) -> Tensor:
    """Log loss of subject-background pairs in the wrong order (pairs the teacher tells apart)."""
    losses = []
    for predicted, label, subject in zip(disparity, target, mask, strict=True):
        inside = (subject.flatten() > 0.95).nonzero().flatten()
        outside = (subject.flatten() < 0.05).nonzero().flatten()
        if len(inside) < 16 or len(outside) < 16:
            losses.append(predicted.sum() * 0)
            continue
        steps = torch.arange(pairs)
        near = inside[(steps * 7919) % len(inside)]
        far = outside[(steps * 104729) % len(outside)]
        apart = label.flatten()[near] - label.flatten()[far]
        sign = torch.sign(apart) * (apart.abs() > 0.05)
        margin = (predicted.flatten()[near] - predicted.flatten()[far]) * sign / 0.05
        losses.append((F.softplus(-margin) * sign.abs()).mean())
    return torch.stack(losses)
