"""Rows about what arrives on the wire: mutated messages, raw bytes, bombs."""

from __future__ import annotations

import random
import socket
import time
from typing import Any

import msgpack
import psutil

from daemon.wire import capabilities, codec, planes, protocol
from daemon.wire import lens as wire_lens
from daemon.wire.refusal import Refused
from tests.reliability.raw import Raw, request
from tests.reliability.row import Row
from tests.reliability.sandbox import Sandbox, sandbox, wait_for

MIB = 1 << 20
LOST_S = 10.0
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)


def samples() -> list[bytes]:
    """Return one good header of every kind that a client sends."""
    image = planes.Image(width=20, height=16, channels=3, transfer="srgb", digest="ab" * 32)
    matte = planes.Map(width=20, height=16, digest="cd" * 32)
    camera = wire_lens.Camera(
        f_number=1.8, focal_length_mm=50, sensor_width_mm=36, focus_distance_m=2
    )
    return [
        codec.encode(message)
        for message in (
            protocol.Hello(protocol=(1, 1), token="", session="s"),
            protocol.Render(id="r1", image=image, matte=matte, camera=camera),
            protocol.Render(id="r2", image=image, lens=wire_lens.BinnedGaussian(bins=3)),
            protocol.Pixels(id="r1", planes=["image", "matte"]),
            protocol.Cancel(id="r1"),
            protocol.Ping(nonce=7),
            protocol.Status(),
        )
    ]


def mutated(good: bytes, dice: random.Random) -> bytes:
    """Flip, cut, repeat or insert bytes; sometimes make all of them random."""
    data = bytearray(good)
    for _ in range(dice.randint(1, 8)):
        where = dice.randrange(len(data) + 1)
        kind = dice.randrange(5)
        if kind == 0 and data:
            data[where % len(data)] = dice.randrange(256)
        elif kind == 1:
            del data[where : where + dice.randint(1, 9)]
        elif kind == 2:
            data[where:where] = dice.randbytes(dice.randint(1, 9))
        elif kind == 3:
            data[where:where] = data[: dice.randint(1, 40)]
        elif dice.random() < 0.05:
            data = bytearray(dice.randbytes(dice.randint(0, 300)))
    return bytes(data)


def codec_row(count: int) -> Row:
    """Read mutated messages of every type."""
    row = Row("mutated and random messages, codec", note="read, or refused with a typed error")
    dice = random.Random(1)
    good = samples()
    for number in range(count):
        header = mutated(good[number % len(good)], dice)
        row.tried += 1
        began = time.perf_counter()
        try:
            codec.decode_client(header)
        except Refused as refusal:
            if refusal.code not in ("bad_request", "too_large"):
                row.fail("untyped", refusal.code)
        except Exception as fault:  # noqa: BLE001 - that is what is counted
            row.fail("untyped", f"{fault!r} for {header.hex()}")
        row.took(time.perf_counter() - began)
    return row


def socket_row(count: int) -> Row:
    """Send mutated messages to a daemon, and see that a good one still gets through."""
    row = Row("mutated messages, running daemon", note="a ping after each is answered")
    dice = random.Random(2)
    good = samples()
    with sandbox() as place:
        place.start()
        with Raw(place.where) as raw:
            raw.hello()
            for number in range(count):
                header = mutated(good[number % len(good)], dice)
                row.tried += 1
                _check_alive(row, raw, number, header)
    return row


def _check_alive(row: Row, raw: Raw, number: int, header: bytes) -> None:
    began = time.perf_counter()
    raw.send(header)
    raw.send({"type": "ping", "nonce": number + 1})
    nonce = None
    while nonce != number + 1 and time.perf_counter() - began < LOST_S:
        try:
            nonce = raw.wait("pong")["nonce"]  # also of a mutated ping, or the daemon's own
        except TimeoutError:  # noqa: PERF203 - once in ten thousand messages, it is meant
            break
    if nonce != number + 1:
        row.fail("hung", header.hex())
    row.took(time.perf_counter() - began)


def connection_row(count: int) -> Row:
    """Open raw connections that say nonsense or stop in the middle of the handshake."""
    row = Row("raw connections: garbage, half handshakes", note="descriptors back to the start")
    dice = random.Random(3)
    with sandbox() as place:
        place.start()
        front = psutil.Process(place.where.pid)
        path = place.where.work.removeprefix("ipc://")
        with place.client() as client:
            # the worker's connection is a descriptor too
            wait_for(lambda: client.status().worker == "idle", 20, "the worker")
            before = front.num_fds()
            for number in range(count):
                row.tried += 1
                with socket.socket(socket.AF_UNIX) as plain:
                    plain.connect(path)
                    garbage = dice.randbytes(dice.randint(0, 200))
                    cut = dice.randint(0, 64)
                    plain.sendall(garbage if number % 2 else GREETING[:cut])
                if number % 500 == 0:
                    row.took(client.ping())
            deadline = time.monotonic() + 10
            while front.num_fds() > before and time.monotonic() < deadline:
                time.sleep(0.05)
            row.lost = max(0, front.num_fds() - before)
    return row


