"""The scene of test_dialog again and again, with no second try: how often does it fail?

python -m tests.gimp.repeat [runs] [trixie|forky ...]
"""

from __future__ import annotations

import inspect
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gimp import test_dialog
from tests.gimp.conftest import home_with_plugin
from tests.gimp.rootfs import root_filesystem
from tests.reliability.sandbox import sandbox

if TYPE_CHECKING:
    from tests.rootfs import Root


def main(runs: int = 20, *suites: str) -> int:
    """Play and check; prints each run, and how many passed."""
    failed = 0
    for suite in suites or ("trixie", "forky"):
        root = root_filesystem(suite)
        passed = sum(_run(root, f"{suite} {number}") for number in range(1, runs + 1))
        print(f"{suite}: {passed} of {runs} runs passed", flush=True)
        failed += runs - passed
    return int(failed > 0)


def _run(root: Root, name: str) -> bool:
    began = time.monotonic()
    good = False
    with tempfile.TemporaryDirectory() as folder, sandbox("daemon.worker.engine") as made:
        out = Path(folder) / "out"
        out.mkdir()
        made.start()
        home = home_with_plugin(root, Path(folder) / "home")
        try:
            _check(test_dialog.play(root, home, made.directory, out))
            good = True
        except AssertionError:
            traceback.print_exc()
    print(
        f"{name}: {'passed' if good else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True
    )
    return good


def _check(facts: dict) -> None:
    """Run every test of the scene on its facts."""
    for test_name, test in inspect.getmembers(test_dialog, inspect.isfunction):
        if test_name.startswith("test_"):
            test(facts)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2]), *sys.argv[2:]))
