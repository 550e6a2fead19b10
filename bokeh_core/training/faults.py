"""What can be wrong with a labelled picture; every kind has a word of its own."""

from __future__ import annotations

from typing import Literal

from bokeh_core.errors import InputError

Kind = Literal[
    "unreadable", "proportions", "scale", "alpha only", "unknown value", "bits", "constant", "soft"
]
"""A file that cannot be read; a label of other proportions than its photo; a mask of 0 and 1; a
mask whose shape is in its alpha channel; a value that `labels.json` does not name; a depth of
other bits than its unit has; a label that is one value all over; a mask with values between in a
folder whose masks have two."""


class DataFault(InputError):
    """A picture or a label of a data set cannot be used; the message names the file."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    def __reduce__(self) -> tuple[type[DataFault], tuple[Kind, str]]:
        """Let it come out of another process whole."""
        return DataFault, (self.kind, str(self))
