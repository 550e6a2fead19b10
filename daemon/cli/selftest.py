"""`defocus selftest`: a daemon of its own renders, is cancelled, loses its worker, and stops."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from daemon.client.client import Client
    from daemon.client.request import RenderRequest

SIDE = 256
"""Pixels of each side of the sample portrait here: all of the daemon's work, in a second."""
CANCELLED_WITHIN_S = 10.0


class Check(NamedTuple):
    """One promise of the daemon, and whether it was kept."""

    name: str
    good: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is nothing to choose."""
    parser.description = (
        "Starts a daemon of its own, beside one that may run, and checks what it promises: the "
        "same picture as without it, an answer to a cancel and to a killed worker, and a clean end."
    )


def run(_: argparse.Namespace) -> int:
    """Print a line for each promise; 0 only when all were kept."""
    with tempfile.TemporaryDirectory(prefix="dfs-") as folder:
        for name in ("RUNTIME", "LOG", "CONFIG"):
            os.environ[f"DEFOCUS_{name}_DIR"] = str(Path(folder) / name.lower())
        os.environ.pop("DEFOCUS_REMOTE", None)
        good = True
        for check in _checks():
            good &= check.good
            print(f"{'ok' if check.good else 'FAILED':8}{check.name}", flush=True)
    return 0 if good else 1


def _checks() -> Iterator[Check]:
    import numpy as np  # noqa: PLC0415
    import psutil  # noqa: PLC0415

    from daemon.cli.backend import Here  # noqa: PLC0415
    from daemon.client import client as library  # noqa: PLC0415
    from daemon.client import launch  # noqa: PLC0415
    from daemon.wire import discovery  # noqa: PLC0415

    request = _request()
    where = launch.start(discovery.runtime_dir())
    daemon = psutil.Process(where.pid)
    try:
        with library.connect(start=False, name="selftest") as client:
            yield Check("a daemon of its own starts and answers", client.ping() < library.HELLO_S)
            rendered = client.render(request).planes
            alone = Here("cpu").make(request, lambda *_: None).planes
            same = all(
                np.abs(rendered[name].astype(int) - alone[name]).max() <= 1 for name in alone
            )
            yield Check("it renders the same picture as this process does", same)
            yield Check("a cancel is answered", _cancelled(client, _request(focus=0.3)))
            for worker in daemon.children():
                worker.kill()
            again = client.render(_request(focus=0.6)).planes
            yield Check("a killed worker costs time, not the answer", set(again) == set(rendered))
            client.shutdown()
        yield Check("it stops when told to", _gone(daemon))
    finally:
        launch.stop_by_force(where)


def _request(focus: float | None = None) -> RenderRequest:
    import cv2  # noqa: PLC0415

    from bokeh_core import picture, samples  # noqa: PLC0415
    from daemon.client.request import RenderRequest  # noqa: PLC0415
    from daemon.wire.lens import Lens  # noqa: PLC0415

    photo = picture.read(samples.ASTRONAUT).pixels
    return RenderRequest(cv2.resize(photo, (SIDE, SIDE)), lens=Lens(max_coc=8.0, focus=focus))


def _cancelled(client: Client, request: RenderRequest) -> bool:
    from daemon.client.client import DaemonError  # noqa: PLC0415

    began = time.monotonic()
    try:
        client.render(request, cancelled=lambda: True)
    except DaemonError as error:
        return error.code == "cancelled" and time.monotonic() - began < CANCELLED_WITHIN_S
    print("selftest: it was done before the cancel came", file=sys.stderr)
    return True


def _gone(daemon: object) -> bool:
    import psutil  # noqa: PLC0415

    assert isinstance(daemon, psutil.Process)
    gone, _ = psutil.wait_procs([daemon], timeout=CANCELLED_WITHIN_S)
    return bool(gone)
