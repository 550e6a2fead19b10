"""Speaks protocol 1 with the daemon: hello, render, cancel, status."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gimp_plugin import vendored
from gimp_plugin.errors import Cancelled, LinkLost, Refused
from gimp_plugin.link import Link, connect
from gimp_plugin.planes import Plane

if TYPE_CHECKING:
    from gimp_plugin.connection import Connection

PROTOCOL = (1, 1)
CLIENT = "gimp_plugin 0.1.0"
TICK_S = 0.05  # how often a waiting thread looks whether the user cancelled
PING_S = 1.0
ANSWER_S = 5.0

Report = Callable[[str, float], None]


def silent(_stage: str, _fraction: float) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Job:
    """What to compute. Maps come back in whole numbers: 8 bits for 8, else 16.

    Parameters
    ----------
    image
        The source picture.
    lens
        Fields of the lens with its `kind`, lengths in pixels of `image`.
    want
        Any of `matte`, `depth`, `composite`.
    matte, depth
        Edited maps that replace the networks' own.
    subject
        `main`, `all`, `at_focus_point` or `none`.
    preview
        Long side of the result in pixels; 0 for full size.
    """

    image: Plane
    lens: Mapping[str, Any]
    want: Sequence[str] = ("matte", "depth", "composite")
    matte: Plane | None = None
    depth: Plane | None = None
    subject: str = "main"
    preview: int = 0

    def header(self, job_id: str) -> dict[str, Any]:
        """Give the `render` message."""
        return {
            "type": "render",
            "id": job_id,
            "image": self.image.header(),
            "matte": self.matte and self.matte.header(),
            "depth": self.depth and self.depth.header(),
            "lens": dict(self.lens),
            "want": list(self.want),
            "subject": self.subject,
            "map_dtype": "u8" if self.image.dtype == "u8" else "u16",
            "preview": self.preview,
        }


@dataclass(frozen=True)
class Reply:
    """What came back: planes by name, the disparity in focus, what was cached, seconds by stage."""

    planes: Mapping[str, Plane]
    focus: float | None = None
    cached: Sequence[str] = ()
    timing: Mapping[str, float] = field(default_factory=dict)


class Client:
    """One conversation with the daemon; used by one thread at a time.

    Parameters
    ----------
    connection
        Where the daemon listens, from its connection file.

    Raises
    ------
    LinkLost
        Nobody answers there.
    Refused
        The daemon turned the hello down (another version, a stale token).
    """

    def __init__(self, connection: Connection) -> None:
        self._msgpack = vendored.msgpack()
        self._token = connection.token
        self._silence_s = ANSWER_S
        self._link = self._open(connection.work)
        self._control_endpoint = connection.control

    def render(
        self, job: Job, report: Report = silent, stop: threading.Event | None = None
    ) -> Reply:
        """Run one job and wait for its result.

        Parameters
        ----------
        job
            What to compute. Pixels travel only when the daemon does not hold them.
        report
            Called with a stage name and the fraction done.
        stop
            Set by any thread to cancel the job.

        Raises
        ------
        Cancelled
            `stop` was set; the daemon has been told.
        Refused
            The daemon's typed error.
        LinkLost
            The daemon went away.
        """
        job_id = secrets.token_hex(8)
        try:
            return self._conversation(job, job_id, report, stop or threading.Event())
        except LinkLost as error:
            raise LinkLost(
                f"The Bokeh daemon stopped before the picture was ready ({error}). "
                "The image is unchanged. Try again: the daemon is started anew."
            ) from error

    def status(self) -> dict[str, Any]:
        """Ask the daemon how it is: the fields of the protocol's `state`."""
        return self._ask({"type": "status"})

    def shutdown(self) -> None:
        """Ask the daemon to finish what it has accepted, then to stop."""
        self._ask({"type": "shutdown", "drain": True})

    def close(self) -> None:
        """Hang up; the daemon drops what this client had asked for."""
        self._link.close()

    def _conversation(self, job: Job, job_id: str, report: Report, stop: threading.Event) -> Reply:
        self._send(self._link, job.header(job_id))
        for header, frames in self._messages(job_id, stop):
            kind = header["type"]
            if kind == "need":
                planes = {"image": job.image, "matte": job.matte, "depth": job.depth}
                names = header["planes"]
                pixels = [planes[name].data for name in names]
                self._send(self._link, {"type": "pixels", "id": job_id, "planes": names}, pixels)
            elif kind == "progress":
                report(str(header["stage"]), float(header["fraction"]))
            elif kind == "result":
                return _reply(header, frames)
            elif kind == "error":
                if header["code"] == "cancelled" and stop.is_set():
                    raise Cancelled
                raise _refusal(header)
        raise Cancelled

    def _messages(
        self, job_id: str, stop: threading.Event
    ) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """Yield the messages about a job; keeps the connection alive and passes a cancel on."""
        heard = pinged = time.monotonic()
        told: float | None = None
        while True:
            message = self._link.receive(TICK_S)
            now = time.monotonic()
            if message is not None:
                heard = now
                header = self._unpack(message[0])
                if header.get("id", job_id) == job_id and header["type"] != "pong":
                    yield header, message[1:]
            elif now - heard > self._silence_s:
                raise LinkLost(f"silent for {self._silence_s:g} s")
            if now - pinged > PING_S:
                self._send(self._link, {"type": "ping", "nonce": 0})
                pinged = now
            if stop.is_set() and told is None:
                self._send(self._link, {"type": "cancel", "id": job_id})
                told = now
            if told is not None and now - told > 1.0:
                return

    def _ask(self, header: dict[str, Any]) -> dict[str, Any]:
        """Ask one thing on the control socket, which answers also while the work socket is busy."""
        link = self._open(self._control_endpoint)
        try:
            self._send(link, header)
            return self._answer(link)
        finally:
            link.close()

    def _open(self, endpoint: str) -> Link:
        link = connect(endpoint)
        try:
            hello = {"type": "hello", "protocol": list(PROTOCOL), "token": self._token}
            python = ".".join(map(str, sys.version_info[:2]))
            self._send(link, {**hello, "client": f"{CLIENT} Python {python}"})
            welcome = self._answer(link)
            self._silence_s = float(welcome.get("limits", {}).get("silence_s", 5.0))
        except BaseException:
            link.close()
            raise
        return link

    def _answer(self, link: Link) -> dict[str, Any]:
        header = {"type": "pong"}
        until = time.monotonic() + ANSWER_S
        while header["type"] == "pong":  # may come unasked at any time
            message = link.receive(until - time.monotonic())
            if message is None:
                raise LinkLost(f"the daemon gave no answer within {ANSWER_S:g} s")
            header = self._unpack(message[0])
        if header["type"] == "error":
            raise _refusal(header)
        return header

    def _send(self, link: Link, header: dict[str, Any], frames: Sequence[bytes] = ()) -> None:
        link.send([self._msgpack.packb(header), *frames])

    def _unpack(self, frame: bytes) -> dict[str, Any]:
        header = self._msgpack.unpackb(frame)
        if not isinstance(header, dict) or "type" not in header:
            raise LinkLost("what answers there is no Bokeh daemon")
        return header


def _reply(header: Mapping[str, Any], frames: Sequence[bytes]) -> Reply:
    planes = {
        plane["name"]: Plane(
            plane["width"],
            plane["height"],
            plane["channels"],
            plane["dtype"],
            plane["transfer"],
            frame,
        )
        for plane, frame in zip(header["planes"], frames, strict=True)
    }
    return Reply(planes, header.get("focus"), header.get("cached", ()), header.get("timing", {}))


def _refusal(header: Mapping[str, Any]) -> Refused:
    return Refused(
        header["code"], header["message"], header.get("hint", ""), header.get("retryable", False)
    )
