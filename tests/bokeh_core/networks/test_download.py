"""A download ends with the right bytes or says why not, and never asks for a byte twice."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import filelock
import numpy as np
import pytest

from bokeh_core.errors import ModelCorrupt, ModelMissing, OutputError
from bokeh_core.networks import download

CONTENT = np.random.default_rng(0).bytes(2_500_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def fetch(server, tmp_path):
    """Fetch `/weights` of the server and return the bytes told on the way."""
    server.files["/weights"] = CONTENT

    def run(name="weights", token=None):
        url = f"{server.address}/{name}"
        return list(download.fetch(url, tmp_path / "new" / "weights", DIGEST, token))

    return run


@pytest.fixture
def part(tmp_path):
    (tmp_path / "new").mkdir()
    return tmp_path / "new" / "weights.part"


def content(part):
    return part.with_name("weights").read_bytes()


def one_line(found):
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 400
    return str(found.value)


def test_a_connection_that_breaks_is_gone_on_with(server, fetch, part):
    server.breaks_after = 1_600_000
    with pytest.raises(ModelMissing, match=r"after 1\.6 of 2\.5 MB.*same command goes on") as found:
        fetch()
    one_line(found)
    assert part.stat().st_size == 1_600_000
    told = fetch()
    assert content(part) == CONTENT
    assert server.seen[-1]["Range"] == "bytes=1600000-"
    assert told[0] > 1_600_000
    assert told[-1] == len(CONTENT)
    assert not part.exists()


def test_what_was_told_is_on_the_disk(server, fetch, part):
    """So that a kill loses nothing."""
    for told in download.fetch(f"{server.address}/weights", part.with_name("weights"), DIGEST):
        assert part.stat().st_size == told


def test_a_server_without_ranges_sends_everything_again(server, fetch, part):
    server.ranges = False
    part.write_bytes(CONTENT[:1_000_000])
    assert fetch()[-1] == len(CONTENT)
    assert content(part) == CONTENT


def test_a_part_that_is_whole_is_only_checked(server, fetch, part):
    part.write_bytes(CONTENT)
    assert fetch() == []
    assert content(part) == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT + b"more", b"other" + CONTENT[5:1_000_000]])
def test_a_wrong_part_is_removed_and_the_next_try_begins_anew(server, fetch, part, wrong):
    part.write_bytes(wrong)
    with pytest.raises(ModelCorrupt, match=r"SHA-256 differs.*begins anew") as found:
        fetch()
    one_line(found)
    assert not list(part.parent.glob("weights*[!k]"))
    fetch()
    assert server.seen[-1]["Range"] is None
    assert content(part) == CONTENT


def test_wrong_content_is_removed(server, fetch, part):
    server.files["/weights"] = b"<html>please log in</html>"
    with pytest.raises(ModelCorrupt, match="SHA-256"):
        fetch()
    assert not list(part.parent.glob("weights*[!k]"))


def test_a_file_that_is_there_is_not_asked_for_and_a_wrong_one_is_replaced(server, fetch, part):
    part.with_name("weights").write_bytes(b"wrong")
    fetch()
    assert content(part) == CONTENT
    assert fetch() == []
    assert len(server.seen) == 1


def test_a_server_that_falls_silent_is_given_up(server, fetch, part, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    server.breaks_after, server.stalls = 1_000_000, True
    with pytest.raises(ModelMissing, match=r"timed out.*goes on from there") as found:
        fetch()
    one_line(found)
    assert part.stat().st_size == 1_000_000
    fetch()
    assert content(part) == CONTENT


def test_a_refusal_names_the_address_and_keeps_the_part(server, fetch, part):
    part.write_bytes(CONTENT[:9])
    with pytest.raises(ModelMissing, match=f"{server.address}/other cannot be fetched.*404"):
        fetch("other")
    assert part.read_bytes() == CONTENT[:9]


@pytest.mark.parametrize("address", ["nothing-of-the-kind/x", "http://[/x", "http://127.0.0.1:{}/"])
def test_an_address_that_leads_nowhere_is_one_line(tmp_path, address):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ModelMissing, match="cannot be fetched") as found:
        list(download.fetch(address.format(port), tmp_path / "weights", DIGEST))
    one_line(found)


def test_a_token_stays_with_the_host_it_is_for(server, other_server, fetch, part):
    other_server.files["/weights"] = CONTENT
    server.redirect = other_server.address
    part.write_bytes(CONTENT[:1_000_000])
    fetch(token="hf_secret")
    assert content(part) == CONTENT
    assert server.seen[0]["Authorization"] == "Bearer hf_secret"
    assert other_server.seen[0]["Authorization"] is None
    assert other_server.seen[0]["User-Agent"] == "defocus"
    assert other_server.seen[0]["Range"] == "bytes=1000000-"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
def test_a_full_disk_is_one_line_that_names_the_part(fetch, part):
    part.symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"weights\.part cannot be written \(No space left"):
        fetch()


def test_two_downloads_do_not_write_to_one_part(fetch, part):
    with (
        filelock.FileLock(part.with_name("weights.part.lock")),
        pytest.raises(ModelMissing, match="by another command"),
    ):
        fetch()
    fetch()
    assert content(part) == CONTENT


def test_not_more_is_taken_than_is_recorded(server, tmp_path):
    server.files["/weights"] = CONTENT
    path = tmp_path / "new" / "weights"
    with pytest.raises(ModelCorrupt, match="sends more than the 1,000,000 bytes of weights"):
        list(download.fetch(f"{server.address}/weights", path, DIGEST, at_most=1_000_000))
    assert [file for file in path.parent.iterdir() if file.suffix != ".lock"] == []


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
def test_nobody_else_may_write_what_was_fetched(server, tmp_path):
    server.files["/weights"] = CONTENT
    path = tmp_path / "a" / "b" / "weights"
    before = os.umask(0)
    try:
        list(download.fetch(f"{server.address}/weights", path, DIGEST))
    finally:
        os.umask(before)
    for place in (path, path.parent, path.parent.parent):
        assert place.stat().st_mode & 0o022 == 0
