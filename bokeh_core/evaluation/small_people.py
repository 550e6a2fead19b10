"""A test set of people far away: cut out of soft mattes, put before photos of nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.training import paste
from bokeh_core.training.items import Item, Label, Labelled
from bokeh_core.training.views import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.training.paste import CutOut

COUNT = 60
SHARES = (0.15, 0.35)
"""Of the picture's height."""

_TRIES = 100
_MOST_UNKNOWN = 0.05  # of a photo of nobody


@dataclass(frozen=True, eq=False)
class PastedItem(Item):
    """One composed picture."""

    content: Labelled

    @property
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""
        return frozenset({"mask"})

    def read(self) -> Labelled:
        """Return the picture and its mask."""
        return self.content


def compose(items: Sequence[Item], count: int = COUNT, seed: int = 0) -> list[Item]:
    """Put whole people of the items with soft mattes into the items of nobody, the same each time.

    Raises
    ------
    InputError
        There are no such people, or no such photos, among the items.
    """
    people: list[CutOut] = []
    scenes: list[Labelled] = []
    for item in items:
        found = item.read()
        if found.mask is None:
            continue
        if found.known is None:
            person = paste.cut_out(found.rgb, found.mask)
            people += [person] if person is not None and not person.cropped else []
        elif not found.mask.any() and (found.known == 0).mean() <= _MOST_UNKNOWN:
            scenes.append(found)
    if not people or not scenes:
        what = "photo of nobody (masks of labels)" if people else "whole person (soft mattes)"
        raise InputError(f"no {what} among the {len(items)} pictures: small people need both")
    rng = np.random.default_rng(seed)
    return [_composed(rng, people, scenes, index) for index in range(count)]


def _composed(
    rng: np.random.Generator, people: list[CutOut], scenes: list[Labelled], index: int
) -> PastedItem:
    """Put somebody where no animal is: a person on a dog is nothing that a photo shows."""
    for _ in range(_TRIES):
        scene = scenes[int(rng.integers(len(scenes)))]
        person = people[int(rng.integers(len(people)))]
        view = paste.put(rng, _as_view(scene), person, float(rng.uniform(*SHARES)))
        if not ((view.mask > 0) & _taken(scene)).any():
            break
    return PastedItem("small", f"{index:03d}", Labelled(view.rgb, view.mask, None))


def _taken(scene: Labelled) -> npt.NDArray[np.bool_]:
    assert scene.animals is not None
    assert scene.known is not None
    return np.asarray((scene.animals > 0) | (scene.known == 0))


def _as_view(scene: Labelled) -> View:
    nothing = np.zeros(scene.rgb.shape[:2], np.uint8)
    return View(
        scene.rgb,
        nothing,
        nothing,
        nothing,
        nothing + np.uint8(255),
        has_mask=True,
        has_depth=False,
        has_animals=True,
    )
