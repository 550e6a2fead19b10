"""Where the embedded network is wrong: a sheet of pictures that may be shown, worst first.

python -m tests.worst_cases OUT.jpg     needs scikit-image, whose sample pictures it takes apart
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from bokeh_core.evaluation.matte_metrics import iou
from bokeh_core.networks.inference import predict
from bokeh_core.picture import to_linear
from bokeh_core.progress import ignore
from bokeh_core.segmentation import Choice, full_subject, portrait_matte

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bokeh_core.subjects import People

Bytes = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
HEIGHT, ACROSS = 190, 6
SHOWN = 24
"""Of all cases, the worst."""
WHO: tuple[People, ...] = ("all", "pets")
PEOPLE, ANIMALS = (255, 60, 60), (70, 110, 255)


@dataclass(frozen=True)
class Case:
    """A picture, and who is in it."""

    name: str
    rgb: Bytes
    people: Float32
    animals: Float32


@dataclass(frozen=True)
class Rated:
    """A case with what was found in it."""

    case: Case
    people: Float32
    animals: Float32
    said: str
    fault: float
    """0 = right, 1 = all wrong."""


def cases() -> Iterator[Case]:
    """Yield the portrait near, far, turned and dark, a cat, and pictures of nobody."""
    portrait, cat = sample("astronaut"), sample("chelsea")
    matte = portrait_matte(to_linear(portrait), people="all")
    cats = np.ones(cat.shape[:2], np.float32)  # only "is it an animal" is asked
    names = ("rocket", "coffee", "grass", "brick")
    scenes = {name: sample(name) for name in names}
    for name, scene in scenes.items():
        yield nobody(name, scene)
    yield nobody("a cup, close", scenes["coffee"][60:300, 180:440])
    yield nobody("stars", sample("hubble_deep_field"))
    yield Case("cat", cat, 0 * cats, cats)
    yield Case("cat, on its side", *turned(cat, 0 * cats, cats))
    for name, scene in scenes.items():
        for share in (0.1, 0.15, 0.2, 0.35):
            yield pasted(f"{name}, {share:.0%}", scene, portrait, matte, share)
    nothing = np.zeros_like(matte)
    yield Case("on her side", *turned(portrait, matte, nothing))
    yield Case("upside down", portrait[::-1].copy(), matte[::-1].copy(), nothing)
    yield Case(
        "head, close", portrait[0:230, 110:340].copy(), matte[0:230, 110:340], nothing[:230, :230]
    )
    dark = np.asarray(portrait * 0.08, np.uint8)
    yield Case("very dark", dark, matte, nothing)
    rng = np.random.default_rng(0)
    noisy = np.clip(portrait * 0.3 + rng.normal(0, 25, portrait.shape), 0, 255)
    yield Case("dark, noise", noisy.astype(np.uint8), matte, nothing)
    yield Case(
        "out of focus", np.asarray(cv2.GaussianBlur(portrait, (0, 0), 9), np.uint8), matte, nothing
    )
    grey = coloured(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY))
    yield Case("black and white", grey, matte, nothing)
    yield Case("negative", np.asarray(255 - portrait, np.uint8), matte, nothing)


def sample(name: str) -> Bytes:
    """Return a sample picture of scikit-image (in the public domain or CC0), in colour."""
    picture = np.asarray(getattr(skimage.data, name)(), np.uint8)
    return picture if picture.ndim == 3 else coloured(picture)


def coloured(grey: Any) -> Bytes:
    """Return a grey picture as one of three equal channels."""
    return np.asarray(np.repeat(np.asarray(grey)[..., None], 3, 2), np.uint8)


def nobody(name: str, rgb: Bytes) -> Case:
    """Return a picture without people and animals."""
    nothing = np.zeros(rgb.shape[:2], np.float32)
    return Case(name, rgb, nothing, nothing)


def turned(rgb: Bytes, people: Float32, animals: Float32) -> tuple[Bytes, Float32, Float32]:
    """Return all three a quarter turn to the left."""
    return np.rot90(rgb).copy(), np.rot90(people).copy(), np.rot90(animals).copy()


def pasted(name: str, scene: Bytes, rgb: Bytes, matte: Float32, share: float) -> Case:
    """Put the half-body portrait at the foot of a scene, at a share of its height."""
    scene = np.asarray(cv2.resize(scene, (600, 400), interpolation=cv2.INTER_AREA), np.uint8)
    side = round(share * len(scene))
    small, cover = (
        cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA) for plane in (rgb, matte)
    )
    left = 230
    whole = np.zeros(scene.shape[:2], np.float32)
    whole[-side:, left : left + side] = cover
    mixed = scene.astype(np.float32)
    place = mixed[-side:, left : left + side]
    mixed[-side:, left : left + side] = place + (small - place) * cover[..., None]
    return Case(name, np.asarray(mixed, np.uint8), whole, np.zeros_like(whole))


def rate(case: Case) -> Rated:
    """Ask the network who is there, and compare."""
    light = to_linear(case.rgb)
    seen = predict(light)
    people, animals = (full_subject(light, seen, Choice(who), ignore).matte for who in WHO)
    wanted, found = case.people >= 0.5, people >= 0.5
    if case.animals.any():
        fault = float(found.mean()) + 1 - float((animals >= 0.5).any())
        said = "an animal" if (animals >= 0.5).any() else "no animal"
        said += f", {found.mean():.0%} person" if found.any() else ""
    elif wanted.any():
        fault, said = 1 - iou(found, wanted), f"IoU {iou(found, wanted):.2f}"
    else:
        fault, said = float(min(1, 10 * found.mean())), f"{found.mean():.1%} called person"
    return Rated(case, people, animals, said, min(fault, 1))


def sheet(rated: list[Rated]) -> Bytes:
    """Draw the worst: people in red, animals in blue, what was found below the name."""
    worst = sorted(rated, key=lambda r: -r.fault)[:SHOWN]
    tiles = [_tile(one) for one in worst]
    width = max(tile.shape[1] for tile in tiles)
    tiles = [np.pad(tile, ((0, 4), (0, width + 4 - tile.shape[1]), (0, 0))) for tile in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % ACROSS)
    rows = [np.hstack(tiles[i : i + ACROSS]) for i in range(0, len(tiles), ACROSS)]
    return np.asarray(np.vstack(rows), np.uint8)


def _tile(rated: Rated) -> Bytes:
    shown = rated.case.rgb.astype(np.float32)
    for plane, colour in ((rated.people, PEOPLE), (rated.animals, ANIMALS)):
        shown += (np.array(colour, np.float32) - shown) * 0.6 * plane[..., None]
    width = max(1, round(shown.shape[1] * HEIGHT / len(shown)))
    small: Any = cv2.resize(shown, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    strip = np.zeros((38, max(width, 150), 3), np.uint8)
    for line, text in enumerate((rated.case.name, rated.said)):
        where = (3, 14 + 18 * line)
        cv2.putText(strip, text, where, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230,) * 3, 1, cv2.LINE_AA)
    small = np.pad(small.astype(np.uint8), ((0, 0), (0, strip.shape[1] - width), (0, 0)))
    return np.asarray(np.vstack([strip, small]), np.uint8)


def main(out: Path) -> None:
    """Rate all cases, print them, write the sheet."""
    rated = [rate(case) for case in cases()]
    for one in sorted(rated, key=lambda r: -r.fault):
        print(f"{one.fault:.2f}  {one.case.name}: {one.said}")
    picture = cv2.cvtColor(sheet(rated), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(out), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
