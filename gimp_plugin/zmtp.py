"""A ZeroMQ DEALER socket with nothing but the standard library: ZMTP 3.0, NULL security.

Greeting (64 bytes), READY command with the socket type, then frames: one flag byte, a length of one
or eight bytes, the body. See https://rfc.zeromq.org/spec/23/.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import TYPE_CHECKING

from gimp_plugin.errors import LinkLost

if TYPE_CHECKING:
    from collections.abc import Sequence

MORE, LONG, COMMAND = 0x01, 0x02, 0x04
GREETING = b"\xff" + b"\0" * 8 + b"\x7f" + bytes([3, 0]) + b"NULL".ljust(20, b"\0") + b"\0" * 32
STALL_S = 10.0  # a peer that stops in the middle of a frame for so long is gone
MAX_FRAME = 1 << 32


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
    LinkLost
        Nobody listens there, or it is no ZeroMQ peer.
    """

    def __init__(self, endpoint: str, timeout: float = 2.0) -> None:
        try:
            self._socket = _connect(endpoint, timeout)
        except (OSError, ValueError) as error:
            raise LinkLost(f"cannot connect to {endpoint}: {error}") from error
        try:
            self._handshake()
            self._socket.settimeout(STALL_S)
        except OSError as error:
            self._socket.close()
            raise LinkLost(f"no handshake with {endpoint}: {error}") from error

    def send(self, frames: Sequence[bytes]) -> None:
        """Send one multipart message."""
        last = len(frames) - 1
        try:
            for index, frame in enumerate(frames):
                self._send_frame(0 if index == last else MORE, frame)
        except OSError as error:
            raise LinkLost(f"it closed the connection: {error}") from error

    def receive(self, timeout: float) -> list[bytes] | None:
        """Give the next multipart message, or None after `timeout` seconds without one."""
        until = time.monotonic() + timeout
        frames: list[bytes] = []
        try:
            while True:
                left = STALL_S if frames else max(0.0, until - time.monotonic())
                if not select.select([self._socket], [], [], left)[0]:
                    if frames:
                        raise LinkLost("it stopped in the middle of a message")
                    return None
                flags, body = self._receive_frame()
                if flags & COMMAND:
                    self._obey(body)
                    continue
                frames.append(body)
                if not flags & MORE:
                    return frames
        except OSError as error:
            raise LinkLost(f"it closed the connection: {error}") from error

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
        flags, body = self._receive_frame()
        if not flags & COMMAND or not body.startswith(b"\x05READY"):
            raise OSError("the peer refused the connection")

    def _obey(self, body: bytes) -> None:
        """Answer PING (name, two bytes of time-to-live, context) with the context."""
        if body.startswith(b"\x04PING"):
            self._send_frame(COMMAND, b"\x04PONG" + body[7:])

    def _send_frame(self, flags: int, body: bytes) -> None:
        if len(body) < 256:
            self._socket.sendall(bytes([flags, len(body)]) + bytes(body))
        else:
            self._socket.sendall(struct.pack(">BQ", flags | LONG, len(body)))
            self._socket.sendall(body)

    def _receive_frame(self) -> tuple[int, bytes]:
        flags = self._read(1)[0]
        size = struct.unpack(">Q", self._read(8))[0] if flags & LONG else self._read(1)[0]
        if size > MAX_FRAME:
            raise OSError("the peer announced an impossible frame")
        return flags, self._read(size)

    def _read(self, size: int) -> bytes:
        data = bytearray(size)
        view, done = memoryview(data), 0
        while done < size:
            count = self._socket.recv_into(view[done:])
            if not count:
                raise OSError("end of stream")
            done += count
        return bytes(data)


def _connect(endpoint: str, timeout: float) -> socket.socket:
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        family, where = socket.AF_UNIX, address
    elif scheme == "tcp":
        host, _, port = address.rpartition(":")
        family, where = (
            socket.AF_INET6 if ":" in host else socket.AF_INET,
            (host.strip("[]"), int(port)),
        )
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
