"""The one place where headers become bytes and bytes become checked messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from daemon.wire.capabilities import MAX_HEADER_BYTES
from daemon.wire.checks import check
from daemon.wire.faults import refusal, spelt
from daemon.wire.planes import Id
from daemon.wire.protocol import ClientMessage, Message, Render, ServerMessage
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from daemon.wire.faults import Step

_encoder = msgspec.msgpack.Encoder()
_client_decoder = msgspec.msgpack.Decoder(ClientMessage)
_server_decoder = msgspec.msgpack.Decoder(ServerMessage)


class _Identified(msgspec.Struct):
    id: Id | None = None


class _Typed(msgspec.Struct):
    type: str | None = None


_id_decoder = msgspec.msgpack.Decoder(_Identified)
_type_decoder = msgspec.msgpack.Decoder(_Typed)
CLIENT_TYPES = [str(kind.__struct_config__.tag) for kind in get_args(ClientMessage)]
LONGEST_NAME, MOST_NAMES = 64, 32
"""Letters of an unknown field's name, and how many such names, a client is told."""


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
        raise Refused(
            "too_large",
            f"header of {len(header)} bytes; at most {MAX_HEADER_BYTES}",
            "Pixels travel in frames of their own, behind the header.",
            value=len(header),
            limit=MAX_HEADER_BYTES,
        )
    try:
        message: ClientMessage = _client_decoder.decode(header)
    # UnicodeDecodeError (a ValueError) and RecursionError come through msgspec unwrapped
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise refusal(header, fault) from None
    if (place := _not_finite(message, [])) is not None:
        field = spelt(place)
        raise Refused("bad_request", f"`{field}` is NaN or infinite", field=field)
    if isinstance(message, Render):
        check(message)
    return message


def ignored(header: bytes | memoryview, message: ClientMessage) -> list[str]:
    """List the fields of a header that the protocol does not know: `lens.blade`."""
    sent = msgspec.msgpack.decode(header)
    return [spelt(place)[:LONGEST_NAME] for place in _unknown(sent, message, [])][:MOST_NAMES]


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
    if _not_finite(message, []) is not None:
        raise Refused("internal", "a number in the daemon's answer is NaN or infinite")
    return message


def request_id(header: bytes | memoryview) -> str | None:
    """Find the `id` in a header that did not pass the checks, so that its error can carry it."""
    if len(header) > MAX_HEADER_BYTES:
        return None
    try:
        return _id_decoder.decode(header).id
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def message_type(header: bytes | memoryview) -> str | None:
    """Find the `type` in a header that did not pass the checks, for the same reason."""
    if len(header) > MAX_HEADER_BYTES:
        return None
    try:
        found = _type_decoder.decode(header).type
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return found if found in CLIENT_TYPES else None


def _unknown(
    sent: dict[Any, Any], message: msgspec.Struct, place: list[Step]
) -> Iterator[list[Step]]:
    known = dict(zip(message.__struct_encode_fields__, message.__struct_fields__, strict=True))
    for name, value in sent.items():
        if name in known:
            part = getattr(message, known[name])
            if isinstance(part, msgspec.Struct):
                yield from _unknown(value, part, [*place, name])
            elif isinstance(part, list):
                for at, each in enumerate(part):
                    if isinstance(each, msgspec.Struct):
                        yield from _unknown(value[at], each, [*place, name, at])
        elif name != message.__struct_config__.tag_field:
            yield [*place, str(name)]


def _not_finite(value: Any, place: list[Step]) -> list[Step] | None:
    """Find a float that is not finite: range checks of NaN pass in every comparison."""
    parts: Iterable[tuple[Step, Any]] = ()
    if isinstance(value, float):
        return None if math.isfinite(value) else place
    if isinstance(value, msgspec.Struct):
        parts = ((name, getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value)
    elif isinstance(value, dict):
        parts = value.items()
    found = (_not_finite(each, [*place, step]) for step, each in parts)
    return next((each for each in found if each is not None), None)
