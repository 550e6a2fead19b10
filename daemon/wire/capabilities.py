"""What messages tell about the daemon itself: its limits, its models, its cache."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from daemon.wire.planes import BYTES_PER_SAMPLE, Count, Seconds

MAX_HEADER_BYTES = 65_536
MAX_FRAMES = 5
"""Frames of one message: the header and at most the image, the matte, the depth and the file."""


class Limits(Struct, frozen=True, kw_only=True):
    """What the daemon accepts; more is refused with a typed error."""

    max_header_bytes: Annotated[Count, Meta(description="frame 0 of a message")] = MAX_HEADER_BYTES
    max_frames: Annotated[Count, Meta(description="frames of a message")] = MAX_FRAMES
    max_pixels: Annotated[Count, Meta(description="pixels of one plane")] = 120_000_000
    max_file_bytes: Annotated[
        Count, Meta(description="length of a `render.file` (from `welcome.minor` 7)")
    ] = 64 << 20
    max_queue: Annotated[Count, Meta(description="requests waiting, all clients")] = 128
    max_queue_per_session: Annotated[Count, Meta(description="requests waiting, one client")] = 8
    hello_s: Annotated[
        Seconds, Meta(description="a connection without a right `hello` by then is closed")
    ] = 2.0
    answer_s: Annotated[
        Seconds,
        Meta(
            description="a `hello` without `welcome` or a `render` without `accepted` (or an "
            "`error`) by then: nobody is there"
        ),
    ] = 5.0
    pixels_s: Annotated[Seconds, Meta(description="time to answer `need`")] = 30.0
    progress_every_s: Annotated[
        Seconds, Meta(description="longest silence about an accepted request")
    ] = 0.5
    silence_s: Annotated[
        Seconds, Meta(description="after so long without a message the peer counts as gone")
    ] = 5.0
    cancel_s: Annotated[
        Seconds, Meta(description="a cancelled request is stopped by force then")
    ] = 2.0
    result_kept_s: Annotated[
        Seconds, Meta(description="the same request again within this time costs no computation")
    ] = 60.0

    @property
    def max_frame_bytes(self) -> int:
        """Largest frame that a plane within `max_pixels`, or a file, can need."""
        return max(self.max_pixels * 4 * BYTES_PER_SAMPLE["f32"], self.max_file_bytes)


class Model(Struct, frozen=True, kw_only=True):
    """One set of weights that a request can name."""

    name: Annotated[str, Meta(description="for `matte_model` or `depth_model`")]
    task: Annotated[Literal["matte", "depth"], Meta(description="what it makes")]
    version: Annotated[str, Meta(description="of the weights; may be empty")] = ""
    sha256: Annotated[str, Meta(description="of the weights file")] = ""
    licence: Annotated[str, Meta(description="of the weights")] = ""


class PresetInfo(Struct, frozen=True, kw_only=True):
    """A ready-made look, to be asked for by its name: a `lens` of kind `preset`."""

    name: Annotated[str, Meta(description="for `lens.name`")]
    label: Annotated[str, Meta(description="its words in a menu, in English")]
    f_number: Annotated[
        float | None, Meta(description="where a slider starts; null: it has none")
    ] = None


class Cache(Struct, frozen=True, kw_only=True):
    """One level of the cache, as of the last finished request."""

    entries: Annotated[Count, Meta(description="values held")] = 0
    nbytes: Annotated[Count, Meta(description="their memory in bytes")] = 0
    hits: Annotated[Count, Meta(description="found, since the worker started")] = 0
    misses: Annotated[Count, Meta(description="not found, since the worker started")] = 0
