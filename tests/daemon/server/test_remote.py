"""Remote clients: only by tcp + CURVE, only whose key is listed; the local way stays as it is."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import socket
import subprocess
import threading
import time
from contextlib import suppress
from unittest import mock

import pytest
import zmq
from zmq.utils import z85

from daemon.cli.backend import There
from daemon.cli.main import main
from daemon.client.client import (
    Client,
    ConnectionLost,
    DaemonError,
    NotRunning,
    RenderRequest,
    connect,
)
from daemon.wire import curve_auth
from daemon.wire.curve_auth import Allowed
from daemon.wire.protocol import Cancel, CancelReply
from tests.reliability.raw import Raw
from tests.reliability.sandbox import wait_for


@pytest.fixture
def listening(in_sandbox, address):
    curve_auth.allow("studio", curve_auth.key_pair("client").public)
    curve_auth.trust(address, curve_auth.key_pair("daemon").public)
    in_sandbox.options = ("--listen", address)
    in_sandbox.start()
    return in_sandbox


def test_nothing_listens_without_an_allow_list(in_sandbox, address):
    in_sandbox.options = ("--listen", address)
    process = in_sandbox.launch()
    assert process.wait(20) == 1
    assert "keys allow" in (in_sandbox.root / "front.out").read_text()


def test_a_port_that_is_taken_is_named(in_sandbox, address):
    curve_auth.allow("studio", curve_auth.key_pair("client").public)
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
        far = client.render(RenderRequest(picture))
        assert client.status().pid == listening.process.pid
    with listening.client() as client:
        near = client.render(RenderRequest(picture))
    assert (far.planes["composite"] == near.planes["composite"]).all()


def test_a_client_that_is_not_listed_gets_no_answer(listening, address, monkeypatch):
    monkeypatch.setattr("daemon.client.client.HELLO_S", 1.0)
    far = curve_auth.remote(address)
    public, secret = (key.decode() for key in zmq.curve_keypair())
    stranger = curve_auth.Remote(
        far.work, far.control, far.server_key, curve_auth.KeyPair(public, secret)
    )
    with pytest.raises(ConnectionLost):
        Client(stranger)


@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_a_daemon_that_is_not_who_it_should_be_is_refused_in_time(
    listening, address, monkeypatch, late_s
):
    """However long the hello takes: after half a second the handshake has failed already."""
    monkeypatch.setattr("daemon.client.client.HELLO_S", 1.0)
    send = Client._send
    monkeypatch.setattr(Client, "_send", lambda *asked: time.sleep(late_s) or send(*asked))
    far, another = curve_auth.remote(address), zmq.curve_keypair()[0].decode()
    with pytest.raises(ConnectionLost, match="key"):
        Client(curve_auth.Remote(far.work, far.control, another, far.keys))


def test_work_that_stays_here_because_the_other_machine_is_out_of_reach_is_announced(
    in_sandbox, address, picture, work_here, monkeypatch, capsys
):
    monkeypatch.setenv("DEFOCUS_REMOTE", address)
    assert There("auto").make(RenderRequest(picture), print) == "made here"
    assert f"{address}: " in (said := capsys.readouterr().err)
    assert "going on without it" in said


def test_a_revoked_client_is_out_without_a_restart(listening, address, monkeypatch):
    monkeypatch.setattr("daemon.client.client.HELLO_S", 1.0)
    Client(curve_auth.remote(address)).close()
    assert curve_auth.revoke("studio")
    with pytest.raises(ConnectionLost):
        Client(curve_auth.remote(address))


def test_a_damaged_list_lets_nobody_in_and_does_not_stop_the_daemon(
    listening, address, picture, monkeypatch
):
    monkeypatch.setattr("daemon.client.client.HELLO_S", 1.0)
    listed = listening.root / "config" / "keys" / "allowed.json"
    sound = listed.read_text()
    listed.write_text(sound[:-5])
    with pytest.raises(ConnectionLost):
        Client(curve_auth.remote(address))
    assert "allowed.json cannot be read" in (listening.root / "logs" / "daemon.log").read_text()
    listed.write_text(sound)
    with Client(curve_auth.remote(address)) as client:
        assert client.render(RenderRequest(picture)).planes


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
    with pytest.raises(curve_auth.KeyProblem, match="40 characters"):
        curve_auth.allow("x", key)


ODD = "&<>()[]{}*?!$#%^=+@/:.-"
"""What Z85 holds besides letters and digits."""


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_shown_key_survives_a_shell(in_sandbox, monkeypatch, capsys):
    for turn in range(len(ODD)):
        key = (ODD[turn:] + ODD[:turn])[:20] * 2
        monkeypatch.setattr(curve_auth, "key_pair", lambda _, key=key: curve_auth.KeyPair(key, ""))
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
    assert curve_auth.allowed() == {"laptop": Allowed(key), "tower": Allowed(key)}
    assert curve_auth.remote(address).server_key == key


def _key(begin):
    """Make a key with a certain begin, as one in 64 has it."""
    rest = z85.encode(bytes(range(100, 132))).decode()
    return begin + rest[len(begin) :]


@pytest.mark.parametrize("name", ["", " ", "two words", "new\nline", "a:b", "x" * 65])
def test_a_key_needs_a_name(in_sandbox, capsys, name):
    assert main(["daemon", "keys", "allow", "--", name, _key("a")]) == 1
    assert "needs a name" in capsys.readouterr().err
    assert curve_auth.allowed() == {}


def test_a_list_from_before_there_were_rights_gives_the_right_to_render(in_sandbox):
    key = _key("a")
    curve_auth.allow("admin", key, admin=True)
    path = in_sandbox.root / "config" / "keys" / "allowed.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "old": key, "": key, "odd": 7}))
    assert curve_auth.allowed() == {"admin": Allowed(key, admin=True), "old": Allowed(key)}


def far(address, keys):
    """Reach the daemon with other keys than this machine's."""
    known = curve_auth.remote(address)
    return curve_auth.Remote(known.work, known.control, known.server_key, keys)


