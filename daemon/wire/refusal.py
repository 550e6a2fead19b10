"""A refusal on its way to becoming the typed `error` of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.wire.protocol import ERRORS, Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.wire.protocol import Code, Scalar

LONGEST = 200
"""Letters of a refused value that are repeated."""


class Refused(Exception):  # it is an answer, not a fault
    """A request that gets a typed `error` message as its answer.

    Parameters
    ----------
    code
        One of the closed list in `daemon.wire.protocol.ERRORS`, which gives the hint by default.
    message
        One line for the user: what is wrong, with actual and allowed values.
    hint
        One line: what to do about it.
    retryable
        Whether the same request may succeed later.
    field, value, limit, allowed
        As in `daemon.wire.protocol.Error`.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        hint: str | None = None,
        *,
        retryable: bool | None = None,
        field: str | None = None,
        value: Scalar | None = None,
        limit: float | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        usually, _, usual_hint = ERRORS[code]
        self.code: Code = code
        self.message = " ".join(message.split())[:2000]
        self.hint = usual_hint if hint is None else " ".join(hint.split())[:2000]
        self.retryable = usually if retryable is None else retryable
        self.field = field
        self.value = value[:LONGEST] if isinstance(value, str) else value
        self.limit = limit
        self.allowed = list(allowed)

    def reply(self, request: str | None = None, to: str | None = None) -> Error:
        """Make the `error` message that ends the request with this id, or that ends none."""
        return Error(
            id=request,
            to=to,
            code=self.code,
            message=self.message,
            hint=self.hint,
            retryable=self.retryable,
            field=self.field,
            value=self.value,
            limit=self.limit,
            allowed=self.allowed,
        )
