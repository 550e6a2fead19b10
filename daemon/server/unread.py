"""Pixels that were sent and not taken: counted, because libzmq counts messages only."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

import zmq

MAX_BYTES = 64 << 20
"""A peer that lets more pixels than this lie gets no further ones; what it asked for waits."""
MAX_ALL_BYTES = 2 << 30
"""When all peers together let more lie, whoever has the most counts as gone."""
PATIENCE_S = 10.0
"""So long a peer may take over one answer, however large, before that."""


@dataclass(eq=False)
class Unread:
    """Pixels on their way to one peer: libzmq lets go of a frame when the system has taken it."""

    frames: deque[tuple[zmq.MessageTracker, int]] = field(default_factory=deque)
    taken: float = field(default_factory=time.monotonic)
    """When the peer last took one, or had none."""

    def add(self, frame: zmq.Frame) -> zmq.Frame:
        """Count a frame from now on; gives the one to send, which shares its bytes."""
        if not self.nbytes:
            self.taken = time.monotonic()
        counted = zmq.Frame(frame.buffer, copy=False, track=True)
        assert counted.tracker is not None
        self.frames.append((counted.tracker, len(frame)))
        return counted

    @property
    def nbytes(self) -> int:
        """Bytes that are not taken yet."""
        while self.frames and self.frames[0][0].done:
            self.frames.popleft()
            self.taken = time.monotonic()
        return sum(nbytes for _, nbytes in self.frames)

    @property
    def stuck(self) -> bool:
        """Whether the peer has taken nothing for longer than is forgiven."""
        return time.monotonic() - self.taken > PATIENCE_S
