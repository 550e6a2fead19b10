"""Run a module until it ends, or until whoever started this process is gone.

    python -I leash.py MODULE [ARGUMENT ...]

Standard input is the leash: when it closes, the module is interrupted as by Ctrl+C, which lets pip
remove its temporary folders, and killed with all that it started when it still runs after a while.
"""

from __future__ import annotations

import _thread
import os
import runpy
import signal
import sys
import threading
import time

TIDY_S = 10.0


def _watch() -> None:
    while os.read(0, 1):
        pass
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()
    time.sleep(TIDY_S)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
    threading.Thread(target=_watch, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
