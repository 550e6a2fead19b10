"""`defocus daemon`: start, stop and look at the resident server."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import TYPE_CHECKING

from daemon.cli import keys, logs, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.client import Client
    from daemon.connection import Connection
    from daemon.protocol import State

MIB = 1 << 20
LEAVE_S = 5.0
"""A daemon that has closed its sockets is gone by then."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs and their options."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
    start = verbs.add_parser("start", help="start the daemon unless it runs")
    _serving_options(start)
    run = verbs.add_parser("run", help="be the daemon, in the foreground")
    _serving_options(run)
    run.add_argument("--log-to-file", action="store_true", help="log to the file, not to stderr")
    stop = verbs.add_parser("stop", help="finish what was accepted, then stop")
    stop.add_argument("--now", action="store_true", help="cancel what was accepted")
    status = verbs.add_parser("status", help="queue, cache, device, memory, models, uptime")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    keys.configure(verbs.add_parser("keys", help="who may connect from another machine"))
    service = verbs.add_parser("service", help="start the daemon with your session")
    service.add_argument("action", choices=["install", "remove", "show"])
    logs.configure(verbs.add_parser("logs", help="print the last lines of the log"))


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "start": _start,
        "run": _run,
        "stop": _stop,
        "status": _status,
        "logs": logs.run,
        "service": _service,
        "keys": keys.run,
    }
    return verbs[args.verb](args)


def _serving_options(parser: argparse.ArgumentParser) -> None:
    values.add_device(parser, default=None)
    parser.add_argument(
        "--cache-mb", type=values.whole(0), metavar="MB", help="memory of the content cache (2048)"
    )
    parser.add_argument(
        "--idle",
        type=values.seconds,
        metavar="SECONDS",
        help="unload the worker after so long (900; inf: never)",
    )
    parser.add_argument(
        "--no-preload", action="store_true", help="load the worker with the first request"
    )
    parser.add_argument("--tcp", action="store_true", help="loopback tcp instead of ipc")
    parser.add_argument("--listen", metavar="HOST:PORT", help="for remote clients, see `keys`")
    parser.add_argument(
        "--metrics-port",
        type=values.whole(1, 65_535),
        metavar="PORT",
        help="Prometheus, on loopback",
    )
    # for tests of what goes wrong
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--hang", type=values.seconds, help=argparse.SUPPRESS)
    parser.add_argument("--pixels-timeout", type=values.seconds, help=argparse.SUPPRESS)


