"""How far relative disparity is from a label: order first, then values after alignment."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

NEAR_TO_FAR = 10.0
"""Relative labels have no unit; AbsRel and the deltas read them as depths from 1 to this."""

FARTHEST = 10.0
"""In metres, to which estimates are clipped beside labels in metres that are no farther: the range
of NYU Depth v2."""

_SAMPLES = 20_000
"""Pixels of a larger map that are scored, drawn with a fixed seed."""


@dataclass(frozen=True)
class DepthScore:
    """Scores of one disparity map; `subject_pairs` is NaN without a mask."""

    rank: float
    subject_pairs: float
    """Pairs of a subject and a background pixel in which the subject came out nearer, among those
    in which the label says so."""
    abs_rel: float
    delta1: float
    delta2: float
    delta3: float


def score(
    disparity: Float32,
    label: Float32,
    mask: Float32 | None = None,
    *,
    metric: bool = False,
    seed: int = 0,
) -> DepthScore:
    """Compare disparity maps of one size (larger = nearer).

    The label may have any scale, and NaN where it is unknown. `metric`: it is one over metres, and
    AbsRel and the deltas are of metres, after alignment in disparity (Ranftl et al., "Towards
    Robust Monocular Depth Estimation", 2020).
    """
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(np.isfinite(label))
    if len(known) == 0:
        return DepthScore(*[float("nan")] * len(fields(DepthScore)))
    pick = known
    if len(known) > _SAMPLES:
        pick = known[rng.integers(0, len(known), _SAMPLES)]
    found, wanted = (plane.ravel()[pick].astype(np.float64) for plane in (disparity, label))
    if metric:
        farthest = min(1 / FARTHEST, float(wanted.min()))
        depth, truth = 1 / align(found, wanted, farthest, np.inf), 1 / wanted
    else:
        near = _unit(wanted)
        depth, truth = (
            1 / (plane * (1 - 1 / NEAR_TO_FAR) + 1 / NEAR_TO_FAR)
            for plane in (align(found, near), near)
        )
    ratio = np.maximum(depth / truth, truth / depth)
    pairs = float("nan") if mask is None else subject_pairs(disparity, label, mask, rng)
    return DepthScore(
        rank=rank_correlation(found, wanted),
        subject_pairs=pairs,
        abs_rel=float((np.abs(depth - truth) / truth).mean()),
        delta1=float((ratio < 1.25).mean()),
        delta2=float((ratio < 1.25**2).mean()),
        delta3=float((ratio < 1.25**3).mean()),
    )


def _unit(values: Floats) -> Floats:
    low, high = values.min(), values.max()
    return np.asarray((values - low) / max(high - low, 1e-9))


def align(found: Floats, wanted: Floats, low: float = 0.0, high: float = 1.0) -> Floats:
    """Scale and shift by least squares, then clip to [low, high]."""
    columns = np.stack((found, np.ones_like(found)), 1)
    solution = np.linalg.lstsq(columns, wanted, rcond=None)[0]
    return np.clip(columns @ solution, low, high)


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's correlation with mean ranks for ties; 0 when one of them is constant."""
    ranks = [_ranks(values) for values in (a, b)]
    spread = [float(r.std()) for r in ranks]
    if min(spread) == 0:
        return 0.0
    product = ((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean())).mean()
    return float(product / (spread[0] * spread[1]))


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])


def subject_pairs(
    disparity: Float32, label: Float32, mask: Float32, rng: np.random.Generator, count: int = 20_000
) -> float:
    """Part of the subject-background pairs in the right order, see `DepthScore`; NaN if none."""
    known = np.isfinite(label)
    inside, outside = (np.flatnonzero(part & known) for part in (mask > 0.9, mask < 0.1))
    if len(inside) == 0 or len(outside) == 0:
        return float("nan")
    near, far = rng.choice(inside, count), rng.choice(outside, count)
    told = label.ravel()[near] > label.ravel()[far]
    if not told.any():
        return float("nan")
    return float((disparity.ravel()[near] > disparity.ravel()[far])[told].mean())
