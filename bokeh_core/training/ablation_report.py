"""The ablation's report: the paper's numbers beside ours, confusion matrices, sample masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from bokeh_core import picture
from bokeh_core.borders import border_refined
from bokeh_core.networks.inference import network_input
from bokeh_core.training.validation import OUTLINE_PX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from bokeh_core.training.ablation import Confusion, Result

SAMPLE = Path(picture.__file__).parent.parent / "samples" / "astronaut.png"
"""Public domain: the only portrait that reports may show."""

ALIGNED = (
    "All of ours but the rank is after scale and shift of each picture's disparity to its label "
    "by least squares: some losses leave both open."
)
"""What the report on depth says about its scores."""

Pair = tuple["Result", "nn.Module"]


def write(
    pairs: Sequence[Pair],
    task: str,
    name: str,
    facts: Sequence[str],
    out: Path,
    *,
    size: int,
    learnt: int,
) -> None:
    """Write `NAME.md` and its picture `NAME.jpg` into `out`.

    `facts` open the report; `size` is the network's input at which the sample is shown, `learnt`
    the number of pictures of the training part whose confusion was counted.
    """
    out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out / f"{name}.jpg"), sheet(pairs, size), [cv2.IMWRITE_JPEG_QUALITY, 88])
    names = ", ".join(result.variant.name for result, _ in pairs)
    lines = [
        f"# {name.replace('-', ' ').capitalize()}",
        "",
        *facts,
        "",
        *([ALIGNED, ""] if task == "depth" else []),
        *table([result for result, _ in pairs], task),
        "",
        "Confusion (parts of all test pixels; rows truth, columns found: background, subject"
        + (")" if task == "portrait" else "; subject = nearer than the label's median)"),
        "",
        *confusions({result.variant.name: result.confusion for result, _ in pairs}),
        "",
        f"The same over {learnt} pictures that were learnt:",
        "",
        *confusions({result.variant.name: result.learnt_confusion for result, _ in pairs}),
        "",
        f"![The sample portrait: photo, {names}]({name}.jpg)",
        "",
        f"The sample portrait (public domain), from the left: photo, {names}.",
    ]
    (out / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def table(results: Sequence[Result], task: str) -> list[str]:
    """One row per variant, the paper's loss and accuracy first."""
    portrait = task == "portrait"
    heads = ["variant", "paper: loss", "accuracy", "ours: L1", "accuracy" if portrait else "delta1"]
    heads += ["IoU", f"boundary F, {OUTLINE_PX:g} px", *([] if portrait else ["rank"])]
    heads += ["parameters", "minutes"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for r in results:
        paper = "- | -" if r.variant.paper is None else "{:.3f} | {:.3f}".format(*r.variant.paper)
        rank = "" if portrait else f" {r.rank:.3f} |"
        lines.append(
            f"| {r.variant.name} | {paper} | {r.loss:.3f} | {r.accuracy:.3f} | {r.iou:.3f} "
            f"| {r.boundary:.3f} |{rank} {r.parameters / 1e6:.1f} M | {r.minutes:.1f} |"
        )
    return lines


def confusions(rows: Mapping[str, Confusion]) -> list[str]:
    """One row per variant: the four parts."""
    lines = [
        "| variant | bg, bg | bg, subject | subject, bg | subject, subject |",
        "|---|---|---|---|---|",
    ]
    for name, ((tn, fp), (fn, tp)) in rows.items():
        lines.append(f"| {name} | {tn:.3f} | {fp:.3f} | {fn:.3f} | {tp:.3f} |")
    return lines


def sheet(
    pairs: Sequence[Pair], size: int, side: int = 256
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Photo and every variant's output for the shipped sample at `size`, side by side, BGR."""
    rgb = picture.read(SAMPLE).linear()
    pixels = network_input(rgb, size)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    columns = [cv2.cvtColor((pixels * 255).round().astype(np.uint8), cv2.COLOR_RGB2BGR)]
    for result, network in pairs:
        with torch.no_grad():
            device = next(network.parameters()).device
            found = torch.sigmoid(network.eval()(image.to(device)))[0, 0].cpu().numpy()
        if result.variant.border:
            found = border_refined(found, pixels.mean(2))
        grey = (found * 255).round().astype(np.uint8)
        columns.append(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    return np.asarray(np.hstack([cv2.resize(c, (side, side)) for c in columns]), np.uint8)
