"""A model card: what a weights file is, where it comes from, and what it is not for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.networks import records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bokeh_core.networks.records import ModelRecord

_GIVES = {
    "portrait": "a matte: how much of each pixel is covered by people",
    "depth": "relative disparity: 1 is nearest, without a unit",
    "hair": "the strands in a soft outline",
}


def text(record: ModelRecord, file: str, further: Sequence[str] = ()) -> str:
    """Return the card of a record as Markdown.

    Parameters
    ----------
    record
        What is known of the weights.
    file
        Name of the file that the card lies beside.
    further
        Paragraphs about the file itself.
    """
    rows = [
        ("Gives", "; ".join(_GIVES.get(task, task) for task in record.tasks)),
        ("Network", _network(record)),
        ("Sees", f"as many pixels as a square of {record.input_size}, sRGB, sides multiples of 32"),
        ("SHA-256 of the weights", f"`{record.sha256}`"),
        ("Licence of the weights", record.licence),
        ("Trained on", record.data or "not stated"),
        ("Teacher of masks and depths", record.teacher or "not stated"),
        (
            "Begun from",
            f"`{record.begun_from}`"
            if record.begun_from
            else "an ImageNet encoder, or random weights",
        ),
        ("Command", f"`{record.command}`" if record.command else "not stated"),
    ]
    lines = [_title(file), "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in rows]
    lines += ["", *(paragraph + "\n" for paragraph in further)]
    lines += [
        "Scores are printed by `defocus evaluate`, on pictures that were not learnt. Masks and",
        "depths are guesses from one photo: not for measuring, not for telling who somebody is,",
        "and not for deciding about people.",
    ]
    return "\n".join(lines) + "\n"


def place_of(path: Path) -> Path:
    """Return the place of a file's card: its name with `.md`; InputError: notes lie there."""
    place = path.with_suffix(".md")
    if place.exists() and not place.read_bytes().startswith(_title(path.name).encode()):
        raise InputError(
            f"{place} is there and is no model card of {path.name}: choose another name"
        )
    return place


def _title(file: str) -> str:
    return f"# {file}\n"


def write(record: ModelRecord, path: Path, further: Sequence[str] = ()) -> Path:
    """Write the card of the file `path` beside it; gives the place, raises as `place_of`."""
    place = place_of(path)
    part = place.with_name(place.name + ".part")
    part.write_text(text(record, path.name, further), encoding="utf-8")
    part.replace(place)
    return place


def _network(record: ModelRecord) -> str:
    if record.architecture == records.SHARED:
        return "the shared network: EfficientNet-Lite0 encoder, decoders of mattes and of disparity"
    if record.variant is None:
        return record.architecture
    settings = ", ".join(f"{name} {value}" for name, value in vars(record.variant).items())
    return f"U-Net family: {settings}"


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|")
