"""A real client talks to a real daemon over real sockets: the normal course of events."""

from __future__ import annotations

import json

import numpy as np
import pytest

from daemon.client.client import DaemonError, RenderRequest
from daemon.wire.lens import BinnedGaussian, Lens


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_pixel_format_arrives_unchanged(module_daemon, dtype, channels):
    noise = np.random.default_rng(2).integers(0, 256, (19, 17, channels)).astype(dtype)
    image = noise / 255 if dtype == np.float32 else noise
    image = image.astype(dtype)
    with module_daemon.client() as client:
        out = client.render(RenderRequest(image))
    expected = 1 - image if dtype == np.float32 else np.invert(image)
    np.testing.assert_array_equal(out.planes["composite"], expected)
    np.testing.assert_array_equal(out.planes["matte"], image[..., 0])
    assert out.planes["matte"].dtype == dtype


def test_a_second_render_sends_no_pixels(module_daemon, picture):
    with module_daemon.client() as client:
        first = client.render(RenderRequest(picture))
        second = client.render(RenderRequest(picture, lens=Lens(max_coc=5)))
    assert first.cached == []
    assert second.cached == ["image"]
    np.testing.assert_array_equal(first.planes["composite"], second.planes["composite"])


def test_only_what_is_wanted_comes_back_in_that_order(module_daemon, picture):
    with module_daemon.client() as client:
        out = client.render(RenderRequest(picture, want=["depth", "matte"], lens=BinnedGaussian()))
    assert list(out.planes) == ["depth", "matte"]


def test_edited_maps_travel(module_daemon, picture):
    matte = picture[..., 0].astype(np.uint16) * 257
    with module_daemon.client() as client:
        out = client.render(RenderRequest(picture, matte=matte, depth=picture[..., 1]))
    assert out.planes["composite"].shape == picture.shape


def test_progress_is_reported(module_daemon, picture):
    seen = []
    with module_daemon.client() as client:
        client.render(
            RenderRequest(picture, depth_model="slow@matte"),
            progress=lambda *step: seen.append(step),
        )
    assert {stage for stage, _ in seen} >= {"slow"}
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert len(seen) >= 10


def test_many_clients_at_once_all_get_their_own_answer(module_daemon):
    clients = [module_daemon.client() for _ in range(12)]
    try:
        for number, client in enumerate(clients):
            image = np.full((16, 17, 3), number, np.uint8)
            out = client.render(RenderRequest(image))
            assert (out.planes["composite"] == 255 - number).all()
    finally:
        for client in clients:
            client.close()


def test_status_tells_queue_cache_memory_and_models(module_daemon, picture):
    with module_daemon.client() as client:
        client.render(RenderRequest(picture))
        state = client.status()
    assert state.worker == "idle"
    assert state.finished["result"] >= 1
    assert state.cache["image"].entries >= 1
    assert state.worker_rss_bytes > 0
    assert state.rss_bytes > 0
    assert [model.name for model in state.models] == ["none"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [("oom", "out_of_memory"), ("bug", "internal"), ("corrupt", "model_corrupt")],
)
def test_a_fault_of_the_engine_is_a_typed_error(module_daemon, picture, fault, code):
    with module_daemon.client() as client:
        with pytest.raises(DaemonError, match="injected") as error:
            client.render(RenderRequest(picture, depth_model=f"{fault}@render"))
        assert error.value.code == code
        assert error.value.hint
        assert client.render(RenderRequest(picture)).planes, "the daemon must go on"


def test_the_log_shows_where_an_unexpected_fault_happened(module_daemon, picture):
    with module_daemon.client() as client, pytest.raises(DaemonError) as error:
        client.render(RenderRequest(picture, depth_model="bug@matte"))
    assert "defocus daemon logs --worker" in error.value.hint
    lines = (module_daemon.root / "logs" / "worker.log").read_text().splitlines()
    failed = [json.loads(line) for line in lines if "job failed" in line]
    assert "in _bug" in failed[-1]["traceback"]


def test_nan_pixels_are_a_bad_request(module_daemon):
    image = np.full((16, 16, 3), np.nan, np.float32)
    with module_daemon.client() as client, pytest.raises(DaemonError, match="NaN") as error:
        client.render(RenderRequest(image))
    assert error.value.code == "bad_request"


def test_the_front_never_loads_torch_or_numpy(module_daemon):
    from pathlib import Path

    maps = Path(f"/proc/{module_daemon.where.pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    loaded = maps.read_text()
    assert "zmq" in loaded
    assert "torch" not in loaded
    assert "numpy" not in loaded
