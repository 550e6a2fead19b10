"""The one place where headers become bytes and bytes become checked messages."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from daemon.figures import MAX_HEADER_BYTES
from daemon.planes import Id
from daemon.protocol import (
    ERRORS,
    ClientMessage,
    Code,
    Error,
    Message,
    ServerMessage,
)

_encoder = msgspec.msgpack.Encoder()
_client_decoder = msgspec.msgpack.Decoder(ClientMessage)
_server_decoder = msgspec.msgpack.Decoder(ServerMessage)


class _Identified(msgspec.Struct):
    id: Id | None = None


_id_decoder = msgspec.msgpack.Decoder(_Identified)


class Refused(Exception):  # it is an answer, not a fault
    """A request that gets a typed `error` message as its answer.

    Parameters
    ----------
    code
        One of the closed list in `daemon.protocol.ERRORS`, which gives the hint by default.
    message
        One line for the user: what is wrong, with actual and allowed values.
    hint
        One line: what to do about it.
    retryable
        Whether the same request may succeed later.
    """

    def __init__(
        self, code: Code, message: str, hint: str | None = None, *, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        usually, _, usual_hint = ERRORS[code]
        self.code: Code = code
        self.message = " ".join(message.split())[:2000]
        self.hint = usual_hint if hint is None else " ".join(hint.split())[:2000]
        self.retryable = usually if retryable is None else retryable

    def reply(self, request: str | None = None) -> Error:
        """Make the `error` message for the request with this id."""
        return Error(
            id=request,
            code=self.code,
            message=self.message,
            hint=self.hint,
            retryable=self.retryable,
        )


def encode(message: Message) -> bytes:
    """Turn a message into its header frame."""
    return _encoder.encode(message)


def decode_client(header: bytes | memoryview) -> ClientMessage:
    """Read and check a header sent by a client.

    Raises
    ------
    Refused
        `too_large` or `bad_request`; never any other exception, whatever the bytes are.
    """
    if len(header) > MAX_HEADER_BYTES:
        raise Refused("too_large", f"header of {len(header)} bytes; at most {MAX_HEADER_BYTES}")
    try:
        message: ClientMessage = _client_decoder.decode(header)
    # UnicodeDecodeError (a ValueError) and RecursionError come through msgspec unwrapped
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise Refused("bad_request", f"unreadable message: {fault}") from None
    if not _finite(message):
        raise Refused("bad_request", "a number in the message is NaN or infinite")
    return message


def decode_server(header: bytes | memoryview) -> ServerMessage:
    """Read a header sent by the daemon.

    Raises
    ------
    Refused
        `internal`, as the daemon is not expected to send such bytes.
    """
    try:
        message: ServerMessage = _server_decoder.decode(header)
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise Refused("internal", f"unreadable answer from the daemon: {fault}") from None
    return message


def request_id(header: bytes | memoryview) -> str | None:
    """Find the `id` in a header that did not pass the checks, so that its error can carry it."""
    if len(header) > MAX_HEADER_BYTES:
        return None
    try:
        return _id_decoder.decode(header).id
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _finite(value: Any) -> bool:
    """Tell whether every float inside is finite: range checks of NaN pass in every comparison."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(_finite(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    return True
