"""What the daemon says, checked: a message is understood whole, or it is a ProtocolError.

Messages and fields that a newer daemon adds are passed over, as the protocol asks of a reader.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from daemon.light import msgpack
from daemon.light.errors import DaemonRefused, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")
LONGEST_SILENCE_S = 60.0
"""A daemon that asks for more patience is not waited for any longer than that."""


@dataclass(frozen=True)
class Message:
    """One message, its header not yet looked into.

    Parameters
    ----------
    header
        Field -> value.
    frames
        The planes that came with it.
    """

    header: Mapping[str, Any]
    frames: Sequence[bytes]

    @classmethod
    def read(cls, frames: Sequence[bytes]) -> Message:
        """Take a message off the wire.

        Raises
        ------
        ProtocolError
            It has no header with a type, or brings planes where none belong.
        """
        try:
            header = msgpack.unpackb(frames[0])
        except msgpack.Unreadable as error:
            raise ProtocolError(f"unreadable header: {error}") from error
        if not isinstance(header, dict) or not isinstance(header.get("type"), str):
            raise ProtocolError("a header without a type")
        message = cls(header, frames[1:])
        if message.frames and message.kind != "result":
            raise ProtocolError(f"`{message.kind}` with {len(message.frames)} frames too many")
        return message

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.header["type"])

    def of(self, job: str) -> bool:
        """Whether it is about this job; an error that is about none in particular is."""
        about = self.header.get("id")
        return about == job or (self.kind == "error" and about is None)

    def text(self, name: str, otherwise: str | None = None) -> str:
        """Return a field that is text; `otherwise` where it may be left out."""
        return self._field(name, str, otherwise)

    def number(self, name: str, low: float, high: float) -> float:
        """Return a field that is a number within bounds."""
        return _bounded(self._field(name, (int, float), None), name, low, high)

    def optional_number(self, name: str, low: float = -math.inf) -> float | None:
        """Return a field that is a finite number, not below `low`, or nil."""
        found = self.header.get(name)
        return None if found is None else _bounded(found, name, low, math.inf)

    def names(self, name: str, among: Sequence[str]) -> list[str]:
        """Return a field that is a list of different words out of some."""
        found = self._field(name, list, None)
        if not found or not all(word in among for word in found) or len(set(found)) < len(found):
            raise ProtocolError(f"`{self.kind}` with {name} {str(found)[:80]}")
        return [str(word) for word in found]

    def entries(self, name: str) -> list[Mapping[str, Any]]:
        """Return a field that is a list of maps."""
        found = self._field(name, list, None)
        if not all(isinstance(entry, dict) for entry in found):
            raise ProtocolError(f"`{self.kind}` with {name} {str(found)[:80]}")
        return list(found)

    def words(self, name: str) -> list[str]:
        """Return a field that is a list of texts; empty where it is left out."""
        found = self._field(name, list, [])
        if not all(isinstance(word, str) for word in found):
            raise ProtocolError(f"`{self.kind}` with {name} {str(found)[:80]}")
        return list(found)

    def numbers(self, name: str) -> dict[str, float]:
        """Return a field that is a map of finite numbers; empty where it is left out."""
        found = self._field(name, dict, {})
        return {key: _bounded(each, key, -math.inf, math.inf) for key, each in found.items()}

    def maps(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """Return a field that is a map of maps; empty where it is left out."""
        found: dict[str, Any] = self._field(name, dict, {})
        if not all(isinstance(entry, dict) for entry in found.values()):
            raise ProtocolError(f"`{self.kind}` with {name} {str(found)[:80]}")
        return found

    def part(self, entry: Mapping[str, Any]) -> Message:
        """Look at a map inside this message in the same way."""
        return Message({**entry, "type": self.kind}, ())

    def silence_s(self) -> float:
        """Return the patience that a `welcome` asks for."""
        limits = self._field("limits", dict, {})
        return min(LONGEST_SILENCE_S, _bounded(limits.get("silence_s", 5.0), "silence_s", 0.1, 1e6))

    def refusal(self) -> DaemonRefused:
        """Return the exception that stands for an `error`."""
        retryable = self._field("retryable", bool, False)
        return DaemonRefused(
            self.text("code"), self.text("message"), self.text("hint", ""), retryable
        )

    def _field(self, name: str, kind: type[T] | tuple[type[T], ...], otherwise: T | None) -> T:
        found = self.header.get(name, otherwise)
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise ProtocolError(f"`{self.kind}` with {name} {str(found)[:80]}")
        return found


def _bounded(value: Any, name: str, low: float, high: float) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise ProtocolError(f"{name} {str(value)[:80]}")
    return float(value)
