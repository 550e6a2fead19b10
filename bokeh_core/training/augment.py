"""Random views of a labelled picture: geometry, several people, nobody at all, colour, damage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.training.samples import DEPTH_SHRINK, Bytes, Sample

Floats = npt.NDArray[np.float64]

_QUARTER = 4  # the network predicts disparity at a quarter of its input size


@dataclass(frozen=True)
class Canvas:
    """Height and width of the network's input, multiples of 32."""

    height: int
    width: int


@dataclass(frozen=True)
class View:
    """What one training example looks like: uint8 arrays of one canvas."""

    rgb: Bytes  # (H, W, 3)
    mask: Bytes  # (H, W)
    depth: Bytes  # (H/4, W/4)
    has_mask: bool
    has_depth: bool

    @property
    def canvas(self) -> Canvas:
        """Its size."""
        return Canvas(*self.mask.shape)


@dataclass(frozen=True)
class Chances:
    """How often each change is drawn, 0 to 1, and how far a view is turned."""

    nobody: float = 0.06
    quarter_turn: float = 0.06
    tilt: float = 7.0
    """Standard deviation in degrees."""
    whole: float = 0.55
    """The whole picture, and not a part of it or one with mirrored surroundings."""
    part: float = 0.3
    second: float = 0.05
    """A second subject in front."""
    bystanders: float = 0.28
    colour: float = 1.0
    """Factor of the chances of every change of colour."""
    damage: float = 1.0
    """Factor of the chances of every kind of damage."""


VARIED = Chances()
NEAR = Chances(
    nobody=0.03,
    quarter_turn=0.03,
    tilt=3.0,
    whole=0.75,
    part=0.2,
    second=0.02,
    bystanders=0.12,
    colour=0.5,
    damage=0.5,
)
"""For the end of a run: nearer to the photos that people send."""

ASPECTS = ((4, 3), (4, 3), (4, 3), (4, 3), (3, 2), (3, 2), (1, 1), (3, 4))
"""Height : width of the canvases, as often as they are drawn."""


def canvas(rng: np.random.Generator, long_side: int) -> Canvas:
    """Draw the shape of one batch; square ones are smaller, so every batch costs about the same."""
    tall, wide = ASPECTS[rng.integers(len(ASPECTS))]
    longest = long_side if tall != wide else long_side * 7 // 8
    scale = longest / max(tall, wide)
    return Canvas(*(max(round(side * scale / 32), 1) * 32 for side in (tall, wide)))


def view(
    rng: np.random.Generator,
    sample: Sample,
    other: Sample | None,
    target: Canvas,
    chances: Chances = VARIED,
) -> View:
    """Draw a view of `sample`; with `other`, its person may be pasted in (a second subject)."""
    if sample.mask is not None and rng.random() < chances.nobody:
        sample = _without_person(sample, sample.mask)
    found = _seen(sample, _geometry(rng, sample.rgb.shape[:2], target, chances), target)
    if other is not None and other.mask is not None and found.has_mask:
        found = _with_others(rng, found, other.rgb, other.mask, chances)
    coloured = _colour(rng, found.rgb, chances.colour)
    return replace(found, rgb=_damage(rng, coloured, chances.damage))


def whole(sample: Sample, target: Canvas) -> View:
    """Return the whole picture, stretched to the canvas, as it is."""
    height, width = sample.rgb.shape[:2]
    scale = np.diag([width / target.width, height / target.height])
    return _seen(sample, np.column_stack((scale, np.zeros(2))), target)


