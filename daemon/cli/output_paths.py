"""Where the results of one picture go, settled and checked before any work is done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bokeh_core.errors import InputError
from bokeh_core.picture import SUFFIXES, WRITABLE, Picture, check_writable, suffix_for
from bokeh_core.picture.files import check_target
from daemon.wire.planes import NUMPY

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from daemon.wire.planes import DType


KINDS = ("mask", "depth", "composite")
"""Results, by the words that end their names."""
PHOTOS = {*SUFFIXES, ".gif", ".bmp"}


@dataclass(frozen=True)
class OutputPaths:
    """How results are named: `folder/stem_kind.suffix`, or one exact file for the main one."""

    folder: Path
    stem: str
    exact: Path | None = None
    suffix: str | None = None

    @classmethod
    def of(cls, source: Path, out: str | None, suffix: str | None, *, several: bool) -> OutputPaths:
        """Understand `--out`: nothing, a folder (made when absent), or a file.

        Raises
        ------
        InputError
            Neither a folder's name nor a picture's, one file for several pictures, or two names of
            the format.
        """
        if out is None:
            return cls(source.parent, source.stem, suffix=suffix)
        path = Path(out)
        if path.is_dir() or out.endswith(("/", os.sep)) or not path.suffix:
            return cls(path, source.stem, suffix=suffix)
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(
                f"--out {out}: cannot write {path.suffix}; use {WRITABLE},"
                " or end a folder's name with /"
            )
        if suffix is not None:
            raise InputError(
                f"--out {out} and --format {suffix} both name the format: give one of them"
            )
        if several:
            raise InputError(f"--out {out}: one file cannot take several pictures; name a folder")
        return cls(path.parent, path.stem, exact=path)

    def path(self, kind: str, picture: Picture, source: Path) -> Path:
        """Name the file of one result that has no exact name."""
        if kind == "composite":
            suffix = f".{self.suffix}" if self.suffix else suffix_for(picture, source.suffix)
            return self.folder / f"{self.stem}_composite{suffix}"
        suffix = ".tif" if picture.pixels.dtype.kind == "f" else ".png"
        return self.folder / f"{self.stem}_{kind}{suffix}"

    def paths(
        self,
        kinds: Sequence[str],
        picture: Picture,
        source: Path,
        *,
        map_dtype: DType,
        inputs: frozenset[Hashable],
    ) -> dict[str, Path]:
        """Name and check all files of one picture.

        The exact name is the composite's, or that of the only result.

        Raises
        ------
        InputError
            A result would replace an input, or its name says no format.
        OutputError
            A file cannot be written, or cannot hold this picture.
        """
        main = kinds[0] if len(kinds) == 1 else "composite"
        named = {
            kind: self.exact
            if self.exact is not None and kind == main
            else self.path(kind, picture, source)
            for kind in kinds
        }
        if self.exact is None:
            self.folder.mkdir(parents=True, exist_ok=True)
        for kind, path in named.items():
            check_writable(path, picture if kind == "composite" else _map_like(picture, map_dtype))
            refuse_input(path, inputs)
        return named

    def refuse_existing(self, inputs: frozenset[Hashable]) -> None:
        """Refuse a named file that is there with something in it; an input has words of its own.

        Raises
        ------
        InputError
            It would be lost.
        """
        path = self.exact
        if path is None or not path.is_file() or identity(path) in inputs:
            return
        if path.stat().st_size:  # an empty one is a name that mktemp has reserved
            raise InputError(f"--out {path}: is there already; --overwrite replaces it")


def identity(path: Path) -> Hashable:
    """Tell files apart, whatever they are called; one that is not there, by its place."""
    try:
        found = path.stat()
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def refuse_input(path: Path, inputs: frozenset[Hashable]) -> None:
    """Refuse to write where an input of the run lies.

    Raises
    ------
    InputError
        It is one.
    """
    if identity(path) in inputs:
        raise InputError(
            f"{path}: is an input and is never overwritten; do not name it, or give another --out"
        )


def make_ready(path: Path) -> None:
    """Make the folder of a file that is written after long work; now is when to say it cannot be.

    Raises
    ------
    OutputError, OSError
        It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    check_target(path)


def identities(paths: Iterable[Path]) -> frozenset[Hashable]:
    """Remember the inputs of a run, none of which may become an output."""
    return frozenset(identity(path) for path in paths)


def original_of(source: Path) -> Path | None:
    """Return the photo beside a file that the file's name says it was made of; None without one."""
    for kind in KINDS:
        stem = source.stem.removesuffix(f"_{kind}")
        if stem in ("", source.stem):
            continue
        try:
            beside = sorted(source.parent.iterdir())
        except OSError:
            return None
        for path in beside:
            if path.stem == stem and path.suffix.lower() in PHOTOS and path.is_file():
                return path
    return None


def map_dtype(picture: Picture, bits: int | None) -> DType:
    """Return the wire type of mask and depth: as the picture, or what `--map-bits` asks for."""
    if bits is None:
        bits = 8 * picture.pixels.dtype.itemsize if picture.pixels.dtype.kind == "u" else 32
    return {8: "u8", 16: "u16"}.get(bits, "f32")  # type: ignore[return-value]


def _map_like(picture: Picture, dtype: DType) -> Picture:
    """Make a stand-in for a map of the picture, which takes no memory."""
    nothing = np.zeros((), np.dtype(NUMPY[dtype]))
    return Picture(np.broadcast_to(nothing, (picture.height, picture.width, 1)), "linear")
