"""What the sockets cost, and how many clients at once are served; run it with `python -m`.

The engine behind the daemon inverts pixels and reports its own time, so that everything else is
transport: hashing, the client's hop, the server's hop, checking the hash, and back.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import psutil
import zmq

from daemon.client.client import RenderRequest
from daemon.wire.lens import Lens
from tests.reliability.raw import Raw, request
from tests.reliability.sandbox import ENGINE, Sandbox, sandbox

if TYPE_CHECKING:
    from daemon.client.client import Client

SIDE = 64
GOAL_S = 0.25
"""Overhead meant for a 12-megapixel RGBA u8 round trip over ipc, on an otherwise idle machine."""
PATIENCE_S = 10.0
"""Requests count as lost once none has been answered for so long."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.transport", description=__doc__)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1.0, 12.0], metavar="MP")
    parser.add_argument("--rounds", type=int, default=7, help="renders per size (default 7)")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64], metavar="N")
    parser.add_argument("--requests", type=int, default=600, help="requests per number of clients")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


@dataclass(frozen=True)
class Overhead:
    """Round trips of one size over one transport, medians; seconds."""

    transport: str
    megapixels: float
    wall_s: float
    """Wall time without the engine's own."""
    cached_s: float
    """The same when the picture is known already: only the result travels."""
    cpu_s: float
    """Processor time of client, front and worker, without the engine's."""


@dataclass(frozen=True)
class Latency:
    """Small requests (64 x 64, picture cached) of several clients in a closed loop; ms."""

    clients: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    per_second: float
    fairness: float
    """Mean latency of the worst-served client over that of the best-served one."""
    lost: int


def main() -> int:
    """Measure and print."""
    args = _parser().parse_args()
    overheads = []
    for transport, words in (("ipc", ()), ("tcp", ("--tcp",))):
        with sandbox(ENGINE, *words) as place:
            place.start()
            overheads += [_overhead(place, transport, mp, args.rounds) for mp in args.megapixels]
    with sandbox() as place:
        place.start()
        latencies = [latency(place, count, args.requests) for count in args.clients]
    if args.json:
        print(
            json.dumps(
                {"overhead": list(map(asdict, overheads)), "latency": list(map(asdict, latencies))}
            )
        )
    else:
        print("\n".join(_table(overheads, latencies)))
    return 1 if any(found.lost for found in latencies) else 0


def _overhead(place: Sandbox, transport: str, megapixels: float, rounds: int) -> Overhead:
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(megapixels * 1e6 / width)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    walls, cached, processor = [], [], []
    with place.client("bench") as client:
        client.render(RenderRequest(image[:8, :8]))  # the worker is up
        for number in range(rounds + 1):
            image[0, 0, 0] = number  # a picture that the daemon has not seen
            before = _processor_time(client)
            wall, engine = _round_trip(client, image)
            processor.append(_processor_time(client) - before - engine)
            walls.append(wall - engine)
            wall, engine = _round_trip(client, image, coc=number)
            cached.append(wall - engine)
    # the first round pays for fresh memory in three processes
    return Overhead(
        transport=transport,
        megapixels=megapixels,
        wall_s=statistics.median(walls[1:]),
        cached_s=statistics.median(cached[1:]),
        cpu_s=statistics.median(processor[1:]),
    )


def _round_trip(client: Client, image: np.ndarray, coc: float = 8.0) -> tuple[float, float]:
    began = time.perf_counter()
    out = client.render(RenderRequest(image, want=["composite"], lens=Lens(max_coc=coc)))
    wall = time.perf_counter() - began
    assert out.planes["composite"].shape == image.shape
    return wall, out.timing["engine"]