def bombs() -> dict[str, bytes]:
    """Messages that promise more than anyone should deliver."""
    small = {"width": 16, "height": 16, "transfer": "srgb", "digest": "0" * 64}
    map_ = {**small, "transfer": "linear"}
    huge = {**small, "width": 65535, "height": 65535, "channels": 4, "dtype": "f32"}
    render = {"type": "render", "id": "bomb", "image": small}
    nan = float("nan")

    def changed(**fields: Any) -> bytes:
        return bytes(msgpack.packb({**render, **fields}))

    return {
        "nesting": b"\x81\xa4type" + b"\x91" * 60_000,
        "map of 4 GiB": b"\xdf\xff\xff\xff\xff",
        "string of 4 GiB": b"\x81\xa4type\xdb\xff\xff\xff\xff",
        "binary of 4 GiB": b"\x81\xa4type\xc6\xff\xff\xff\xff",
        "array of 4 G": b"\x81\xa4type\xdd\xff\xff\xff\xff",
        "empty": b"",
        "not a map": b"\x01",
        "not utf-8": b"\x81\xa4type\xa2\xff\xfe",
        "long header": b"\x00" * (capabilities.MAX_HEADER_BYTES + 1),
        "65535 squared": changed(image=huge),
        "0 wide": changed(image={**small, "width": 0}),
        "negative": changed(image={**small, "height": -3}),
        "too wide": changed(image={**small, "width": 65_536}),
        "NaN lens": changed(lens={"kind": "lens", "focus": nan}),
        "NaN camera": changed(camera={"f_number": nan}),
        "unknown type": bytes(msgpack.packb({"type": "exec"})),
        "no id": bytes(msgpack.packb({"type": "render", "image": small})),
        "path as id": changed(id="../../etc/passwd"),
        "matte of another size": changed(matte={**map_, "width": 17}),
        "four-channel depth": changed(depth={**map_, "channels": 4}),
        "pixels of nothing": bytes(
            msgpack.packb({"type": "pixels", "id": "x", "planes": ["image"]})
        ),
    }


def bomb_row(rounds: int) -> Row:
    """Throw every bomb; each is refused in 50 ms and takes less than 16 MiB."""
    row = Row("bombs: nesting, 4-GiB lengths, NaN, 65,535^2, many frames")
    with sandbox() as place:
        place.start()
        front = psutil.Process(place.where.pid)
        with Raw(place.where) as raw:
            raw.hello()
            before = front.memory_info().rss
            for _ in range(rounds):
                for name, bomb in bombs().items():
                    _throw(row, raw, name, bomb)
                _throw(row, raw, "5000 frames", bytes(msgpack.packb({"type": "ping"})), 5000)
            growth = (front.memory_info().rss - before) / MIB
    row.note = f"each gets a typed error; memory grew by {growth:.1f} MiB in all"
    if growth > 16:
        row.fail("lost", f"{growth:.0f} MiB")
    return row


def _throw(row: Row, raw: Raw, name: str, bomb: bytes, frames: int = 0) -> None:
    row.tried += 1
    began = time.perf_counter()
    try:
        raw.send(bomb, [b"x"] * frames)
        answer = raw.wait("error", "accepted", "result")
    except TimeoutError:
        row.fail("hung", name)
        return
    row.took(time.perf_counter() - began)
    if answer["type"] != "error" or answer["code"] not in ("bad_request", "too_large"):
        row.fail("untyped", f"{name}: {answer}")


def foreign_pixels_row(place: Sandbox, count: int) -> Row:
    """Send pixels that are not what was declared: wrong length, wrong plane, wrong hash."""
    row = Row("pixels unlike their declaration", note="length, plane, number of frames, hash")
    pixels = bytes(768)
    with Raw(place.where) as raw:
        raw.hello()
        for number in range(count):
            name = f"p{number}"
            wrong: list[tuple[list[str], list[bytes]]] = [
                (["image"], [pixels[:-1]]),
                (["depth"], [pixels]),
                (["image"], []),
                (["image"], [b"x" * 768]),
            ]
            for planes, frames in wrong:
                row.tried += 1
                raw.send(request(name, number.to_bytes(768, "big"), 16, 16))
                raw.wait("need")
                raw.send({"type": "pixels", "id": name, "planes": planes}, frames)
                answer = raw.wait("error", "result")
                if answer["type"] != "error" or answer["code"] != "bad_request":
                    row.fail("untyped", answer)
    return row
