"""Rows about processes that die: clients, workers, fronts, and too many daemons at once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np

from daemon.client import launch
from daemon.client.client import Client, ConnectionLost, DaemonError, RenderRequest
from daemon.wire import discovery
from tests.reliability import victim
from tests.reliability.engine import STAGES
from tests.reliability.row import Row
from tests.reliability.sandbox import ENGINE, Sandbox, sandbox, wait_for

FREE_S = 2.0
"""A job of a client that is gone counts as lost when it is not over by then (meant: 1 s)."""


def picture(number: int) -> np.ndarray:
    """Make a small picture that no other number gives."""
    return np.frombuffer(number.to_bytes(4, "big") * 288, np.uint8).reshape(16, 24, 3)


def client_row(rounds: int) -> Row:
    """Kill client processes at every stage of a conversation."""
    row = Row("client killed at every stage", note="its job is over within 1 s, meant")
    with sandbox() as place:
        place.start()
        with place.client() as client:
            client.render(RenderRequest(picture(0)))
            for number in range(rounds):
                row.tried += 1
                _kill_client(row, place, client, victim.STAGES[number % len(victim.STAGES)])
    return row


def _kill_client(row: Row, place: Sandbox, client: Client, stage: str) -> None:
    file = place.directory / discovery.FILE_NAME
    with subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.victim", file, stage],
        stdout=subprocess.PIPE,
        env=place.environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    began = time.monotonic()

    def free() -> bool:
        state = client.status()
        return state.running is None and state.queued == 0

    try:
        wait_for(free, FREE_S, stage)
    except TimeoutError as fault:
        row.fail("lost", fault)
    row.took(time.monotonic() - began)


def worker_row(rounds: int) -> Row:
    """Let workers die, end or hang once at every stage: the job is repeated."""
    row = Row("worker killed, ended or hung once, at every stage", note="same pixels, by retry")
    with sandbox(ENGINE, "--hang", "0.5") as place:
        place.start()
        faults = [
            f"once-{fault}@{stage}" for fault in ("crash", "exit", "hang") for stage in STAGES
        ]
        with place.client() as client:
            for number in range(rounds):
                _expect_result(row, client, number, faults[number % len(faults)])
    return row


def random_kill_row(rounds: int) -> Row:
    """Kill the worker from outside at random instants, loading included."""
    row = Row("worker killed from outside at random instants", note="same pixels, by retry")
    dice = random.Random(4)
    with sandbox() as place:
        place.start()
        with place.client() as client, place.client() as control:
            for number in range(rounds):
                delay = dice.uniform(0.0, 1.0)
                killer = threading.Timer(delay, _kill_worker, [control])
                killer.start()
                _expect_result(row, client, number, "slow@render" if number % 2 else "")
                killer.join()
    return row


def held_row(rounds: int) -> Row:
    """Kill the worker that holds the picture of a job that was asked for its map alone."""
    row = Row("worker killed that held a waiting job's picture", note="asked for; same pixels")
    with sandbox() as place:
        place.start()
        with place.client() as client, place.client() as other, place.client() as control:
            for number in range(rounds):
                client.render(RenderRequest(picture(number)))
                before = RenderRequest(picture(number + 1), depth_model="once-slow@render")
                ahead = threading.Thread(target=other.render, args=[before])
                ahead.start()
                wait_for(lambda: control.status().running is not None, 5, "the job ahead")
                killer = threading.Timer(0.2, _kill_worker, [control])
                killer.start()
                _expect_result(row, client, number, "", depth=picture(number)[..., 0])
                killer.join()
                ahead.join()
    return row


def _kill_worker(control: Client) -> None:
    pid = control.status().worker_pid
    with contextlib.suppress(ProcessLookupError):  # it may have gone meanwhile
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def _expect_result(
    row: Row, client: Client, number: int, fault: str, depth: np.ndarray | None = None
) -> None:
    row.tried += 1
    image = picture(number)
    job = RenderRequest(image, depth=depth, depth_model=fault, want=["composite"], deadline_s=30)
    began = time.monotonic()
    try:
        out = client.render(job)
        if not np.array_equal(out.planes["composite"], np.invert(image)):
            row.fail("lost", f"wrong pixels after {fault}")
    except DaemonError as error:
        if error.code == "deadline":
            row.fail("hung", fault)
        elif not error.retryable:
            row.fail("lost", f"{fault}: {error.code}: {error}")
    except ConnectionLost as error:
        row.fail("hung", f"{fault}: {error}")
    row.took(time.monotonic() - began)


def front_row(rounds: int) -> Row:
    """Kill the server in the middle of a job; the next start heals what it left."""
    row = Row("front killed; stale socket, stale file", note="next start heals; no worker is left")
    with sandbox() as place:
        for number in range(rounds):
            row.tried += 1
            place.start()
            with place.client() as client:
                client.render(RenderRequest(picture(number)))
                worker = client.status().worker_pid
            assert place.process is not None
            assert worker is not None
            place.process.kill()
            place.process.wait()
            began = time.monotonic()
            try:
                wait_for(lambda: not place.family(), 3, "the orphaned worker")
            except TimeoutError as fault:
                row.fail("lost", fault)
            row.took(time.monotonic() - began)
        place.start()
        with place.client() as client:
            client.render(RenderRequest(picture(0)))
    return row


def race_row(daemons: int, rounds: int) -> Row:
    """Start many daemons at once: exactly one lives, the others leave in order."""
    row = Row(f"{daemons} daemons started at once", note="exactly one lives and answers")
    for _ in range(rounds):
        row.tried += daemons
        with sandbox() as place:
            processes = [place.launch() for _ in range(daemons)]
            try:
                _judge_race(row, place, processes)
            finally:
                for process in processes:
                    process.terminate()
                    process.wait(10)
    return row


def _judge_race(row: Row, place: Sandbox, processes: list[subprocess.Popen[bytes]]) -> None:
    try:
        wait_for(lambda: sum(p.poll() is None for p in processes) == 1, 60, "one survivor")
    except TimeoutError as fault:
        row.fail("hung", fault)
        return
    for process in processes:
        if process.poll() not in (None, launch.ALREADY_RUNNING):
            row.fail("untyped", f"status {process.returncode}")
    with place.client() as client:
        row.took(client.ping())
