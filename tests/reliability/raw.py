"""A client that may say anything: plain maps over a DEALER socket, as other languages would."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, Any

import msgpack
import zmq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from daemon.wire.discovery import Connection

Header = dict[str, Any]

UNASKED: Header = {"type": "pong", "nonce": 0, "asked": False}
"""What the daemon may send at any time to learn whether a quiet client is still there."""


class Raw:
    """One connection to one of the daemon's sockets; use as a context manager."""

    def __init__(self, where: Connection, socket: str = "work", session: str | None = None) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndtimeo = 5000  # once the daemon has hung up there is nobody to send to
        self.socket.setsockopt(zmq.RECONNECT_IVL, -1)
        self.socket.connect(getattr(where, socket))
        self.session = session or secrets.token_hex(8)
        self._token = where.token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self.socket.close()
        self._context.term()

    def hello(self, **changes: Any) -> Header:
        """Say hello and give the answer."""
        hello = {"type": "hello", "protocol": [1, 1], "token": self._token}
        return self.ask({**hello, "session": self.session, **changes})

    def send(self, header: Header | bytes, frames: Sequence[bytes] = ()) -> None:
        """Send a message.

        Raises
        ------
        TimeoutError
            The daemon does not take it, or has hung up.
        """
        first = header if isinstance(header, bytes) else msgpack.packb(header)
        try:
            self.socket.send_multipart([first, *frames])
        except zmq.Again:
            raise TimeoutError("nobody takes the message") from None

    def receive(self, timeout_s: float = 5.0) -> tuple[Header, list[bytes]]:
        """Wait for the next message.

        Raises
        ------
        TimeoutError
            Nothing comes.
        """
        if not self.socket.poll(int(timeout_s * 1000)):
            raise TimeoutError("no answer")
        header, *frames = self.socket.recv_multipart()
        return msgpack.unpackb(header), frames

    def ask(self, header: Header | bytes, frames: Sequence[bytes] = ()) -> Header:
        """Send a message and give the header of the next answer; an unasked pong is none."""
        self.send(header, frames)
        answer = UNASKED
        while answer == UNASKED:
            answer = self.receive()[0]
        return answer

    def wait(self, *types: str, timeout_s: float = 10.0) -> Header:
        """Skip messages until one of these types comes.

        Raises
        ------
        TimeoutError
            None comes, whatever else does.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            header, _ = self.receive(max(deadline - time.monotonic(), 0.0))
            if header["type"] in types:
                return header


def request(name: str, pixels: bytes, width: int, height: int, **changes: Any) -> Header:
    """Make the header of a render request for an RGB u8 picture."""
    digest = hashlib.sha256(pixels).hexdigest()
    image = {"width": width, "height": height, "channels": 3, "dtype": "u8", "transfer": "srgb"}
    return {"type": "render", "id": name, "image": {**image, "digest": digest}, **changes}
