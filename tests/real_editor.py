"""A real editor of one user, in a root file system: what the tests of every editor share."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rootfs import Recipe, Root, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import CompletedProcess

ARTEFACTS = os.environ.get("DEFOCUS_TEST_ARTEFACTS")
"""Folder for the pictures that the tests leave; None: nobody wants them."""


@dataclass
class RealEditor:
    """A home with the plug-in, an output folder, a daemon to talk to."""

    root: Root
    out: Path
    home: Path
    runtime: Path
    env: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def run(
        self, argv: Sequence[str], timeout: float, visible: Sequence[Path] = (), prefix: str = ""
    ) -> CompletedProcess[str]:
        """Run a program in it, with the plug-in's variables; keeps its words and its pictures."""
        done = self.root.run(
            argv,
            visible=[self.out, self.runtime, *visible],
            home=self.home,
            env={
                "DEFOCUS_RUNTIME_DIR": str(self.runtime),
                "DEFOCUS_TEST_OUT": str(self.out),
                **self.env,
            },
            timeout=timeout,
        )
        self.log = done.stdout + done.stderr
        if ARTEFACTS:
            Path(ARTEFACTS).mkdir(parents=True, exist_ok=True)
            for picture in self.out.glob("*.png"):
                shutil.copy(picture, Path(ARTEFACTS) / f"{prefix}{picture.name}")
        return done


def root_with(recipe: Recipe, suite: str) -> Root:
    """Find or build a root file system; skips the test where that cannot be."""
    try:
        return recipe.root(suite)
    except UnavailableError as reason:
        pytest.skip(f"no real {recipe.name} here: {reason}")
