"""A daemon in a folder of its own, as a real process, that leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from daemon.client.client import Client
from daemon.runtime import child_process
from daemon.wire import discovery
from tests.reliability.engine import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENGINE = "tests.reliability.engine"


@dataclass
class Sandbox:
    """A private runtime, log and memory folder, and the daemon that lives there."""

    root: Path
    engine: str = ENGINE
    options: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    """Words of a command that starts the daemon, for example with other limits."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> Path:
        """The runtime directory."""
        return self.root / "run"

    @property
    def memory(self) -> Path:
        """Where the engine remembers its `once-` faults."""
        return self.root / "memory"

    @property
    def where(self) -> discovery.Connection:
        """The daemon's connection."""
        found = discovery.find(self.directory)
        assert found is not None, "no daemon runs here"
        return found

    def environment(self) -> dict[str, str]:
        """Return the environment in which everything happens here."""
        return child_process.environment(
            DEFOCUS_RUNTIME_DIR=str(self.directory),
            DEFOCUS_LOG_DIR=str(self.root / "logs"),
            DEFOCUS_CONFIG_DIR=str(self.root / "config"),
            **{MEMORY: str(self.memory)},
        )

    def launch(self) -> subprocess.Popen[bytes]:
        """Start one more daemon process here, without waiting."""
        words = [
            *self.prefix,
            *child_process.own_module("daemon.cli.main", "daemon", "run", "--log-to-file"),
        ]
        with (self.root / "front.out").open("ab") as out:
            return subprocess.Popen(
                [*self.prefix, *words, "--engine", self.engine, *self.options],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def start(self) -> discovery.Connection:
        """Start the daemon and wait until it can be found."""
        self.process = self.launch()
        wait_for(lambda: discovery.find(self.directory) is not None, 20, "the daemon")
        return self.where

    def client(self, name: str = "test") -> Client:
        """Connect a client."""
        return Client(self.where, name)

    def stop(self) -> None:
        """End the daemon in order, or by force, and wait for it."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def clean_up(self) -> None:
        """End what is left here.

        Raises
        ------
        TimeoutError
            Something outlived its daemon: a worker without a front, a daemon without the lock.
        """
        try:
            wait_for(lambda: not self.family(), 5, "processes left behind")
        finally:
            for process in self.family():
                with suppress(psutil.Error):
                    process.kill()
                    process.wait(5)

    def family(self) -> list[psutil.Process]:
        """List the processes that belong to this sandbox: daemons and workers."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            inside = process.environ().get("DEFOCUS_RUNTIME_DIR") == str(self.directory)
            return bool(inside and process.pid != os.getpid())
        return False


@contextmanager
def sandbox(engine: str = ENGINE, *options: str) -> Iterator[Sandbox]:
    """Make a sandbox with a short path (sockets!), and remove it with all its processes."""
    with tempfile.TemporaryDirectory(prefix="dfs-") as folder:
        place = Sandbox(Path(folder), engine, options)
        place.directory.mkdir(mode=0o700)
        place.memory.mkdir()
        try:
            yield place
        finally:
            place.stop()
            place.clean_up()


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `condition()` is true.

    Raises
    ------
    TimeoutError
        It does not become true in time; the text names `what`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)
