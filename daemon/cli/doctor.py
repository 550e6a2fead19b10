"""`defocus doctor`: what is installed, what is broken, and how to mend it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

INSTALLER = Path(__file__).resolve().parents[2] / "install.py"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `mend` says what to do when it is broken."""

    good: bool
    text: str
    mend: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--inside", action="store_true", help="only what is inside the environment")


def run(args: argparse.Namespace) -> int:
    """Look at everything; returns 1 when something is broken."""
    if not args.inside and INSTALLER.exists():
        # it looks at the environment and GIMP's folders from outside, then asks for the inside
        return subprocess.run([sys.executable, str(INSTALLER), "doctor"], check=False).returncode
    broken = 0
    for look in (_torch, _weights, _daemon, _memory):
        finding = _safely(look)
        print(f"{'[ok]  ' if finding.good else '[miss]'} {finding.text}")
        if not finding.good:
            broken += 1
            print(f"       {finding.mend}")
    return int(broken > 0)


def _safely(look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever is broken, the next look must follow
        name = look.__name__.strip("_")
        again = f"Run `{sys.executable} {INSTALLER}` again."
        return Finding(good=False, text=f"{name}: {type(error).__name__}: {error}", mend=again)


def _torch() -> Finding:
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)  # fails on a pair that do not fit
    gpu = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none, work runs on the CPU"
    )
    return Finding(
        good=True,
        text=f"torch {torch.__version__}, torchvision {torchvision.__version__}; GPU: {gpu}",
    )


def _weights() -> Finding:
    from bokeh_core.errors import BokehError  # noqa: PLC0415
    from bokeh_core.networks import registry  # noqa: PLC0415

    names = []
    try:
        for record in registry.records().values():
            registry.load_tensors(record)
            names.append(record.name)
    except BokehError as error:
        mend = "Get a fresh copy of the project: its bokeh_core/weights/ is damaged."
        return Finding(good=False, text=f"weights: {error}", mend=mend)
    return Finding(good=bool(names), text=f"weights: {', '.join(names)}, as recorded")


def _daemon() -> Finding:
    from daemon import client, connection  # noqa: PLC0415

    try:
        connection.runtime_dir()
    except OSError as error:
        mend = "Or make that folder yours alone (chmod 700) when nothing else is in it."
        return Finding(good=False, text=f"daemon: {error}", mend=mend)
    try:
        with client.connect(start=False) as running:
            state = running.status()
            trip = 1000 * running.ping()
    except (client.NotRunning, client.DaemonError, client.ConnectionLost) as error:
        far = os.environ.get("DEFOCUS_REMOTE")
        if not far and connection.find() is None:
            return Finding(good=True, text="daemon: not running (GIMP and --daemon start it)")
        again = "Run `defocus daemon stop`, then `defocus daemon start`."
        mend = "Start the daemon there, or unset DEFOCUS_REMOTE to work here." if far else again
        return Finding(good=False, text=f"daemon: {error}", mend=mend)
    return Finding(
        good=True,
        text=f"daemon: {state.server}, pid {state.pid}, worker {state.worker}, {trip:.1f} ms away",
    )


def _memory() -> Finding:
    import psutil  # noqa: PLC0415

    free = psutil.virtual_memory().available / 1e9
    return Finding(
        good=free > 1.5,
        text=f"memory: {free:.1f} GB free on {platform.system()} {platform.machine()}",
        mend="Close other programs: a 12-megapixel photo needs about 3 GB.",
    )
