"""What is asked of the daemon for one layer, and what comes back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.light.errors import ProtocolError
from daemon.light.facts import OUTPUTS, SAMPLE_BYTES
from daemon.light.people import Person
from daemon.light.planes import File, Plane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.light.messages import Message
    from daemon.light.parameters import Parameters
    from daemon.light.strokes import Stroke
    from daemon.light.view import Area


@dataclass(frozen=True)
class LayerRequest:
    """What to compute. Maps come back in whole numbers: 8 bits for 8, else 16.

    Parameters
    ----------
    image
        The source picture.
    lens
        Fields of the lens with its `kind`, lengths in pixels of `image`.
    want
        Any of `matte`, `depth`, `composite`.
    matte, depth
        Edited maps that replace the networks' own.
    file
        The file that the image came from, for the maps that a phone left in it.
    subject
        `main`, `all`, `pets`, `at_focus_point` or `none`.
    preview
        Long side of the result in pixels; 0 for full size.
    people
        Where those are who are the subject; empty: as `subject` says.
    tell_people
        Whether to say who is where.
    strokes
        Painted on the maps.
    region
        The part of the full-size result that is wanted; None for all of it.
    """

    image: Plane
    lens: Mapping[str, Any]
    want: Sequence[str] = OUTPUTS
    matte: Plane | None = None
    depth: Plane | None = None
    file: File | None = None
    subject: str = "main"
    preview: int = 0
    people: tuple[tuple[float, float], ...] = ()
    tell_people: bool = False
    strokes: tuple[Stroke, ...] = ()
    region: Area | None = None

    @classmethod
    def of(cls, image: Plane, parameters: Parameters) -> LayerRequest:
        """Ask for everything about a picture at full size, with the user's settings."""
        chosen = parameters.resolved()
        people = chosen.people_points
        lens = chosen.lens(image.width, image.height)
        return cls(image, lens, subject=chosen.subject, people=people)

    @property
    def planes(self) -> dict[str, Plane | File]:
        """The pixels, and the file, that the daemon may ask for, by name."""
        given = {
            "image": self.image,
            "matte": self.matte,
            "depth": self.depth,
            "file": self.file,
        }
        return {name: plane for name, plane in given.items() if plane is not None}

    @property
    def map_dtype(self) -> str:
        """Sample type of the maps that come back."""
        return "u8" if self.image.dtype == "u8" else "u16"

    def header(self, job: str) -> dict[str, Any]:
        """Return the `render` message."""
        return {
            "type": "render",
            "id": job,
            "image": self.image.header(),
            "matte": self.matte and self.matte.header(),
            "depth": self.depth and self.depth.header(),
            "painted": self.matte is not None,
            "lens": dict(self.lens),
            "want": list(self.want),
            "subject": self.subject,
            "map_dtype": self.map_dtype,
            "preview": self.preview,
            "people": [list(point) for point in self.people],
            "tell_people": self.tell_people,
            "strokes": [stroke.message() for stroke in self.strokes],
            **({} if self.file is None else {"file": self.file.header()}),
            **({} if self.region is None else {"region": asdict(self.region)}),
        }

    def reply(self, message: Message) -> Reply:
        """Take the `result` apart.

        Raises
        ------
        ProtocolError
            It is not what was asked for.
        """
        described = message.entries("planes")
        names = [entry.get("name") for entry in described]
        if names != list(self.want) or len(message.frames) != len(names):
            raise ProtocolError(
                f"a result of {len(message.frames)} frames for {names}, not {list(self.want)}"
            )
        planes = map(self._plane, described, message.frames)
        return Reply(
            dict(zip(self.want, planes, strict=True)),
            message.optional_number("focus"),
            message.words("notes"),
            message.words("cached"),
            message.numbers("timing"),
            self.region,
            [Person.read(each) for each in message.entries("people")] if self.tell_people else [],
            [] if self.file is None else message.words("file_notes"),
        )

    def _plane(self, entry: Mapping[str, Any], frame: bytes) -> Plane:
        """Check one plane of the result against what it has to be."""
        whole = entry["name"] == "composite"
        size = entry.get("width"), entry.get("height")
        kind = tuple(entry.get(name) for name in ("channels", "dtype", "transfer"))
        image = self.image
        fit = (image.channels, image.dtype, image.transfer) if whole else (1, self.map_dtype)
        if kind[: len(fit)] != fit or not all(type(side) is int for side in size):
            raise ProtocolError(f"a plane {str(dict(entry))[:160]}")
        width, height = int(entry["width"]), int(entry["height"])
        part = self.region or image
        full = (width, height) == (part.width, part.height)
        if not full and not (self.preview and self._is_smaller(width, height)):
            raise ProtocolError(f"a plane of {width} x {height} pixels")
        channels, dtype = fit[:2]
        if len(frame) != width * height * channels * SAMPLE_BYTES[dtype]:
            raise ProtocolError(f"{len(frame)} bytes for {width} x {height} pixels")
        return Plane(width, height, channels, dtype, image.transfer if whole else "linear", frame)

    def _is_smaller(self, width: int, height: int) -> bool:
        return 1 <= width <= self.image.width and 1 <= height <= self.image.height


@dataclass(frozen=True)
class Reply:
    """What came back.

    Parameters
    ----------
    planes
        By name.
    focus
        The disparity in focus.
    notes
        What the user should know about the subject, a line each.
    cached
        What was not computed anew.
    timing
        Seconds by stage.
    region
        Which part of the photo it is; None: the whole.
    people
        Who is where, the largest first; empty unless asked for.
    file_notes
        What the user should know about the maps inside the photo's file, a line each.
    """

    planes: Mapping[str, Plane]
    focus: float | None = None
    notes: Sequence[str] = ()
    cached: Sequence[str] = ()
    timing: Mapping[str, float] = field(default_factory=dict)
    region: Area | None = None
    people: Sequence[Person] = ()
    file_notes: Sequence[str] = ()
