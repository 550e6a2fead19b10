"""Runs one of our modules with nothing of the current folder on the path: every child's way in.

    python -I entry.py MODULE [ARGUMENT ...]

`-I` leaves out the current folder and `PYTHONPATH`, where a file called `numpy.py` beside a photo
would be run in place of the real one. It leaves out this package as well, so its place is added.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OURS = str(HERE / "ours")
"""Holds the name `daemon` for our wings alone."""


def main() -> None:
    """Run the module named by the first argument, which becomes the name of the program."""
    root = str(HERE.parents[1])
    places = [OURS, *([] if root in sys.path else [root])]
    # after Python's own modules, before any package
    packages = (n for n, path in enumerate(sys.path) if path.endswith("-packages"))
    at = next(packages, len(sys.path))
    sys.path[at:at] = places
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
