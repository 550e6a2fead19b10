"""Work that costs next to nothing and misbehaves on request; workers import it too.

A picture's file says what happens: it holds words such as `kill`, `stall`, `no-room`, `error` or
`change`.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.batch.work import Made

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Doubling:
    """Writes the content twice; `log` gets a line for every time a picture is worked on."""

    log: Path
    wait_s: float = 0.0

    def __call__(self, source, folder):
        text = source.read_text()
        with self.log.open("a") as log:
            log.write(f"{source.name} {os.getpid()}\n")
        time.sleep(self.wait_s)
        if "kill" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "stall" in text and _first_here(self.log.parent / "stalled"):
            os.kill(os.getpid(), signal.SIGSTOP)  # no thread of it does anything any more
        if "no-room" in text and _first_here(self.log.parent / "full"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "x"))
        if "error" in text:
            raise ValueError("this picture never works")
        if "change" in text and _first_here(self.log.parent / "changed"):
            source.write_text(text + " later")
        target = folder / f"{source.stem}_twice.txt"
        target.write_text(text * 2)
        return Made({"twice": target}, facts={"length": len(text)}, notes=("doubled",))

    def explain(self, error):
        return str(error)


def _first_here(mark):
    """Tell whether this process is the one that made the mark: the first that came by."""
    try:
        handle = os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return mark.read_text() == str(os.getpid())
    os.write(handle, str(os.getpid()).encode())
    os.close(handle)
    return True
