"""What an operator sees: commands, logs with request ids, metrics, services."""

from __future__ import annotations

import contextlib
import json
import os
import plistlib
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from daemon.cli import doctor
from daemon.cli.main import main
from daemon.client import launch
from daemon.client.client import RenderRequest
from daemon.runtime import child_process
from daemon.setup import service
from daemon.wire import discovery
from daemon.wire.capabilities import Limits
from tests.reliability.sandbox import wait_for


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
    first, second = defocus(place, "start", *engine), defocus(place, "start")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "already running" in second.stdout
    try:
        third = defocus(place, "start", "--cache-mb", "100")
        assert third.returncode == 1
        assert "run `defocus daemon stop` first" in third.stderr
        with place.client() as client:
            client.render(RenderRequest(picture))
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


def test_status_says_that_photos_go_elsewhere(in_sandbox, monkeypatch, capsys):
    assert main(["daemon", "status", "--json"]) == 1
    assert capsys.readouterr() == ("{}\n", "")
    monkeypatch.setenv("DEFOCUS_REMOTE", "gpubox:5858")
    assert main(["daemon", "status", "--json"]) == 1
    out, said = capsys.readouterr()
    assert out == "{}\n"
    assert said == "defocus: photos go to gpubox:5858 (DEFOCUS_REMOTE), this is the daemon here\n"


