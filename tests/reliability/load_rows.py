"""Rows about many things at once: cancels at random instants, many clients, a busy daemon."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING

from daemon.cli.bench_pipeline import photo
from daemon.client.client import DaemonError, RenderRequest
from daemon.wire.lens import Lens
from tests.benchmarks.transport import latency
from tests.reliability.death_rows import picture
from tests.reliability.raw import Raw, request
from tests.reliability.row import Row
from tests.reliability.sandbox import sandbox, wait_for

if TYPE_CHECKING:
    import numpy as np

    from daemon.client.client import Client


def cancel_row(count: int) -> Row:
    """Cancel at random instants, twice, unknown and finished requests."""
    row = Row("cancel at random instants, twice, unknown, after the result")
    dice = random.Random(5)
    with sandbox() as place:
        place.start()
        with place.client() as client:
            client.render(RenderRequest(picture(0)))
        with Raw(place.where) as raw:
            raw.hello()
            for number in range(count):
                row.tried += 1
                _cancel_once(row, raw, f"c{number}", dice)
    row.note = "one reply per cancel and one answer per request"
    return row


def _cancel_once(row: Row, raw: Raw, name: str, dice: random.Random) -> None:
    model = dice.choice(["", "slow@render", "slow@matte"])
    raw.send(request(name, picture(0).tobytes(), 24, 16, depth_model=model))
    time.sleep(dice.choice([0.0, 0.001, 0.01, 0.1]))
    targets = [name] * dice.randint(1, 2) + ["unknown"] * dice.randint(0, 1)
    began = time.monotonic()
    for target in targets:
        raw.send({"type": "cancel", "id": target})
    replies = answers = 0
    while replies < len(targets) or answers < 1:
        try:
            kind = raw.wait("cancel_reply", "error", "result", timeout_s=5)["type"]
        except TimeoutError:
            row.fail("hung", f"{name}: {replies} replies, {answers} answers")
            return
        replies += kind == "cancel_reply"
        answers += kind != "cancel_reply"
    row.took(time.monotonic() - began)
    if answers != 1:
        row.fail("lost", f"{name}: {answers} answers")


def engine_cancel_row(count: int, megapixels: float) -> Row:
    """Cancel jobs of the real engine at random instants, half of them before the blur."""
    row = Row(f"cancel with the real engine at random instants, {megapixels:g} MP")
    dice = random.Random(7)
    times = []
    with sandbox("daemon.worker.engine") as place:
        place.start()
        with place.client() as client:
            wait_for(lambda: client.status().worker == "idle", 60, "the engine")
            image = photo(megapixels)
            for number in range(count):
                row.tried += 1
                image[0, 0] = number, number // 256, 0  # a picture that no cache knows
                delay = dice.uniform(0, 2) if number % 2 else dice.uniform(2, 8)
                times.append(_cancel_engine(row, client, image, delay * megapixels / 12))
            if client.status().worker_restarts:
                row.fail("hung", "a worker had to be killed")
    last = len(times) - 1
    middle, high = (1000 * sorted(times)[round(q * last)] for q in (0.5, 0.95))
    row.note = f"p50 {middle:.0f}, p95 {high:.0f} ms; meant: within 200 ms"
    return row


def _cancel_engine(row: Row, client: Client, image: np.ndarray, delay: float) -> float:
    """Render, cancel after `delay` seconds; gives the seconds from then to the typed answer."""
    began = time.monotonic()
    asked: list[float] = []

    def cancelled() -> bool:
        if time.monotonic() - began < delay:
            return False
        asked.append(time.monotonic())
        return True

    try:
        client.render(RenderRequest(image, lens=Lens(max_coc=30)), cancelled=cancelled)
    except DaemonError as error:
        if error.code != "cancelled":
            row.fail("untyped", error.code)
    seconds = time.monotonic() - asked[0] if asked else 0.0  # it was done before
    row.took(seconds)
    return seconds


FAIR_FROM = 25
"""Requests of each client from which their means can be compared: of four, one that the machine
holds up makes 3.75 out of a fair 1."""


def clients_row(clients: int, requests: int) -> Row:
    """Let many clients send requests at once."""
    row = Row(f"{clients} client{'s' if clients > 1 else ''} at once", tried=requests)
    with sandbox() as place:
        place.start()
        found = latency(place, clients, requests)
    row.lost = found.lost
    row.worst_ms = found.p99_ms
    row.note = (
        f"p50 {found.p50_ms:.1f}, p95 {found.p95_ms:.1f}, p99 {found.p99_ms:.1f} ms; "
        f"{found.per_second:.0f}/s; fairness {found.fairness:.2f}"
    )
    if requests >= FAIR_FROM * clients and found.fairness > 2:
        row.fail("lost", f"fairness {found.fairness:.2f}")
    return row


def control_row(count: int) -> Row:
    """Ask for a sign of life while the worker computes."""
    row = Row("control requests while the worker computes")
    times = []
    with sandbox() as place:
        place.start()
        with Raw(place.where) as raw, place.client() as client:
            raw.hello()
            for number in range(count):
                if number % 100 == 0:
                    _keep_busy(raw, f"b{number}")
                times.append(client.ping())
                time.sleep(0.002)
    row.tried = count
    row.worst_ms = 1000 * max(times)
    middle, high = statistics.median(times), sorted(times)[int(0.99 * len(times))]
    row.note = f"p50 {1000 * middle:.2f}, p99 {1000 * high:.1f} ms; meant: within 50 ms"
    return row


def _keep_busy(raw: Raw, name: str) -> None:
    pixels = picture(1).tobytes()
    raw.send(request(name, pixels, 24, 16, depth_model="slow@render"))
    if raw.wait("need", "progress")["type"] == "need":
        raw.send({"type": "pixels", "id": name, "planes": ["image"]}, [pixels])
