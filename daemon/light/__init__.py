"""The client that every editor's plug-in is built on: the standard library and nothing else.

An editor's Python is its own: no package can be installed into it. So set-up copies this folder
beside each plug-in, as `daemon/light/` in the plug-in's own folder, and a plug-in writes
`from daemon.light import connect` here and there alike. No window and no layer is known in it.

    connect                 find the daemon, and start it when it does not run
      discovery, launch     connection files; the command that starts it
      client                one conversation: render, status, shutdown
        messages            what the daemon says, checked
        msgpack, zmtp       headers as bytes, frames over a socket
    request, planes         what is asked for, what comes back
    parameters, facts       settings, presets and the lens they stand for
    own_presets             the user's presets, saved by name in one file
    discs                   pictures of what a point of light becomes with a look
    dialog                  what a dialog shows, and what it does with a change
    preview_thread, latest, gathering  live previews: the newest wish counts
    view                    zoom and pan: which part of a photo is seen
    depths                  the depths in a photo, and the range of them in focus
    strokes                 brushes on mask and depth, and steps taken back
    people                  who is where in a photo
    stages, status          progress and state in the user's words
    errors                  what can go wrong, each with the next step

Any thread may call anything; what blocks takes a `threading.Event` that cancels it, and reports its
progress. Every failure that a user can meet is a `PluginError`.
"""
