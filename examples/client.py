"""Blur a picture without a ZeroMQ library: `client.py CONNECTION_FILE IN.ppm OUT.ppm`."""

import hashlib
import json
import socket
import sys

import msgpack


def connect(endpoint):
    kind, address = endpoint.split("://")
    link = socket.socket(socket.AF_UNIX if kind == "ipc" else socket.AF_INET)
    host, _, port = address.rpartition(":")
    link.connect(address if kind == "ipc" else (host, int(port)))
    link.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48))  # greeting: ZMTP 3.0, client
    write(link, 4, b"\x05READY\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER")
    stream = link.makefile("rb")
    stream.read(64)  # the daemon's greeting
    return link, stream, read(link, stream)  # its READY


def write(link, flags, body):  # flags: 1 = more follow, 2 = long, 4 = command
    long = len(body) > 255
    link.sendall(bytes([flags | 2 * long]) + len(body).to_bytes(8 if long else 1, "big") + body)


def read(link, stream):  # one message as a list of frames; heartbeats are answered on the way
    frames = []
    while True:
        flags = stream.read(1)[0]
        body = stream.read(int.from_bytes(stream.read(8 if flags & 2 else 1), "big"))
        if body.startswith(b"\x04PING") and flags & 4:
            write(link, 4, b"\x04PONG" + body[7:])
        elif frames.append(body) or not flags & 1:
            return frames


def send(link, header, *planes):
    frames = [msgpack.packb(header), *planes]
    for number, frame in enumerate(frames, 1):
        write(link, number < len(frames), frame)


where = json.load(open(sys.argv[1]))
data = open(sys.argv[2], "rb").read()
width, height = data.split(maxsplit=3)[1:3]
pixels = data[-3 * int(width) * int(height) :]
image = {"width": int(width), "height": int(height), "channels": 3, "dtype": "u8",
         "transfer": "srgb", "digest": hashlib.sha256(pixels).hexdigest()}  # fmt: skip
link, stream, _ = connect(where["work"])
send(link, {"type": "hello", "protocol": [1, 1], "token": where["token"]})
send(link, {"type": "render", "id": "1", "image": image, "want": ["composite"]})
while (header := msgpack.unpackb((frames := read(link, stream))[0]))["type"] != "result":
    print(header["type"], header.get("message") or header.get("stage") or "")
    if header["type"] == "need":
        send(link, {"type": "pixels", "id": "1", "planes": header["planes"]}, pixels)
    elif header["type"] == "error":
        sys.exit(1)
open(sys.argv[3], "wb").write(b"P6 %s %s 255\n" % (width, height) + frames[1])
