"""A server of files that can misbehave as those on the way to the hub do."""

from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass, field

import pytest


@dataclass
class Server:
    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    """Whether it knows the header Range."""
    breaks_after: int | None = None
    """Bytes of one body after which the connection breaks, once."""
    stalls: bool = False
    """Say nothing more instead of breaking."""
    redirect: str = ""
    """Send everybody on to this address."""
    seen: list = field(default_factory=list)
    """Headers of the requests."""
    over: threading.Event = field(default_factory=threading.Event)


def handler(server):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            server.seen.append(self.headers)
            if server.redirect:
                self.send_response(302)
                self.send_header("Location", server.redirect + self.path)
                self.end_headers()
                return
            content = server.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            asked = self.headers["Range"] if server.ranges else None
            begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if begin and begin >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            end, server.breaks_after = server.breaks_after, None
            self.wfile.write(content[begin:][:end])
            self.wfile.flush()
            if end is not None and server.stalls:
                server.over.wait(30)

    return Handler


@pytest.fixture
def server():
    """A local server; `files` is what it has, by path."""
    yield from running()


@pytest.fixture
def other_server():
    yield from running()


def running():
    known = Server()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(known)) as listening:
        known.address = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield known
        known.over.set()
        listening.shutdown()
        thread.join()
