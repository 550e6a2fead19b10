"""The soak: a long run of ordinary use, and whether anything grows with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psutil

from daemon.client.client import DaemonError, RenderRequest
from tests.reliability.death_rows import picture
from tests.reliability.row import Row
from tests.reliability.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.client.client import Client

MIB = 1 << 20
BLOCKS = 12
"""Neighbouring samples are alike, so the slope is fitted to the means of so many stretches."""
STUDENT = 2.23
"""Student's t for 95 % and BLOCKS - 2 degrees of freedom."""
LEAK_PER_HOUR = 1.0
"""MiB an hour that the server may grow."""
JUDGED_FROM_HOURS = 0.15
"""A shorter soak is all warm-up: the cache has not been full for long."""


@dataclass(frozen=True)
class Signs:
    """What must not grow, at one moment."""

    hours: float
    front_mib: float
    worker_mib: float
    descriptors: int
    threads: int


@dataclass(frozen=True)
class Slope:
    """Growth in MiB an hour, and half the width of its 95 % interval."""

    per_hour: float
    error: float

    def __str__(self) -> str:
        return f"{self.per_hour:+.1f} ± {self.error:.1f} MiB/h"


def soak_row(minutes: float) -> Row:
    """Render, re-render, cancel and reconnect for a while; watch memory, descriptors, threads."""
    row = Row(f"soak of {minutes:g} min: render, re-render, cancel, reconnect")
    with sandbox() as place:
        place.start()
        with place.client() as client:
            _round(row, client, 0)
            pid = client.status().worker_pid
        front, worker = psutil.Process(place.where.pid), psutil.Process(pid)
        began = time.monotonic()
        signs = [_signs(front, worker, 0.0)]
        while signs[-1].hours < minutes / 60:
            with place.client() as client:
                _round(row, client, len(signs))
            signs.append(_signs(front, worker, (time.monotonic() - began) / 3600))
    _judge(row, signs)
    return row


def slope(hours: Sequence[float], mib: Sequence[float]) -> Slope:
    """Fit growth over time, with its uncertainty.

    Parameters
    ----------
    hours, mib
        When, and how much memory; the first third is warm-up and left out: memory grows until every
        path has been taken once.
    """
    settled = slice(len(hours) // 3, None)
    stretches = [
        (np.mean(when), np.mean(much))
        for when, much in zip(
            np.array_split(np.asarray(hours)[settled], BLOCKS),
            np.array_split(np.asarray(mib)[settled], BLOCKS),
            strict=True,
        )
        if len(when)
    ]
    if len(stretches) < BLOCKS:
        return Slope(0.0, float("inf"))
    times, means = np.array(stretches).T
    away = times - times.mean()
    growth = float(away @ means / (away @ away))
    rest = means - means.mean() - growth * away
    return Slope(growth, STUDENT * float(np.sqrt(rest @ rest / (BLOCKS - 2) / (away @ away))))


def _judge(row: Row, signs: list[Signs]) -> None:
    hours = [sign.hours for sign in signs]
    front = slope(hours, [sign.front_mib for sign in signs])
    worker = slope(hours, [sign.worker_mib for sign in signs])
    first, last = signs[0], signs[-1]
    row.note = (
        f"95 % intervals after warm-up: front {front}, worker {worker}; "
        f"descriptors {first.descriptors} -> {last.descriptors}, "
        f"threads {first.threads} -> {last.threads}"
    )
    surely = front.per_hour - front.error
    grown = last.hours >= JUDGED_FROM_HOURS and surely > LEAK_PER_HOUR
    if grown or last.descriptors > first.descriptors + 4 or last.threads > first.threads:
        row.fail("lost", row.note)


def _round(row: Row, client: Client, number: int) -> None:
    for step in range(5):
        _render(row, client, RenderRequest(picture(number), preview=step))
    _cancel(row, client, number)


def _render(row: Row, client: Client, job: RenderRequest) -> None:
    row.tried += 1
    began = time.monotonic()
    try:
        client.render(job)
    except Exception as fault:  # noqa: BLE001 - that is what is counted
        row.fail("lost", repr(fault))
    row.took(time.monotonic() - began)


def _cancel(row: Row, client: Client, number: int) -> None:
    """Cancel a slow job at the first, second, ... look whether it is still wanted."""
    row.tried += 1
    looks = iter([False] * (number % 4) + [True])
    job = RenderRequest(picture(number), depth_model="slow@render")
    try:
        client.render(job, cancelled=lambda: next(looks))
    except DaemonError as error:
        if error.code != "cancelled":
            row.fail("untyped", error.code)
    except Exception as fault:  # noqa: BLE001 - that is what is counted
        row.fail("lost", repr(fault))
    else:
        row.fail("lost", "a cancelled job went on")


def _signs(front: psutil.Process, worker: psutil.Process, hours: float) -> Signs:
    return Signs(
        hours=hours,
        front_mib=front.memory_info().rss / MIB,
        worker_mib=worker.memory_info().rss / MIB,
        descriptors=front.num_fds(),
        threads=front.num_threads(),
    )
