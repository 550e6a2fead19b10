"""Blur a picture without a ZeroMQ library: `client.py CONNECTION_FILE IN.ppm OUT.ppm`."""

import hashlib
import json
import re
import socket
import sys

import msgpack

SILENCE_S = 5  # `limits.silence_s` and `answer_s`: nothing for so long, and the daemon is gone


def connect(endpoint):
    kind, address = endpoint.split("://")
    link = socket.socket(socket.AF_UNIX if kind == "ipc" else socket.AF_INET)
    link.settimeout(SILENCE_S)
    host, _, port = address.rpartition(":")
    link.connect(address if kind == "ipc" else (host, int(port)))
    link.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48))  # greeting: ZMTP 3.0, client
    write(link, 4, b"\x05READY\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER")
    stream = link.makefile("rb")
    take(stream, 64)  # the daemon's greeting
    return link, stream, read(link, stream)  # its READY


def take(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise OSError("it has hung up")
    return data


def write(link, flags, body):  # flags: 1 = more follow, 2 = long, 4 = command
    long = len(body) > 255
    link.sendall(bytes([flags | 2 * long]) + len(body).to_bytes(8 if long else 1, "big") + body)


def read(link, stream):  # one message as a list of frames; heartbeats are answered on the way
    frames = []
    while True:
        flags = take(stream, 1)[0]
        body = take(stream, int.from_bytes(take(stream, 8 if flags & 2 else 1), "big"))
        if body.startswith(b"\x04PING") and flags & 4:
            write(link, 4, b"\x04PONG" + body[7:])
        elif frames.append(body) or not flags & 1:
            return frames


def send(link, header, *planes):
    frames = [msgpack.packb(header), *planes]
    for number, frame in enumerate(frames, 1):
        write(link, number < len(frames), frame)


def blur(where, image, pixels):
    link, stream, _ = connect(where["work"])
    send(link, {"type": "hello", "protocol": [1, 1], "token": where["token"]})
    look = {"kind": "preset", "name": "natural"}
    send(link, {"type": "render", "id": "1", "image": image, "lens": look, "want": ["composite"]})
    while (header := msgpack.unpackb((frames := read(link, stream))[0]))["type"] != "result":
        print(header["type"], header.get("message") or header.get("stage") or "")
        if header["type"] == "need":
            send(link, {"type": "pixels", "id": "1", "planes": header["planes"]}, pixels)
        elif header["type"] == "error":
            sys.exit(header["hint"])
    return frames[1]


data = open(sys.argv[2], "rb").read()
space = rb"(?:\s|#[^\n]*\n)+"  # comments may stand anywhere before the last number
found = re.match(rb"P6" + space + rb"(\d+)" + space + rb"(\d+)" + space + rb"255\s", data)
width, height = map(int, found.groups())
pixels = data[found.end() : found.end() + 3 * width * height]
plane = {"width": width, "height": height, "channels": 3, "dtype": "u8", "transfer": "srgb",
         "digest": hashlib.sha256(pixels).hexdigest()}  # fmt: skip
try:
    made = blur(json.load(open(sys.argv[1])), plane, pixels)
except OSError as fault:  # `defocus daemon start`, then this again: it changed nothing
    sys.exit(f"the daemon is gone: {fault}")
open(sys.argv[3], "wb").write(b"P6 %d %d 255\n" % (width, height) + made)
