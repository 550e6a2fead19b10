#!/usr/bin/env python3
"""Set defocus up, beside this file: `python3 install.py --help` tells the commands.

Any Python can read this file, so that an old one can say what to do instead of failing at the
first new word. The work is done by daemon/setup/bootstrap.py, with the standard library alone.
"""

import os
import subprocess
import sys

OLDEST = (3, 10)
NEWEST_KNOWN = 14
HERE = os.path.dirname(os.path.abspath(__file__))


def newer_python():
    """Find a Python that is new enough: on the PATH, or in the environment made earlier."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    names = ["python3.%d" % minor for minor in range(NEWEST_KNOWN, OLDEST[1] - 1, -1)]
    found = [os.path.join(folder, name) for name in names for folder in folders]
    found.append(os.path.join(HERE, ".venv", "bin", "python"))
    found.append(os.path.join(HERE, ".venv", "Scripts", "python.exe"))
    return next((path for path in found if works(path)), None)


def works(python):
    """Whether this is a Python that is new enough: a name on the PATH may stand for nothing."""
    test = "import sys; sys.exit(sys.version_info < %r)" % (OLDEST,)
    with open(os.devnull, "w") as quiet:
        try:
            return subprocess.call([python, "-I", "-c", test], stdout=quiet, stderr=quiet) == 0
        except OSError:
            return False


def quoted(word):
    """Quote a word for a shell."""
    plain = all(letter.isalnum() or letter in "/.-_:" for letter in word)
    return word if plain else "'%s'" % word.replace("'", "'\"'\"'")


def too_old():
    """Say that this Python is too old, and a command that works."""
    words = ["install.py" if os.path.exists("install.py") else os.path.join(HERE, "install.py")]
    python = newer_python()
    step = "Install Python 3.10 or newer, and run this file with it: python3.11 install.py"
    if python is not None:
        step = "Run: %s" % " ".join(quoted(word) for word in [python] + words + sys.argv[1:])
    version = ".".join(map(str, sys.version_info[:3]))
    sys.stderr.write("Python %s is too old for defocus.\n%s\n" % (version, step))
    return 1


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit(too_old())
    # another package called daemon, as ansible-runner brings it, would hide ours
    sys.path.insert(0, os.path.join(HERE, "daemon", "runtime", "ours"))
    from daemon.setup import bootstrap

    sys.exit(bootstrap.main())
