"""Talks with clients: who they are, whether a message is allowed, and the answer to it."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING

import psutil

from daemon import __version__, codec, figures, protocol
from daemon.codec import Refused
from daemon.jobs import Job, Peer, Session
from daemon.log import Log

if TYPE_CHECKING:
    import zmq

    from daemon.keys import Gate
    from daemon.link import WorkerLink
    from daemon.planes import Plane
    from daemon.post import Post
    from daemon.schedule import Schedule
    from daemon.settings import Settings

_log = Log("defocus.desk")


class Desk:
    """Every message of a client comes here and is answered, whatever it is."""

    def __init__(
        self, settings: Settings, token: str, schedule: Schedule, link: WorkerLink, post: Post
    ) -> None:
        self._settings = settings
        self._token = token
        self._schedule = schedule
        self._link = link
        self._post = post
        self._sessions: dict[str, Session] = {}
        self._members: dict[Peer, Session] = {}
        self._started = time.monotonic()
        self.stopping = False
        self.gate: Gate | None = None
        """Knows the remote clients; None: there are only local ones."""

    def receive(self, peer: Peer, parts: list[zmq.Frame]) -> None:
        """Handle one multipart message; a bad one gets a typed error and changes nothing."""
        header = parts[0].buffer if parts else b""
        try:
            _check_frames(parts)
            self._handle(peer, codec.decode_client(header), parts)
        except Refused as refusal:
            request = codec.request_id(header)
            _log.info("refused", code=refusal.code, reason=refusal.message, id=request)
            self._post.send(peer, refusal.reply(request))
        except Exception:  # noqa: BLE001 - a fault in one message must not end the daemon
            _log.exception("message failed", id=codec.request_id(header))
            fault = Refused(
                "internal",
                "the daemon could not handle the message",
                "Try again; see `defocus daemon logs`.",
            )
            self._post.send(peer, fault.reply(codec.request_id(header)))

    def leave(self, peer: Peer) -> None:
        """Forget a connection that is gone; a client's jobs end with its work socket."""
        session = self._members.pop(peer, None)
        if session is None or session.peers.get(peer.socket) != peer:
            return
        del session.peers[peer.socket]
        if peer.socket == "work":
            _log.info("client left", session=session.name, jobs=len(session.jobs))
            self._schedule.cancel_all(session, Refused("cancelled", "the client has left"))
        if not session.peers:
            self._sessions.pop(session.name, None)

    def probe(self) -> None:
        """Send every quiet client a `pong`: whoever is gone is noticed, and forgotten."""
        for peer in self._members:
            self._post.offer(peer, protocol.Pong())

    def state(self) -> protocol.State:
        """Describe the daemon as it is now."""
        schedule, link = self._schedule, self._link
        known, vitals = schedule.known, schedule.vitals
        return protocol.State(
            server=__version__,
            pid=os.getpid(),
            uptime_s=time.monotonic() - self._started,
            stopping=self.stopping,
            sessions=len(self._sessions),
            queued=len(schedule.line),
            running=schedule.running.id if schedule.running else None,
            finished=dict(schedule.finished),
            worker=link.state,
            worker_pid=link.pid,
            worker_restarts=schedule.restarts,
            rss_bytes=psutil.Process().memory_info().rss,
            worker_rss_bytes=link.rss_bytes(),
            device_bytes=vitals.device_bytes if link.pid else 0,
            cache=vitals.cache if link.pid else {},
            cache_limit_bytes=self._settings.cache_bytes,
            devices=known.devices if known else [],
            models=known.models if known else [],
        )

    def stop(self, *, drain: bool) -> int:
        """Take no more work; finish what was accepted or answer it `cancelled`."""
        self.stopping = True
        waiting = len(self._schedule.line) + (self._schedule.running is not None)
        _log.info("stopping", drain=drain, jobs=waiting)
        if not drain:
            self._schedule.cancel_all(None, Refused("cancelled", "the daemon was told to stop"))
            return 0
        return waiting

    def _handle(self, peer: Peer, message: protocol.ClientMessage, parts: list[zmq.Frame]) -> None:
        if isinstance(message, protocol.Hello):
            user = "" if self.gate is None else self.gate.user_of(parts[0])
            self._post.send(peer, self._hello(peer, message, user))
            return
        session = self._members.get(peer)
        if session is None:
            raise Refused("unauthorized", "say hello first on this connection")
        if isinstance(message, protocol.Render):
            self._render(peer, session, message)
        elif isinstance(message, protocol.Pixels):
            self._pixels(peer, session, message, parts[1:])
        elif isinstance(message, protocol.Cancel):
            self._post.send(peer, self._cancel(session, message.id))
        elif isinstance(message, protocol.Ping):
            self._post.send(peer, protocol.Pong(nonce=message.nonce))
        elif isinstance(message, protocol.Status):
            self._post.send(peer, self.state())
        else:
            self._post.send(peer, protocol.Stopping(jobs=self.stop(drain=message.drain)))

    def _hello(self, peer: Peer, hello: protocol.Hello, user: str) -> protocol.Welcome:
        low, high = hello.protocol
        if high < protocol.PROTOCOL[0] or low > protocol.PROTOCOL[1]:
            ours = "{} to {}".format(*protocol.PROTOCOL)
            raise Refused(
                "unsupported_version", f"the client speaks {low} to {high}, the daemon {ours}"
            )
        # a remote client has shown its key already and cannot know the token
        if not user and not secrets.compare_digest(hello.token.encode(), self._token.encode()):
            raise Refused("unauthorized", "wrong token")
        name = hello.session or secrets.token_hex(16)
        if self._members.get(peer) is not self._sessions.get(name):
            self.leave(peer)  # its earlier session, which nobody else would ever leave
        session = self._sessions.setdefault(name, Session(name, hello.client))
        session.peers[peer.socket] = peer
        self._members[peer] = session
        known = self._schedule.known
        return protocol.Welcome(
            protocol=min(high, protocol.PROTOCOL[1]),
            server=__version__,
            session=name,
            limits=self._settings.limits,
            devices=known.devices if known else [],
            models=known.models if known else [],
        )

    def _render(self, peer: Peer, session: Session, request: protocol.Render) -> None:
        if peer.socket != "work":
            raise Refused("bad_request", "render belongs on the work socket")
        known = session.jobs.get(request.id)
        if known is not None and known.request == request:
            self._schedule.accept(known)  # a client that reconnected asks again: same job
            return
        if known is not None:
            raise Refused("bad_request", f"id {request.id} is in use by another live request")
        if self.stopping:
            raise Refused(
                "busy", "the daemon is stopping", "Start it again and repeat the request."
            )
        _check_geometry(request, self._settings.limits)
        self._schedule.submit(session, request)

    def _pixels(
        self, peer: Peer, session: Session, message: protocol.Pixels, frames: list[zmq.Frame]
    ) -> None:
        if peer.socket != "work":
            raise Refused("bad_request", "pixels belong on the work socket")
        if len(set(message.planes)) != len(message.planes):
            raise Refused("bad_request", "planes names a plane twice")
        if len(message.planes) != len(frames):
            raise Refused(
                "bad_request", f"{len(message.planes)} planes named, {len(frames)} frames sent"
            )
        job = session.jobs.get(message.id)
        if job is None:
            return  # cancelled or answered while the pixels were on their way
        for name, frame in zip(message.planes, frames, strict=True):
            _check_frame(job, name, len(frame))
        self._schedule.deliver(job, dict(zip(message.planes, frames, strict=True)))

    def _cancel(self, session: Session, request: str) -> protocol.CancelReply:
        job = session.jobs.get(request)
        outcome = (
            "unknown"
            if job is None
            else self._schedule.cancel(job, Refused("cancelled", "cancelled by the client"))
        )
        return protocol.CancelReply(id=request, outcome=outcome)


