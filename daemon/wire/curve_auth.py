"""Keys for a daemon on another machine: CURVE key pairs and the allow-list.

Everything lies in `keys/` of the settings folder (0700, files 0600). A remote client is let in only
if its public key is on the list; without a list nothing listens beyond this machine.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zmq
from zmq.utils import z85

from daemon.runtime import private
from daemon.wire.discovery import config_dir

if TYPE_CHECKING:
    from pathlib import Path

KEY_LENGTH = 40
"""Characters of a key as Z85 text."""


NAME = re.compile(r"[\w.@-]{1,64}")
"""Of a client on the allow-list."""


class KeyProblem(ValueError):
    """A key or an address is unusable; the text is one line for the user."""


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair, Z85 text."""

    public: str
    secret: str


@dataclass(frozen=True)
class Allowed:
    """A client on the allow-list: its public key, and whether it may do everything."""

    key: str
    admin: bool = False


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
    """Return this machine's key pair for a role ("daemon" or "client"), made at first use."""
    path = _folder() / f"{role}.json"
    found = _read(path)
    if not found:
        public, secret = zmq.curve_keypair()
        found = {"public": public.decode(), "secret": secret.decode()}
        _write(path, found)
    return KeyPair(**found)


def allowed() -> dict[str, Allowed]:
    """Return the allow-list by name; entries without a usable name or key let nobody in."""
    found = {}
    for name, entry in _read(_folder() / "allowed.json").items():
        plain = {"key": entry} if isinstance(entry, str) else entry  # as written before rights
        if NAME.fullmatch(name) and isinstance(plain, dict) and isinstance(plain.get("key"), str):
            found[name] = Allowed(plain["key"], admin=plain.get("rights") == "admin")
    return found


def allow(name: str, public: str, *, admin: bool = False) -> None:
    """Put a client on the allow-list, to render, or to do everything.

    Raises
    ------
    KeyProblem
        The name or the key is unusable.
    """
    if not NAME.fullmatch(name):
        raise KeyProblem("a key needs a name: 1 to 64 letters, digits, or any of . _ @ -")
    rights = "admin" if admin else "render"
    entry = {"key": checked(public), "rights": rights}
    path = _folder() / "allowed.json"
    _write(path, {**_read(path), name: entry})


def revoke(name: str) -> bool:
    """Take a client off the allow-list; tells whether it was on it."""
    path = _folder() / "allowed.json"
    listed = _read(path)
    found = listed.pop(name, None)
    _write(path, listed)
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


def _folder() -> Path:
    """Return the key folder; whoever could put another in its place could let anybody in."""
    try:
        return private.folder(private.folder(config_dir()) / "keys")
    except OSError as fault:
        raise KeyProblem(f"no place for keys: {fault}") from None


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
    private.write(path, json.dumps(content, indent=2).encode())
