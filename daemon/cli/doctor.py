"""`defocus doctor`: what is installed, what is broken, and how to mend it."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from daemon.setup.doctor import Finding, needs_cure, outside, to_mend
from daemon.setup.environment import running
from daemon.setup.places import Places

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--inside", action="store_true", help="only what is inside the environment")


def run(args: argparse.Namespace) -> int:
    """Look at everything; returns 1 when something is broken."""
    broken = []
    for finding in _findings(inside=args.inside):
        print("\n".join(finding.lines()))
        broken += [] if finding.good else [finding]
    if not args.inside and needs_cure(broken):
        print(f"To mend: {to_mend()}")
    return int(bool(broken))


def _findings(*, inside: bool) -> Iterator[Finding]:
    """Look at everything, or only at what is inside the environment."""
    if not inside:
        yield from outside(Places(), running())
    for look in (_torch, _weights, _files, _extras, _daemon, _memory):
        yield _safely(look)


def _safely(look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever is broken, the next look must follow
        name = look.__name__.strip("_")
        text = f"{name}: {type(error).__name__}: {error}"
        return Finding(good=False, text=text, mend=f"Run `{to_mend()}`.")


def _torch() -> Finding:
    import torch  # noqa: PLC0415

    gpu = (
        torch.cuda.get_device_name() if torch.cuda.is_available() else "none, work runs on the CPU"
    )
    return Finding(good=True, text=f"torch {torch.__version__}; GPU: {gpu}")


def _weights() -> Finding:
    from bokeh_core.errors import BokehError  # noqa: PLC0415
    from bokeh_core.networks import registry, shipped  # noqa: PLC0415

    names = []
    try:
        for record in shipped.index().values():
            registry.load_tensors(record)
            names.append(record.name)
    except BokehError as error:
        mend = "Get a fresh copy of the project: its bokeh_core/weights/ is damaged."
        return Finding(good=False, text=f"weights: {error}", mend=mend)
    return Finding(good=bool(names), text=f"weights: {', '.join(names)}, as recorded")


def _files() -> Finding:
    from bokeh_core.picture import missing_formats  # noqa: PLC0415
    from bokeh_core.picture.formats import FORMATS  # noqa: PLC0415

    missing = missing_formats()
    there = ", ".join(name for name in FORMATS if name not in missing)
    text = f"files: {there}"
    if missing:
        text += f"; not {', '.join(missing)}"
    return Finding(good=not missing, text=text, mend="; ".join(missing.values()))


def _extras() -> Finding:
    """List what is optional, and how this installation gets the rest; none of it is a fault."""
    from bokeh_core.extras import EXTRAS, how_to_get  # noqa: PLC0415

    there = [name for name, extra in EXTRAS.items() if extra.is_there]
    missing = [f"{name} ({extra.purpose})" for name, extra in EXTRAS.items() if name not in there]
    text = f"extras: {', '.join(there) or 'none'}"
    if missing:
        ways = how_to_get(*(name for name in EXTRAS if name not in there))
        text += f"; not {', '.join(missing)}: {ways}"
    return Finding(good=True, text=text)


def _daemon() -> Finding:
    from daemon.client import client  # noqa: PLC0415
    from daemon.wire import discovery  # noqa: PLC0415

    try:
        discovery.runtime_dir()
    except OSError as error:
        mend = "Or make that folder yours alone (chmod 700) when nothing else is in it."
        return Finding(good=False, text=f"daemon: {error}", mend=mend)
    try:
        with client.connect(start=False) as running:
            state = running.status()
            trip = 1000 * running.ping()
    except (client.NotRunning, client.DaemonError, client.ConnectionLost) as error:
        far = os.environ.get("DEFOCUS_REMOTE")
        if not far and discovery.find() is None:
            return Finding(good=True, text="daemon: not running (editors and --daemon start it)")
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
