"""A real daemon in a folder of its own, for tests in a real editor."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def real_daemon(folder: Path, config: Path) -> Iterator[Path]:
    """Run one; gives its runtime directory."""
    folder.chmod(0o700)
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",  # the editor and the test itself want the other cores
        "DEFOCUS_RUNTIME_DIR": str(folder),
        "DEFOCUS_CONFIG_DIR": str(config),
    }
    command = [sys.executable, "-m", "daemon.cli.main", "daemon", "run"]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while not (folder / "connection.json").exists():
                assert process.poll() is None, "the daemon ended"
                assert time.monotonic() < until, "the daemon did not start"
                time.sleep(0.1)
            yield folder
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()  # one that hangs
