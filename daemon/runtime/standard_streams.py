"""Output whose reader may leave before the end, as `head -1` does: no failure, and no complaint."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


def to_a_reader(command: Callable[[], int]) -> int:
    """Run a command line to its last letter; gives its exit code, or 1 when the reader left.

    What was printed lies in a buffer until the end: written only when Python shuts down, it would
    be beyond every handler, and end as "Exception ignored in ... BrokenPipeError".
    """
    try:
        code = command()
    except BrokenPipeError:
        if reader_left():
            return 1
        raise
    except SystemExit:  # of argparse, after a page of help
        if reader_left():
            return 1
        raise
    return 1 if reader_left() else code


def reader_left() -> bool:
    """Write what is still to be written; whether nobody reads it. Nothing complains afterwards."""
    unread = [stream for stream in (sys.stdout, sys.stderr) if stream and _is_unread(stream)]
    for stream in unread:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    return bool(unread)


def _is_unread(stream: TextIO) -> bool:
    try:
        stream.flush()
    except BrokenPipeError:
        return True
    return False
