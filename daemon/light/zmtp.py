"""A ZeroMQ DEALER socket with nothing but the standard library: ZMTP 3.0, NULL security.

Greeting (64 bytes), READY command with the socket type, then frames: one flag byte, a length of one
or eight bytes, the body. See https://rfc.zeromq.org/spec/23/.
"""

from __future__ import annotations

import io
import select
import socket
import struct
import time
from typing import TYPE_CHECKING

from daemon.light.errors import DaemonLost, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MORE, LONG, COMMAND = 0x01, 0x02, 0x04
GREETING = b"\xff" + b"\0" * 8 + b"\x7f" + bytes([3, 0]) + b"NULL".ljust(20, b"\0") + b"\0" * 32
STALL_S = 10.0  # a peer that stops in the middle of a frame for so long is gone
CHUNK = 1 << 20  # bytes sent at once: a fraction of a second, also over a slow network
MAX_HEADER = 1 << 20  # a daemon's longest, `state`, has some kilobytes
MAX_COMMAND = 1 << 10
MAX_FRAMES = 4


def _nobody(_sent: int) -> None:
    """Tell nobody."""


class Dealer:
    """One connected DEALER socket.

    Parameters
    ----------
    endpoint
        `ipc:///path` or `tcp://host:port`.
    timeout
        Seconds to connect and shake hands.

    Raises
    ------
    DaemonLost
        Nobody listens there, or it is no ZeroMQ peer.
    """

    def __init__(self, endpoint: str, timeout: float = 2.0) -> None:
        self.largest_plane = 0
        """Bytes of the largest plane that is expected; room is made for no larger one."""
        try:
            self._socket = _connect(endpoint, timeout)
        except (OSError, ValueError) as error:
            raise DaemonLost(f"cannot connect to {endpoint}: {error}") from error
        try:
            self._handshake()
            self._socket.settimeout(STALL_S)
        except OSError as error:
            self._socket.close()
            raise DaemonLost(f"no handshake with {endpoint}: {error}") from error
        except ProtocolError:
            self._socket.close()
            raise

    def send(self, frames: Sequence[bytes], sent: Callable[[int], None] = _nobody) -> None:
        """Send one multipart message.

        Parameters
        ----------
        frames
            Its parts.
        sent
            Called for every piece of a large part, with its bytes. What it raises ends the sending
            in the middle: the connection is of no more use then.

        Raises
        ------
        DaemonLost
            The peer hung up, or takes nothing any more.
        """
        last = len(frames) - 1
        try:
            for index, frame in enumerate(frames):
                self._send_frame(0 if index == last else MORE, frame, sent)
        except OSError as error:
            raise DaemonLost(f"it closed the connection: {error}") from error

    def receive(self, timeout: float) -> list[bytes] | None:
        """Return the next multipart message, or None after `timeout` seconds without one.

        Raises
        ------
        DaemonLost
            The peer hung up, or stopped in the middle of a message.
        ProtocolError
            It sends what no daemon sends.
        """
        until = time.monotonic() + timeout
        frames: list[bytes] = []
        try:
            while True:
                left = STALL_S if frames else max(0.0, until - time.monotonic())
                if not select.select([self._socket], [], [], left)[0]:
                    if frames:
                        raise DaemonLost("it stopped in the middle of a message")
                    return None
                flags, body = self._receive_frame(self.largest_plane if frames else MAX_HEADER)
                if flags & COMMAND:
                    self._obey(body)
                    continue
                frames.append(body)
                if len(frames) > MAX_FRAMES:
                    raise ProtocolError(f"more than {MAX_FRAMES} frames")
                if not flags & MORE:
                    return frames
        except OSError as error:
            raise DaemonLost(f"it closed the connection: {error}") from error

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._socket.close()

    def _handshake(self) -> None:
        self._socket.sendall(GREETING)
        peer = self._read(64)
        if (
            peer[0] != 0xFF
            or peer[9] != 0x7F
            or peer[10] < 3
            or not peer[12:].startswith(b"NULL\0")
        ):
            raise OSError("the peer speaks another protocol")
        self._send_frame(COMMAND, _command(b"READY", {b"Socket-Type": b"DEALER", b"Identity": b""}))
        flags, body = self._receive_frame(MAX_HEADER)
        if not flags & COMMAND or not body.startswith(b"\x05READY"):
            raise OSError("the peer refused the connection")

    def _obey(self, body: bytes) -> None:
        """Answer PING (name, two bytes of time-to-live, context) with the context."""
        if body.startswith(b"\x04PING"):
            self._send_frame(COMMAND, b"\x04PONG" + body[7:])

    def _send_frame(self, flags: int, body: bytes, sent: Callable[[int], None] = _nobody) -> None:
        if len(body) < 256:
            self._socket.sendall(bytes([flags, len(body)]) + bytes(body))
            return
        self._socket.sendall(struct.pack(">BQ", flags | LONG, len(body)))
        view = memoryview(body)
        for start in range(0, len(body), CHUNK):
            piece = view[start : start + CHUNK]
            self._socket.sendall(piece)
            sent(len(piece))

    def _receive_frame(self, at_most: int) -> tuple[int, bytes]:
        flags = self._read(1)[0]
        size = struct.unpack(">Q", self._read(8))[0] if flags & LONG else self._read(1)[0]
        if size > max(at_most, MAX_COMMAND if flags & COMMAND else 0):
            raise ProtocolError(f"a frame of {size} bytes, at most {at_most} were expected")
        return flags, self._read(size)

    def _read(self, size: int) -> bytes:
        """Read so many bytes: into their final place, a copy of a large frame costs as much again.

        `BytesIO` hands its bytes out without copying them, a `bytearray` does not.
        """
        if not size:
            return b""
        place = io.BytesIO()
        place.seek(size - 1)
        place.write(b"\0")
        with place.getbuffer() as view:
            done = 0
            while done < size:
                count = self._socket.recv_into(view[done:])
                if not count:
                    raise OSError("end of stream")
                done += count
        return place.getvalue()


def _connect(endpoint: str, timeout: float) -> socket.socket:
    scheme, _, address = endpoint.partition("://")
    where: str | tuple[str, int] = address
    if scheme == "ipc":
        family = socket.AF_UNIX
    elif scheme == "tcp":
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        where = host.strip("[]"), int(port)
    else:
        raise ValueError(f"unknown kind of endpoint {endpoint!r}")
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.settimeout(timeout)
        connected.connect(where)
        if scheme == "tcp":
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


def _command(name: bytes, properties: dict[bytes, bytes]) -> bytes:
    body = bytes([len(name)]) + name
    for key, value in properties.items():
        body += bytes([len(key)]) + key + struct.pack(">I", len(value)) + value
    return body
