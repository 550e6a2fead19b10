"""What the plug-in adds to the start of GIMP, against an empty Python plug-in; for `bench`.

Both are started as GIMP does at a first start, up to the list of procedures; medians of
alternating runs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.setup import plugin_files

if TYPE_CHECKING:
    from tests.rootfs import Root

TIMER = """
import statistics, subprocess, sys, time
empty, ours = [], []
for _ in range({runs}):
    for code, times in (({empty!r}, empty), ({ours!r}, ours)):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(1000 * (time.perf_counter() - began))
print(statistics.median(empty), statistics.median(ours))
"""
EMPTY = """
import gi
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib
class Empty(Gimp.PlugIn):
    def do_query_procedures(self): return ["empty"]
"""
OURS = """
import sys
sys.path.insert(0, {folder!r})
import bokeh
assert len(bokeh.Bokeh.do_query_procedures(None)) == 6
"""


def measure(root: Root, runs: int = 15) -> tuple[float, float]:
    """Return both medians in milliseconds: the empty plug-in, and ours."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bokeh"
        for name, content in plugin_files.contents("gimp_plugin").items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        code = TIMER.format(runs=runs, empty=EMPTY, ours=OURS.format(folder=str(folder)))
        done = root.run(["python3", "-c", code], visible=[Path(place)], timeout=300)
    if done.returncode:
        sys.exit(done.stderr)
    empty, ours = map(float, done.stdout.split())
    return empty, ours
