"""The two sockets that clients see: bind, send without ever waiting, notice who has left."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Literal

import zmq

from daemon.server.jobs import Peer
from daemon.server.unread import MAX_ALL_BYTES, MAX_BYTES, Unread
from daemon.wire import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daemon.server.doorkeeper import Doorkeeper
    from daemon.wire.capabilities import Limits
    from daemon.wire.protocol import Message

BACKLOG = 1024
"""Connections that the system holds until they are accepted: a burst of others, and one's own."""
HIGH_WATER = 16
"""Messages buffered per client and direction."""
FRAMES_PER_TURN = 2000
"""Surplus frames thrown away in a row (2 ms); then the others get their turn."""
MAX_CONTROL_BYTES = 1 << 20
"""Largest frame on the control socket."""
DEAF_S = 60.0
"""A peer that takes nothing for so long counts as gone."""
MAX_WAITING = 1024
"""A peer that lets more answers than this pile up does not read, and counts as gone."""
Parts = list["bytes | zmq.Frame"]


class Transport:
    """Sends messages to peers; what a slow peer cannot take yet waits here for a while."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], limits: Limits, doorkeeper: Doorkeeper
    ) -> None:
        self._limits = limits
        self._doorkeeper = doorkeeper
        self._waiting: dict[Peer, deque[tuple[float, Parts]]] = {}
        self.sockets: dict[Literal["work", "control"], zmq.Socket[bytes]] = {
            "work": _router(context, limits.max_frame_bytes, limits),
            "control": _router(context, MAX_CONTROL_BYTES, limits),
        }
        for socket in self.sockets.values():
            doorkeeper.watch(socket)
        self._surplus: set[Literal["work", "control"]] = set()
        """Sockets in the middle of a message with too many frames."""
        self._unread: dict[Peer, Unread] = {}
        self.gone: set[Peer] = set()
        """Peers found to have left since the caller last cleared this."""

    def send(self, peer: Peer, message: Message, frames: Sequence[zmq.Frame] = ()) -> None:
        """Send, or keep for later: every answer arrives, however full the pipe is just now."""
        unread = self._unread.setdefault(peer, Unread()) if frames else None
        counted = [unread.add(frame) for frame in frames] if unread is not None else []
        parts: Parts = [codec.encode(message), *counted]
        queue = self._waiting.get(peer)
        if queue is None and self._try(peer, parts):
            return
        if queue is None:
            queue = self._waiting[peer] = deque()
        queue.append((time.monotonic(), parts))
        if len(queue) > MAX_WAITING:
            self._drop(peer, "too many answers wait")

    def offer(self, peer: Peer, message: Message) -> None:
        """Send what may be lost: nothing when the peer is slow."""
        if peer not in self._waiting:
            self._try(peer, [codec.encode(message)])

    def flush(self) -> None:
        """Try again what had to wait; a peer that takes nothing for `DEAF_S` counts as gone."""
        now = time.monotonic()
        for peer, queue in list(self._waiting.items()):
            while queue and self._try(peer, queue[0][1]):
                queue.popleft()
            if queue and now - queue[0][0] > DEAF_S:
                self._drop(peer, "it takes no answers")
            if not queue or peer in self.gone:
                self._waiting.pop(peer, None)
        self._relieve()

    def clogged(self, peer: Peer) -> bool:
        """Whether a peer lets so many pixels lie that it gets no further ones."""
        unread = self._unread.get(peer)
        return unread is not None and unread.nbytes > MAX_BYTES

    def _relieve(self) -> None:
        """Drop who lets the most pixels lie, when all together let too many lie."""
        sizes = {peer: unread.nbytes for peer, unread in self._unread.items()}
        self._unread = {peer: self._unread[peer] for peer, nbytes in sizes.items() if nbytes}
        if sum(sizes.values()) > MAX_ALL_BYTES:
            stuck = [peer for peer, unread in self._unread.items() if unread.stuck]
            if stuck:
                self._drop(max(stuck, key=sizes.__getitem__), "it does not read its results")

    @property
    def pending(self) -> bool:
        """Whether something still waits."""
        return bool(self._waiting)

    def close(self, linger_ms: int) -> None:
        """Close both sockets; answers on their way get this long to leave."""
        for socket in self.sockets.values():
            self._doorkeeper.unwatch(socket)
            socket.close(linger=linger_ms)

    def receive(self, name: Literal["work", "control"]) -> Iterable[tuple[Peer, list[zmq.Frame]]]:
        """Yield what has arrived on one socket, at most some dozen messages in a row.

        Of a message with too many frames one frame more than allowed is given.
        """
        for _ in range(32):  # then the other socket gets its turn
            if name in self._surplus and not self._skip(name):
                return
            try:
                sender = self.sockets[name].recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            fd = sender.get(zmq.SRCFD)
            assert isinstance(fd, int)
            yield Peer(name, bytes(sender.buffer), fd), self._frames(name, more=sender.more)

    def _frames(self, name: Literal["work", "control"], *, more: bool) -> list[zmq.Frame]:
        """Read the frames of a message, all of which are here: ZeroMQ delivers it whole."""
        parts: list[zmq.Frame] = []
        while more and len(parts) <= self._limits.max_frames:
            parts.append(self.sockets[name].recv(copy=False))
            more = parts[-1].more
        if more:
            self._surplus.add(name)
        return parts

    def _skip(self, name: Literal["work", "control"]) -> bool:
        """Throw surplus frames away; tells whether the message is over."""
        socket = self.sockets[name]
        for _ in range(FRAMES_PER_TURN):
            socket.recv()
            if not socket.getsockopt(zmq.RCVMORE):
                self._surplus.discard(name)
                return True
        return False

    def _drop(self, peer: Peer, reason: str) -> None:
        """Count a peer as gone, and let it know by hanging up."""
        self.gone.add(peer)
        self._waiting.pop(peer, None)
        self._unread.pop(peer, None)
        self._doorkeeper.expel(peer, reason)

    def _try(self, peer: Peer, parts: Parts) -> bool:
        try:
            self.sockets[peer.socket].send_multipart(
                [peer.identity, *parts], zmq.NOBLOCK, copy=False
            )
        except zmq.Again:
            return False
        except zmq.ZMQError as fault:
            if fault.errno != zmq.EHOSTUNREACH:
                raise
            self.gone.add(peer)
        return True


def _router(
    context: zmq.Context[zmq.Socket[bytes]], max_frame_bytes: int, limits: Limits
) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.ROUTER)
    socket.linger = 0
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # a vanished peer is an error, not silence
    socket.setsockopt(zmq.BACKLOG, BACKLOG)
    socket.setsockopt(zmq.HANDSHAKE_IVL, 2000)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 1000)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, int(limits.silence_s * 1000))
    # a frame over this drops the connection before memory is taken
    socket.setsockopt(zmq.MAXMSGSIZE, max_frame_bytes)
    socket.setsockopt(zmq.SNDHWM, HIGH_WATER)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER)
    return socket


def bound(socket: zmq.Socket[bytes]) -> str:
    """Return the endpoint that a socket was bound to last, with the port that `*` became."""
    raw = socket.getsockopt(zmq.LAST_ENDPOINT)
    assert isinstance(raw, bytes)
    return raw.rstrip(b"\0").decode()