def _seen(sample: Sample, matrix: Floats, target: Canvas) -> View:
    mask = np.zeros((target.height, target.width), np.uint8)
    depth = np.zeros((target.height // _QUARTER, target.width // _QUARTER), np.uint8)
    if sample.mask is not None:
        mask = _warp(sample.mask, matrix, target)
    if sample.depth is not None:
        depth = _warp_depth(sample.depth, matrix, target)
    rgb = _warp(sample.rgb, matrix, target)
    return View(rgb, mask, depth, sample.mask is not None, sample.depth is not None)


def _geometry(
    rng: np.random.Generator, shape: tuple[int, int], target: Canvas, chances: Chances
) -> Floats:
    """Draw the 2x3 matrix that maps canvas coordinates to picture coordinates."""
    height, width = shape
    quarter = int(rng.integers(1, 4)) if rng.random() < chances.quarter_turn else 0
    angle = np.deg2rad(np.clip(rng.normal(0, chances.tilt), -25, 25) + 90 * quarter)
    tall, wide = (target.width, target.height) if quarter % 2 else (target.height, target.width)
    ratios = (height / tall, width / wide)
    kind = rng.random()
    if kind < chances.whole:
        scale = max(ratios) * rng.uniform(0.92, 1.06)  # the whole picture
    elif kind < chances.whole + chances.part:
        scale = min(ratios) * rng.uniform(0.5, 0.98)  # a part of it
    else:
        scale = max(ratios) * rng.uniform(1.06, 1.25)  # mirrored surroundings: several people
    stretch = np.exp(rng.normal(0, 0.05))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag(
        [flip * scale * stretch, scale / stretch]
    )
    free = [max(side - scale * span, 0.06 * side) for side, span in ((width, wide), (height, tall))]
    centre = [
        side / 2 + rng.uniform(-0.5, 0.5) * room
        for side, room in ((width, free[0]), (height, free[1]))
    ]
    shift = np.array(centre) - linear @ np.array([target.width / 2, target.height / 2])
    return np.column_stack((linear, shift))


def _warp(plane: Bytes, matrix: Floats, target: Canvas) -> Bytes:
    return np.asarray(
        cv2.warpAffine(
            plane,
            matrix,
            (target.width, target.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    )


def _warp_depth(depth: Bytes, matrix: Floats, target: Canvas) -> Bytes:
    """Warp to the same view at a quarter of the canvas from labels at a third of the picture."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    small = linear * (_QUARTER / DEPTH_SHRINK)
    offset = (shift + linear @ np.full(2, (_QUARTER - 1) / 2) + 0.5) / DEPTH_SHRINK - 0.5
    quarter = Canvas(target.height // _QUARTER, target.width // _QUARTER)
    return _warp(depth, np.column_stack((small, offset)), quarter)


def _without_person(sample: Sample, mask: Bytes) -> Sample:
    """Cut out the largest strip beside or above the person, where there is one of useful size."""
    height, width = mask.shape
    rows = np.flatnonzero(mask.max(1) > 20)
    columns = np.flatnonzero(mask.max(0) > 20)
    if len(rows) == 0:
        return sample
    strips = (
        (0, rows[0] - 4, 0, width),
        (rows[-1] + 4, height, 0, width),
        (0, height, 0, columns[0] - 4),
        (0, height, columns[-1] + 4, width),
    )
    top, bottom, left, right = max(
        (strip for strip in strips), key=lambda s: max(s[1] - s[0], 0) * max(s[3] - s[2], 0)
    )
    if min(bottom - top, right - left) < max(height, width) // 5:
        return sample
    depth = None
    if sample.depth is not None:
        s = DEPTH_SHRINK
        depth = sample.depth[top // s : bottom // s, left // s : right // s]
    return Sample(
        sample.key, sample.rgb[top:bottom, left:right], mask[top:bottom, left:right], depth
    )


def _with_others(
    rng: np.random.Generator, found: View, photo: Bytes, mask: Bytes, chances: Chances
) -> View:
    """Now and then a second subject in front, or up to three small bystanders behind.

    Bystanders are background: before they were drawn, the networks took every passer-by for a
    subject and street scenes stayed at an IoU of .91. Nobody knows how far pasted people stand.
    """
    chance = rng.random()
    if chance < chances.second:
        rgb, both = _paste(rng, found, photo, mask, chances)
        return replace(found, rgb=rgb, mask=both, has_depth=False)
    if chance < chances.second + chances.bystanders and found.mask.max() > 127:
        rgb = found.rgb
        for _ in range(int(rng.integers(1, 4))):
            rgb = _bystander(rng, replace(found, rgb=rgb), photo, mask)
        return replace(found, rgb=rgb, has_depth=False)
    return found


def _bystander(rng: np.random.Generator, found: View, photo: Bytes, mask: Bytes) -> Bytes:
    target = found.canvas
    height, width = mask.shape
    scale = max(height / target.height, width / target.width) * rng.uniform(1.7, 3.5)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    linear = np.diag([flip * scale, scale])
    centre = np.array([rng.uniform(0, target.width), rng.uniform(0.2, 0.8) * target.height])
    shift = np.array([width / 2, height / 2]) - linear @ centre
    matrix = np.column_stack((linear, shift))
    size, flags = (target.width, target.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    soft = cv2.GaussianBlur(photo, (0, 0), float(rng.uniform(0.3, 0.6) * scale))
    small = cv2.warpAffine(soft, matrix, size, flags=flags)
    cover = cv2.warpAffine(mask, matrix, size, flags=flags, borderValue=0)
    behind = cover.astype(np.float32) * (255 - found.mask.astype(np.float32)) / 255**2
    alpha = behind[..., None]
    return np.asarray((small * alpha + found.rgb * (1 - alpha)).round(), np.uint8)


def _paste(
    rng: np.random.Generator, found: View, photo: Bytes, mask: Bytes, chances: Chances
) -> tuple[Bytes, Bytes]:
    target = found.canvas
    matrix = _geometry(rng, mask.shape, target, chances)
    matrix[0, 2] += rng.choice((-1, 1)) * rng.uniform(0.2, 0.6) * mask.shape[1]
    size, flags = (target.width, target.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cover = np.asarray(cv2.warpAffine(mask, matrix, size, flags=flags, borderValue=0), np.uint8)
    alpha = cover.astype(np.float32)[..., None] / 255
    mixed = _warp(photo, matrix, target) * alpha + found.rgb * (1 - alpha)
    return mixed.round().astype(np.uint8), np.maximum(found.mask, cover)


def _colour(rng: np.random.Generator, rgb: Bytes, often: float) -> Bytes:
    """Exposure, gamma, contrast, white balance, saturation, grey."""
    ramp = np.linspace(0, 1, 256)[:, None].repeat(3, 1)
    if rng.random() < 0.7 * often:
        ramp = ramp ** np.exp(rng.normal(0, 0.25))
        ramp = (ramp - 0.5) * np.exp(rng.normal(0, 0.15)) + 0.5 + rng.normal(0, 0.04)
    if rng.random() < 0.4 * often:
        ramp = ramp * np.exp(rng.normal(0, 0.08, 3))
    table = (np.clip(ramp, 0, 1) * 255).round().astype(np.uint8)[None]
    rgb = np.asarray(cv2.LUT(rgb, table))
    if rng.random() < 0.35 * often:
        amount = 0.0 if rng.random() < 0.2 else float(np.exp(rng.normal(0, 0.3)))
        grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        rgb = np.asarray(cv2.addWeighted(rgb, amount, grey, 1 - amount, 0))
    return rgb


def _damage(rng: np.random.Generator, rgb: Bytes, often: float) -> Bytes:
    """Blur, low resolution, noise, JPEG: what real uploads went through."""
    if rng.random() < 0.12 * often:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.6)))
    if rng.random() < 0.08 * often:
        height, width = rgb.shape[:2]
        factor = rng.uniform(1.5, 3)
        small = cv2.resize(rgb, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        rgb = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.15 * often:
        noise = rng.normal(0, rng.uniform(2, 14), rgb.shape).astype(np.float32)
        rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2 * often:
        quality = int(rng.integers(30, 95))
        packed = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        rgb = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return rgb
