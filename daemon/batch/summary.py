"""What became of a batch: lines for people, a table (CSV) or one object (JSON) for programs."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from bokeh_core.errors import InputError
from bokeh_core.picture.files import check_target, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from daemon.batch.journal import Entry
    from daemon.batch.runner import Tally

COLUMNS = ("key", "source", "outputs", "seconds", "device", "notes", "error")


def check(path: Path) -> None:
    """Refuse a summary file that could not be written, before any work.

    Raises
    ------
    InputError, OutputError
        Neither .csv nor .json, or no place to write.
    """
    if path.suffix.lower() not in (".csv", ".json"):
        raise InputError(f"{path}: a summary is a .csv or a .json file")
    check_target(path)


def write(path: Path, entries: Sequence[Entry], tally: Tally) -> None:
    """Write the summary in the format of its suffix, whole."""
    text = _csv(entries) if path.suffix.lower() == ".csv" else _json(entries, tally)
    with replacing(path) as temporary:
        temporary.write(text.encode())


def figures(tally: Tally) -> dict[str, Any]:
    """Return the figures of a run."""
    worked = tally.done + tally.failed_now
    return {
        "pictures": tally.pictures,
        "done": tally.done,
        "kept": tally.kept,
        "failed": len(tally.failures),
        "photos_per_minute": round(tally.per_minute, 2),
        "worker_deaths": tally.deaths,
        "bytes_moved_per_photo": round(tally.moved / worked) if worked else 0,
    }


def sentence(tally: Tally) -> str:
    """Say in one line how a run went."""
    parts = [f"{tally.done} done", f"{tally.kept} kept", f"{len(tally.failures)} failed"]
    if tally.deaths:
        parts.append(f"{tally.deaths} workers died")
    text = ", ".join(parts)
    if tally.done + tally.failed_now:
        text += f"; {tally.per_minute:.1f} photos/min"
    if tally.moved:
        text += f"; {figures(tally)['bytes_moved_per_photo'] / 1e6:.2f} MB moved a photo"
    return text


def on_the_way(tally: Tally) -> str:
    """Say in a few words how far a run is."""
    text = f"{tally.settled}/{tally.pictures}"
    if tally.minutes_left is not None:
        text += f", {tally.per_minute:.1f} photos/min, {_time(tally.minutes_left)} left"
    if tally.failures:
        text += f", {len(tally.failures)} failed"
    return text


def _time(minutes: float) -> str:
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "source": entry.source,
        "outputs": {kind: file.path for kind, file in entry.outputs.items()},
        "seconds": entry.seconds,
        "device": entry.device,
        "notes": entry.notes,
        "error": entry.error,
    }


def _csv(entries: Sequence[Entry]) -> str:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    for entry in entries:
        row = _row(entry)
        row["outputs"] = "; ".join(row["outputs"].values())
        row["notes"] = "; ".join(row["notes"])
        table.writerow(row)
    return text.getvalue()


def _json(entries: Sequence[Entry], tally: Tally) -> str:
    content = {**figures(tally), "photos": [_row(entry) for entry in entries]}
    return json.dumps(content, indent=1) + "\n"
