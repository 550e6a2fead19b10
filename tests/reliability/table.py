"""The fault table: which rows are run, how often, and the page that shows them."""

from __future__ import annotations

import functools
import platform
import time
from typing import TYPE_CHECKING

import psutil

from daemon.runtime.version import VERSION
from tests.reliability import death_rows, load_rows, resource_rows, soak_rows, wire_rows
from tests.reliability.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.reliability.row import Row


def rows(*, full: bool, soak_minutes: float) -> list[Callable[[], Row]]:
    """List the rows to run.

    Parameters
    ----------
    full
        The counts of the published table, about twenty minutes; else about a minute. What is timed
        comes first.
    soak_minutes
        Length of the soak; 0 leaves it out.
    """

    def count(many: int, few: int) -> int:
        return many if full else few

    make = functools.partial
    chosen: list[Callable[[], Row]] = [
        make(wire_rows.codec_row, count(100_000, 5_000)),
        make(wire_rows.socket_row, count(10_000, 300)),
        make(wire_rows.connection_row, count(10_000, 300)),
        make(wire_rows.bomb_row, count(20, 1)),
        make(_foreign_pixels, count(100, 5)),
        make(load_rows.cancel_row, count(300, 10)),
        make(load_rows.engine_cancel_row, count(40, 2), 12.0 if full else 1.0),
        make(load_rows.control_row, count(2_000, 100)),
        *(make(load_rows.clients_row, n, count(2_000, 2 * n + 8)) for n in (1, 4, 16, 64)),
        make(death_rows.client_row, count(100, 6)),
        make(death_rows.worker_row, count(100, 6)),
        make(death_rows.random_kill_row, count(100, 4)),
        make(death_rows.held_row, count(50, 2)),
        make(death_rows.front_row, count(20, 1)),
        make(death_rows.race_row, 2, count(10, 1)),
        make(death_rows.race_row, 20, count(5, 0)),
        make(resource_rows.memory_row),
        make(resource_rows.weights_row, count(120, 12)),
        make(resource_rows.disk_row, count(20, 2)),
    ]
    if soak_minutes > 0:
        chosen.append(make(soak_rows.soak_row, soak_minutes))
    return chosen


def names(chosen: list[Callable[[], Row]]) -> list[str]:
    """Name rows, for `--only`."""
    return list(dict.fromkeys(_name(make) for make in chosen))


def run(chosen: list[Callable[[], Row]], only: str | None = None) -> Iterator[tuple[Row, float]]:
    """Run rows one after the other; gives each with its duration in seconds."""
    for make in chosen:
        if only and only not in _name(make):
            continue
        began = time.monotonic()
        row = make()
        if row.tried:
            yield row, time.monotonic() - began


def page(found: list[Row], command: str) -> str:
    """Write the rows as a Markdown page."""
    machine = f"{psutil.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return "\n".join(
        [
            "# Reliability",
            "",
            f"Printed by `{command}`: defocus {VERSION}, Python {platform.python_version()},",
            f"{machine}, load average {psutil.getloadavg()[0]:.1f} at the end. Real daemons, real",
            "sockets, real processes; where the library is not what is tested, an engine that",
            "misbehaves on request stands in for it.",
            "",
            "| fault | tried | lost | hung | untyped | worst ms | |",
            "|---|--:|--:|--:|--:|--:|---|",
            *(
                f"| {row.fault} | {row.tried:,} | {row.lost} | {row.hung} | {row.untyped} "
                f"| {row.worst_ms:,.0f} | {row.note} |"
                for row in found
            ),
            "",
            "lost: accepted requests without their one answer, work that went on for nobody,",
            "leaks.",
            "hung: answers that did not come in time. untyped: anything outside the protocol.",
            "worst ms: the slowest reaction; other programs were using the machine as well.",
            "",
            "Known limit: ZeroMQ keeps a multipart message back until its last frame is there. It",
            "limits the bytes of a frame and the number of messages, not the frames of a message,",
            "so who has been let in can fill the server's memory with one that never ends:",
            "programs of the same user, and clients on the allow-list. Everybody else is closed",
            "before. What strangers and users can try on each other: [attacks](attacks.md).",
            "",
        ]
    )


def _name(make: Callable[[], Row]) -> str:
    return str(getattr(make, "func", make).__name__).strip("_")


def _foreign_pixels(count: int) -> Row:
    with sandbox() as place:
        place.start()
        return wire_rows.foreign_pixels_row(place, count)
