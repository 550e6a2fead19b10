"""A daemon that speaks protocol 1 and can be told to misbehave; its "networks" are two formulas.

with FakeDaemon(tmp_path) as daemon: ...          in this process
python -m tests.fakes.daemon RUNTIME_DIR [fault]  on its own, until killed
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgpack
import numpy as np
import zmq

if TYPE_CHECKING:
    from typing_extensions import Self

MINOR = 7
"""Of the protocol's additions it knows what a dialog asks for; it finds nobody, reads no file."""
DTYPES = {"u8": ("<u1", 255.0), "u16": ("<u2", 65535.0), "f32": ("<f4", 1.0)}


def maps(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Matte and depth of any picture of this size: an ellipse before a slope."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    inside = ((x / width - 0.5) / 0.3) ** 2 + ((y / height - 0.55) / 0.4) ** 2 <= 1
    matte = inside.astype(np.float32)
    return matte, np.where(inside, 0.75, 0.6 * y / height).astype(np.float32)


def composite(image: np.ndarray, matte: np.ndarray, strength: float) -> np.ndarray:
    """Darken what the matte leaves out, the more the stronger the blur; alpha stays."""
    factor = 1.0 - (1.0 - matte) * min(1.0, strength / 200.0)
    out = image.astype(np.float64)
    colours = image.shape[2] - (image.shape[2] % 2 == 0)
    out[..., :colours] *= factor[..., None]
    return out.astype(image.dtype)


class FakeDaemon:
    """Serves both sockets on one thread.

    Parameters
    ----------
    directory
        Where the sockets and the connection file go.
    fault
        None, `vanish` (closes its sockets in the middle of a job), `wait` (accepts and never ends),
        `forget` (the same without progress), `hang` (says no more at all) or an error code to
        answer every render with.
    """

    def __init__(self, directory: Path, fault: str | None = None) -> None:
        self.directory, self.fault = directory, fault
        self.heard: list[dict] = []
        self.stored: dict[str, bytes] = {}
        self._waiting: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._context = zmq.Context()
        self._sockets = []
        endpoints = {}
        for name in ("work", "control"):
            socket = self._context.socket(zmq.ROUTER)
            socket.linger = 0
            endpoints[name] = f"ipc://{self.directory}/{name}.sock"
            socket.bind(endpoints[name])
            self._sockets.append(socket)
        fields = {"pid": os.getpid(), "token": "fake-token", **endpoints}
        (self.directory / "connection.json").write_text(json.dumps(fields))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _serve(self) -> None:
        poller = zmq.Poller()
        for socket in self._sockets:
            poller.register(socket, zmq.POLLIN)
        while not self._stop.is_set():
            for socket, _ in poller.poll(50):
                peer, *frames = socket.recv_multipart()
                self._handle(socket, peer, msgpack.unpackb(frames[0]), frames[1:])

    def _handle(  # noqa: C901 - one branch for each message
        self, socket: zmq.Socket, peer: bytes, message: dict, frames: list[bytes]
    ) -> None:
        def say(type: str, *data: bytes, **fields: object) -> None:  # noqa: A002
            socket.send_multipart([peer, msgpack.packb({"type": type, **fields}), *data])

        self.heard.append(message)
        kind = message["type"]
        if kind == "hello":
            if message["token"] != "fake-token":
                say("error", code="unauthorized", message="wrong token", hint="Read it again.")
            else:
                say("welcome", protocol=1, minor=MINOR, server="fake", limits={"silence_s": 3.0})
        elif kind == "ping":
            if self.fault != "hang":
                say("pong", nonce=message["nonce"])
            if self.fault == "wait" and self._waiting:
                say("progress", id=self._waiting, stage="queued", fraction=0.0)
        elif kind == "status":
            memory = {"rss_bytes": 1 << 20, "worker_rss_bytes": 2 << 20}
            known = {"devices": ["cpu"], "models": [], "cache": {}, "running": None}
            say("state", server="fake", uptime_s=1.0, queued=0, worker="idle", **memory, **known)
        elif kind == "cancel":
            say("cancel_reply", id=message["id"], outcome="stopping")
            say("error", id=message["id"], code="cancelled", message="stopped", hint="")
        elif kind == "render":
            self._render(say, message)
        elif kind == "pixels":
            for name, frame in zip(message["planes"], frames, strict=True):
                self.stored[self._job[name]["digest"]] = frame
            self._render(say, self._job)

    def _render(self, say: object, job: dict) -> None:
        if self.fault in {"hang", "wait", "forget"}:
            self._waiting = job["id"]
            return say("accepted", id=job["id"], queue_position=0)
        if self.fault == "vanish":
            say("accepted", id=job["id"], queue_position=0)
            time.sleep(0.1)
            self._stop.set()
            for socket in self._sockets:
                socket.close(linger=0)
            return None
        if self.fault:
            return say("error", id=job["id"], code=self.fault, message="told to fail", hint="Do.")
        self._job = job
        job["map"] = {"dtype": job["map_dtype"]}
        say("accepted", id=job["id"], queue_position=0)
        planes = {name: job[name] for name in ("image", "matte", "depth") if job.get(name)}
        missing = [name for name, plane in planes.items() if plane["digest"] not in self.stored]
        if missing:
            return say("need", id=job["id"], planes=missing)
        say("progress", id=job["id"], stage="render", fraction=0.5)
        results = self._compute(job, planes)
        described = []
        for name in job["want"]:
            height, width, channels = results[name].shape
            described.append(
                {
                    "name": name,
                    "width": width,
                    "height": height,
                    "channels": channels,
                    "dtype": job["image" if name == "composite" else "map"]["dtype"],
                    "transfer": job["image"]["transfer"] if name == "composite" else "linear",
                }
            )
        data = [results[name].tobytes() for name in job["want"]]
        return say(
            "result",
            *data,
            id=job["id"],
            planes=described,
            focus=0.75,
            cached=[],
            timing={},
            people=[],
        )

    def _compute(self, job: dict, planes: dict) -> dict[str, np.ndarray]:
        def array(name: str) -> np.ndarray:
            plane = planes[name]
            pixels = np.frombuffer(self.stored[plane["digest"]], DTYPES[plane["dtype"]][0])
            return pixels.reshape(plane["height"], plane["width"], plane["channels"])

        image = array("image")
        height, width, _ = image.shape
        found = dict(zip(("matte", "depth"), maps(width, height), strict=True))
        if job.get("subject") == "none":
            found["matte"] = np.zeros_like(found["matte"])
        for name in found.keys() & planes.keys():
            found[name] = array(name)[..., 0] / DTYPES[planes[name]["dtype"]][1]
        strength = job["lens"].get("max_coc", job["lens"].get("strength", 0))
        dtype, full = DTYPES[job["map"]["dtype"]]
        results = {"composite": composite(image, found["matte"], strength)}
        for name, values in found.items():
            results[name] = np.rint(values * full).astype(dtype)[..., None]
        if job["preview"]:
            step = max(1, -(-max(width, height) // job["preview"]))
            results = {k: np.ascontiguousarray(v[::step, ::step]) for k, v in results.items()}
        return results


if __name__ == "__main__":
    with FakeDaemon(Path(sys.argv[1]), *sys.argv[2:]):
        while True:
            time.sleep(1)
