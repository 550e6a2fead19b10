"""A client process made to be killed: `CONNECTION_FILE STAGE`; prints a line when it is there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from daemon.wire import discovery
from tests.reliability.raw import Raw, request

STAGES = ("hello", "accepted", "need", "running", "cancelling", "answered")


def main() -> None:
    """Go as far as the stage, say so, and wait for the end."""
    where = discovery.read(Path(sys.argv[1]))
    assert where is not None
    with Raw(where) as raw:
        _go(raw, STAGES.index(sys.argv[2]))
        print("there", flush=True)
        time.sleep(60)


def _go(raw: Raw, stage: int) -> None:
    raw.hello()
    if stage == 0:
        return
    pixels = raw.session.encode() * 48  # 16 hex digits: 768 bytes that no other victim sends
    slow = "" if stage == 5 else "slow@render"
    raw.send(request("v", pixels, 16, 16, depth_model=slow))
    raw.wait("accepted")
    if stage == 1:
        return
    raw.wait("need")
    if stage == 2:
        return
    raw.send({"type": "pixels", "id": "v", "planes": ["image"]}, [pixels])
    while stage < 5 and raw.wait("progress")["stage"] != "slow":
        pass
    if stage == 4:
        raw.send({"type": "cancel", "id": "v"})


if __name__ == "__main__":
    main()