def _processor_time(client: Client) -> float:
    state = client.status()
    pids = [psutil.Process().pid, state.pid, state.worker_pid]
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def latency(place: Sandbox, clients: int, requests: int) -> Latency:
    """Let clients send their next request as soon as the last is answered.

    Parameters
    ----------
    place
        A running daemon.
    clients, requests
        How many at once, and how many requests they make together.
    """
    pixels = bytes(SIDE * SIDE * 3)
    raws = [Raw(place.where) for _ in range(clients)]
    names = map(str, itertools.count())
    sent: dict[zmq.Socket[bytes], float] = {}
    times: dict[zmq.Socket[bytes], list[float]] = {raw.socket: [] for raw in raws}
    poller = zmq.Poller()
    try:
        for raw in raws:
            raw.hello()
            poller.register(raw.socket, zmq.POLLIN)
        _feed(raws[0], pixels)
        left = requests
        began = time.perf_counter()
        by_socket = {raw.socket: raw for raw in raws}
        for raw in raws:
            sent[raw.socket] = _ask(raw, next(names), pixels)
            left -= 1
        answered = time.monotonic()
        # the daemon's unasked pongs come more often than that, so messages alone tell nothing
        while sent and time.monotonic() - answered < PATIENCE_S:
            for socket, _ in poller.poll(100):
                raw = by_socket[socket]
                if raw.receive()[0]["type"] not in ("result", "error"):
                    continue
                answered = time.monotonic()
                times[socket].append(time.perf_counter() - sent.pop(socket))
                if left > 0:
                    sent[socket] = _ask(raw, next(names), pixels)
                    left -= 1
        seconds = time.perf_counter() - began
    finally:
        for raw in raws:
            raw.close()
    return _summary(clients, list(times.values()), seconds, lost=len(sent))


def _feed(raw: Raw, pixels: bytes) -> None:
    raw.send(request("feed", pixels, SIDE, SIDE))
    if raw.wait("need", "result")["type"] == "need":
        raw.send({"type": "pixels", "id": "feed", "planes": ["image"]}, [pixels])
        raw.wait("result")


def _ask(raw: Raw, name: str, pixels: bytes) -> float:
    raw.send(request(name, pixels, SIDE, SIDE, want=["composite"]))
    return time.perf_counter()


def _summary(clients: int, times: list[list[float]], seconds: float, *, lost: int) -> Latency:
    every = sorted(itertools.chain.from_iterable(times))
    means = [statistics.mean(own) for own in times if own]
    last = len(every) - 1
    p50, p95, p99 = (1000 * every[min(int(q * len(every)), last)] for q in (0.5, 0.95, 0.99))
    return Latency(
        clients=clients,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        per_second=len(every) / seconds,
        fairness=max(means) / min(means),
        lost=lost,
    )


def _table(overheads: list[Overhead], latencies: list[Latency]) -> list[str]:
    return [
        "round trip of an RGBA u8 picture, without the engine's own time (medians)",
        f"{'':6}{'MP':>6}{'wall s':>9}{'s/MP':>8}{'cached s':>10}{'CPU s':>8}",
        *map(_overhead_line, overheads),
        f"meant: 12 MP over ipc within {GOAL_S} s on an idle machine",
        f"load now {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores",
        "",
        "64 x 64 requests of several clients at once (closed loop)",
        f"{'clients':>8}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'per s':>8}{'fairness':>10}{'lost':>6}",
        *map(_latency_line, latencies),
    ]


def _overhead_line(one: Overhead) -> str:
    per_megapixel = one.wall_s / one.megapixels
    numbers = f"{one.wall_s:9.3f}{per_megapixel:8.4f}{one.cached_s:10.3f}{one.cpu_s:8.3f}"
    return f"{one.transport:6}{one.megapixels:6.1f}{numbers}"


def _latency_line(one: Latency) -> str:
    times = f"{one.p50_ms:9.1f}{one.p95_ms:8.1f}{one.p99_ms:8.1f}"
    return f"{one.clients:8}{times}{one.per_second:8.0f}{one.fairness:10.2f}{one.lost:6}"


if __name__ == "__main__":
    sys.exit(main())
