"""Rows about what runs out or breaks: memory, weights, disk."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
import os
import pickle
import random
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from bokeh_core.errors import ModelError, OutOfMemory
from daemon.client.client import RenderRequest
from daemon.wire.lens import Lens
from tests.reliability.death_rows import picture
from tests.reliability.row import Row
from tests.reliability.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.worker.engine_api import Outcome

PREVIEW: dict[str, Any] = {"preview": 32}
PERSON: dict[str, Any] = {"subject": "at_focus_point", "lens": Lens(focus_point=(0.5, 0.5))}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("predict", {}),
    ("full_subject", {}),
    ("full_depth", {}),
    ("render_tiles", {}),
    ("Source.light", {}),
    ("Source.composite", {}),
    ("pixels.map_codes", {}),
    ("pixels.shrink", PREVIEW),
    ("prepare", PREVIEW),
    ("render_prepared", PREVIEW),
    ("full_at_points", PERSON),
)
"""Steps of `daemon.worker.pipeline` that allocate, and what makes a job take them."""
FULL_DISK_BYTES = 65_536


def memory_row() -> Row:
    """Let every allocating step of the real engine fail once, twice, ... for ever."""
    from daemon.worker import engine

    row = Row("out of memory in every step of the engine", note="free cache, smaller tiles, CPU")
    shape = (48, 64, 3)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    real = engine.create(64 << 20, "cpu")
    logging.getLogger("defocus").addHandler(logging.NullHandler())  # 30 warnings are expected
    for step, changes in STEPS:
        for failures in (1, 2, len(engine.LADDER)):
            row.tried += 1
            request, pixels = RenderRequest(image, **changes).message("m")
            frames = {name: plane.data.cast("B") for name, plane in pixels.items()}
            real.free()
            with _failing(step, failures) as left:
                _run_short_of_memory(
                    row,
                    f"{step} x {failures}",
                    left,
                    functools.partial(real.run, "", request, frames, _nobody),
                )
            if left[0] == failures:
                row.fail("lost", f"{step} was never taken")
    return row


def _run_short_of_memory(row: Row, what: str, left: list[int], run: Callable[[], Outcome]) -> None:
    """Expect a result as long as one try of the ladder had memory, else `OutOfMemory`."""
    from daemon.worker import engine

    before = left[0]
    try:
        outcome = run()
    except OutOfMemory:
        if before - left[0] < len(engine.LADDER):
            row.fail("lost", f"{what}: given up too early")
    except Exception as fault:  # noqa: BLE001 - that is what is counted
        row.fail("untyped", f"{what}: {fault!r}")
    else:
        if before - left[0] >= len(engine.LADDER) or len(outcome.pixels) != 3:
            row.fail("lost", f"{what}: a result out of nothing")


def _nobody(_stage: str, _fraction: float) -> None:
    """Report to nobody."""


@contextmanager
def _failing(step: str, failures: int) -> Iterator[list[int]]:
    """Make a step of the pipeline raise `MemoryError` so many times; gives how many are left."""
    from daemon.worker import pipeline

    *owners, name = step.split(".")
    target: Any = getattr(pipeline, owners[0]) if owners else pipeline
    real = getattr(target, name)
    left = [failures]

    def flaky(*args: Any, **kwargs: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise MemoryError("injected")
        return real(*args, **kwargs)

    with mock.patch.object(target, name, flaky):
        yield left


def weights_row(count: int) -> Row:
    """Load damaged weights: cut, flipped bits, foreign, pickled, absent."""
    from bokeh_core.networks import registry

    row = Row("weights truncated, flipped, foreign, pickled, absent", note="named in the error")
    dice = random.Random(6)
    record = registry.find(registry.DEFAULT)
    good = (registry.WEIGHTS / record.file).read_bytes()
    foreign = hashlib.sha256(b"foreign").digest() * 100
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / record.file
        for number in range(count):
            row.tried += 1
            kind = number % 6
            content = bytearray(good)
            known = record
            if kind == 0:
                content = content[: dice.randrange(len(good))]
            elif kind == 1:
                content[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
            elif kind == 2:
                content = bytearray(foreign)
            elif kind == 3:
                content = bytearray(pickle.dumps({"weight": [1.0]}))
            elif kind == 4:  # a record that vouches for a file that is no safetensors
                content = bytearray(pickle.dumps({"weight": [1.0]}))
                digest = hashlib.sha256(content).hexdigest()
                known = dataclasses.replace(record, sha256=digest)
            path.write_bytes(content)
            if kind == 5:
                path.unlink()
            _load_damaged(row, functools.partial(registry.load_tensors, known, path.parent))
    return row


def _load_damaged(row: Row, load: Callable[[], object]) -> None:
    began = time.perf_counter()
    try:
        load()
    except ModelError as fault:
        if "safetensors" not in str(fault):
            row.fail("untyped", f"does not name the file: {fault}")
    except Exception as fault:  # noqa: BLE001 - that is what is counted
        row.fail("untyped", repr(fault))
    else:
        row.fail("lost", "damaged weights were taken")
    row.took(time.perf_counter() - began)


def disk_row(renders: int) -> Row:
    """Render with a log folder that is gone, unwritable, or on a full disk."""
    row = Row("disk full; log folder gone or unusable", note="results still come")
    with sandbox() as place:
        place.start()
        shutil.rmtree(place.root / "logs")
        _render_on(row, place.client, renders)
    with sandbox() as place:
        (place.root / "logs").write_bytes(b"a file, not a folder")
        place.start()
        _render_on(row, place.client, renders)
    with sandbox() as place, _full_disk(place.root / "logs") as mounted:
        if mounted:
            place.start()
            _render_on(row, place.client, renders)
            place.stop()
        else:
            row.note += " (full disk not tried: needs root and mount)"
    return row


def _render_on(row: Row, connect: Callable[[], Any], renders: int) -> None:
    with connect() as client:
        for number in range(renders):
            row.tried += 1
            try:
                client.render(RenderRequest(picture(number)))
            except Exception as fault:  # noqa: BLE001 - that is what is counted
                row.fail("lost", repr(fault))


@contextmanager
def _full_disk(folder: Path) -> Iterator[bool]:
    """Mount a tiny tmpfs and fill it; tells whether that was possible."""
    folder.mkdir()
    size = f"size={FULL_DISK_BYTES}"
    if os.name != "posix" or os.getuid() != 0 or not shutil.which("mount"):
        yield False
        return
    words = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        yield False
        return
    try:
        with (folder / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass
        yield True
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)
