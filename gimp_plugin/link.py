"""One connection to the daemon, by pyzmq where it loads, by the standard library elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from gimp_plugin import vendored, zmtp
from gimp_plugin.errors import LinkLost

if TYPE_CHECKING:
    from collections.abc import Sequence


class Link(Protocol):
    """What both kinds of connection can do; used from one thread at a time."""

    def send(self, frames: Sequence[bytes]) -> None:
        """Send one multipart message; LinkLost when the peer is gone."""

    def receive(self, timeout: float) -> list[bytes] | None:
        """Give the next message, None after `timeout` seconds; LinkLost when the peer is gone."""

    def close(self) -> None:
        """Close; what is still unsent is dropped."""


def connect(endpoint: str) -> Link:
    """Connect to an endpoint of the daemon.

    Raises
    ------
    LinkLost
        Nobody answers there.
    """
    zmq = vendored.zmq()
    return zmtp.Dealer(endpoint) if zmq is None else ZmqDealer(zmq, endpoint)


class ZmqDealer:
    """A pyzmq DEALER that notices at once when the peer goes away (ZeroMQ itself would wait)."""

    def __init__(self, zmq: Any, endpoint: str, timeout: float = 2.0) -> None:
        self._zmq = zmq
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        # from the start: set at the close only, it does not reach a connection that was lost with
        # messages unsent, and the context waits for ever for them to leave
        self._socket.linger = 0
        self._socket.reconnect_ivl = -1
        self._monitor = self._socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED
        )
        try:
            self._shake_hands(endpoint, timeout)
        except zmq.ZMQError as error:
            self.close()
            raise LinkLost(f"cannot connect to {endpoint}: {error}") from error
        except BaseException:
            self.close()
            raise

    def send(self, frames: Sequence[bytes]) -> None:
        """Send one multipart message."""
        try:  # a socket whose peer has hung up would wait for ever for another one
            self._socket.send_multipart(list(frames), self._zmq.NOBLOCK, copy=False)
        except self._zmq.Again:
            raise LinkLost("it closed the connection") from None

    def receive(self, timeout: float) -> list[bytes] | None:
        """Give the next message, or None after `timeout` seconds."""
        poller = self._zmq.Poller()
        poller.register(self._socket, self._zmq.POLLIN)
        poller.register(self._monitor, self._zmq.POLLIN)
        ready = dict(poller.poll(max(0, round(timeout * 1000))))
        if self._socket in ready:
            return [frame.bytes for frame in self._socket.recv_multipart(copy=False)]
        if self._monitor in ready:
            self._event()
            raise LinkLost("it closed the connection")
        return None

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if not self._context.closed:
            self._socket.disable_monitor()
            self._monitor.close(linger=0)
            self._socket.close()
            self._context.term()

    def _shake_hands(self, endpoint: str, timeout: float) -> None:
        zmq = self._zmq
        self._socket.connect(endpoint)
        if not self._monitor.poll(timeout * 1000) or self._event() != zmq.EVENT_HANDSHAKE_SUCCEEDED:
            raise LinkLost(f"cannot connect to {endpoint}")

    def _event(self) -> int:
        from zmq.utils.monitor import recv_monitor_message  # noqa: PLC0415

        return int(recv_monitor_message(self._monitor)["event"])
