"""Who may speak to the daemon's guarded sockets: libzmq asks here before it lets anybody in."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import zmq
from zmq.utils import z85

from daemon.runtime.log import Log
from daemon.server.jobs import LOCAL, User
from daemon.wire.curve_auth import KeyProblem, allowed, key_pair
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.wire.curve_auth import Allowed

ZAP_ENDPOINT = "inproc://zeromq.zap.01"
_log = Log("defocus.gate")


WORKER = b"worker"
"""Domain and name of the server's own worker."""


class Gate:
    """Answers libzmq's question whether somebody may come in (ZAP, RFC 27).

    A remote client must have its key on the list. The server's own worker, whose socket every local
    user reaches where it is tcp, must know the secret that it was started with.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        listed: Callable[[], dict[str, Allowed]] = allowed,
    ) -> None:
        self._listed = listed
        self._mark = secrets.token_hex(16)
        self.worker_secret = secrets.token_hex(16)
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(ZAP_ENDPOINT)

    def guard(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        """Bind one more endpoint of a socket, reachable only through the gate.

        Raises
        ------
        KeyProblem
            The endpoint is taken, or is not this machine's.
        """
        keys = key_pair("daemon")
        # options hold for later binds only: the local endpoint of the same socket stays as it is
        socket.curve_server = True
        socket.curve_publickey = keys.public.encode()
        socket.curve_secretkey = keys.secret.encode()
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as fault:
            raise KeyProblem(f"cannot listen: {fault}") from None

    def guard_worker(self, socket: zmq.Socket[bytes]) -> None:
        """Let only who knows `worker_secret` come to a socket that is not bound yet."""
        self.worker_secret = secrets.token_hex(16)
        socket.plain_server = True
        socket.zap_domain = WORKER

    def answer(self) -> None:
        """Answer the questions that wait."""
        while self.socket.poll(0):
            question = self.socket.recv_multipart()
            version, number, domain, address, _, mechanism, *credentials = question
            if mechanism == b"CURVE":
                user = self._user_id(z85.encode(credentials[0]).decode(), address.decode())
            else:
                user = self._worker_id(domain, credentials)
            verdict = (b"400", b"not let in", b"") if user is None else (b"200", b"OK", user)
            self.socket.send_multipart([version, number, *verdict, b""])

    def _user_id(self, key: str, address: str) -> bytes | None:
        try:
            names = [name for name, known in self._listed().items() if known.key == key]
        except (KeyProblem, OSError) as fault:
            _log.warning("nobody is let in", reason=str(fault))
            return None
        _log.info("remote client", name=names[:1], address=address, let_in=bool(names))
        return f"{self._mark}:{names[0]}".encode() if names else None

    def _worker_id(self, domain: bytes, credentials: list[bytes]) -> bytes | None:
        told = credentials[-1] if domain == WORKER and credentials else b""
        if secrets.compare_digest(told, self.worker_secret.encode()):
            return WORKER
        _log.warning("a stranger at the worker's socket")
        return None

    def user_of(self, frame: zmq.Frame) -> User:
        """Return the user who sent a frame.

        A local client may claim any `User-Id` in its handshake; the mark of an answer it never saw.

        Raises
        ------
        Refused
            `unauthorized`: a remote user who has been taken off the list meanwhile.
        """
        try:
            mark, _, name = str(frame.get("User-Id")).partition(":")
        except (zmq.ZMQError, UnicodeDecodeError):
            return LOCAL
        if not secrets.compare_digest(mark.encode(), self._mark.encode()):
            return LOCAL
        try:
            return User(name, admin=self._listed()[name].admin)
        except (KeyError, KeyProblem, OSError):
            raise Refused("unauthorized", f"{name} is not on the list any more") from None

    def close(self) -> None:
        """Stop answering."""
        self.socket.close()
