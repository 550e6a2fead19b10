"""Keys for a daemon on another machine: CURVE key pairs, the allow-list, and its enforcement.

Everything lies in `keys/` of the settings folder (0700, files 0600). A remote client is let in only
if its public key is on the list; without a list nothing listens beyond this machine.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq
from zmq.utils import z85

from daemon.connection import config_dir
from daemon.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_LENGTH = 40
"""Characters of a key as Z85 text."""
ZAP_ENDPOINT = "inproc://zeromq.zap.01"
_log = Log("defocus.keys")


class KeyProblem(ValueError):
    """A key or an address is unusable; the text is one line for the user."""


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair, Z85 text."""

    public: str
    secret: str


@dataclass(frozen=True)
class Remote:
    """A daemon on another machine, and this machine's keys for it."""

    work: str
    control: str
    server_key: str
    keys: KeyPair
    token: str = ""
    alive: bool = True

    def secure(self, socket: zmq.Socket[bytes]) -> None:
        """Prepare a client's socket for this daemon."""
        socket.curve_serverkey = self.server_key.encode()
        socket.curve_publickey = self.keys.public.encode()
        socket.curve_secretkey = self.keys.secret.encode()


def key_pair(role: str) -> KeyPair:
    """Give this machine's key pair for a role ("daemon" or "client"), made at first use."""
    path = _folder() / f"{role}.json"
    found = _read(path)
    if not found:
        public, secret = zmq.curve_keypair()
        found = {"public": public.decode(), "secret": secret.decode()}
        _write(path, found)
    return KeyPair(**found)


def allowed() -> dict[str, str]:
    """Give the allow-list: name -> public key."""
    return _read(_folder() / "allowed.json")


def allow(name: str, public: str) -> None:
    """Put a client on the allow-list."""
    _write(_folder() / "allowed.json", {**allowed(), name: checked(public)})


def revoke(name: str) -> bool:
    """Take a client off the allow-list; tells whether it was on it."""
    listed = allowed()
    found = listed.pop(name, None)
    _write(_folder() / "allowed.json", listed)
    return found is not None


def trust(address: str, server_key: str) -> None:
    """Remember the public key of the daemon at HOST:PORT."""
    split(address)
    path = _folder() / "trusted.json"
    _write(path, {**_read(path), address: checked(server_key)})


def remote(address: str) -> Remote:
    """Find how to reach the daemon at HOST:PORT.

    Raises
    ------
    KeyProblem
        Its key is not known.
    """
    host, port = split(address)
    server_key = _read(_folder() / "trusted.json").get(address)
    if server_key is None:
        raise KeyProblem(f"no key for {address}: run `defocus daemon keys trust {address} 'KEY'`")
    work, control = f"tcp://{host}:{port}", f"tcp://{host}:{port + 1}"
    return Remote(work, control, server_key, key_pair("client"))


def split(address: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises
    ------
    KeyProblem
        It is not that.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65535:
        raise KeyProblem(f"{address!r} is not HOST:PORT")
    return host, int(port)


def checked(key: str) -> str:
    """Return a Z85 key of 32 bytes, or refuse.

    Raises
    ------
    KeyProblem
        It is not one.
    """
    try:
        if len(key) == KEY_LENGTH and len(z85.decode(key.encode())) == 32:
            return key
    except (ValueError, KeyError):
        pass
    raise KeyProblem(
        f"a key is {KEY_LENGTH} characters: paste it in quotes, as `daemon keys show` prints it"
    )


class Gate:
    """Answers libzmq's question about every CURVE client: is its key on the list (ZAP, RFC 27)."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        listed: Callable[[], dict[str, str]] = allowed,
    ) -> None:
        self._listed = listed
        self._mark = secrets.token_hex(16)
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(ZAP_ENDPOINT)

    def guard(self, socket: zmq.Socket[bytes], endpoint: str) -> None:
        """Bind one more endpoint of a socket, reachable only through the gate.

        Raises
        ------
        KeyProblem
            The endpoint is taken, or is not this machine's.
        """
        keys = key_pair("daemon")
        # options hold for later binds only: the local endpoint of the same socket stays as it is
        socket.curve_server = True
        socket.curve_publickey = keys.public.encode()
        socket.curve_secretkey = keys.secret.encode()
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as fault:
            raise KeyProblem(f"cannot listen: {fault}") from None

    def answer(self) -> None:
        """Answer the questions that wait."""
        while self.socket.poll(0):
            version, number, _, address, _, mechanism, *credentials = self.socket.recv_multipart()
            key = z85.encode(credentials[0]).decode() if mechanism == b"CURVE" else ""
            name = self._name(key)
            verdict = (b"400", b"not on the list", b"")
            if name is not None:
                verdict = (b"200", b"OK", f"{self._mark}:{name}".encode())
            _log.info("remote client", name=name, address=address.decode(), let_in=bool(name))
            self.socket.send_multipart([version, number, *verdict, b""])

    def _name(self, key: str) -> str | None:
        try:
            listed = self._listed()
        except (KeyProblem, OSError) as fault:
            _log.warning("nobody is let in", reason=str(fault))
            return None
        return next((name for name, known in listed.items() if known == key), None)

    def user_of(self, frame: zmq.Frame) -> str:
        """Give the name on the allow-list of who sent a frame; empty for local clients.

        A local client may claim any `User-Id` in its handshake; the mark of an answer it never saw.
        """
        try:
            mark, _, name = str(frame.get("User-Id")).partition(":")
        except (zmq.ZMQError, UnicodeDecodeError):
            return ""
        return name if secrets.compare_digest(mark.encode(), self._mark.encode()) else ""

    def close(self) -> None:
        """Stop answering."""
        self.socket.close()


def _folder() -> Path:
    folder = config_dir() / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as fault:
        raise KeyProblem(f"{path} cannot be read: {fault}") from None
    if not isinstance(content, dict):
        raise KeyProblem(f"{path} is damaged")
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    Path(name).replace(path)
