"""The Krita plug-in, in Krita's own Python: the standard library, PyQt and the light client.

What set-up copies into `pykrita/defocus_bokeh/` of every Krita's resource folder: this folder
whole, its `.desktop` file beside it, and in it

    daemon/light/      the light client, see there
    launcher.json      {"command": [...]} that starts the daemon
    connection.json    written by the running daemon, which finds the folder in its `announce.json`

    extension -> actions, docker, dialog      what was asked
                   -> panel, preview          the settings and the live picture
                   -> rendering -> job        the daemon's work on a thread, the result in Qt's
                        -> group, pixels      what is in the document

Krita's Python is one for all plug-ins, and its main thread is that of the windows: nothing here
waits on it. Krita's own objects are touched on that thread only.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def _own_packages() -> None:
    """Make the folder of this file, as Krita has named it, the package `krita_plugin`.

    The light client lies in it as `daemon.light`. Another plug-in's package `daemon` would be a
    stranger there: ours is loaded before it is looked for anywhere else.
    """
    sys.modules["krita_plugin"] = sys.modules[__name__]
    found = sys.modules.get("daemon")
    if found is not None and not hasattr(found, "__path__"):
        raise ImportError(f"another plug-in has brought a module called daemon: {found!r}")
    spec = importlib.util.spec_from_file_location(
        "daemon",
        FOLDER / "daemon" / "__init__.py",
        submodule_search_locations=[str(FOLDER / "daemon")],
    )
    assert spec is not None
    assert spec.loader is not None
    if found is None:
        sys.modules["daemon"] = package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
    else:  # another's package of that name: its own modules stay reachable
        found.__path__ = [str(FOLDER / "daemon"), *found.__path__]


if __name__ != "krita_plugin":  # in Krita
    _own_packages()
    importlib.import_module("krita_plugin.extension").register()
