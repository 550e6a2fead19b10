"""A made-up home and a small package index: nothing of the real ones is touched."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from daemon.setup import lock, packages
from daemon.setup.environment import Environment, Record
from daemon.setup.places import Places
from daemon.setup.steps import Steps

REAL_PYTHON = Path(sys.executable)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with GIMP 3.0 and 3.2 in it, and no other settings."""
    made = tmp_path / "home"
    for version in ("3.0", "3.2"):
        (made / ".config" / "GIMP" / version).mkdir(parents=True)
    (made / ".local" / "bin").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("PATH", f"{made}/.local/bin{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    for name in ("CONFIG", "CACHE", "STATE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    for name in ("GIMP3_DIRECTORY", "APPDATA", "SUDO_UID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CONFIG", "LOG", "RUNTIME"):
        monkeypatch.delenv(f"DEFOCUS_{name}_DIR", raising=False)
    return made


@pytest.fixture
def places(home):
    """The folders in that home."""
    return Places()


@pytest.fixture
def steps():
    """Steps that are done."""
    return Steps()


@pytest.fixture
def environment(tmp_path):
    """What looks like an environment."""
    made = Environment(tmp_path / "copy" / ".venv")
    (made.folder / "lib" / "python3" / "site-packages").mkdir(parents=True)
    made.bin.mkdir()
    made.python.symlink_to(REAL_PYTHON)
    Record(made.folder / "defocus-install.json", complete=True).write()
    return made


def files(folder):
    """List everything in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def wheel(folder, name, version, text=""):
    """Write a wheel with one module of that name; gives its path."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    content = {
        f"{name}.py": text or f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{place},sha256={_digest(text)},{len(text)}" for place, text in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,\n"])
    with zipfile.ZipFile(path, "w") as archive:
        for place, written in content.items():
            archive.writestr(place, written)
    return path


def _digest(text):
    raw = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Index:
    """A package index on this machine.

    Attributes
    ----------
    folder
        Its wheels.
    down
        Names of packages whose files it does not send.
    slow
        Names of packages whose files never end.
    closed
        Whether it asks for a password.
    asked
        What it was asked for.
    """

    folder: Path
    port: int = 0
    down: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)
    closed: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def url(self):
        """Its address."""
        return f"http://127.0.0.1:{self.port}/simple"

    def add(self, name, version, text=""):
        """Add a package."""
        return wheel(self.folder, name, version, text)

    def lock(self, target, *pins):
        """Write a lock file of packages in it."""
        lines = []
        for pin in pins:
            name, version = pin.split("==")
            path = self.folder / f"{name}-{version}-py3-none-any.whl"
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{pin} \\\n    --hash=sha256:{digest}\n")
        target.write_text("".join(lines))


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index that pip uses, and no other."""
    folder = tmp_path / "index"
    folder.mkdir()
    made = Index(folder)
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            made.asked.append(self.path)
            if made.closed:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
                self.end_headers()
                return
            kind, _, name = self.path.strip("/").partition("/")
            if kind == "simple":
                links = "".join(
                    f'<a href="/files/{path.name}">{path.name}</a>'
                    for path in folder.glob(f"{name}-*.whl")
                )
                self._send(f"<html>{links}</html>".encode(), "text/html")
            elif name.split("-")[0] in made.down:
                self.send_error(503)
            else:
                data = (folder / name).read_bytes()
                self._send(data, "application/zip", slow=name.split("-")[0] in made.slow)

        def _send(self, data, kind, *, slow=False):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data) + slow))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
            if slow:
                stop.wait(60)

        def log_message(self, *_):
            pass

    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        monkeypatch.setenv("PIP_INDEX_URL", made.url)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield made
        stop.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def plain_venv(tmp_path_factory):
    """An environment with pip alone, made once."""
    folder = tmp_path_factory.mktemp("plain") / "venv"
    subprocess.run([sys.executable, "-I", "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def project(tmp_path, index, plain_venv, monkeypatch):
    """A copy whose lock file names two small packages; gives its environment."""
    locks = tmp_path / "locks"
    locks.mkdir()
    monkeypatch.setattr(lock, "FOLDER", locks)
    monkeypatch.setattr(packages, "IMPORTS", "import torch")
    for name in ("filelock", "torch"):
        index.add(name, "1")
    index.lock(locks / "main.txt", "filelock==1", "torch==1")
    return Environment(tmp_path / "copy" / ".venv")


def wait_until(true, seconds=20):
    """Wait for something that must come."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