@pytest.fixture
def keys():
    """Keys of somebody else."""
    return curve_auth.KeyPair(*(key.decode() for key in zmq.curve_keypair()))


def test_who_may_render_cannot_stop_the_daemon_or_see_what_others_do(listening, address, picture):
    slow = RenderRequest(picture, depth_model="slow@render")
    with listening.client() as owner, Client(curve_auth.remote(address)) as studio:
        thread = threading.Thread(target=owner.render, args=[slow])
        thread.start()
        wait_for(lambda: owner.status().running is not None, 5, "the job")
        seen = studio.status()
        assert (seen.running, seen.queued, seen.sessions) == (None, 0, 1)
        assert (seen.finished, seen.cache) == ({}, {})
        with pytest.raises(DaemonError, match="may render, not stop") as refused:
            studio.shutdown()
        assert refused.value.code == "unauthorized"
        thread.join()
    curve_auth.allow("studio", curve_auth.key_pair("client").public, admin=True)
    with Client(curve_auth.remote(address)) as studio:
        assert studio.status().finished == {"result": 1}
        studio.shutdown()
    assert listening.process.wait(10) == 0


def test_a_digest_does_not_open_the_picture_of_another_user(listening, address, picture, keys):
    curve_auth.allow("other", keys.public)
    secret = RenderRequest(picture, want=["composite"])
    with listening.client() as owner, Client(far(address, keys)) as other:
        owner.render(secret)
        header, _ = secret.message("theft")
        other._send("work", header)
        answers = (message for message, _ in other._messages("work") if message is not None)
        kinds = [type(next(answers)).__name__ for _ in range(2)]
        assert kinds == ["Accepted", "Need"]
        assert other.render(secret).cached == []  # not even that somebody had it is told
        assert other.render(secret).cached == ["image"]
        assert owner.render(secret).cached == ["image"]


def test_nobody_takes_a_session_of_another_user(listening, address, picture, keys):
    curve_auth.allow("other", keys.public)
    request = RenderRequest(picture, depth_model="slow@render")
    with listening.client() as owner:
        with mock.patch.object(secrets, "token_hex", return_value=owner._session):
            thief = Client(far(address, keys))
        with thief:
            header, pixels = request.message("job")
            owner._send("work", header)
            assert thief._ask(Cancel(id="job"), CancelReply).outcome == "unknown"
            assert owner._conversation(header, pixels, None, None).planes


def test_a_displaced_connection_of_the_same_user_is_told(module_daemon):
    with Raw(module_daemon.where) as first, Raw(module_daemon.where, session=None) as second:
        first.hello(session="mine")
        second.hello(session="mine")
        told = first.wait("error")
        assert (told["id"], told["code"]) == (None, "cancelled")
        assert "taken the place" in told["message"]
        assert first.ask({"type": "ping", "nonce": 1})["code"] == "unauthorized"
        assert second.ask({"type": "ping", "nonce": 1}) == {
            "type": "pong",
            "nonce": 1,
            "asked": True,
        }


def test_secrets_are_private(in_sandbox):
    curve_auth.key_pair("daemon")
    folder = in_sandbox.root / "config" / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "daemon.json").stat().st_mode & 0o777 == 0o600
    wait_for(
        lambda: curve_auth.key_pair("daemon") == curve_auth.key_pair("daemon"), 1, "a stable key"
    )
