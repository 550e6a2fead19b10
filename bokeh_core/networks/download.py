"""One pinned file over HTTP: it comes to a part beside its place and goes on where that ends.

Only the standard library: which HTTP library huggingface_hub brings changes with its version, and
its own downloads begin anew after a kill.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import textwrap
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import filelock

from bokeh_core.errors import ModelCorrupt, ModelMissing, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""

MAX_BYTES = 4 << 30

_BLOCK = 1 << 20


def fetch(
    url: str, path: Path, digest: str, token: str | None = None, *, at_most: int = MAX_BYTES
) -> Iterator[int]:
    """Put what lies at `url` to `path` unless it is there; yield the bytes there are so far.

    Not more than `at_most` bytes are taken, whatever the server sends. What came stays in a part
    file whenever the iteration ends early, and the next call asks for the rest only.

    Raises
    ------
    ModelMissing
        The server cannot be reached, refuses, or hangs up in the middle.
    ModelCorrupt
        What came has another SHA-256 than `digest`, or is too long; it is removed.
    OutputError
        It cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with _disk(part):
        _make(part.parent)
        with _alone(part):
            if path.exists() and sha256(path) == digest:
                return
            yield from _grow(url, part, token, at_most)
            if sha256(part) != digest:
                part.unlink()
                raise ModelCorrupt(
                    f"what came from {url} is not {path.name} as recorded (SHA-256 differs) and is "
                    "removed: the same command begins anew"
                )
            part.replace(path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _make(folder: Path) -> None:
    """Make a folder and what is missing above it: no other user may write there (umask 000)."""
    for place in reversed([folder, *folder.parents]):
        if not place.exists():
            place.mkdir(mode=0o755, exist_ok=True)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _grow(url: str, part: Path, token: str | None, at_most: int) -> Iterator[int]:
    """Append to `part` what the server has beyond it."""
    begun = part.stat().st_size if part.exists() else 0
    answer = _ask(url, begun, token)
    if answer is None:
        return
    # a server without ranges answers 200 and sends everything
    mode = "ab" if answer.status == http.client.PARTIAL_CONTENT else "wb"
    with answer, open(part, mode, opener=_opener) as file:
        done = file.tell()
        whole = done + (answer.length or 0)  # 0: not announced, then only the hash tells
        while block := _read(url, answer):
            if done + len(block) > at_most:
                part.unlink()
                raise ModelCorrupt(f"{url} sends more than the {at_most:,} bytes of {part.stem}")
            file.write(block)
            file.flush()  # a kill loses nothing that came
            done += len(block)
            yield done
    if done < whole:
        raise _broken(url, f"the connection broke after {done / 1e6:.1f} of {whole / 1e6:.1f} MB")


def _ask(url: str, begun: int, token: str | None) -> Any:
    """Return the answer from byte `begun` on; None when the server has nothing beyond it."""
    try:
        # any scheme: the address is the user's HF_ENDPOINT
        request = urllib.request.Request(url)  # noqa: S310
        request.add_header("User-Agent", "defocus")  # some hosts refuse the name urllib gives
        if token:  # for this host, not for the one that it sends us to
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        if begun:
            request.add_header("Range", f"bytes={begun}-")
        return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if begun and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        raise _broken(url, str(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _broken(url, f"{type(error).__name__}: {error}") from error


def _read(url: str, answer: Any) -> bytes:
    try:
        return bytes(answer.read1(_BLOCK))  # what is there: a slow line moves the bar too
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, f"{type(error).__name__}: {error}") from error


def _broken(url: str, reason: str) -> ModelMissing:
    short = textwrap.shorten(reason, 160, placeholder=" ...")
    return ModelMissing(
        f"{url} cannot be fetched ({short}): check the network; the same command goes on from there"
    )


@contextlib.contextmanager
def _disk(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{part} cannot be written ({error.strerror or error}): make room or mend the folder; "
            "the same command goes on from there"
        ) from error


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep a second download from writing to the same part."""
    lock = filelock.FileLock(part.with_name(part.name + ".lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise ModelMissing(f"{part} is being fetched by another command: wait for it") from None
    try:
        yield
    finally:
        lock.release()