def _check_frames(parts: list[zmq.Frame]) -> None:
    if len(parts) > figures.MAX_FRAMES:
        raise Refused("too_large", f"more than the {figures.MAX_FRAMES} frames that are allowed")


def _check_frame(job: Job, name: str, nbytes: int) -> None:
    plane = next((plane for known, plane in job.planes.items() if known == name), None)
    if plane is None:
        raise Refused("bad_request", f"request {job.id} declares no {name}")
    if nbytes != plane.nbytes:
        raise Refused(
            "bad_request", f"{name} has {nbytes} bytes, its declaration says {plane.nbytes}"
        )


def _check_geometry(request: protocol.Render, limits: figures.Limits) -> None:
    image = request.image
    if image.pixels > limits.max_pixels:
        raise Refused(
            "too_large",
            f"{image.width} x {image.height} = {image.pixels} pixels; "
            f"at most {limits.max_pixels} are allowed",
        )
    maps: dict[str, Plane | None] = {"matte": request.matte, "depth": request.depth}
    for name, plane in maps.items():
        if plane is None:
            continue
        if (plane.width, plane.height) != (image.width, image.height):
            raise Refused(
                "bad_request",
                f"{name} is {plane.width} x {plane.height}, "
                f"the image {image.width} x {image.height}",
            )
        if plane.channels != 1 or plane.transfer != "linear":
            raise Refused("bad_request", f"{name} must have 1 channel and transfer linear")
    if len(set(request.want)) != len(request.want):
        raise Refused("bad_request", "want names a plane twice")
