"""Random views of a labelled picture: geometry, several people, nobody at all, colour, damage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.training import paste
from bokeh_core.training.samples import DEPTH_SHRINK, Bytes, Sample
from bokeh_core.training.views import Canvas, View

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]

_QUARTER = 4  # the network predicts disparity at a quarter of its input size
_SURE = 250  # of 255
_HALF = 127


@dataclass(frozen=True)
class Chances:
    """How often each change is drawn, 0 to 1, and how far a view is turned."""

    nobody: float = 0.06
    close_up: float = 0.12
    """An animal, else a person, that fills the picture."""
    quarter_turn: float = 0.06
    tilt: float = 7.0
    """Standard deviation in degrees."""
    whole: float = 0.55
    """The whole picture, and not a part of it or one with mirrored surroundings."""
    part: float = 0.3
    second: float = 0.05
    """A second subject in front."""
    bystanders: float = 0.2
    """Small people behind."""
    scene: float = 0.14
    """A photo of nobody in place of the picture, with up to three people pasted in."""
    colour: float = 1.0
    """Factor of the chances of every change of colour."""
    damage: float = 1.0
    """Factor of the chances of every kind of damage."""


VARIED = Chances()
NEAR = Chances(
    nobody=0.03,
    close_up=0.06,
    quarter_turn=0.03,
    tilt=3.0,
    whole=0.75,
    part=0.2,
    second=0.02,
    bystanders=0.1,
    scene=0.1,
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


@dataclass(frozen=True, eq=False)
class Others:
    """Pictures to take from: people to paste (with soft mattes), and scenes without anybody."""

    people: Sequence[Sample] = ()
    scenes: Sequence[Sample] = ()


NOBODY = Others()


def view(
    rng: np.random.Generator,
    sample: Sample,
    others: Others,
    target: Canvas,
    chances: Chances = VARIED,
) -> View:
    """Draw a view of `sample`, into which people of `others` may be pasted, or of a scene."""
    scene = bool(others.people and others.scenes) and rng.random() < chances.scene
    if scene:
        sample = others.scenes[int(rng.integers(len(others.scenes)))]
    elif sample.mask is not None and rng.random() < chances.nobody:
        sample = _without_person(sample, sample.mask)
    elif rng.random() < chances.close_up:
        sample = _close_up(rng, sample)
    found = _seen(sample, _geometry(rng, sample.rgb.shape[:2], target, chances), target)
    if scene:
        for _ in range(int(rng.integers(0, 4))):
            found = _put(rng, found, others.people, (0.05, 0.7))
    elif others.people and found.has_mask:
        found = _with_others(rng, found, others.people, chances)
    coloured = _colour(rng, found.rgb, chances.colour)
    return replace(found, rgb=_damage(rng, coloured, chances.damage))


def whole(sample: Sample, target: Canvas) -> View:
    """Return the whole picture, stretched to the canvas, as it is."""
    height, width = sample.rgb.shape[:2]
    scale = np.diag([width / target.width, height / target.height])
    return _seen(sample, np.column_stack((scale, np.zeros(2))), target)


def _seen(sample: Sample, matrix: Floats, target: Canvas) -> View:
    mask, animals, known = (
        np.full((target.height, target.width), fill, np.uint8) for fill in (0, 0, 255)
    )
    depth = np.zeros((target.height // _QUARTER, target.width // _QUARTER), np.uint8)
    if sample.mask is not None:
        mask = _warp(sample.mask, matrix, target)
    if sample.animals is not None:
        animals = _warp(sample.animals, matrix, target)
    if sample.known is not None:
        # a pixel that mixes known and unknown ones is unknown
        known = np.where(_warp(sample.known, matrix, target) > _SURE, 255, 0).astype(np.uint8)
    if sample.depth is not None:
        depth = _warp_depth(sample.depth, matrix, target)
    rgb = _warp(sample.rgb, matrix, target)
    return View(
        rgb,
        mask,
        depth,
        animals,
        known,
        has_mask=sample.mask is not None,
        has_depth=sample.depth is not None,
        has_animals=sample.animals is not None,
    )


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
        scale = max(ratios) * rng.uniform(1.06, 1.6)  # mirrored surroundings: several, and small
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
    perhaps = mask if sample.known is None else np.maximum(mask, 255 - sample.known)
    rows = np.flatnonzero(perhaps.max(1) > 20)
    columns = np.flatnonzero(perhaps.max(0) > 20)
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
    return _cut(sample, (top, bottom, left, right))


def _close_up(rng: np.random.Generator, sample: Sample) -> Sample:
    """Cut out an animal, where there is none a person, with little around; a face may be cut."""
    height, width = sample.rgb.shape[:2]
    for plane in (sample.animals, sample.mask):
        if plane is None or not plane.any():
            continue
        left, top, wide, high = cv2.boundingRect((plane > _HALF).astype(np.uint8))
        if min(wide, high) < max(height, width) // 5:
            continue
        sides = rng.uniform(-0.15, 0.3, 4)
        return _cut(
            sample,
            (
                max(round(top - sides[0] * high), 0),
                min(round(top + high + sides[1] * high), height),
                max(round(left - sides[2] * wide), 0),
                min(round(left + wide + sides[3] * wide), width),
            ),
        )
    return sample


def _cut(sample: Sample, box: tuple[int, int, int, int]) -> Sample:
    """Cut out rows and columns: top, bottom, left, right, where the depth has whole pixels."""
    top, bottom, left, right = (int(side) // DEPTH_SHRINK * DEPTH_SHRINK for side in box)
    depth = None
    if sample.depth is not None:
        s = DEPTH_SHRINK
        depth = sample.depth[top // s : bottom // s, left // s : right // s]
    part = slice(top, bottom), slice(left, right)
    mask, animals, known = (
        None if plane is None else plane[part]
        for plane in (sample.mask, sample.animals, sample.known)
    )
    return Sample(sample.key, sample.rgb[part], mask, depth, animals, known)


def _with_others(
    rng: np.random.Generator, found: View, people: Sequence[Sample], chances: Chances
) -> View:
    """Now and then a second person in front, or up to three small bystanders behind."""
    chance = rng.random()
    if chance < chances.second:
        return _put(rng, found, people, (0.5, 1.1))
    if chance < chances.second + chances.bystanders:
        for _ in range(int(rng.integers(1, 4))):
            found = _put(rng, found, people, (0.08, 0.45), behind=True)
    return found


def _put(
    rng: np.random.Generator,
    found: View,
    people: Sequence[Sample],
    shares: tuple[float, float],
    *,
    behind: bool = False,
) -> View:
    """Put somebody into the view, of a share of its height that is drawn evenly by octaves."""
    chosen = people[int(rng.integers(len(people)))]
    person = None if chosen.matte is None else paste.cut_out(chosen.rgb, chosen.matte)
    if person is None:
        return found
    share = float(np.exp(rng.uniform(*np.log(shares))))
    return paste.put(rng, found, person, share, behind=behind)


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