def test_a_daemon_that_refuses_to_be_stopped_says_why(running, monkeypatch, capsys):
    stale = msgspec.structs.replace(running.where, token="of an earlier start")
    monkeypatch.setattr(discovery, "find", lambda *_: stale)
    assert main(["daemon", "stop"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("defocus: the daemon refuses: wrong token. ")


def test_a_daemon_that_hangs_after_it_has_agreed_to_stop_is_ended(in_sandbox, monkeypatch):
    front = in_sandbox.start().pid

    def agree_and_hang(*_, **__):
        os.kill(front, signal.SIGSTOP)
        return 0

    monkeypatch.setattr("daemon.client.client.Client.shutdown", agree_and_hang)
    monkeypatch.setattr("daemon.client.client.capabilities.Limits", lambda: Limits(silence_s=0.3))
    monkeypatch.setattr("daemon.client.upgrade.LEAVE_S", 0.2)
    monkeypatch.setitem(launch.stop_by_force.__kwdefaults__, "wait_s", 0.2)
    assert main(["daemon", "stop"]) == 0
    wait_for(lambda: in_sandbox.process.poll() is not None, 5, "the end of the daemon")


@pytest.mark.parametrize(
    "words",
    [
        ["--cache-mb", "-5"],
        ["--idle", "-1"],
        ["--idle", "nan"],
        ["--metrics-port", "99999"],
        ["--metrics-port", "0"],
        ["--device", "foo"],
    ],
)
@pytest.mark.parametrize("verb", ["start", "run"])
def test_settings_that_cannot_be_are_wrong_use(capsys, verb, words):
    with pytest.raises(SystemExit) as end:
        main(["daemon", verb, *words])
    assert end.value.code == 2
    assert f"'{words[1]}' is not" in capsys.readouterr().err


def test_a_device_that_is_not_here_is_refused_at_the_start(place):
    done = defocus(place, "start", "--device", "cuda:77")
    assert done.returncode == 1
    assert "device cuda:77 cannot be used here" in done.stderr
    assert defocus(place, "status").returncode == 1


def test_start_passes_every_option_on(monkeypatch):
    handed = []
    monkeypatch.setattr(discovery, "find", lambda *_: None)
    monkeypatch.setattr(discovery, "runtime_dir", Path)
    monkeypatch.setattr(
        launch, "start", lambda _, options: handed.append(options) or SimpleNamespace(pid=1)
    )
    words = "--device cpu --cache-mb 1 --idle inf --no-preload --tcp --listen h:1 --metrics-port 9"
    words += " --engine e --hang 0.5 --pixels-timeout 3"
    assert main(["daemon", "start", *words.split()]) == 0
    assert sorted(handed[0]) == sorted([*words.replace(" 3", " 3.0").split()])


class TestLogs:
    @pytest.fixture(autouse=True)
    def log(self, tmp_path, monkeypatch):
        monkeypatch.setenv("DEFOCUS_LOG_DIR", str(tmp_path))
        (tmp_path / "daemon.log").write_text("one\ntwo\nthree\n", encoding="utf-8")
        return tmp_path / "daemon.log"

    @pytest.mark.parametrize(("lines", "printed"), [(0, ""), (2, "two\nthree\n")])
    def test_the_last_lines(self, capsys, lines, printed):
        assert main(["daemon", "logs", "-n", str(lines)]) == 0
        assert capsys.readouterr().out == printed

    def test_none_yet_is_said_without_the_systems_words(self, log, capsys):
        log.unlink()
        assert main(["daemon", "logs"]) == 1
        said = capsys.readouterr().err
        assert said == f"defocus: no log yet: {log} is there after the first start\n"

    def test_one_that_cannot_be_read_is_not_called_absent(self, log, capsys):
        log.unlink()
        log.mkdir()
        assert main(["daemon", "logs"]) == 1
        assert capsys.readouterr().err.startswith(f"defocus: {log}: ")

    def test_a_negative_number_is_wrong_use(self):
        with pytest.raises(SystemExit, match="2"):
            main(["daemon", "logs", "-n", "-1"])

    def test_following_goes_on_when_the_log_begins_anew(self, log, tmp_path):
        printed = tmp_path / "printed"
        command = [sys.executable, "-m", "daemon.cli.main", "daemon", "logs", "-f", "-n", "1"]
        with (
            printed.open("wb") as out,
            subprocess.Popen(command, stdout=out, env=child_process.environment()) as process,
        ):
            try:
                wait_for(lambda: printed.read_text() == "three\n", 20, "the last line")
                with log.open("a") as file:
                    file.write("four\n")
                log.rename(tmp_path / "daemon.log.1")
                log.write_text("five\n")
                wait_for(lambda: printed.read_text() == "three\nfour\nfive\n", 10, "the new file")
                log.write_text("six\n")
                wait_for(lambda: printed.read_text().endswith("six\n"), 10, "the emptied file")
            finally:
                process.terminate()


@pytest.mark.skipif(os.name != "posix", reason="Windows does not tell that a pipe is full")
def test_a_daemon_whose_log_nobody_reads_works_on(place):
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_end, bytes(4096))
    os.set_blocking(write_end, True)
    command = [sys.executable, "-m", "daemon.cli.main", "daemon", "run", "--engine", place.engine]
    place.process = subprocess.Popen(command, env=place.environment(), stderr=write_end)
    os.close(write_end)
    try:
        wait_for(lambda: discovery.find(place.directory) is not None, 20, "the daemon")
        with place.client() as client:
            assert client.status().sessions == 1
    finally:
        place.stop()
        os.close(read_end)


def test_the_doctor_tells_a_daemon_that_hangs_from_none(in_sandbox, monkeypatch):
    monkeypatch.setattr("daemon.client.client.HELLO_S", 0.5)
    assert doctor._daemon().good
    in_sandbox.start()
    in_sandbox.process.send_signal(signal.SIGSTOP)
    try:
        found = doctor._daemon()
    finally:
        in_sandbox.process.send_signal(signal.SIGCONT)
    assert not found.good
    assert "no answer" in found.text
    assert "daemon stop" in found.mend


def test_the_doctor_misses_a_daemon_on_another_machine(in_sandbox, monkeypatch):
    monkeypatch.setenv("DEFOCUS_REMOTE", "10.1.2.3:4000")
    found = doctor._daemon()
    assert not found.good
    assert "10.1.2.3:4000" in found.text
    assert "DEFOCUS_REMOTE" in found.mend


def test_metrics_show_the_answers(place, picture):
    pytest.importorskip("prometheus_client")
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place.options = ("--metrics-port", str(port))
    place.start()
    with place.client() as client:
        client.render(RenderRequest(picture))

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
    assert not found.path.exists()
    assert not service.remove(found)


def test_removing_goes_on_after_a_command_that_fails(tmp_path):
    mark = tmp_path / "deleted"
    end = ("no-such-manager", "/End")
    delete = (sys.executable, "-c", f"open({str(mark)!r}, 'x')")
    found = service.Service(None, "text", (), (end, delete))
    assert service.remove(found)
    assert mark.exists()
    assert not service.remove(found), "the last command tells whether there was a service"
