"""A daemon whose program was moved or deleted makes room: it could start no other worker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.runtime import child_process
from daemon.wire import discovery
from tests.reliability.sandbox import wait_for


@pytest.fixture
def environment(tmp_path):
    """An environment like this one, in a folder of its own."""
    if not (Path(sys.prefix) / "pyvenv.cfg").exists():
        pytest.skip("not in a virtual environment")
    made = tmp_path / "environment"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (made / "lib").symlink_to(Path(sys.prefix) / "lib")
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", made)
    return made


def test_a_daemon_leaves_when_its_program_was_moved(place, environment, tmp_path):
    words = ("daemon.cli.main", "daemon", "run", "--log-to-file", "--engine", place.engine)
    command = child_process.own_module(*words, python=environment / "bin" / "python")
    with subprocess.Popen(command, env=place.environment(), stdin=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: discovery.find(place.directory) is not None, 20, "the daemon")
            assert place.where.pid == process.pid
            environment.rename(tmp_path / "elsewhere")
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert discovery.find(place.directory) is None
    assert "moved or deleted" in (place.root / "logs" / "daemon.log").read_text()
