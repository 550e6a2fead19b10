"""`defocus daemon`: start, stop and look at the resident server."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from daemon.cli import argtypes, kept, keys, logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.client.client import Client
    from daemon.wire.discovery import Connection
    from daemon.wire.protocol import State

MIB = 1 << 20


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
    kept.configure(verbs.add_parser("settings", help="what holds however the daemon is started"))
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
        "settings": kept.run,
    }
    return verbs[args.verb](args)


def _serving_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        type=argtypes.device_name,
        metavar="NAME",
        help="auto, cpu, cuda, cuda:1, mps or xpu (default: as `settings` says, else auto: a CUDA"
        " GPU if there is one, else the CPU)",
    )
    parser.add_argument(
        "--cache-mb",
        type=argtypes.whole(0),
        metavar="MB",
        help="memory of the content cache (2048)",
    )
    parser.add_argument(
        "--idle",
        type=argtypes.seconds,
        metavar="SECONDS",
        help="unload the worker after so long (900; inf: never)",
    )
    parser.add_argument(
        "--leave",
        type=argtypes.seconds,
        metavar="SECONDS",
        help="end the whole daemon after so long without work (inf: never)",
    )
    parser.add_argument(
        "--no-preload", action="store_true", help="load the worker with the first request"
    )
    parser.add_argument("--tcp", action="store_true", help="loopback tcp instead of ipc")
    parser.add_argument("--listen", metavar="HOST:PORT", help="for remote clients, see `keys`")
    parser.add_argument(
        "--metrics-port",
        type=argtypes.whole(1, 65_535),
        metavar="PORT",
        help="Prometheus, on loopback",
    )
    # for tests of what goes wrong
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--hang", type=argtypes.seconds, help=argparse.SUPPRESS)
    parser.add_argument("--turn", type=argtypes.seconds, help=argparse.SUPPRESS)
    parser.add_argument("--pixels-timeout", type=argtypes.seconds, help=argparse.SUPPRESS)


def _option_words(args: argparse.Namespace) -> tuple[str, ...]:
    """Turn the serving options back into words for `run`."""
    words: list[str] = []
    named = ("device", "cache_mb", "idle", "leave", "listen", "metrics_port")
    for name in (*named, "engine", "hang", "turn", "pixels_timeout"):
        value = getattr(args, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    flags = {"--no-preload": args.no_preload, "--tcp": args.tcp}
    return (*words, *(flag for flag, given in flags.items() if given))


def _start(args: argparse.Namespace) -> int:
    from daemon.client import launch, upgrade  # noqa: PLC0415
    from daemon.wire import discovery  # noqa: PLC0415

    options = _option_words(args)
    already = discovery.find()
    if already is not None and not launch.is_current(already):
        upgrade.retire(already, print)
        options, already = options or already.options, None
    if already is not None and options:
        return _complain(
            f"a daemon is running already (pid {already.pid}), with its own settings:"
            " run `defocus daemon stop` first"
        )
    if args.device not in (None, "auto", "cpu"):
        from bokeh_core import devices  # noqa: PLC0415 - torch: only here, never in the server

        devices.find(args.device)
    try:
        where = already or launch.start(discovery.runtime_dir(), options)
    except (launch.StartFailed, OSError) as fault:
        return _complain(str(fault))
    print(f"daemon {'already running' if already else 'started'} (pid {where.pid})")
    return 0


def _run(args: argparse.Namespace) -> int:
    from daemon.client import launch  # noqa: PLC0415
    from daemon.runtime import log  # noqa: PLC0415
    from daemon.server import presence, server  # noqa: PLC0415
    from daemon.server.settings import Settings  # noqa: PLC0415
    from daemon.wire.capabilities import Limits  # noqa: PLC0415
    from daemon.wire.curve_auth import KeyProblem  # noqa: PLC0415

    try:
        held = kept.read()
    except kept.SettingsProblem as fault:
        return _complain(str(fault))
    device = args.device or held.device
    given = {
        "device": None if device == "auto" else device,
        "cache_bytes": MIB * (held.cache_mb if args.cache_mb is None else args.cache_mb),
        "idle_s": held.idle if args.idle is None else args.idle,
        "leave_s": args.leave,
        "engine": args.engine,
        "listen": args.listen,
        "metrics_port": args.metrics_port,
        "hang_s": args.hang,
        "turn_s": args.turn,
        "limits": None if args.pixels_timeout is None else Limits(pixels_s=args.pixels_timeout),
        "preload": False if args.no_preload else None,
        "tcp": True if args.tcp else None,
        "options": _option_words(args),
    }
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        if args.log_to_file:
            log.to_file(settings.logs)
        else:
            log.to_stderr()
        server.serve(settings)
    except presence.AlreadyRunning as fault:
        print(f"defocus: {fault}", file=sys.stderr)
        return launch.ALREADY_RUNNING
    except (OSError, KeyProblem) as fault:
        return _complain(str(fault))
    return 0


def _stop(args: argparse.Namespace) -> int:
    from daemon.client import launch, upgrade  # noqa: PLC0415
    from daemon.client.client import ConnectionLost, DaemonError  # noqa: PLC0415
    from daemon.wire import discovery  # noqa: PLC0415

    where = discovery.find()
    if where is None:
        print("no daemon is running")
        return 0
    try:
        with _connect(where) as client:
            jobs = client.shutdown(drain=not args.now)
            if jobs:
                print(f"finishing {jobs} request{'s' if jobs > 1 else ''} first", flush=True)
            upgrade.see_off(client, where)
    except ConnectionLost:
        launch.stop_by_force(where)
    except DaemonError as refusal:
        return _complain(f"the daemon refuses: {refusal}. {refusal.hint}")
    print("daemon stopped")
    return 0


def _status(args: argparse.Namespace) -> int:
    from daemon.client import launch  # noqa: PLC0415
    from daemon.client.client import ConnectionLost, DaemonError  # noqa: PLC0415
    from daemon.wire import discovery  # noqa: PLC0415

    if far := os.environ.get("DEFOCUS_REMOTE"):  # stderr: --json is for scripts
        print(
            f"defocus: photos go to {far} (DEFOCUS_REMOTE), this is the daemon here",
            file=sys.stderr,
        )
    where = discovery.find()
    if where is None:
        print("{}" if args.json else "no daemon is running")
        return 1
    try:
        with _connect(where) as client:
            state = client.status()
    except (ConnectionLost, DaemonError) as fault:
        return _complain(f"the daemon does not answer: {fault}")
    if args.json:
        import msgspec  # noqa: PLC0415

        print(json.dumps(msgspec.to_builtins(state)))
    else:
        print("\n".join(_describe(state)))
        if not launch.is_current(where):
            print("program  another version: `defocus daemon start` replaces it")
    return 0


def _service(args: argparse.Namespace) -> int:
    from daemon.setup import service  # noqa: PLC0415

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


def _connect(where: Connection) -> Client:
    from daemon.client.client import Client  # noqa: PLC0415

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
