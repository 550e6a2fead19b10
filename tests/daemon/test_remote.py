"""Remote clients: only by tcp + CURVE, only whose key is listed; the local way stays as it is."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from contextlib import suppress

import pytest
import zmq
from zmq.utils import z85

from daemon import keys
from daemon.cli.main import main
from daemon.cli.studio import There
from daemon.client import Client, ConnectionLost, Job, NotRunning, connect
from daemon.faults.raw import Raw
from daemon.faults.sandbox import wait_for


@pytest.fixture
def listening(in_sandbox, address):
    keys.allow("studio", keys.key_pair("client").public)
    keys.trust(address, keys.key_pair("daemon").public)
    in_sandbox.options = ("--listen", address)
    in_sandbox.start()
    return in_sandbox


def test_nothing_listens_without_an_allow_list(in_sandbox, address):
    in_sandbox.options = ("--listen", address)
    process = in_sandbox.launch()
    assert process.wait(20) == 1
    assert "keys allow" in (in_sandbox.root / "front.out").read_text()


def test_a_port_that_is_taken_is_named(in_sandbox, address):
    keys.allow("studio", keys.key_pair("client").public)
    in_sandbox.options = ("--listen", address)
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))):
        assert in_sandbox.launch().wait(20) == 1
    said = (in_sandbox.root / "front.out").read_text()
    assert said == f"defocus: cannot listen: Address already in use (addr='tcp://{address}')\n"


def test_a_listed_client_renders_and_the_local_way_still_works(
    listening, address, picture, monkeypatch
):
    monkeypatch.setenv("DEFOCUS_REMOTE", address)
    with connect() as client:
        far = client.render(Job(picture))
        assert client.status().pid == listening.process.pid
    with listening.client() as client:
        near = client.render(Job(picture))
    assert (far.planes["composite"] == near.planes["composite"]).all()


def test_a_client_that_is_not_listed_gets_no_answer(listening, address, monkeypatch):
    monkeypatch.setattr("daemon.client.HELLO_S", 1.0)
    far = keys.remote(address)
    public, secret = (key.decode() for key in zmq.curve_keypair())
    stranger = keys.Remote(far.work, far.control, far.server_key, keys.KeyPair(public, secret))
    with pytest.raises(ConnectionLost):
        Client(stranger)


def test_a_daemon_that_is_not_who_it_should_be_is_refused_in_time(listening, address, monkeypatch):
    monkeypatch.setattr("daemon.client.HELLO_S", 1.0)
    far, another = keys.remote(address), zmq.curve_keypair()[0].decode()
    with pytest.raises(ConnectionLost, match="key"):
        Client(keys.Remote(far.work, far.control, another, far.keys))


def test_work_that_stays_here_because_the_other_machine_is_out_of_reach_is_announced(
    in_sandbox, address, picture, work_here, monkeypatch, capsys
):
    monkeypatch.setenv("DEFOCUS_REMOTE", address)
    assert There("auto").make(Job(picture), print) == "made here"
    assert f"{address}: " in (said := capsys.readouterr().err)
    assert "going on without it" in said


def test_a_revoked_client_is_out_without_a_restart(listening, address, monkeypatch):
    monkeypatch.setattr("daemon.client.HELLO_S", 1.0)
    Client(keys.remote(address)).close()
    assert keys.revoke("studio")
    with pytest.raises(ConnectionLost):
        Client(keys.remote(address))


def test_a_damaged_list_lets_nobody_in_and_does_not_stop_the_daemon(
    listening, address, picture, monkeypatch
):
    monkeypatch.setattr("daemon.client.HELLO_S", 1.0)
    listed = listening.root / "config" / "keys" / "allowed.json"
    sound = listed.read_text()
    listed.write_text(sound[:-5])
    with pytest.raises(ConnectionLost):
        Client(keys.remote(address))
    assert "allowed.json cannot be read" in (listening.root / "logs" / "daemon.log").read_text()
    listed.write_text(sound)
    with Client(keys.remote(address)) as client:
        assert client.render(Job(picture)).planes


def test_plain_tcp_to_the_remote_port_gets_no_answer(listening, address):
    class Plain:
        work = f"tcp://{address}"
        token = listening.where.token

    with Raw(Plain) as raw:
        with suppress(TimeoutError):  # refused before there was anything to send to
            raw.send({"type": "hello", "protocol": [1, 1], "token": Plain.token})
        assert not raw.socket.poll(1000)


def test_an_unknown_address_names_the_next_step(in_sandbox, monkeypatch):
    monkeypatch.setenv("DEFOCUS_REMOTE", "10.1.2.3:4000")
    with pytest.raises(NotRunning, match="keys trust"):
        connect()


@pytest.mark.parametrize("key", ["", "short", "x" * 41, "é" * 40])
def test_a_wrong_key_is_refused(in_sandbox, key):
    with pytest.raises(keys.KeyProblem, match="40 characters"):
        keys.allow("x", key)


ODD = "&<>()[]{}*?!$#%^=+@/:.-"
"""What Z85 holds besides letters and digits."""


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_shown_key_survives_a_shell(in_sandbox, monkeypatch, capsys):
    for turn in range(len(ODD)):
        key = (ODD[turn:] + ODD[:turn])[:20] * 2
        monkeypatch.setattr(keys, "key_pair", lambda _, key=key: keys.KeyPair(key, ""))
        assert main(["daemon", "keys", "show"]) == 0
        shown = [line.split("  ", 1)[1] for line in capsys.readouterr().out.splitlines()]
        said = subprocess.run(
            ["sh", "-c", f"printf '%s\n' {' '.join(shown)}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.splitlines() == [key, key]


@pytest.mark.parametrize("begin", ["-a", "-h", "--", "-n=", "-"])
def test_a_key_may_begin_with_a_dash(in_sandbox, address, begin):
    key = _key(begin)
    assert main(shlex.split(f"daemon keys allow laptop '{key}'")) == 0
    assert main(shlex.split(f"daemon keys trust {address} '{key}'")) == 0
    assert main(shlex.split(f"daemon keys allow -- tower '{key}'")) == 0
    assert keys.allowed() == {"laptop": key, "tower": key}
    assert keys.remote(address).server_key == key


def _key(begin):
    """Make a key with a certain begin, as one in 64 has it."""
    rest = z85.encode(bytes(range(100, 132))).decode()
    return begin + rest[len(begin) :]


def test_secrets_are_private(in_sandbox):
    keys.key_pair("daemon")
    folder = in_sandbox.root / "config" / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "daemon.json").stat().st_mode & 0o777 == 0o600
    wait_for(lambda: keys.key_pair("daemon") == keys.key_pair("daemon"), 1, "a stable key")
