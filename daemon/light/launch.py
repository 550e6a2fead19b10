"""Starts the daemon with the command that set-up recorded beside the plug-in."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.light.errors import NoDaemon
from daemon.light.words import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.light.editor import Editor

FILE_NAME = "launcher.json"
ANSWER_S = 20


@contextlib.contextmanager
def launch(editor: Editor) -> Iterator[Callable[[], None]]:
    """Start the daemon.

    Yields
    ------
    callable
        Raises NoDaemon, with the command's own last words, once it has failed.

    Raises
    ------
    NoDaemon
        There is no recorded command, or this editor may not start programs of the system (Flatpak).
    """
    recorded = _Recorded.read(editor.folder / FILE_NAME)
    command = recorded.command
    with tempfile.TemporaryFile() as complaints:  # a file never fills up as a pipe does
        try:
            process = subprocess.Popen(
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise NoDaemon(recorded.not_started(editor, error)) from error

        def check() -> None:
            if process.poll() in {None, 0}:
                return
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            raise NoDaemon(
                tr("The Bokeh daemon could not be started: {reason}. {advice}").format(
                    reason=_last(said),
                    advice=recorded.advice("python3 install.py doctor --mend"),
                )
            )

        threading.Thread(target=process.wait, daemon=True).start()  # the command leaves no zombie
        yield check


def ask(editor: Editor, *words: str) -> str:
    """Run `defocus daemon WORDS` to its end, and return what it says.

    Raises
    ------
    NoDaemon
        It cannot be run, or fails: with its own last words.
    """
    recorded = _Recorded.read(editor.folder / FILE_NAME)
    command = [*recorded.command[:-1], *words]  # all but `start`
    try:
        done = subprocess.run(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoDaemon(
            tr("`{command}` gave no answer for {n} s.").format(
                command=shlex.join(command), n=ANSWER_S
            )
        ) from None
    except OSError as error:
        raise NoDaemon(recorded.not_started(editor, error)) from error
    if done.returncode:
        raise NoDaemon(_last(done.stderr.decode(errors="replace").strip().splitlines()))
    return done.stdout.decode(errors="replace")


def _last(said: list[str]) -> str:
    """Return a program's last words."""
    return said[-1].removeprefix("defocus: ") if said else tr("no reason")


def _environment() -> dict[str, str]:
    """Return the variables without those that lead the editor's Python to its modules."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}


@dataclass(frozen=True)
class _Recorded:
    """What set-up wrote down: the command, and the folder of the program (empty: not known)."""

    command: list[str]
    root: str

    @classmethod
    def read(cls, record: Path) -> _Recorded:
        try:
            fields = json.loads(record.read_text(encoding="utf-8"))
            return cls([str(word) for word in fields["command"]], str(fields.get("root", "")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise NoDaemon(
                tr(
                    "The Bokeh daemon is not running and the plug-in does not know how to start "
                    "it. Run `python3 install.py` in the defocus folder (installed by pip, pipx or "
                    "uv: `defocus setup gimp`), it mends the plug-in."
                )
            ) from None

    def advice(self, what: str) -> str:
        """Say where to type a command: where the program lies, or is expected to lie."""
        if self.root and Path(self.root, "install.py").exists():
            said = tr("Open a terminal in the folder {folder} and run `{command}`.")
            return said.format(folder=self.root, command=what)
        if Path(self.root).name.endswith("-packages"):  # pip's, pipx's or uv's
            return tr(
                "Type `defocus doctor` in a terminal; where that is gone, install defocus again as "
                "before and type `defocus setup gimp`."
            )
        said = tr("Open a terminal in the folder that defocus lies in now and run `{command}`.")
        return said.format(command=what)

    def not_started(self, editor: Editor, error: OSError) -> str:
        """Say why the command could not be run, and what helps."""
        gone = isinstance(error, FileNotFoundError) and not editor.sandboxed
        if not gone:
            return tr(
                "The Bokeh daemon is not running and {editor} could not start it ({error}). Type "
                "`{command}` in a terminal, then try again."
            ).format(editor=editor.name, error=error.strerror, command=shlex.join(self.command))
        return tr(
            "What computes the blur is not any more where it was installed ({place}): its folder "
            "was moved, or its environment deleted. {advice} Then try again; nothing else is lost."
        ).format(place=self.command[0], advice=self.advice("python3 install.py"))
