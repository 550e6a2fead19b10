"""Counts the connections at the clients' sockets, and hangs up on those that do not say hello.

libzmq accepts whoever comes and reads whatever they send; the only limit of its own is the time of
a handshake. It tells of every connection on a monitor socket, with its descriptor, and every frame
tells the descriptor that it came through: so the connections without a right `hello` are known
here, and shutting one down makes libzmq close it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zmq
from zmq.utils.monitor import parse_monitor_message

from daemon.runtime.log import Log
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.server.jobs import Peer, User
    from daemon.wire.capabilities import Limits

MAX_STRANGERS = 256
"""Connections that have not said hello yet; one more, and the oldest of them is closed."""
GRACE_S = 0.25
"""So long nobody is closed for being one too many, short of half the descriptors: a burst of
others must not drive out who is about to say hello."""
MAX_CONNECTIONS = 2048
"""Connections that have, of all users; half of it of one."""
MAX_STRANGER_BYTES = 1 << 20
"""Sent before the hello, of which it takes a few hundred."""
LOOK_EVERY_MS = 5
"""How often the bytes of strangers are counted: at 1 GB/s they send 5 MB in between."""
DESCRIPTORS = 65_536
"""The limit of open files is raised to this where the system allows it."""
FEW_DESCRIPTORS = 4096
"""Below this a burst can use up all before the strangers are closed. libzmq lives through that on
tcp; on ipc it aborts the process (`ipc_listener.cpp`)."""
TCP_INFO_BYTES_RECEIVED = 128
"""Offset in Linux's `struct tcp_info`, there since 4.1."""

_log = Log("defocus.doorkeeper")


@dataclass(eq=False)
class Visitor:
    """One accepted connection."""

    fd: int
    inode: int
    tcp: bool
    came: float
    user: User | None = None
    """Whose it is; None before the hello."""
    identity: bytes = b""
    """The routing id that said the hello."""


class Doorkeeper:
    """Knows every open connection of the sockets it watches.

    Parameters
    ----------
    limits
        `hello_s` is the time that a stranger has.
    descriptors
        The process's limit of open files: connections take at most three quarters of it.
    """

    def __init__(self, limits: Limits, descriptors: int) -> None:
        self._limits = limits
        self._max_strangers = min(MAX_STRANGERS, descriptors // 4)
        self._most_strangers = descriptors // 2
        self._max_users = min(MAX_CONNECTIONS, descriptors // 4)
        self._visitors: dict[int, Visitor] = {}
        self._monitors: dict[zmq.Socket[bytes], zmq.Socket[bytes]] = {}

    def watch(self, guarded: zmq.Socket[bytes]) -> None:
        """Look after a socket; before it is bound, so that nobody slips in."""
        events = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED
        self._monitors[guarded] = guarded.get_monitor_socket(events)

    def unwatch(self, guarded: zmq.Socket[bytes]) -> None:
        """Look no more after a socket that is about to be closed."""
        guarded.disable_monitor()
        self._monitors.pop(guarded).close(linger=0)

    @property
    def monitors(self) -> list[zmq.Socket[bytes]]:
        """Readable when a connection came or went."""
        return list(self._monitors.values())

    def look(self) -> None:
        """Take note of who came and went; hang up on strangers that are too many or too late."""
        self._take_note()
        strangers = self._strangers()
        now = time.monotonic()
        surplus = len(strangers) - self._max_strangers
        pressing = len(strangers) - self._most_strangers
        for place, visitor in enumerate(strangers):  # the oldest first
            waited = now - visitor.came
            if place < pressing or (place < surplus and waited > GRACE_S):
                self._close(visitor, "too many without a hello")
            elif waited > self._limits.hello_s:
                self._close(visitor, "no hello in time")
            elif visitor.tcp and _received(visitor.fd) > MAX_STRANGER_BYTES:
                self._close(visitor, "too much before the hello")

    def admit(self, fd: int, identity: bytes, user: User) -> None:
        """Count a connection as a user's: it has said the right hello.

        Raises
        ------
        Refused
            `busy`: this user, or all together, have too many.
        """
        self._take_note()
        visitor = self._visitors.get(fd)
        if visitor is None:  # it has left already
            return
        admitted = [other.user for other in self._visitors.values() if other.user is not None]
        if visitor.user is None and (
            len(admitted) >= self._max_users or admitted.count(user) >= self._max_users // 2
        ):
            raise Refused("busy", f"{len(admitted)} connections are open already")
        visitor.user, visitor.identity = user, identity

    def forget(self, peer: Peer) -> None:
        """Take back an admission: the descriptor was another connection's by then."""
        if (visitor := self._find(peer)) is not None:
            visitor.user = None

    def expel(self, peer: Peer, reason: str) -> None:
        """Hang up on a user's connection."""
        if (visitor := self._find(peer)) is not None:
            self._close(visitor, reason)

    @property
    def patience_ms(self) -> int | None:
        """How soon to look again; None: there are no strangers."""
        strangers = self._strangers()
        if any(visitor.tcp for visitor in strangers):
            return LOOK_EVERY_MS
        return int(self._limits.hello_s * 100) if strangers else None

    def _find(self, peer: Peer) -> Visitor | None:
        visitor = self._visitors.get(peer.fd)
        return visitor if visitor is not None and visitor.identity == peer.identity else None

    def _strangers(self) -> list[Visitor]:
        return [visitor for visitor in self._visitors.values() if visitor.user is None]

    def _take_note(self) -> None:
        """Read what the monitors tell; what has been accepted may be closed again by now."""
        for monitor in self.monitors:
            while monitor.poll(0):
                event = parse_monitor_message(monitor.recv_multipart())
                fd = event["value"]
                self._visitors.pop(fd, None)
                if event["event"] == zmq.EVENT_ACCEPTED:
                    tcp = event["endpoint"].startswith(b"tcp")
                    self._visitors[fd] = Visitor(fd, _inode(fd), tcp, time.monotonic())

    def _close(self, visitor: Visitor, reason: str) -> None:
        """Shut the connection down, which libzmq takes for the other end's doing.

        The descriptor may be another's by now, so the inode is compared. A duplicate would leave no
        gap between that and the shutdown, but cannot be had when descriptors have run out.
        """
        del self._visitors[visitor.fd]
        _log.info("connection closed", reason=reason, user=visitor.user and visitor.user.name)
        with contextlib.suppress(OSError):
            if _inode(visitor.fd) == visitor.inode:
                with _borrowed(visitor.fd) as connection:
                    connection.shutdown(socket.SHUT_RDWR)


def raise_limit() -> int:
    """Allow this process as many open files as the system lets it; gives how many."""
    if sys.platform == "win32":
        return DESCRIPTORS  # sockets are no files there
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


@contextlib.contextmanager
def _borrowed(fd: int) -> Iterator[socket.socket]:
    """Use a descriptor of libzmq's as a socket, and leave it open."""
    connection = socket.socket(fileno=fd)
    try:
        yield connection
    finally:
        connection.detach()


def _inode(fd: int) -> int:
    try:
        return os.fstat(fd).st_ino
    except OSError:  # closed again, or Windows, where a socket is no file
        return 0


def _received(fd: int) -> int:
    """Bytes that have come through a TCP connection; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    size = TCP_INFO_BYTES_RECEIVED + 8
    try:
        with _borrowed(fd) as connection:
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size)
    except OSError:
        return 0
    return int(struct.unpack_from("Q", info, size - 8)[0]) if len(info) == size else 0
