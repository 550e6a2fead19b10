"""A whole plug-in without an editor: `python light_client.py photo.ppm blurred.ppm [preset]`.

The standard library alone. `daemon/light/` lies beside it, or is found in an installed defocus, as
by `.venv/bin/python`; an editor's plug-in puts its own pixels in the place of the PPM's.
"""

import sys
import threading
from pathlib import Path

from daemon.light.connect import connect
from daemon.light.editor import Editor
from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.planes import Plane
from daemon.light.request import LayerRequest
from daemon.light.stages import in_words


def read(path):
    kind, width, height, full, data = Path(path).read_bytes().split(maxsplit=4)
    if (kind, full) != (b"P6", b"255"):
        raise SystemExit("a PPM of 8 bits, please")
    size = 3 * int(width) * int(height)
    return Plane(int(width), int(height), 3, "u8", "srgb", data[-size:])


def main(source, target, preset="natural"):
    stop = threading.Event()  # any thread may set it: the daemon then stops computing
    editor = Editor("Example", Path(__file__).parent)  # launcher.json beside it starts the daemon

    def report(stage, fraction):
        print(f"{in_words(stage)} {fraction:.0%}", file=sys.stderr)

    client = connect(editor, report, stop)
    try:
        request = LayerRequest.of(read(source), Parameters(preset=preset))
        reply = client.render(request, report, stop)
    finally:
        client.close()
    made = reply.planes["composite"]  # and "matte", "depth"
    Path(target).write_bytes(b"P6 %d %d 255\n" % (made.width, made.height) + made.data)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    try:
        main(*sys.argv[1:])
    except PluginError as error:  # its text says what to do
        raise SystemExit(str(error)) from error
