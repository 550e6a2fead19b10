"""Commands run as a user who may not pass file modes by, also where the tests run as root."""

from __future__ import annotations

import os
import shutil

import pytest


def bound(words: list[str]) -> list[str]:
    """Return the command line that is bound by file modes; skips where there is no way to it."""
    if os.name != "posix":
        pytest.skip("checks the file modes of POSIX")
    if os.geteuid() != 0:
        return words
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root passes file modes by, and there is no setpriv")
    return [setpriv, "--bounding-set", "-dac_override,-dac_read_search", "--", *words]
