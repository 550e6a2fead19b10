"""Talks with clients: who they are, whether a message is allowed, and the answer to it."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING

import psutil
from typing_extensions import assert_never

from daemon.light import facts
from daemon.runtime.log import Log
from daemon.runtime.version import VERSION
from daemon.server.jobs import LOCAL, Job, Peer, Session, User
from daemon.wire import capabilities, codec, protocol
from daemon.wire.capabilities import PresetInfo
from daemon.wire.faults import unknown_field
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    import zmq

    from daemon.server.doorkeeper import Doorkeeper
    from daemon.server.gate import Gate
    from daemon.server.scheduler import Scheduler
    from daemon.server.settings import Settings
    from daemon.server.transport import Transport
    from daemon.server.worker_process import WorkerProcess
    from daemon.wire.planes import File, Image, Input

_log = Log("defocus.handlers")
PRESETS = [
    *(
        PresetInfo(name=name, label=facts.LOOK_LABELS[name], f_number=look["f_number"])
        for name, look in facts.LOOKS.items()
    ),
    *(PresetInfo(name=name, label=label) for name, label in facts.PAPER_LABELS.items()),
]
"""What a `welcome` offers: the names of `daemon.wire.lens.Preset`."""
_FRAMES = "Behind the header comes one frame for each plane that it names."


class Handlers:
    """Every message of a client comes here and is answered, whatever it is."""

    def __init__(
        self,
        settings: Settings,
        token: str,
        scheduler: Scheduler,
        worker: WorkerProcess,
        transport: Transport,
        doorkeeper: Doorkeeper,
        gate: Gate,
    ) -> None:
        self._settings = settings
        self._token = token
        self._scheduler = scheduler
        self._worker = worker
        self._transport = transport
        self._doorkeeper = doorkeeper
        self._gate = gate
        self._sessions: dict[tuple[User, str], Session] = {}
        self._wishes: dict[Peer, frozenset[str]] = {}
        """The capabilities that a connection asked for."""
        self._told: set[Peer] = set()
        """Who knows that the models are loaded."""
        self._members: dict[Peer, Session] = {}
        self._started = time.monotonic()
        self.stopping = False

    def receive(self, peer: Peer, parts: list[zmq.Frame]) -> None:
        """Handle one multipart message; a bad one gets a typed error and changes nothing."""
        header = parts[0].buffer if parts else b""
        try:
            _check_frames(parts)
            message = codec.decode_client(header)
            self._handle(peer, message, parts, codec.ignored(header, message))
        except Refused as refusal:
            _log.info("refused", code=refusal.code, reason=refusal.message)
            self._refuse(peer, header, refusal)
        except Exception:  # noqa: BLE001 - a fault in one message must not end the daemon
            _log.exception("message failed", id=codec.request_id(header))
            fault = Refused(
                "internal",
                "the daemon could not handle the message",
                "Try again; see `defocus daemon logs`.",
            )
            self._refuse(peer, header, fault)

    def _refuse(self, peer: Peer, header: bytes | memoryview, refusal: Refused) -> None:
        """Answer a wrong message; an error that bears the id of a live request would end it.

        Wrong `pixels` do end it: it would wait for the right ones in vain.
        """
        request, kind = codec.request_id(header), codec.message_type(header)
        session = self._members.get(peer)
        job = session.jobs.get(request) if session is not None and request else None
        if job is None:
            self._transport.send(peer, refusal.reply(request, kind))
        elif kind == "pixels" and job.fetching is not None and peer.socket == "work":
            self._scheduler.cancel(job, refusal)
        else:
            self._transport.send(peer, refusal.reply(None, kind))

    def leave(self, peer: Peer) -> None:
        """Forget a connection that is gone; a client's jobs end with its work socket."""
        self._doorkeeper.forget(peer)
        self._wishes.pop(peer, None)
        self._told.discard(peer)
        self._end_session(peer)

    def _end_session(self, peer: Peer) -> None:
        session = self._members.pop(peer, None)
        if session is None or session.peers.get(peer.socket) != peer:
            return
        del session.peers[peer.socket]
        if peer.socket == "work":
            _log.info("client left", session=session.name, jobs=len(session.jobs))
            self._scheduler.cancel_all(session, Refused("cancelled", "the client has left"))
        if not session.peers:
            self._sessions.pop((session.user, session.name), None)

    def announce(self) -> None:
        """Tell who wants to know it that the models are loaded."""
        ready = self._scheduler.ready
        if ready is None:
            self._told.clear()
            return
        for peer, wishes in self._wishes.items():
            if "ready" in wishes and peer in self._members and peer not in self._told:
                self._told.add(peer)
                known = protocol.Ready(devices=ready.devices, models=ready.models)
                self._transport.send(peer, known)

    def probe(self) -> None:
        """Send every quiet client a `pong`: whoever is gone is noticed, and forgotten."""
        for peer in self._members:
            self._transport.offer(peer, protocol.Pong(asked=False))

    def state(self, user: User = LOCAL) -> protocol.State:
        """Describe the daemon as it is now; to who is no admin, without what others do."""
        scheduler, worker = self._scheduler, self._worker
        known, vitals = scheduler.known, scheduler.vitals
        running = scheduler.running
        seen = user.admin or (running is not None and running.session.user == user)
        sessions = [s for s in self._sessions.values() if user.admin or s.user == user]
        return protocol.State(
            server=VERSION,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._started,
            stopping=self.stopping,
            sessions=len(sessions),
            queued=sum(user.admin or job.session.user == user for job in scheduler.queue),
            running=running.id if running is not None and seen else None,
            finished=dict(scheduler.finished) if user.admin else {},
            worker=worker.state,
            worker_pid=worker.pid,
            worker_restarts=scheduler.restarts,
            rss_bytes=psutil.Process().memory_info().rss,
            worker_rss_bytes=worker.rss_bytes(),
            device_bytes=vitals.device_bytes if worker.pid else 0,
            cache=vitals.cache if worker.pid and user.admin else {},
            cache_limit_bytes=self._settings.cache_bytes,
            devices=known.devices if known else [],
            models=known.models if known else [],
        )

    def stop(self, *, drain: bool) -> int:
        """Take no more work; finish what was accepted or answer it `cancelled`."""
        self.stopping = True
        waiting = len(self._scheduler.queue) + (self._scheduler.running is not None)
        _log.info("stopping", drain=drain, jobs=waiting)
        if not drain:
            self._scheduler.cancel_all(None, Refused("cancelled", "the daemon was told to stop"))
            return 0
        return waiting

    def _handle(
        self,
        peer: Peer,
        message: protocol.ClientMessage,
        parts: list[zmq.Frame],
        ignored: list[str],
    ) -> None:
        if isinstance(message, protocol.Hello):
            user = self._gate.user_of(parts[0])
            self._transport.send(peer, self._hello(peer, message, user, ignored))
            return
        session = self._members.get(peer)
        if session is None:
            raise Refused("unauthorized", "say hello first on this connection")
        if ignored and "strict" in self._wishes.get(peer, ()):
            raise unknown_field(parts[0].buffer, ignored[0])
        if isinstance(message, protocol.Render):
            self._render(peer, session, message, ignored)
        elif isinstance(message, protocol.Pixels):
            self._pixels(peer, session, message, parts[1:])
        elif isinstance(message, protocol.Cancel):
            self._transport.send(peer, self._cancel(session, message.id))
        elif isinstance(message, protocol.Ping):
            self._transport.send(peer, protocol.Pong(nonce=message.nonce))
        elif isinstance(message, protocol.Status):
            self._transport.send(peer, self.state(session.user))
        elif isinstance(message, protocol.Shutdown):
            self._transport.send(peer, self._shutdown(session.user, drain=message.drain))
        else:
            assert_never(message)

    def _shutdown(self, user: User, *, drain: bool) -> protocol.Stopping:
        if not user.admin:
            hint = (
                f"On the daemon's machine: `defocus daemon keys allow {user.name} 'KEY' --admin`."
            )
            raise Refused("unauthorized", f"{user.name} may render, not stop the daemon", hint)
        return protocol.Stopping(jobs=self.stop(drain=drain))

    def _hello(
        self, peer: Peer, hello: protocol.Hello, user: User, ignored: list[str]
    ) -> protocol.Welcome:
        strange = [name for name in hello.capabilities if name not in protocol.CAPABILITIES]
        ignored = [*ignored, *strange]
        if ignored and "strict" in hello.capabilities:
            raise Refused(
                "bad_request",
                f"`{ignored[0]}` in `hello` is not known here",
                "Leave it out, or do not ask for `strict`.",
                field="capabilities" if ignored[0] in strange else ignored[0],
                value=ignored[0],
                allowed=protocol.CAPABILITIES if ignored[0] in strange else (),
            )
        low, high = hello.protocol
        if high < protocol.PROTOCOL[0] or low > protocol.PROTOCOL[1]:
            ours = "{} to {}".format(*protocol.PROTOCOL)
            raise Refused(
                "unsupported_version",
                f"the client speaks {low} to {high}, the daemon {ours}",
                field="protocol",
            )
        # a remote client has shown its key already and cannot know the token
        known_by_key = user != LOCAL
        if not known_by_key and not secrets.compare_digest(
            hello.token.encode(), self._token.encode()
        ):
            raise Refused("unauthorized", "wrong token", field="token")
        self._doorkeeper.admit(peer.fd, peer.identity, user)
        name = hello.session or secrets.token_hex(16)
        self._join(peer, user, name)
        self._wishes[peer] = frozenset(hello.capabilities)
        self._told.discard(peer)
        known = self._scheduler.known
        return protocol.Welcome(
            protocol=min(high, protocol.PROTOCOL[1]),
            minor=protocol.MINOR,
            server=VERSION,
            session=name,
            limits=self._settings.limits,
            ignored=ignored,
            presets=PRESETS,
            devices=known.devices if known else [],
            models=known.models if known else [],
        )

    def _join(self, peer: Peer, user: User, name: str) -> None:
        """Make a connection part of a session; who had that part before is told, and out."""
        session = self._sessions.get((user, name))
        if self._members.get(peer) is not session:
            self._end_session(peer)  # its earlier session, which nobody else would ever leave
        if session is None:
            session = self._sessions[user, name] = Session(user, name)
        before = session.peers.get(peer.socket)
        if before is not None and before != peer:
            del self._members[before]
            why = Refused(
                "cancelled",
                f"another connection has taken the place of this one in session {name}",
                "Give every client a session name of its own.",
            )
            self._transport.send(before, why.reply())
        session.peers[peer.socket] = peer
        self._members[peer] = session

    def _render(
        self, peer: Peer, session: Session, request: protocol.Render, ignored: list[str]
    ) -> None:
        _check_socket(peer, "render")
        known = session.jobs.get(request.id)
        if known is not None and known.request == request:
            self._scheduler.accept(known)  # a client that reconnected asks again: same job
            return
        if known is not None:
            raise Refused(
                "bad_request",
                f"id {request.id} is in use by another live request",
                "Give every request an id of its own.",
                field="id",
                value=request.id,
            )
        if self.stopping:
            raise Refused(
                "busy", "the daemon is stopping", "Start it again and repeat the request."
            )
        _check_size(request.image, self._settings.limits)
        _check_file(request.file, self._settings.limits)
        self._scheduler.submit(session, request, ignored)

    def _pixels(
        self, peer: Peer, session: Session, message: protocol.Pixels, frames: list[zmq.Frame]
    ) -> None:
        _check_socket(peer, "pixels")
        job = session.jobs.get(message.id)
        if job is None or job.fetching is None:
            raise Refused(
                "bad_request",
                f"request {message.id} waits for no pixels",
                "Send pixels once for each `need`; a request that has ended takes none.",
                field="id",
                value=message.id,
            )
        if len(set(message.planes)) != len(message.planes):
            raise Refused("bad_request", "`planes` names a plane twice", _FRAMES, field="planes")
        if len(message.planes) != len(frames):
            text = f"`planes` names {len(message.planes)}, {len(frames)} frames were sent"
            raise Refused("bad_request", text, _FRAMES, field="planes")
        for name, frame in zip(message.planes, frames, strict=True):
            _check_frame(job, name, len(frame))
        self._scheduler.deliver(job, dict(zip(message.planes, frames, strict=True)))

    def _cancel(self, session: Session, request: str) -> protocol.CancelReply:
        job = session.jobs.get(request)
        outcome = (
            "unknown"
            if job is None
            else self._scheduler.cancel(job, Refused("cancelled", "cancelled by the client"))
        )
        return protocol.CancelReply(id=request, outcome=outcome)


