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
from bokeh_core.evaluation import network_scores
from bokeh_core.networks import registry, tasks
from bokeh_core.picture.transfer import to_linear
from bokeh_core.segmentation import Refine, portrait_matte
from bokeh_core.training import layouts
from bokeh_core.training.export import INPUT_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]
Task = Literal["portrait", "depth"]


@dataclass(frozen=True)
class Plan:
    """What to score on what."""

    task: Task
    data: Path
    folders: tuple[str, ...] = ()
    everything: bool = False
    """Also the pictures of the training part."""
    limit: int = 0
    """Pictures per folder; 0 = all."""
    model: str = registry.DEFAULT
    """By name; or a .safetensors file of the shared network, such as a training leaves."""
    refine: Refine = "guided"
    """Of mattes."""
    device: str = "cpu"


def choose(plan: Plan) -> list[layouts.Item]:
    """List the pictures of the plan; InputError when none carries the label that is needed."""
    needed = layouts.LABELS_OF[plan.task]
    found = [
        item for item in layouts.find(plan.data, plan.folders) if plan.everything or item.held_out
    ]
    if found and not any(item.labels & needed for item in found):
        raise InputError(f"{plan.data}: none of the pictures has a {min(needed)} label")
    found = [item for item in found if item.labels & needed]
    chosen: list[layouts.Item] = []
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
    tasks.check(plan.model, "matte" if plan.task == "portrait" else "depth")
    if plan.model.endswith(".safetensors"):
        opened = registry.open_file(Path(plan.model), INPUT_SIZE)
        plan = replace(plan, model=opened.name)

    def tick(count: int) -> None:
        progress(plan.task, count / len(items))

    if plan.task == "portrait":
        mattes = network_scores.rate_mattes(items, lambda rgb: _matte(rgb, plan), tick)
        return _written(mattes, plan, out)
    return _written(
        network_scores.rate_depths(items, lambda rgb: _depth(rgb, plan), tick), plan, out
    )


def _matte(rgb: Float32, plan: Plan) -> Float32:
    return portrait_matte(rgb, refine=plan.refine, model=plan.model, device=plan.device)


def _depth(rgb: Float32, plan: Plan) -> Float32:
    return estimate_depth(rgb, model=plan.model, device=plan.device)


def _written(
    rated: Sequence[tuple[layouts.Item, network_scores.Score]], plan: Plan, out: Path | None
) -> str:
    text = network_scores.as_markdown(network_scores.table(rated))
    if out is not None:
        for old in out.glob("worst-*.jpg"):  # not before: a run that fails keeps what is there
            old.unlink()
        (out / "table.md").write_text(text + "\n", encoding="utf-8")
        network_scores.write_csv(rated, out / "scores.csv")
        for place, (item, _) in enumerate(network_scores.worst(rated), 1):
            path = out / f"worst-{place:02d}-{item.folder}-{item.name}.jpg"
            cv2.imwrite(str(path), _sheet(item, plan))
    return text


def _sheet(item: layouts.Item, plan: Plan) -> npt.NDArray[np.uint8]:
    found = item.read()
    estimate = _matte if plan.task == "portrait" else _depth
    truth = found.disparity
    if plan.task == "portrait":
        truth = np.asarray(found.mask, np.float32) / np.float32(255)
    assert truth is not None
    span = max(float(truth.max() - truth.min()), 1e-6) if plan.task == "depth" else 1.0
    low = float(truth.min()) if plan.task == "depth" else 0.0
    return network_scores.sheet(found, (truth - low) / span, estimate(to_linear(found.rgb), plan))
