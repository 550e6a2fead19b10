"""`install.py test`: every check of the project; pytest comes last and has the last word."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

from daemon.runtime import child_process
from daemon.setup.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.setup.environment import Environment
    from daemon.setup.steps import Steps

# as modules: the scripts beside Python name the place where they were made
CHECKS = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
}
# two workers more than cores: tests in a real GIMP or Krita and those of a daemon mostly wait
TESTS = (
    *("pytest", "-n", str((os.cpu_count() or 1) + 2), "--dist", "loadscope"),
    "--no-loadscope-reorder",
    *("--durations", "25", "--durations-min", "5"),
)
LINT_IMPORTS = "import importlinter.cli; importlinter.cli.lint_imports_command()"


def run(environment: Environment, steps: Steps) -> int:
    """Run all checks, whatever fails; 0 when all passed."""
    python = environment.python
    checks = {n: child_process.module(*w, python=python) for n, w in CHECKS.items()}
    checks["lint-imports"] = child_process.code(LINT_IMPORTS, python)
    with _editors_in_the_making(environment, steps):
        failed = [name for name, words in checks.items() if _call(steps, *words)]
        for name in failed:
            steps.say(f"FAILED: {name}")
        code = _call(steps, *child_process.module(*TESTS, python=python))
    return code or int(bool(failed))


@contextlib.contextmanager
def _editors_in_the_making(environment: Environment, steps: Steps) -> Iterator[None]:
    """Build the editors' root file systems beside the other checks: minutes on a new machine.

    The tests wait for it, and say themselves why it cannot be had.
    """
    if os.name == "posix" and os.geteuid() == 0:
        steps.say("-- as root: apt-get and mmdebstrap fetch GIMP and Krita for the tests")
    if steps.dry:
        yield
        return
    wanted = (("tests.gimp.rootfs", "trixie", "forky"), ("tests.krita.rootfs",))
    quiet = subprocess.DEVNULL
    with contextlib.ExitStack() as stack:
        for words in wanted:
            command = child_process.own_module(*words, python=environment.python)
            made = subprocess.Popen(command, cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet)
            stack.enter_context(made)
        yield


def _call(steps: Steps, *words: str) -> int:
    if steps.dry:
        steps.do(" ".join(words), print)
        return 0
    # threads that spin at barriers starve each other when several processes compute
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    return subprocess.run(words, cwd=ROOT, env=variables, check=False).returncode