def _option_words(args: argparse.Namespace) -> tuple[str, ...]:
    """Turn the serving options back into words for `run`."""
    words: list[str] = []
    named = ("device", "cache_mb", "idle", "listen", "metrics_port")
    for name in (*named, "engine", "hang", "pixels_timeout"):
        value = getattr(args, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    flags = {"--no-preload": args.no_preload, "--tcp": args.tcp}
    return (*words, *(flag for flag, given in flags.items() if given))


def _start(args: argparse.Namespace) -> int:
    from daemon import connection, launch  # noqa: PLC0415

    options = _option_words(args)
    already = connection.find()
    if already is not None and options:
        return _complain(
            f"a daemon is running already (pid {already.pid}), with its own settings:"
            " run `defocus daemon stop` first"
        )
    if args.device not in (None, "auto", "cpu"):
        from bokeh_core import devices  # noqa: PLC0415 - torch: only here, never in the front

        devices.find(args.device)
    try:
        where = already or launch.start(connection.runtime_dir(), options)
    except (launch.StartFailed, OSError) as fault:
        return _complain(str(fault))
    print(f"daemon {'already running' if already else 'started'} (pid {where.pid})")
    return 0


def _run(args: argparse.Namespace) -> int:
    from daemon import connection, front, launch, log  # noqa: PLC0415
    from daemon.figures import Limits  # noqa: PLC0415
    from daemon.keys import KeyProblem  # noqa: PLC0415
    from daemon.settings import Settings  # noqa: PLC0415

    given = {
        "device": args.device,
        "cache_bytes": None if args.cache_mb is None else args.cache_mb * MIB,
        "idle_s": args.idle,
        "engine": args.engine,
        "listen": args.listen,
        "metrics_port": args.metrics_port,
        "hang_s": args.hang,
        "limits": None if args.pixels_timeout is None else Limits(pixels_s=args.pixels_timeout),
        "preload": False if args.no_preload else None,
        "tcp": True if args.tcp else None,
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        if args.log_to_file:
            log.to_file(settings.logs)
        else:
            log.to_stderr()
        front.serve(settings)
    except connection.AlreadyRunning as fault:
        print(f"defocus: {fault}", file=sys.stderr)
        return launch.ALREADY_RUNNING
    except (OSError, KeyProblem) as fault:
        return _complain(str(fault))
    return 0


def _stop(args: argparse.Namespace) -> int:
    from daemon import connection, launch  # noqa: PLC0415
    from daemon.client import ConnectionLost, DaemonError  # noqa: PLC0415

    where = connection.find()
    if where is None:
        print("no daemon is running")
        return 0
    try:
        with _connect() as client:
            jobs = client.shutdown(drain=not args.now)
            if jobs:
                print(f"finishing {jobs} request{'s' if jobs > 1 else ''} first", flush=True)
            _see_off(client, where)
    except ConnectionLost:
        launch.stop_by_force(where)
    except DaemonError as refusal:
        return _complain(f"the daemon refuses: {refusal}. {refusal.hint}")
    print("daemon stopped")
    return 0


def _see_off(client: Client, where: Connection) -> None:
    """Wait for the end of a daemon that was told to stop.

    Raises
    ------
    ConnectionLost
        It hangs.
    """
    from daemon.client import ConnectionLost  # noqa: PLC0415

    try:
        while True:  # as long as its last requests take
            client.ping()
            time.sleep(0.05)
    except ConnectionLost:
        until = time.monotonic() + LEAVE_S
        while where.alive:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _status(args: argparse.Namespace) -> int:
    from daemon import connection  # noqa: PLC0415
    from daemon.client import ConnectionLost, DaemonError  # noqa: PLC0415

    if far := os.environ.get("DEFOCUS_REMOTE"):  # stderr: --json is for scripts
        print(
            f"defocus: photos go to {far} (DEFOCUS_REMOTE), this is the daemon here",
            file=sys.stderr,
        )
    if connection.find() is None:
        print("{}" if args.json else "no daemon is running")
        return 1
    try:
        with _connect() as client:
            state = client.status()
    except (ConnectionLost, DaemonError) as fault:
        return _complain(f"the daemon does not answer: {fault}")
    if args.json:
        import msgspec  # noqa: PLC0415

        print(json.dumps(msgspec.to_builtins(state)))
    else:
        print("\n".join(_describe(state)))
    return 0


def _service(args: argparse.Namespace) -> int:
    from daemon import service  # noqa: PLC0415

    found = service.service()
    try:
        if args.action == "show":
            print(found.text, end="" if found.text.endswith("\n") else "\n")
        elif args.action == "install":
            service.install(found)
            print(f"the daemon starts with your session ({found.path or service.LABEL})")
        else:
            print("removed" if service.remove(found) else "there was no service")
    except (service.ServiceProblem, OSError) as fault:
        return _complain(str(fault))
    return 0


def _connect() -> Client:
    from daemon import connection  # noqa: PLC0415
    from daemon.client import Client, ConnectionLost  # noqa: PLC0415

    where = connection.find()
    if where is None:
        raise ConnectionLost("no daemon is running")
    return Client(where, "defocus daemon")


def _describe(state: State) -> list[str]:
    """Tell a state in lines for people."""
    answers = ", ".join(f"{count} {what}" for what, count in sorted(state.finished.items()))
    models = ", ".join(f"{model.name} ({model.task}, {model.sha256[:8]})" for model in state.models)
    worker = f", pid {state.worker_pid}" if state.worker_pid else ""
    memory = (state.rss_bytes, state.worker_rss_bytes, state.device_bytes)
    front, worker_memory, device = (f"{nbytes // MIB} MiB" for nbytes in memory)
    lines = [
        f"daemon   {state.server}, pid {state.pid}, {_uptime(state)}",
        f"queue    {state.queued} waiting, running: {state.running or 'nothing'}",
        f"clients  {state.sessions}",
        f"answers  {answers or 'none yet'}",
        f"worker   {state.worker}{worker}, restarted {state.worker_restarts} times",
        f"memory   front {front}, worker {worker_memory}, device {device}",
        f"devices  {', '.join(state.devices) or 'not known yet'}",
        f"models   {models or 'not known yet'}",
    ]
    for level, found in state.cache.items():
        lines.append(
            f"cache    {level}: {found.entries} entries, {found.nbytes // MIB} MiB,"
            f" {found.hits} hits, {found.misses} misses"
        )
    return lines


def _uptime(state: State) -> str:
    minutes, second = divmod(int(state.uptime_s), 60)
    hours, minute = divmod(minutes, 60)
    time_up = f"{hours} h {minute:02d} min" if hours else f"{minute} min {second:02d} s"
    return f"up {time_up}{', stopping' if state.stopping else ''}"


def _complain(text: str) -> int:
    print(f"defocus: {text}", file=sys.stderr)
    return 1
