"""The lock files: every package that an environment is made of, with its version and its hashes.

`locks/NAME.txt` holds what this project needs with its extra NAME, for every system and Python at
once; `.ci/renew-locks` renews them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from daemon.setup.places import ROOT
from daemon.setup.problems import SetupProblem

FOLDER = ROOT / "locks"
MAIN = "main"
CUDA = re.compile(r"(nvidia|cuda)-")
"""What only torch's CUDA build needs."""
UNUSED = {"triton"}
"""What torch asks for and only `torch.compile` uses, which nothing here does: 0.9 GB."""


@dataclass(frozen=True)
class Entry:
    """One package of a lock file.

    Attributes
    ----------
    name, version
        As the package index spells them.
    text
        The requirement as pip reads it: markers and hashes, over several lines.
    """

    name: str
    version: str
    text: str

    @property
    def pin(self) -> str:
        """Name and version: `numpy==2.4.6`."""
        return f"{self.name}=={self.version}"


def extras() -> list[str]:
    """List the optional sets of packages."""
    return sorted(path.stem for path in FOLDER.glob("*.txt") if path.stem != MAIN)


def entries(names: list[str]) -> list[Entry]:
    """Read the packages of some sets, each once."""
    found = {}
    for name in [MAIN, *names]:
        for entry in parse(_read(name)):
            found[entry.text] = entry
    return [entry for entry in found.values() if entry.name not in UNUSED]


def parse(text: str) -> list[Entry]:
    """Read a lock file's text."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    blocks = re.split(r"\n(?=\S)", "\n".join(lines))
    found = []
    for block in blocks:
        match = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block)
        if match is not None:
            found.append(Entry(match[1], match[2], block))
    return found


def fingerprint(names: list[str], build: str) -> str:
    """Tell a set of packages apart from every other."""
    text = "\n".join(entry.text for entry in entries(names))
    return hashlib.sha256(f"{build}\n{text}".encode()).hexdigest()


def ranges(names: list[str]) -> list[str]:
    """Read the ranges of versions in pyproject.toml (tomllib is not in Python 3.10)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: list[str] = []
    for name in ["dependencies", *names]:
        block = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        if block is None:
            raise SetupProblem(f"pyproject.toml has no {name}.", "Get a fresh copy of the project.")
        found += re.findall(r'"([^"]+)"', block[1])
    return list(dict.fromkeys(found))


def _read(name: str) -> str:
    try:
        return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    except OSError:
        raise SetupProblem(
            f"{FOLDER / name}.txt is missing.", "Get a fresh copy of the project."
        ) from None
