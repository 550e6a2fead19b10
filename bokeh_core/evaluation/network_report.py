"""Score a model on a folder of labelled pictures; write the table and the worst pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.depth import estimate_depth
from bokeh_core.errors import InputError
from bokeh_core.evaluation import folder_scores, network_scores, small_people
from bokeh_core.evaluation.network_scores import Mattes
from bokeh_core.networks import inference, registry, tasks
from bokeh_core.networks.inference import check_photo
from bokeh_core.picture.transfer import to_linear
from bokeh_core.progress import ignore
from bokeh_core.segmentation import Choice, Refine, full_subject
from bokeh_core.training import layouts, suspects
from bokeh_core.training.items import LABELS_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.devices import Device
    from bokeh_core.evaluation.network_scores import Row
    from bokeh_core.progress import Progress
    from bokeh_core.subjects import People
    from bokeh_core.training.items import Item, Split

Float32 = npt.NDArray[np.float32]
Task = Literal["portrait", "depth", "small"]


@dataclass(frozen=True)
class Plan:
    """What to score on what."""

    task: Task
    """"small": people pasted far away into photos of nobody, see `small_people`."""
    data: Path
    folders: tuple[str, ...] = ()
    everything: bool = False
    """Also the pictures of the training part."""
    limit: int = 0
    """Pictures per folder; 0 = all."""
    model: str = registry.DEFAULT
    """By name; or a .safetensors file such as a training leaves."""
    refine: Refine = "hair"
    """Of mattes."""
    device: Device = None
    suspects: Path | None = None
    """Write here which masks of labels are far from what was found (`suspects`)."""
    once: bool = False
    """Without the closer looks at small people."""
    split: Split = "hash"
    """What decides which pictures are the test part."""
    predictions: Path | None = None
    """Write what was found here, `FOLDER/NAME_mask.png` or `_depth.png`, 16 bits."""
    unknown: frozenset[str] = frozenset()
    """Pictures whose masks are wrong, and not scored."""


def choose(plan: Plan) -> list[Item]:
    """List the pictures of the plan; InputError when none carries the label that is needed."""
    needed = LABELS_OF["depth" if plan.task == "depth" else "portrait"]
    found = [
        item
        for item in suspects.without_masks(layouts.find(plan.data, plan.folders), plan.unknown)
        if plan.everything or item.part(plan.split) == "test"
    ]
    if found and not any(item.labels & needed for item in found):
        raise InputError(f"{plan.data}: none of the pictures has a {min(needed)} label")
    found = [item for item in found if item.labels & needed]
    chosen: list[Item] = []
    counts: dict[str, int] = {}
    for item in found:
        if plan.limit and counts.get(item.folder, 0) >= plan.limit:
            continue
        counts[item.folder] = counts.get(item.folder, 0) + 1
        chosen.append(item)
    if not chosen:
        raise InputError(f"{plan.data}: no picture in the test part; --all takes the others too")
    return chosen


def evaluate(plan: Plan, out: Path | None, progress: Progress) -> str:
    """Score, write `scores.csv`, `table.md` and the worst ten into `out`; returns the table."""
    items = choose(plan)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # not only after an hour of scoring
    if plan.model.endswith(".safetensors"):
        task: Literal["depth", "portrait"] = "depth" if plan.task == "depth" else "portrait"
        plan = replace(plan, model=registry.open_file(Path(plan.model), task).name)
    tasks.check(plan.model, "depth" if plan.task == "depth" else "matte")
    if plan.task == "small":
        items = small_people.compose(items)

    def tick(count: int) -> None:
        progress(plan.task, count / len(items))

    def keep(item: Item, found: Float32) -> None:
        if plan.predictions is not None:
            ending = "depth" if plan.task == "depth" else "mask"
            folder_scores.save(plan.predictions / item.folder / f"{item.name}_{ending}.png", found)

    if plan.task == "depth":
        depths = network_scores.rate_depths(items, lambda rgb: _depth(rgb, plan), tick, keep)
        ramps = network_scores.table(network_scores.rate_depths(items, _ramp, lambda _: None))
        beside = [replace(row, folder=f"{row.folder}, a ramp") for row in ramps]
        return _written(depths, plan, out, beside)
    mattes = network_scores.rate_mattes(
        items, lambda rgb, all_: _mattes(rgb, plan, all_), tick, keep
    )
    if plan.suspects is not None:
        suspects.write(mattes, plan.suspects)
    return _written(mattes, plan, out)


def evaluate_folders(
    predictions: Path, truths: Path, task: Literal["portrait", "depth"], progress: Progress
) -> str:
    """Score a folder of predictions against one of truths (`folder_scores`); returns the table.

    Raises
    ------
    InputError
        As `folder_scores.pairs`, or a picture cannot be read.
    """
    items = folder_scores.pairs(predictions, truths, task)

    def tick(count: int) -> None:
        progress(task, count / len(items))

    if task == "depth":
        return network_scores.as_markdown(
            network_scores.table(folder_scores.rate_depths(items, tick))
        )
    return network_scores.as_markdown(network_scores.table(folder_scores.rate_mattes(items, tick)))


def _mattes(rgb: Float32, plan: Plan, everybody: bool) -> Mattes:
    """Find those the photo is of; or everybody, and all animals."""
    seen = inference.predict(
        check_photo(rgb), model=plan.model, device=plan.device, closer=not plan.once
    )
    choices: tuple[People, People] = ("all", "pets") if everybody else ("main", "pets")
    people, animals = (
        full_subject(rgb, seen, Choice(people, None, plan.refine, plan.model, plan.device), ignore)
        for people in choices
    )
    return Mattes(people.matte, animals.matte)


def _ramp(rgb: Float32) -> Float32:
    """Nearer towards the bottom, whatever the photo shows: what depth has to be better than."""
    height, width = rgb.shape[:2]
    return np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, 1)


def _depth(rgb: Float32, plan: Plan) -> Float32:
    return estimate_depth(rgb, model=plan.model, device=plan.device)


def _written(
    rated: Sequence[tuple[Item, network_scores.Score]],
    plan: Plan,
    out: Path | None,
    beside: Sequence[Row] = (),
) -> str:
    text = network_scores.as_markdown([*network_scores.table(rated), *beside])
    if out is not None:
        for old in out.glob("worst-*.jpg"):  # not before: a run that fails keeps what is there
            old.unlink()
        (out / "table.md").write_text(text + "\n", encoding="utf-8")
        network_scores.write_csv(rated, out / "scores.csv")
        for place, (item, _) in enumerate(network_scores.worst(rated), 1):
            path = out / f"worst-{place:02d}-{item.folder}-{item.name}.jpg"
            cv2.imwrite(str(path), _sheet(item, plan))
    return text


def _sheet(item: Item, plan: Plan) -> npt.NDArray[np.uint8]:
    found = item.read()
    rgb = to_linear(found.rgb)
    if plan.task != "depth":
        truth = np.asarray(found.mask, np.float32) / np.float32(255)
        if found.known is not None:
            truth = np.where(found.known > 0, truth, np.float32(0.5))
        people = _mattes(rgb, plan, found.known is not None).people
        return network_scores.sheet(found, truth, people)
    assert found.disparity is not None
    low, high = float(np.nanmin(found.disparity)), float(np.nanmax(found.disparity))
    truth = np.nan_to_num((found.disparity - low) / max(high - low, 1e-6))
    return network_scores.sheet(found, truth, _depth(rgb, plan))
