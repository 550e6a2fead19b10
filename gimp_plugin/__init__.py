"""The GIMP 3 plug-in, in GIMP's own Python: the standard library and gi only.

What install.py copies into `plug-ins/bokeh/` of every GIMP configuration folder: this whole folder
but `__pycache__`, with `bokeh.py` executable, and beside it

    vendor/            msgpack (its pure Python is enough) and, where one fits, pyzmq
    launcher.json      {"command": [...]} that starts the daemon
    connection.json    written by the running daemon, which finds the folder in its `announce.json`

    bokeh.py -> procedures, call -> tools/*                       what was asked
                                      -> source, pixels, group    what is in the image
                                      -> dialog, preview, engine  the window
                                      -> rendering -> work -> reach -> client -> link   the daemon
"""
