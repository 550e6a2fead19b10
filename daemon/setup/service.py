"""Start the daemon with the user's session: systemd user unit, launchd agent, Windows task."""

from __future__ import annotations

import plistlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from daemon.runtime.child_process import own_module

LABEL = "org.defocus.daemon"


class ServiceProblem(Exception):
    """The system's service manager refused; the text is one line for the user."""


@dataclass(frozen=True)
class Service:
    """What makes the daemon a service on one system.

    Attributes
    ----------
    path
        The file that describes it; None where there is none.
    text
        Its content.
    ask
        Without a file: the command that succeeds where there is the service.
    install, remove
        Commands run after writing and before deleting the file. Removing runs them all, whatever
        fails; without a file the last one tells whether there was a service.
    """

    path: Path | None
    text: str
    install: tuple[tuple[str, ...], ...]
    remove: tuple[tuple[str, ...], ...]
    ask: tuple[str, ...] = ()


def service(
    platform: str = sys.platform, home: Path | None = None, command: tuple[str, ...] | None = None
) -> Service:
    """Describe the service for a system.

    Parameters
    ----------
    platform
        As `sys.platform`.
    home
        The user's home directory.
    command
        What the service runs; by default this interpreter's `defocus daemon run`.
    """
    folder = Path.home() if home is None else home
    words = run_command(sys.executable) if command is None else command
    if platform == "win32":
        return _task(words)
    return _agent(words, folder) if platform == "darwin" else _unit(words, folder)


def run_command(python: Path | str) -> tuple[str, ...]:
    """Return what a service runs: `defocus daemon run` in a Python."""
    words = ("daemon.cli.main", "daemon", "run", "--log-to-file")
    return tuple(own_module(words[0], *words[1:], python=python))


def fault(python: Path | str) -> str:
    """Say what is wrong with the service that is there; empty when nothing is, or there is none."""
    wanted = service(command=run_command(python))
    try:
        text = "" if wanted.path is None else wanted.path.read_text(encoding="utf-8")
    except OSError:
        return ""
    same = text in {"", wanted.text}
    return "" if same else f"{wanted.path} starts another copy or version of defocus"


def there(found: Service) -> bool:
    """Tell whether the daemon starts with the user's session."""
    return _succeeds(found.ask) if found.path is None else found.path.exists()


def install(found: Service) -> None:
    """Write the file and hand it to the service manager.

    Raises
    ------
    ServiceProblem
        The service manager is absent or refuses; the text says what to do instead.
    """
    if found.path is not None:
        found.path.parent.mkdir(parents=True, exist_ok=True)
        found.path.write_text(found.text, encoding="utf-8")
    try:
        for words in found.install:
            _call(words)
    except ServiceProblem as problem:
        if found.path is not None:
            found.path.unlink(missing_ok=True)
        raise ServiceProblem(
            f"{problem}. Have your desktop run `defocus daemon start` at its start instead "
            "(Autostart or Startup Applications), or call that from ~/.profile."
        ) from None


def remove(found: Service) -> bool:
    """Undo `install`; tells whether there was something to remove."""
    there = found.path is None or found.path.exists()
    if there:
        done = [_succeeds(words) for words in found.remove]
        there = found.path is not None or done[-1]
    if found.path is not None:
        found.path.unlink(missing_ok=True)
    return there


def _succeeds(words: tuple[str, ...]) -> bool:
    try:
        _call(words)
    except ServiceProblem:
        return False
    return True


def _unit(words: tuple[str, ...], home: Path) -> Service:
    text = f"""\
[Unit]
Description=defocus: portrait bokeh daemon

[Service]
ExecStart={" ".join(map(_quoted, words))}
Restart=on-failure
RestartSec=2
# 3: another daemon of this user is running already
RestartPreventExitStatus=3
SuccessExitStatus=3

[Install]
WantedBy=default.target
"""
    systemctl = ("systemctl", "--user")
    return Service(
        path=home / ".config/systemd/user/defocus.service",
        text=text,
        install=((*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", "defocus.service")),
        remove=((*systemctl, "disable", "--now", "defocus.service"),),
    )


def _agent(words: tuple[str, ...], home: Path) -> Service:
    path = home / f"Library/LaunchAgents/{LABEL}.plist"
    content = {
        "Label": LABEL,
        "ProgramArguments": list(words),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Interactive",
    }
    return Service(
        path=path,
        text=plistlib.dumps(content).decode(),
        install=(("launchctl", "load", "-w", str(path)),),
        remove=(("launchctl", "unload", "-w", str(path)),),
    )


def _task(words: tuple[str, ...]) -> Service:
    line = subprocess.list2cmdline(words)
    create = ("schtasks", "/Create", "/F", "/SC", "ONLOGON", "/TN", LABEL, "/TR", line)
    return Service(
        path=None,
        text=subprocess.list2cmdline(create),
        install=(create, ("schtasks", "/Run", "/TN", LABEL)),
        remove=(("schtasks", "/End", "/TN", LABEL), ("schtasks", "/Delete", "/F", "/TN", LABEL)),
        ask=("schtasks", "/Query", "/TN", LABEL),
    )


def _quoted(word: str) -> str:
    """Quote a word of `ExecStart`: systemd's own rules, in which % and $ are special."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != word or " " in word else word


def _call(words: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as fault:
        raise ServiceProblem(f"{words[0]} cannot be run: {fault.strerror}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ServiceProblem(f"{' '.join(words[:3])}: {said[-1] if said else done.returncode}")
