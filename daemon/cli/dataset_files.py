"""The files about a data set: its card, its manifest, and a table of rows for every split."""

from __future__ import annotations

import collections
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bokeh_core.picture.files import replacing
from daemon.runtime.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from daemon.batch.journal import Entry

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Origin:
    """Where a picture comes from, and what may be done with it."""

    licence: str
    origin: str


def write(out: Path, entries: Iterable[Entry], origins: Mapping[str, Origin], rule: str) -> None:
    """Write `README.md`, `manifest.json` and `SPLIT/metadata.jsonl`, each whole.

    Parameters
    ----------
    out
        Folder of the data set.
    entries
        Of the pictures that are in it.
    origins
        By key.
    rule
        How the split was made, for the card.
    """
    pictures = [_picture(entry, origins[entry.key]) for entry in entries if entry.error is None]
    for split in SPLITS:
        rows = [row for each in pictures if each["split"] == split for row in _rows(each)]
        if rows:
            text = "".join(json.dumps(row) + "\n" for row in rows)
            _put(out / split / "metadata.jsonl", text)
    manifest = {
        "format": "defocus-dataset 1",
        "defocus": VERSION,
        "split": rule,
        "pictures": pictures,
    }
    _put(out / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    _put(out / "README.md", _card(pictures, rule))


def _picture(entry: Entry, origin: Origin) -> dict[str, Any]:
    split = next(iter(entry.outputs.values())).path.partition("/")[0]
    return {
        "key": entry.key,
        "split": split,
        "input": entry.input,
        "licence": origin.licence,
        "origin": origin.origin,
        "settings": entry.settings,
        "size": entry.facts["size"],
        "truth": entry.facts["truth"],
        "focus": entry.facts["focus"],
        "files": {
            kind: {"path": file.path, "sha256": file.sha256, "size": file.size}
            for kind, file in entry.outputs.items()
        },
    }


def _rows(picture: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield a row for each bokeh; paths are below the split's folder."""
    files = {
        kind: file["path"].removeprefix(f"{picture['split']}/")
        for kind, file in picture["files"].items()
    }
    told = {_name(variation): variation for variation in picture["settings"]["variations"]}
    for kind, path in files.items():
        if kind not in told:
            continue
        yield {
            "file_name": path,
            "image_file_name": files["image"],
            "mask_file_name": files["mask"],
            "depth_file_name": files["depth"],
            "f_number": told[kind]["f_number"],
            "focus_on": told[kind]["focus"],
            "focus": picture["focus"][kind],
            "shape": told[kind]["shape"],
            "truth": picture["truth"],
            "source": picture["key"],
            "licence": picture["licence"],
            "origin": picture["origin"],
        }


def _name(variation: Mapping[str, Any]) -> str:
    from daemon.cli.dataset_work import Variation  # noqa: PLC0415 - OpenCV

    return Variation(**variation).name


def _card(pictures: list[dict[str, Any]], rule: str) -> str:
    count = collections.Counter(each["split"] for each in pictures)
    licences = collections.Counter(each["licence"] for each in pictures)
    bokeh = sum(len(each["focus"]) for each in pictures)
    lines = [
        "# Bokeh data set",
        "",
        f"Made by defocus {VERSION}: {len(pictures)} pictures, {bokeh} with bokeh.",
        "",
        "| split | pictures |",
        "|---|---|",
        *(f"| {split} | {count[split]} |" for split in SPLITS),
        "",
        f"Split: {rule}.",
        "",
        "| licence | pictures |",
        "|---|---|",
        *(f"| {licence} | {number} |" for licence, number in licences.most_common()),
        "",
        "`SPLIT/images`, `masks` (white = subject), `depths` (white = near) and `bokeh`; a row of",
        "`SPLIT/metadata.jsonl` for each bokeh; `manifest.json` has hashes and parameters.",
        "Masks, depths and bokeh whose `truth` is `estimated` are what networks and renderer of",
        "defocus make of a photo; `exact` ones are sampled from a made-up scene.",
    ]
    return "\n".join(lines) + "\n"


def _put(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write(text.encode())
