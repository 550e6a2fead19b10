"""What it costs an editor to speak ZeroMQ with the standard library alone, against pyzmq.

    python -m tests.benchmarks.light_client

Float pictures go to a real daemon, whose engine inverts them, and come back with their maps; the
engine's own time is taken off. Both ways take turns, and the quickest round of each counts: a busy
machine only adds to it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import psutil
import zmq

from daemon.light import client as light_client
from daemon.light.connect import connect
from daemon.light.editor import Editor
from daemon.light.errors import DaemonLost
from daemon.light.planes import Plane
from daemon.light.request import LayerRequest
from tests.reliability.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.light.client import Client

LENS = {"kind": "lens", "max_coc": 8.0}
SLOWER_AT_MOST = 1.2


class ZmqDealer:
    """What `daemon.light.zmtp.Dealer` does, by pyzmq."""

    def __init__(self, endpoint: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.linger = 0
        self._socket.connect(endpoint)

    def send(self, frames: Sequence[bytes], sent: Callable[[int], None] | None = None) -> None:
        """Send one multipart message; ZeroMQ tells nothing about its pieces."""
        self._socket.send_multipart(list(frames), copy=False)
        if sent is not None:
            sent(sum(map(len, frames)))

    def receive(self, timeout: float) -> list[bytes] | None:
        """Return the next message, or None after `timeout` seconds."""
        if not self._socket.poll(max(0, round(timeout * 1000))):
            return None
        return [frame.bytes for frame in self._socket.recv_multipart(copy=False)]

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
        self._context.term()


def main() -> int:
    """Measure and print; 1 when the standard library is more than a fifth slower."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.light_client", description=__doc__)
    parser.add_argument("--megapixels", type=float, default=24.0, metavar="MP")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    width = round((args.megapixels * 1.5e6) ** 0.5)
    height = round(args.megapixels * 1e6 / width)
    ways = {"standard library": light_client.Dealer, "pyzmq": ZmqDealer}
    times: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    with sandbox() as place:
        place.start()
        os.environ["DEFOCUS_RUNTIME_DIR"] = str(place.directory)
        for number in range(args.rounds + 1):
            for name, dealer in ways.items():
                pixels = bytes([number, len(name), 0, 0]) + bytes(12 * width * height - 4)
                began = time.process_time()
                times[name].append(_round_trip(dealer, width, height, pixels))
                processor[name].append(time.process_time() - began)
    # the first round pays for fresh memory in three processes
    best = {name: min(each[1:]) for name, each in times.items()}
    for name, seconds in best.items():
        median = statistics.median(times[name][1:])
        cpu = statistics.median(processor[name][1:])
        print(f"{name:17}{seconds:7.3f} s  (median {median:.3f}, the editor's processor {cpu:.3f})")
    ratio = best["standard library"] / best["pyzmq"]
    print(
        f"{width} x {height} RGB float there, with its maps back; {ratio:.2f} times pyzmq's time\n"
        f"load now {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores"
    )
    return int(ratio > SLOWER_AT_MOST)


def _round_trip(dealer: type, width: int, height: int, pixels: bytes) -> float:
    image = Plane(width, height, 3, "f32", "linear", pixels)
    request = LayerRequest(image, LENS)
    assert image.digest  # hashing is the same on both ways
    with mock.patch.object(light_client, "Dealer", dealer):
        client: Client = connect(Editor("bench", Path()))
    try:
        began = time.perf_counter()
        reply = client.render(request)
        wall = time.perf_counter() - began
    except DaemonLost as lost:
        sys.exit(str(lost))
    finally:
        client.close()
    assert len(reply.planes["composite"].data) == len(pixels)
    return wall - reply.timing["engine"]


if __name__ == "__main__":
    sys.exit(main())
