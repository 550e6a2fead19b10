"""Only a JPEG or HEIC that is still there, and not too large, goes to the daemon."""

import os

import pytest

from daemon.light import photo_file
from daemon.wire.capabilities import Limits

JPEG = b"\xff\xd8\xff\xe0 and so on"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize("data", [JPEG, HEIC])
def test_kinds_that_can_have_depth(tmp_path, data):
    path = tmp_path / "p"
    path.write_bytes(data)
    assert photo_file.read(str(path)).data == data


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n....", b"gimp xcf v011", b"\0\0\0\x1cftypavif"]
)
def test_others_are_left(tmp_path, data):
    path = tmp_path / "p.jpg"
    path.write_bytes(data)
    assert photo_file.read(str(path)) is None


def test_what_is_no_file_any_more(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (None, str(tmp_path), str(tmp_path / "gone"), str(tmp_path / "pipe"), "a\0b"):
        assert photo_file.read(path) is None


def test_too_large_is_what_the_daemon_calls_so(tmp_path, monkeypatch):
    assert Limits().max_file_bytes == photo_file.MOST_BYTES
    path = tmp_path / "p.jpg"
    path.write_bytes(JPEG)
    monkeypatch.setattr(photo_file, "MOST_BYTES", len(JPEG))
    assert photo_file.read(str(path)) is not None
    monkeypatch.setattr(photo_file, "MOST_BYTES", len(JPEG) - 1)
    assert photo_file.read(str(path)) is None
