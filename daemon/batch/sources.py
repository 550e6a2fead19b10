"""Which pictures a batch is of, each under a key that stays the same from run to run."""

from __future__ import annotations

import glob
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bokeh_core.errors import InputError, reason
from bokeh_core.picture import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HASHED_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Source:
    """One picture file.

    Attributes
    ----------
    key
        Where it lies below what was named, with the named folder's own name in front:
        `wedding/church/IMG_1.jpg`. Results go to the same place below the folder of results.
    path
        The file.
    """

    key: str
    path: Path

    def digest(self) -> str:
        """Return the SHA-256 of the file's content."""
        return digest_of(self.path)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASHED_AT_ONCE):
            found.update(chunk)
    return found.hexdigest()


def find(
    names: Iterable[str], out: Path, tell: Callable[[str], object] = lambda _: None
) -> list[Source]:
    """List the pictures that folders, patterns and files name, in the order of their keys.

    Folders are searched to any depth; hidden ones, links to folders and an `out` in them are left
    out. A file that several names lead to counts once, under the first. `tell` is told of folders
    inside others that may not be read.

    Raises
    ------
    InputError
        A name leads to nothing, `out` is a searched folder itself (a later run could not tell
        results from photos), or two different files would have the same place for results.
    """
    found: dict[Path, Source] = {}
    keys: dict[str, Path] = {}
    for name in names:
        for source in _named(name, out, tell):
            path = source.path.resolve()
            if path in found:
                continue
            if source.key in keys:
                raise InputError(
                    f"{source.path} and {keys[source.key]} would have the same results: name the"
                    " folders that they lie in instead of the files"
                )
            found[path] = source
            keys[source.key] = source.path
    return sorted(found.values(), key=lambda source: source.key)


def names_in(listing: str) -> list[str]:
    """Read names from the text of a list, one a line; empty lines count for nothing."""
    return [line.strip() for line in listing.splitlines() if line.strip()]


def _named(name: str, out: Path, tell: Callable[[str], object]) -> Iterator[Source]:
    path = Path(name)
    if path.is_dir():
        yield from _pictures_below(path, out, tell)
    elif path.is_file():
        yield Source(_text(path.name), path)
    elif glob.has_magic(name):
        yield from _matching(name, out)
    else:
        raise InputError(f"{name}: no such file or folder")


def _pictures_below(root: Path, out: Path, tell: Callable[[str], object]) -> Iterator[Source]:
    def refused(error: OSError) -> None:
        if str(error.filename) == str(root):
            raise InputError(f"{root}: {reason(error)}")
        tell(f"{error.filename}: {reason(error)}")

    _keep_apart(root, out)
    count = 0
    for folder, below, files in os.walk(root, onerror=refused):
        here = Path(folder)
        below[:] = sorted(
            each for each in below if not each.startswith(".") and not _same(here / each, out)
        )
        for file in sorted(files):
            if is_picture(file):
                count += 1
                yield Source(_key(root, here / file), here / file)
    if not count:
        raise InputError(f"{root}: no pictures in it ({' '.join(sorted(SUFFIXES))})")


def _matching(pattern: str, out: Path) -> Iterator[Source]:
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    _keep_apart(root, out)
    made = out.resolve() if root.resolve() in out.resolve().parents else None
    count = 0
    for found in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - Path.glob refuses /
        path = Path(found)
        if path.is_file() and is_picture(path.name) and made not in path.resolve().parents:
            count += 1
            yield Source(_key(root, path), path)
    if not count:
        raise InputError(f"{pattern}: matches no picture")


def is_picture(name: str) -> bool:
    """Tell by its name whether a file is taken for a picture; hidden ones are not."""
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES


def _key(root: Path, path: Path) -> str:
    own = root.resolve().name if root != Path() else ""
    return _text(PurePosixPath(own, *path.relative_to(root).parts))


def _text(name: object) -> str:
    """Return a name that a journal can hold: bytes that are no UTF-8 are escaped."""
    return str(name).encode(errors="backslashreplace").decode()


def _keep_apart(root: Path, out: Path) -> None:
    if _same(root, out):
        raise InputError(
            f"--out {out}: is where the photos lie; name another folder, which may lie in it"
        )


def _same(folder: Path, out: Path) -> bool:
    return folder.resolve() == out.resolve()
