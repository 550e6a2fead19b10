"""Prometheus metrics on loopback (extra `metrics`): the same figures as `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from daemon.wire.protocol import State


class Metrics:
    """Serves the latest state it was given on `http://127.0.0.1:PORT/metrics`.

    Parameters
    ----------
    port
        Loopback port; 0 takes a free one.
    """

    def __init__(self, port: int) -> None:
        self._state: State | None = None
        registry = CollectorRegistry()
        registry.register(self)
        self._server, self._thread = start_http_server(port, "127.0.0.1", registry)
        self.port = int(self._server.server_port)

    def update(self, state: State) -> None:
        """Take what the next scrape shows; one assignment, so the server's thread needs no lock."""
        self._state = state

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics (called by prometheus_client)."""
        state = self._state
        if state is None:
            return
        gauges = {
            "queued": ("requests waiting", state.queued),
            "running": ("requests at work", int(state.running is not None)),
            "sessions": ("connected clients", state.sessions),
            "uptime_seconds": ("since the daemon started", state.uptime_s),
            "front_resident_bytes": ("memory of the server", state.rss_bytes),
            "worker_resident_bytes": ("memory of the worker", state.worker_rss_bytes),
            "device_bytes": ("memory on the accelerator", state.device_bytes),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"defocus_{name}", text, value=value)
        restarts = state.worker_restarts
        yield CounterMetricFamily("defocus_worker_restarts", "workers that died", value=restarts)
        answers = CounterMetricFamily("defocus_answers", "answers by outcome", labels=["outcome"])
        for outcome, count in state.finished.items():
            answers.add_metric([outcome], count)
        yield answers
        levels = GaugeMetricFamily("defocus_cache_bytes", "cache by level", labels=["level"])
        hits = CounterMetricFamily("defocus_cache_hits", "found, by level", labels=["level"])
        for level, figures in state.cache.items():
            levels.add_metric([level], figures.nbytes)
            hits.add_metric([level], figures.hits)
        yield levels
        yield hits