def _check_socket(peer: Peer, kind: str) -> None:
    if peer.socket != "work":
        raise Refused(
            "bad_request",
            f"`{kind}` belongs on the work socket",
            "Send it to the endpoint `work` of the connection file.",
            field="type",
            value=kind,
        )


def _check_frames(parts: list[zmq.Frame]) -> None:
    if len(parts) > capabilities.MAX_FRAMES:
        text = f"more than the {capabilities.MAX_FRAMES} frames that are allowed"
        raise Refused("too_large", text, _FRAMES, limit=capabilities.MAX_FRAMES)


def _check_frame(job: Job, name: Input, nbytes: int) -> None:
    plane = job.planes.get(name)
    if plane is None:
        raise Refused(
            "bad_request",
            f"request {job.id} declares no {name}",
            _FRAMES,
            field="planes",
            value=name,
        )
    if nbytes != plane.nbytes:
        raise Refused(
            "bad_request",
            f"{name} has {nbytes} bytes, its declaration says {plane.nbytes}",
            "It is the file from its first byte to its last."
            if name == "file"
            else "A frame has height x width x channels samples, row by row, without padding.",
            field=name,
            value=nbytes,
            limit=plane.nbytes,
        )


def _check_size(image: Image, limits: capabilities.Limits) -> None:
    if image.pixels > limits.max_pixels:
        raise Refused(
            "too_large",
            f"{image.width} x {image.height} = {image.pixels} pixels; "
            f"at most {limits.max_pixels} are allowed",
            field="image",
            value=image.pixels,
            limit=limits.max_pixels,
        )


def _check_file(file: File | None, limits: capabilities.Limits) -> None:
    if file is not None and file.nbytes > limits.max_file_bytes:
        raise Refused(
            "too_large",
            f"the file has {file.nbytes} bytes; at most {limits.max_file_bytes} are allowed",
            "Leave the file out: the depth is estimated then.",
            field="file.nbytes",
            value=file.nbytes,
            limit=limits.max_file_bytes,
        )
