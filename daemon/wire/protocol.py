"""Protocol 1: every message between a client and the daemon, its fields, units and limits.

    client                                     daemon
      | hello {protocol, token, session}  ->     |      on each of the two sockets, first
      |     <-  welcome {limits, devices} | error|
      | render {id, image, lens, ...}     ->     |      a header only: no pixels yet
      |     <-  accepted {id, queue_position} | error
      |     <-  need {id, planes}                |      only for planes the daemon does not hold
      | pixels {id, planes} + frames      ->     |
      |     <-  progress {id, stage, fraction}   |      at least every `progress_every_s`
      |     <-  result {id, planes} + frames | error    exactly one of the two

A message is a ZeroMQ multipart message (DEALER to ROUTER, no empty delimiter). Frame 0 is a
msgpack map, the header, whose `type` names the message. Pixels never travel inside it: each plane
is one further frame, row by row, interleaved channels, little endian, no padding. Field names on
the wire are the names here. A reader ignores fields it does not know; a field with a default may be
left out.

Parameters of the blur are in `daemon.wire.lens`, planes in `daemon.wire.planes`;
`daemon.wire.codec` turns bytes into messages and back.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from daemon.wire.capabilities import Cache, Limits, Model, PresetInfo
from daemon.wire.lens import Camera, Lens, Look
from daemon.wire.people import MOST_PEOPLE, Person, Point
from daemon.wire.planes import (
    Count,
    DType,
    File,
    Fraction,
    Id,
    Image,
    Input,
    Level,
    Map,
    Name,
    Output,
    Plane,
    Refine,
    Region,
    ResultPlane,
    Seconds,
    Subject,
    Text,
    Version,
)
from daemon.wire.stages import STAGES
from daemon.wire.strokes import MOST_STROKES, Stroke

PROTOCOL = (1, 1)
"""Lowest and highest protocol spoken. Same major needed; additions inside a major keep it."""

MINOR = 7
"""Counts the additions inside the protocol, see Versions in docs/protocol.md."""

CAPABILITIES = ("strict", "ready")
"""What a client can ask for in `hello`."""

Code: TypeAlias = Literal[
    "bad_request",
    "unauthorized",
    "unsupported_version",
    "too_large",
    "busy",
    "deadline",
    "cancelled",
    "out_of_memory",
    "model_missing",
    "model_corrupt",
    "internal",
]


Scalar: TypeAlias = str | int | float | bool


class Message(Struct, tag_field="type", frozen=True, kw_only=True):
    """Base of all messages: a frozen value whose wire name is its tag."""


class Hello(Message, tag="hello", frozen=True, kw_only=True):
    """First message on each socket; answered by `welcome` or `error`."""

    protocol: Annotated[
        tuple[Version, Version], Meta(description="lowest and highest protocol the client speaks")
    ]
    token: Annotated[str, Meta(max_length=128, description="from the connection file")] = ""
    client: Annotated[Name, Meta(description="name and version, for the log")] = ""
    session: Annotated[
        Id | None,
        Meta(
            description="random name that joins a client's two sockets: `cancel` on control finds "
            "the jobs of the work socket with the same session; null: the daemon makes one"
        ),
    ] = None
    capabilities: Annotated[
        list[Name],
        Meta(
            max_length=32,
            description="what the client wants besides: `strict`: a message with a field that the "
            "protocol does not know is refused (from `welcome.minor` 3); `ready`: a `ready` when "
            "the models are loaded (from `welcome.minor` 4)",
        ),
    ] = field(default_factory=list)


class Render(Message, tag="render", frozen=True, kw_only=True):
    """Ask for maps and a composite (work socket). Carries no pixels: the daemon asks for those."""

    id: Annotated[Id, Meta(description="chosen by the client, unique among its live requests")]
    image: Annotated[Image, Meta(description="the source picture")]
    matte: Annotated[
        Map | None,
        Meta(
            description="edited matte, 1 = subject, size of the image; null: the network makes it"
        ),
    ] = None
    painted: Annotated[
        bool,
        Meta(
            description="`matte` was painted over what the networks find: what it takes away is "
            "blurred at least as much as what is behind it, at every depth, and what it adds is "
            "sharp. People who are not at the `lens.focus_point` blur in the same way (from "
            "`welcome.minor` 2)"
        ),
    ] = False
    depth: Annotated[
        Map | None,
        Meta(
            description="edited disparity, 1 = nearest, size of the image; null: the network makes "
            "it, with its steps on the outline of `matte`"
        ),
    ] = None
    file: Annotated[
        File | None,
        Meta(
            description="the file that `image` came from: a phone's depth map inside it stands for "
            "an open `depth` (unless a `depth_model` is named), its portrait matte for an open "
            "`matte` of the `subject` main (unless `people` or a `matte_model` are named), turned "
            "and sized as the image. Left aside, with a note, where the image shows something "
            "else than the file (from `welcome.minor` 7)"
        ),
    ] = None
    lens: Annotated[
        Look,
        Meta(description="lengths in pixels of the full-size image, also for a preview"),
    ] = field(default_factory=Lens)
    camera: Annotated[
        Camera | None,
        Meta(description="gives `lens.max_coc` from physical values; only with kind `lens`"),
    ] = None
    want: Annotated[
        list[Output], Meta(min_length=1, max_length=3, description="planes to send back, in order")
    ] = field(default_factory=lambda: ["matte", "depth", "composite"])
    subject: Annotated[
        Subject,
        Meta(
            description="the main people, without bystanders, or where there are none the main "
            "animal; everybody; all animals (from `welcome.minor` 1); only who is nearest to "
            "`lens.focus_point`, person or animal; nobody (the blur follows depth alone)"
        ),
    ] = "main"
    matte_model: Annotated[Name, Meta(description="name from `welcome.models`; empty: default")] = (
        ""
    )
    depth_model: Annotated[Name, Meta(description="name from `welcome.models`; empty: default")] = (
        ""
    )
    refine: Annotated[
        Refine,
        Meta(
            description="how the network's matte is brought to full size: along edges and strands; "
            "along edges; by the border step of the paper that the project began with; enlarged "
            "(from `welcome.minor` 4)"
        ),
    ] = "hair"
    map_dtype: Annotated[
        DType | None, Meta(description="type of matte and depth in the result; null: the image's")
    ] = None
    preview: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            description="long side of the result in pixels; 0: full size. The analysis is that of "
            "the full-size image and is cached, so a first preview warms the final render",
        ),
    ] = 0
    people: Annotated[
        list[Point],
        Meta(
            max_length=MOST_PEOPLE,
            description="who is the subject instead of `subject`: everybody at one of these points "
            "(fractions of width and height; from `welcome.minor` 6)",
        ),
    ] = field(default_factory=list)
    tell_people: Annotated[
        bool, Meta(description="say in `result.people` who is where (from `welcome.minor` 6)")
    ] = False
    strokes: Annotated[
        list[Stroke],
        Meta(
            max_length=MOST_STROKES,
            description="painted on matte and depth, in this order, before anything is rendered; "
            "the maps come back with them (from `welcome.minor` 5)",
        ),
    ] = field(default_factory=list)
    region: Annotated[
        Region | None,
        Meta(
            description="the part of the full-size picture to send back, pixel for pixel what the "
            "whole result has there; not with `preview`. What is read for it is kept for a minute "
            "or two: a part beside it, or another shape of the aperture, comes quickly (from "
            "`welcome.minor` 2); null: everything"
        ),
    ] = None
    deadline_ms: Annotated[
        int, Meta(ge=0, le=86_400_000, description="give up so long after acceptance; 0: never")
    ] = 0

    @property
    def planes(self) -> dict[Input, Plane | File]:
        """The declared planes, and the file, by name."""
        found: dict[Input, Plane | File | None] = {
            "image": self.image,
            "matte": self.matte,
            "depth": self.depth,
            "file": self.file,
        }
        return {name: plane for name, plane in found.items() if plane is not None}


class Pixels(Message, tag="pixels", frozen=True, kw_only=True):
    """Answer to `need`: one frame for each plane, in this order (work socket)."""

    id: Id
    planes: Annotated[
        list[Input], Meta(min_length=1, max_length=4, description="which, in the order of frames")
    ]


class Cancel(Message, tag="cancel", frozen=True, kw_only=True):
    """Stop a request of the same session (either socket); its own `error` reply still comes."""

    id: Id


class Ping(Message, tag="ping", frozen=True, kw_only=True):
    """Ask for a `pong` (either socket)."""

    nonce: Annotated[int, Meta(description="comes back in the `pong`")] = 0


class Status(Message, tag="status", frozen=True, kw_only=True):
    """Ask for `state` (control socket)."""


class Shutdown(Message, tag="shutdown", frozen=True, kw_only=True):
    """Stop the daemon (control socket); answered by `stopping`."""

    drain: Annotated[
        bool, Meta(description="finish accepted requests first; false: answer them `cancelled`")
    ] = True


class Welcome(Message, tag="welcome", frozen=True, kw_only=True):
    """Answer to `hello`."""

    protocol: Annotated[Version, Meta(description="the protocol both will speak")]
    minor: Annotated[
        Count, Meta(description="additions to this protocol that the daemon knows, see Versions")
    ] = 0
    server: Annotated[Name, Meta(description="daemon version")]
    session: Annotated[Id, Meta(description="as in `hello`, or made by the daemon")]
    limits: Annotated[Limits, Meta(description="what is accepted")]
    ignored: Annotated[
        list[Name],
        Meta(description="fields and capabilities of the `hello` that this daemon does not know"),
    ] = field(default_factory=list)
    presets: Annotated[
        list[PresetInfo], Meta(description="ready-made looks, for a menu; the first is the usual")
    ] = field(default_factory=list)
    devices: Annotated[list[str], Meta(description="empty until the worker has started")]
    models: Annotated[list[Model], Meta(description="empty until the worker has started")]


class Ready(Message, tag="ready", frozen=True, kw_only=True):
    """The models are loaded: the next `render` starts at once. Only for who asked for `ready`.

    Comes after `welcome` where they are loaded already, and whenever they are loaded anew.
    """

    devices: Annotated[list[str], Meta(description="torch devices in use")]
    models: Annotated[list[Model], Meta(description="what a request can name")]


class Accepted(Message, tag="accepted", frozen=True, kw_only=True):
    """The request is in the queue: exactly one `result` or `error` will follow."""

    id: Id
    queue_position: Annotated[Count, Meta(description="requests before this one; 0: it runs now")]
    ignored: Annotated[
        list[Name],
        Meta(description="fields of the `render` that this daemon does not know, as `lens.blade`"),
    ] = field(default_factory=list)


class Need(Message, tag="need", frozen=True, kw_only=True):
    """The daemon does not hold these planes: send `pixels`. May come again until the answer."""

    id: Id
    planes: Annotated[
        list[Input], Meta(min_length=1, max_length=4, description="which, in the order of frames")
    ]


class Progress(Message, tag="progress", frozen=True, kw_only=True):
    """How far an accepted request is; also the sign that the daemon lives."""

    id: Id
    stage: Annotated[Name, Meta(description=", ".join(STAGES))]
    fraction: Annotated[Fraction, Meta(description="of the whole request")]


class Result(Message, tag="result", frozen=True, kw_only=True):
    """The planes asked for; frame i + 1 holds `planes[i]`."""

    id: Id
    planes: Annotated[list[ResultPlane], Meta(description="what the frames hold, in `want` order")]
    focus: Annotated[
        float | None, Meta(description="disparity that was in focus; null: no lens was used")
    ] = None
    notes: Annotated[
        list[Text],
        Meta(
            description="a line each for the user on the subject: no person found, or only a small "
            "or doubtful one; what the picture is focused by instead"
        ),
    ] = field(default_factory=list)
    file_notes: Annotated[
        list[Text],
        Meta(
            description="a line each for the user on `render.file`: which maps are the ones inside "
            "it, or why they are not used (from `welcome.minor` 7)"
        ),
    ] = field(default_factory=list)
    people: Annotated[
        list[Person],
        Meta(description="everybody in the photo, the largest first; empty unless asked for"),
    ] = field(default_factory=list)
    cached: Annotated[
        list[Level],
        Meta(
            description="what came out of the cache instead of being computed; analysis: what the "
            "networks see in the image, also where a subject or an edited map is new"
        ),
    ] = field(default_factory=list)
    timing: Annotated[dict[str, Seconds], Meta(description="stage -> seconds")] = field(
        default_factory=dict
    )
    device: Annotated[Name, Meta(description="torch device that computed it")] = ""


class Error(Message, tag="error", frozen=True, kw_only=True):
    """The one typed answer to whatever goes wrong; the connection stays usable.

    With an `id` it is the end of that request; with null it ends none.
    """

    id: Annotated[Id | None, Meta(description="the request that has ended with this")] = None
    to: Annotated[
        str | None,
        Meta(description="type of the message that this answers; null: it answers none"),
    ] = None
    code: Annotated[Code, Meta(description="see Errors")]
    message: Annotated[Text, Meta(description="one line for the user: what is wrong")]
    hint: Annotated[Text, Meta(description="one line for the user: what to do")] = ""
    retryable: Annotated[bool, Meta(description="the same request may succeed later")] = False
    field: Annotated[
        str | None,
        Meta(description="where in the message: `lens.blades`, `image.width`; `image`: its pixels"),
    ] = None
    value: Annotated[
        Scalar | None, Meta(description="what is there, where it is a number, text or boolean")
    ] = None
    limit: Annotated[float | None, Meta(description="the bound that the value is beyond")] = None
    allowed: Annotated[list[str], Meta(description="the words or numbers that may be there")] = (
        msgspec.field(default_factory=list)
    )


class Pong(Message, tag="pong", frozen=True, kw_only=True):
    """Answer to `ping`."""

    nonce: Annotated[int, Meta(description="comes back in the `pong`")] = 0
    asked: Annotated[
        bool, Meta(description="false: no answer, the daemon looks whether the client is there")
    ] = True


class CancelReply(Message, tag="cancel_reply", frozen=True, kw_only=True):
    """Answer to `cancel`, always."""

    id: Id
    outcome: Annotated[
        Literal["cancelled", "stopping", "unknown"],
        Meta(
            description="cancelled: was queued and is gone; stopping: runs, its `error cancelled` "
            "follows; unknown: never seen or already answered"
        ),
    ]


class Stopping(Message, tag="stopping", frozen=True, kw_only=True):
    """Answer to `shutdown`."""

    jobs: Annotated[Count, Meta(description="accepted requests that are finished first")]


class State(Message, tag="state", frozen=True, kw_only=True):
    """Answer to `status`."""

    server: Annotated[str, Meta(description="daemon version")]
    pid: Annotated[Count, Meta(description="process of the daemon")]
    uptime_s: Annotated[Seconds, Meta(description="since the daemon started")]
    stopping: Annotated[bool, Meta(description="takes no more requests")]
    sessions: Annotated[Count, Meta(description="connected clients that said hello")]
    queued: Annotated[Count, Meta(description="requests waiting")]
    running: Annotated[Id | None, Meta(description="id of the request at work")]
    finished: Annotated[dict[str, Count], Meta(description="`result` or error code -> answers")]
    worker: Annotated[
        Literal["none", "starting", "idle", "busy"], Meta(description="none: unloaded or stopped")
    ]
    worker_pid: Annotated[Count | None, Meta(description="process of the worker")]
    worker_restarts: Annotated[Count, Meta(description="after a crash, a hang or a forced cancel")]
    rss_bytes: Annotated[Count, Meta(description="resident memory of the server")]
    worker_rss_bytes: Annotated[Count, Meta(description="resident memory of the worker")]
    device_bytes: Annotated[Count, Meta(description="memory the worker holds on its accelerator")]
    cache: Annotated[dict[str, Cache], Meta(description="level -> figures")]
    cache_limit_bytes: Annotated[Count, Meta(description="most the cache may hold")]
    devices: Annotated[list[str], Meta(description="torch devices in use; empty: no worker yet")]
    models: Annotated[list[Model], Meta(description="loadable weights; empty: no worker yet")]


ClientMessage: TypeAlias = Hello | Render | Pixels | Cancel | Ping | Status | Shutdown
ServerMessage: TypeAlias = (
    Welcome
    | Ready
    | Accepted
    | Need
    | Progress
    | Result
    | Error
    | Pong
    | CancelReply
    | Stopping
    | State
)

ERRORS: dict[Code, tuple[bool, str, str]] = {
    "bad_request": (
        False,
        "the message or a value in it is wrong",
        "Correct the value named in the message.",
    ),
    "unauthorized": (
        False,
        "no hello yet, or a wrong token",
        "Read the connection file again and say hello first.",
    ),
    "unsupported_version": (
        False,
        "no protocol in common",
        "Update the older of the two: client or daemon.",
    ),
    "too_large": (
        False,
        "more than the limits of `welcome` allow",
        "Use a smaller picture.",
    ),
    "busy": (True, "the queue is full, or the daemon is stopping", "Try again in a moment."),
    "deadline": (
        True,
        "the work, or pixels that were asked for, not there within the time given",
        "Allow more time or use a preview.",
    ),
    "cancelled": (True, "the client or a shutdown stopped it", "Ask again if it is still wanted."),
    "out_of_memory": (
        True,
        "no room even with the cache freed and the smallest tiles",
        "Close other programs or use a smaller picture.",
    ),
    "model_missing": (
        False,
        "weights are not on this machine",
        "Run `defocus doctor`, or `defocus models fetch` for an optional model.",
    ),
    "model_corrupt": (
        False,
        "a weights file is damaged or not what its record says",
        "Run `defocus models verify`, then install again.",
    ),
    "internal": (
        True,
        "a fault of the daemon; it has recovered",
        "Try again; see `defocus daemon logs --worker`.",
    ),
}
"""Code -> (usually retryable, what it means, default hint)."""
