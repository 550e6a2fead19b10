"""Losses by name: six for mattes, as the paper tried, and the regression losses for depth.

All take logits and targets of shape (B, 1, H, W), targets in [0, 1], and return one value per
picture, (B,). The networks' output is the sigmoid of the logits.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.errors import InputError
from bokeh_core.training import joint_losses

_ALL = (1, 2, 3)


def bce(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross entropy with logits against the soft target."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(_ALL)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Two-class cross entropy against the class (target above one half), as in classification."""
    classes = torch.cat((torch.zeros_like(logits), logits), 1)
    return F.cross_entropy(classes, (target[:, 0] > 0.5).long(), reduction="none").mean((1, 2))


def mse(logits: Tensor, target: Tensor) -> Tensor:
    """Mean squared error."""
    return ((torch.sigmoid(logits) - target) ** 2).mean(_ALL)


def l1(logits: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error: the loss the paper chose."""
    return (torch.sigmoid(logits) - target).abs().mean(_ALL)


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the soft Dice coefficient, of plain sums (Milletari et al. 2016 square them)."""
    found = torch.sigmoid(logits)
    common = (found * target).sum(_ALL)
    return 1 - (2 * common + 1) / (found.sum(_ALL) + target.sum(_ALL) + 1)


def ssim(logits: Tensor, target: Tensor) -> Tensor:
    """One minus structural similarity, halved to [0, 1] (Wang et al. 2004).

    Its 11-pixel windows are boxes; the source weighs them by a Gaussian.
    """
    a, b = torch.sigmoid(logits), target
    mean_a, mean_b = _window(a), _window(b)
    var_a = _window(a * a) - mean_a**2
    var_b = _window(b * b) - mean_b**2
    both = _window(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return (1 - (top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean(_ALL)) / 2


def _window(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 11, 1, 5, count_include_pad=False)


def berhu(logits: Tensor, target: Tensor) -> Tensor:
    """Absolute error, squared beyond a fifth of the largest error (Laina et al. 2016)."""
    error = (torch.sigmoid(logits) - target).abs()
    limit = error.amax(_ALL, keepdim=True).detach().clamp_min(1e-6) / 5
    return torch.where(error <= limit, error, (error**2 + limit**2) / (2 * limit)).mean(_ALL)


def huber(logits: Tensor, target: Tensor) -> Tensor:
    """Squared error, absolute beyond 0.1."""
    return F.huber_loss(torch.sigmoid(logits), target, reduction="none", delta=0.1).mean(_ALL)


def silog(logits: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant log error with half the mean removed (Eigen et al. 2014)."""
    found, wanted = (torch.log(x.clamp_min(0) * 0.9 + 0.1) for x in (torch.sigmoid(logits), target))
    difference = found - wanted
    return (difference**2).mean(_ALL) - 0.5 * difference.mean(_ALL) ** 2


def scale_shift_invariant(logits: Tensor, target: Tensor) -> Tensor:
    """Scale-and-shift-invariant error with gradient matching (after Ranftl et al. 2020)."""
    return joint_losses.invariant(torch.sigmoid(logits), target)


Loss = Callable[[Tensor, Tensor], Tensor]

MATTE: dict[str, Loss] = {
    "bce": bce,
    "cross-entropy": cross_entropy,
    "mse": mse,
    "dice": dice,
    "ssim": ssim,
    "l1": l1,
    "default": joint_losses.matte_loss,
}

DEPTH: dict[str, Loss] = {
    "l1": l1,
    "l2": mse,
    "berhu": berhu,
    "huber": huber,
    "silog": silog,
    "ssi": scale_shift_invariant,
    "bce": bce,
    "ssim": ssim,
}


def find(task: str, name: str) -> Loss:
    """Return a loss by name; InputError lists the names of the task."""
    known = MATTE if task == "portrait" else DEPTH
    if name not in known:
        raise InputError(f"no {task} loss named {name!r}; there are: {', '.join(known)}")
    return known[name]
