"""Rows about what runs out or breaks: memory, weights, disk; and a soak for what leaks."""

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
import psutil

from bokeh_core.errors import ModelError, OutOfMemory
from daemon.client import Job
from daemon.faults.death_rows import picture
from daemon.faults.row import Row
from daemon.faults.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEPS = ("analyse", "render", "Source.light", "Source.composite", "samples.map_codes")
"""Steps of `daemon.pipeline` that allocate."""
FULL_DISK_BYTES = 65_536


def memory_row() -> Row:
    """Let every allocating step of the real engine fail once, twice, ... for ever."""
    from daemon import engine  # noqa: PLC0415 - torch

    row = Row("out of memory in every step of the engine", note="free cache, smaller tiles, CPU")
    shape = (48, 64, 3)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    real = engine.create(64 << 20, "cpu")
    logging.getLogger("defocus").addHandler(logging.NullHandler())  # 30 warnings are expected
    for step in STEPS:
        for failures in (1, 2, len(engine.LADDER)):
            row.tried += 1
            request, pixels = Job(image).message("m")
            frames = {name: plane.data.cast("B") for name, plane in pixels.items()}
            real.free()
            last = failures >= len(engine.LADDER)
            try:
                with _failing(step, failures):
                    outcome = real.run(request, frames, lambda *_: None)
            except OutOfMemory:
                if not last:
                    row.fail("lost", f"{step} x {failures}")
            except Exception as fault:  # noqa: BLE001 - that is what is counted
                row.fail("untyped", f"{step} x {failures}: {fault!r}")
            else:
                if last or len(outcome.pixels) != 3:
                    row.fail("lost", f"{step} x {failures}: a result out of nothing")
    return row


@contextmanager
def _failing(step: str, failures: int) -> Iterator[None]:
    """Make a step of the pipeline raise `MemoryError` so many times."""
    from daemon import pipeline  # noqa: PLC0415 - torch

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
        yield


def weights_row(count: int) -> Row:
    """Load damaged weights: cut, flipped bits, foreign, pickled, absent."""
    from bokeh_core.networks import registry  # noqa: PLC0415 - torch

    row = Row("weights truncated, flipped, foreign, pickled, absent", note="named in the error")
    dice = random.Random(6)  # noqa: S311
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
                client.render(Job(picture(number)))
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


def soak_row(minutes: float) -> Row:
    """Render, cancel and reconnect for a while; watch memory, descriptors and threads."""
    row = Row(f"soak of {minutes:g} min: render, re-render, cancel, reconnect")
    with sandbox() as place:
        place.start()
        front = psutil.Process(place.where.pid)
        _soak_round(row, place.client, 0)
        samples = [_vital_signs(front)]
        began = time.monotonic()
        number = 1
        while time.monotonic() - began < 60 * minutes:
            _soak_round(row, place.client, number)
            number += 1
            samples.append(_vital_signs(front))
        hours = (time.monotonic() - began) / 3600
    settled = samples[len(samples) // 3 :]  # memory grows until every path has been taken once
    slope = (settled[-1][0] - settled[0][0]) / (1 << 20) / (hours * 2 / 3)
    row.note = (
        f"front: {slope:+.1f} MiB/h, descriptors {samples[0][1]} -> {samples[-1][1]}, "
        f"threads {samples[0][2]} -> {samples[-1][2]}"
    )
    if samples[-1][1] > samples[0][1] + 4 or samples[-1][2] > samples[0][2]:
        row.fail("lost", row.note)
    return row


def _soak_round(row: Row, connect: Callable[[], Any], number: int) -> None:
    with connect() as client:
        for step in range(5):
            row.tried += 1
            began = time.monotonic()
            try:
                client.render(Job(picture(number), preview=step))
            except Exception as fault:  # noqa: BLE001 - that is what is counted
                row.fail("lost", repr(fault))
            row.took(time.monotonic() - began)


def _vital_signs(process: psutil.Process) -> tuple[int, int, int]:
    return process.memory_info().rss, process.num_fds(), process.num_threads()
