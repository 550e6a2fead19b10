"""Rows about many things at once: cancels at random instants, many clients, a busy daemon."""

from __future__ import annotations

import random
import statistics
import time

from daemon.bench_transport import latency
from daemon.client import Job
from daemon.faults.death_rows import picture
from daemon.faults.raw import Raw, request
from daemon.faults.row import Row
from daemon.faults.sandbox import sandbox


def cancel_row(count: int) -> Row:
    """Cancel at random instants, twice, unknown and finished requests."""
    row = Row("cancel at random instants, twice, unknown, after the result")
    dice = random.Random(5)  # noqa: S311
    with sandbox() as place:
        place.start()
        with place.client() as client:
            client.render(Job(picture(0)))
        with Raw(place.where) as raw:
            raw.hello()
            for number in range(count):
                row.tried += 1
                _cancel_once(row, raw, f"c{number}", dice)
    row.note = "one reply per cancel and one answer per request"
    return row


def _cancel_once(row: Row, raw: Raw, name: str, dice: random.Random) -> None:
    model = dice.choice(["", "slow@render", "slow@matte"])
    raw.send(request(name, picture(0).tobytes(), 8, 4, depth_model=model))
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
    if found.fairness > 2:
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
    raw.send(request(name, pixels, 8, 4, depth_model="slow@render"))
    if raw.wait("need", "progress")["type"] == "need":
        raw.send({"type": "pixels", "id": name, "planes": ["image"]}, [pixels])
