"""What is said in the recorded conversations: `python -m tests.protocol.scripts` records them."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bokeh_core import picture, samples
from daemon.light.facts import VERSION
from tests.bokeh_core.picture.corpus import made
from tests.protocol import conversations
from tests.reliability.sandbox import sandbox, wait_for

HERE = Path(__file__).parent
SIDE = 48
GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"
LARGE = 1600
"""Side of a picture that takes long enough to be cancelled at work."""


def portrait(number):
    """Return a small portrait, another for every number: what one brings, others do not know."""
    full = picture.read(samples.ASTRONAUT).pixels
    return np.roll(cv2.resize(full, (SIDE, SIDE), interpolation=cv2.INTER_AREA), number, axis=1)


def with_depth():
    """Give the file of a portrait with a phone's depth map inside (GDepth): near at the left."""
    near = np.tile(np.linspace(0, 255, SIDE // 2).astype(np.uint8), (SIDE // 2, 1))
    depth = base64.b64encode(encoded("PNG", near)).decode()
    packet = made.xmp({"GDepth:Format": "RangeInverse", "GDepth:Data": depth}, {"GDepth": GDEPTH})
    return made.jpeg(portrait(0), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))


def encoded(kind, pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind)
    return file.getvalue()


def declared(pixels, **more):
    return {
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        **({"channels": 3} if pixels.ndim == 3 else {}),
        "dtype": "u8",
        **more,
        "digest": hashlib.sha256(pixels.tobytes()).hexdigest(),
    }


def frame(pixels):
    return base64.b64encode(pixels.tobytes()).decode()


def hello(session, on="work", **more):
    words = {"type": "hello", "protocol": [1, 1], "token": "$token", "client": f"example {VERSION}"}
    return (on, {**words, "session": session, **more}, [], ["welcome"])


def ask(name, image, answers, **more):
    render = {"type": "render", "id": name, "image": image, **more}
    return ("work", render, [], answers)


def give(name, frames, answers):
    header = {"type": "pixels", "id": name, "planes": list(frames)}
    return ("work", header, list(frames.values()), answers)


def say(on, answers, **header):
    return (on, header, [], answers)


def renders():
    photo = portrait(0)
    image = declared(photo, transfer="srgb")
    matte = np.zeros((SIDE, SIDE), np.uint8)
    matte[8:, 12:36] = 255
    file = with_depth()
    return [
        hello("render"),
        ask("a", image, ["accepted", "need"]),
        give("a", {"image": frame(photo)}, ["result"]),
        ask(
            "b",
            image,
            ["accepted", "result"],
            lens={"kind": "lens", "max_coc": 12.0, "focus_point": [0.4, 0.3], "blades": 6},
            want=["composite"],
        ),
        ask(
            "c",
            image,
            ["accepted", "result"],
            lens={"kind": "preset", "name": "dreamy"},
            want=["composite", "depth"],
            preview=24,
        ),
        ask(
            "d",
            image,
            ["accepted", "need"],
            matte=declared(matte),
            painted=True,
            lens={"kind": "binned_gaussian", "bins": 5, "strength": 4.0},
            want=["matte"],
        ),
        give("d", {"matte": frame(matte)}, ["result"]),
        ask(
            "e",
            image,
            ["accepted", "result"],
            camera={
                "f_number": 1.8,
                "focal_length_mm": 85.0,
                "sensor_width_mm": 36.0,
                "focus_distance_m": 2.0,
            },
            want=["composite"],
            region={"left": 4, "top": 6, "width": 20, "height": 10},
        ),
        ask(
            "f",
            image,
            ["accepted", "result"],
            strokes=[
                {"plane": "matte", "effect": "raise", "radius": 5.0, "points": [10, 12, 20, 14]}
            ],
            want=["matte"],
        ),
        ask(
            "g",
            image,
            ["accepted", "result"],
            people=[[0.5, 0.4]],
            tell_people=True,
            want=["matte"],
        ),
        ask(
            "h",
            image,
            ["accepted", "need"],
            file={"nbytes": len(file), "digest": hashlib.sha256(file).hexdigest()},
            want=["depth"],
        ),
        give("h", {"file": base64.b64encode(file).decode()}, ["result"]),
    ]


def cancels():
    photo = portrait(1)
    image = declared(photo, transfer="srgb")
    dark = np.zeros((LARGE, LARGE, 3), np.uint8)
    return [
        hello("cancel"),
        hello("cancel", "control"),
        ask("waits", image, ["accepted", "need"]),
        say("work", ["error", "cancel_reply"], type="cancel", id="waits"),
        ask("works", declared(dark, transfer="srgb"), ["accepted", "need"]),
        give("works", {"image": {"zeros": dark.nbytes}}, ["progress"]),
        say("control", ["cancel_reply"], type="cancel", id="works"),
        ("work", None, [], ["error"]),
        say("control", ["cancel_reply"], type="cancel", id="works"),
    ]


def errors():
    photo = portrait(2)
    image = declared(photo, transfer="srgb")
    matte = {"width": SIDE + 1, "height": SIDE, "digest": "0" * 64}
    unsaid = {name: value for name, value in image.items() if name != "transfer"}
    wrong = [
        ({"image": {**image, "width": 65_535, "height": 65_535}}, "too_large"),
        ({"file": {"nbytes": 1 << 30, "digest": "0" * 64}}, "too_large"),
        ({"file": {"nbytes": 0, "digest": "0" * 64}}, "empty"),
        ({"image": {**image, "width": 15}}, "a side under 16"),
        ({"image": unsaid}, "no transfer"),
        ({"id": "bad id"}, "an id with a space"),
        ({"lens": {"kind": "lens", "max_coc": -1}}, "out of range"),
        ({"lens": {"kind": "lens", "blades": 2}}, "not among the allowed"),
        ({"lens": {"kind": "lens", "blade": 6}}, "misspelt"),
        ({"matte": matte}, "of another size"),
        ({"lens": {"kind": "lens", "focus": 0.5, "focus_point": [0.5, 0.5]}}, "said twice"),
    ]
    return [
        say("work", ["error"], type="ping"),
        say("work", ["error"], type="hello", protocol=[2, 3], token="$token"),
        say("work", ["error"], type="hello", protocol=[1, 1], token="wrong"),
        say(
            "work",
            ["error"],
            type="hello",
            protocol=[1, 1],
            token="$token",
            capabilities=["strict", "x"],
        ),
        hello("errors", capabilities=["strict"]),
        say("work", ["error"], type="dance"),
        say("work", ["error"], type="render", id="x"),
        *(
            say("work", ["error"], **{"type": "render", "id": "x", "image": image, **each})
            for each, _ in wrong
        ),
        ask("short", image, ["accepted", "need"]),
        ("work", {"type": "pixels", "id": "short", "planes": ["image"]}, ["eA=="], ["error"]),
        give("short", {"image": frame(photo)}, ["error"]),
        ask("twice", image, ["accepted", "need"]),
        ask("twice", image, ["error"], preview=24),
        give("twice", {"image": frame(photo)}, ["result"]),
        ask("late", declared(portrait(3), transfer="srgb"), ["accepted", "error"], deadline_ms=1),
        ask("unknown", image, ["accepted", "error"], matte_model="nonesuch", preview=20),
    ]


def control():
    return [
        hello("control", "control"),
        say("control", ["pong"], type="ping", nonce=7),
        say("control", ["state"], type="status"),
        say("control", ["cancel_reply"], type="cancel", id="nothing"),
    ]


def stop():
    return [
        ("work", hello("stop", capabilities=["ready"])[1], [], ["welcome", "ready"]),
        hello("stop", "control"),
        say("control", ["stopping"], type="shutdown"),
    ]


SCRIPTS = {"render": renders, "cancel": cancels, "errors": errors, "control": control, "stop": stop}


def main() -> None:
    """Record every conversation anew with the real networks, and none of one's own."""
    os.environ["DEFOCUS_DATA_DIR"] = f"{os.devnull}/defocus"
    for name, script in SCRIPTS.items():
        with sandbox("daemon.worker.engine") as place:
            place.start()
            with place.client() as client:
                wait_for(lambda: client.status().worker == "idle", 120, "the networks")
            conversations.write(HERE / f"{name}.jsonl", conversations.record(place.where, script()))
            place.stop()


if __name__ == "__main__":
    main()
