"""The tests in a real GIMP again and again, with no second try: how often do they fail?

python -m tests.gimp.repeat [runs] [words of pytest, such as tests/gimp/test_brushes.py]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
GIMPS = ("gimp-3.0", "gimp-3.2")


def main(runs: int = 10, *words: str) -> int:
    """Play every scene so often in each GIMP; prints each run, and how many passed.

    Both GIMPs play beside one another: a scene mostly waits.
    """

    def passed(gimp: str) -> int:
        return sum(_run(gimp, number, words or ("tests/gimp",)) for number in range(1, runs + 1))

    with ThreadPoolExecutor(len(GIMPS)) as beside:
        counts = dict(zip(GIMPS, beside.map(passed, GIMPS), strict=True))
    for gimp, count in counts.items():
        print(f"{gimp}: {count} of {runs} runs passed", flush=True)
    return int(any(count < runs for count in counts.values()))


def _run(gimp: str, number: int, words: tuple[str, ...]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", gimp, *words],
        cwd=ROOT,
        env={**os.environ, "DEFOCUS_TEST_TRIES": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1:]
    print(f"{gimp} {number}: {''.join(last)} ({time.monotonic() - began:.0f} s)", flush=True)
    if done.returncode:
        print(done.stdout[-4000:], flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2]), *sys.argv[2:]))
