"""What an operator sees: commands, logs with request ids, metrics, services."""

from __future__ import annotations

import json
import plistlib
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from daemon import service
from daemon.client import Job
from daemon.faults.sandbox import wait_for


def defocus(place, *words):
    return subprocess.run(
        [sys.executable, "-m", "daemon.cli.main", "daemon", *words],
        env=place.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_start_status_logs_stop(place, picture):
    engine = ("--engine", place.engine)
    assert defocus(place, "status").returncode == 1
    first, second = defocus(place, "start", *engine), defocus(place, "start", *engine)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "already running" in second.stdout
    try:
        with place.client() as client:
            client.render(Job(picture))
        state = json.loads(defocus(place, "status", "--json").stdout)
        assert state["finished"] == {"result": 1}
        assert "queue    0 waiting" in defocus(place, "status").stdout
        lines = [json.loads(line) for line in defocus(place, "logs").stdout.splitlines()]
        accepted = next(line for line in lines if line["event"] == "accepted")
        answered = next(line for line in lines if line["event"] == "answered")
        assert accepted["id"] == answered["id"]
        assert answered["outcome"] == "result"
    finally:
        stopped = defocus(place, "stop")
    assert stopped.stdout.strip() == "daemon stopped"
    assert defocus(place, "stop").stdout.strip() == "no daemon is running"


def test_metrics_show_the_answers(place, picture):
    pytest.importorskip("prometheus_client")
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place.options = ("--metrics-port", str(port))
    place.start()
    with place.client() as client:
        client.render(Job(picture))

    def scrape():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            return page.read().decode()

    wait_for(lambda: 'defocus_answers_total{outcome="result"} 1.0' in scrape(), 8, "the metrics")
    assert "defocus_worker_resident_bytes" in scrape()


def test_the_systemd_unit_runs_the_daemon(tmp_path):
    found = service.service("linux", tmp_path, ("/opt/my tools/python", "-m", "x%y"))
    assert 'ExecStart="/opt/my tools/python" -m "x%%y"' in found.text
    assert found.path == tmp_path / ".config/systemd/user/defocus.service"


def test_the_launchd_agent_is_a_property_list(tmp_path):
    found = service.service("darwin", tmp_path, ("python", "run"))
    assert plistlib.loads(found.text.encode())["ProgramArguments"] == ["python", "run"]


def test_the_windows_task_starts_at_logon():
    found = service.service("win32", Path("C:/"), ("C:\\Program Files\\python.exe", "run"))
    assert found.path is None
    assert found.install[0][-1] == '"C:\\Program Files\\python.exe" run'


def test_a_refusing_service_manager_is_one_line(tmp_path):
    found = service.Service(tmp_path / "unit", "text", (("no-such-manager",),), ())
    with pytest.raises(service.ServiceProblem, match="no-such-manager cannot be run"):
        service.install(found)
    assert service.remove(found)
    assert not service.remove(found)
