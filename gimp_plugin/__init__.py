"""The GIMP 3 plug-in, in GIMP's own Python: the standard library, gi and the light client.

What set-up copies into `plug-ins/bokeh/` of every GIMP configuration folder: this whole folder but
`__pycache__`, with `bokeh.py` executable, and beside it

    daemon/light/      the light client, see there
    launcher.json      {"command": [...]} that starts the daemon
    connection.json    written by the running daemon, which finds the folder in its `announce.json`

    bokeh.py -> procedures, call -> tools/*                   what was asked
                                      -> source, pixels, group   what is in the image
                                      -> dialog, preview         the window
                                      -> rendering -> background -> daemon.light   the daemon
"""
