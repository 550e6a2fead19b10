"""Where the results of one picture go, settled and checked before any work is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.picture import SUFFIXES, check_writable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bokeh_core.picture import Picture
    from daemon.planes import DType


@dataclass(frozen=True)
class Target:
    """How results are named: `folder/stem_kind.suffix`, or one exact file for the composite."""

    folder: Path
    stem: str
    exact: Path | None = None
    suffix: str | None = None

    @classmethod
    def of(cls, source: Path, out: Path | None, suffix: str | None, *, several: bool) -> Target:
        """Understand `--out`: nothing, a folder (made when absent), or a file.

        Raises
        ------
        InputError
            One file for several pictures, or two names of the format.
        """
        if out is None:
            return cls(source.parent, source.stem, suffix=suffix)
        if out.is_dir() or out.suffix.lower() not in SUFFIXES:
            return cls(out, source.stem, suffix=suffix)
        if several:
            raise InputError(f"{out}: one file cannot take several pictures; name a folder")
        if suffix is not None:
            raise InputError(f"{out} and --format {suffix} both name the format: give one of them")
        return cls(out.parent, out.stem, exact=out)

    def path(self, kind: str, picture: Picture, source: Path) -> Path:
        """Name the file of one result."""
        if kind == "composite":
            if self.exact is not None:
                return self.exact
            suffix = f".{self.suffix}" if self.suffix else source.suffix
            return self.folder / f"{self.stem}_composite{suffix}"
        suffix = ".tif" if picture.pixels.dtype.kind == "f" else ".png"
        return self.folder / f"{self.stem}_{kind}{suffix}"

    def paths(
        self, kinds: Sequence[str], picture: Picture, source: Path, inputs: Sequence[Path]
    ) -> dict[str, Path]:
        """Name and check all files of one picture.

        Raises
        ------
        InputError
            A result would replace an input.
        OutputError
            A file cannot be written, or cannot hold this picture.
        """
        if self.exact is None:
            self.folder.mkdir(parents=True, exist_ok=True)
        named = {kind: self.path(kind, picture, source) for kind in kinds}
        for kind, path in named.items():
            check_writable(path, picture if kind == "composite" else None)
            for used in inputs:
                if path.exists() and path.samefile(used):
                    raise InputError(f"{path}: is an input and is never overwritten; use --out")
        return named


def map_dtype(picture: Picture, bits: int | None) -> DType:
    """Give the wire type of mask and depth: as the picture, or what `--map-bits` asks for."""
    if bits is None:
        bits = 8 * picture.pixels.dtype.itemsize if picture.pixels.dtype.kind == "u" else 32
    return {8: "u8", 16: "u16"}.get(bits, "f32")  # type: ignore[return-value]
