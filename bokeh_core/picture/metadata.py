"""What travels with the pixels from file to file, whichever formats these have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bokeh_core.picture import exif, photoshop, xmp
from bokeh_core.picture.colour import icc_profile
from bokeh_core.picture.exif import SIDEWAYS

if TYPE_CHECKING:
    from bokeh_core.picture.colour import ColourTags
    from bokeh_core.picture.formats import Format


@dataclass(frozen=True)
class Metadata:
    """What goes back into a file, true for the upright picture.

    Attributes
    ----------
    icc, exif, xmp
        The raw blocks, EXIF starting at its TIFF header, XMP with its extended part; None where
        absent.
    dpi
        Horizontal and vertical resolution, or None.
    photoshop
        Photoshop resources, IPTC's records among them; None where absent.
    texts
        Keyword and text of comments (keyword "Comment") and of PNG's text chunks.
    colour
        How the codes stand for colours where no ICC profile says it.
    turn
        The orientation that a TIFF's own tag tells; None in a picture that is upright.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    photoshop: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    colour: ColourTags | None = None
    turn: int | None = None


def orientation(kept: Metadata) -> int:
    """Return the orientation that viewers apply: the file's own, EXIF's, else XMP's, else 1."""
    return kept.turn or exif.orientation(kept.exif) or xmp.orientation(kept.xmp) or 1


def as_profile(kept: Metadata, *, grey: bool) -> Metadata:
    """Say in an ICC profile what the file said of its colours in numbers; sRGB needs none."""
    tags = kept.colour
    if tags is None:
        return kept
    # what stands above a profile in PNG replaces it where only profiles are known
    needed = (tags.cicp is not None or not kept.icc) and not tags.is_srgb
    icc = icc_profile(tags, grey=grey) if needed else kept.icc
    return dataclasses.replace(kept, icc=icc, colour=None)


def kept_by(wanted: Format, kept: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """Move what a format has no place for to where it has one, and name the rest."""
    if wanted in {"JPEG", "PNG"}:
        return kept, ()
    lost = []
    if wanted != "TIFF":
        if photoshop.iptc(kept.photoshop):
            lost.append("IPTC")
        if kept.dpi and not exif.resolution(kept.exif):
            lost.append("the resolution")
    texts = [(keyword, text) for keyword, text in kept.texts if text.strip()]
    xmp_with, left = xmp.with_texts(kept.xmp, texts)
    if left:
        names = ", ".join(dict.fromkeys(keyword for keyword, _ in left))
        lost.append(f"the text of {names}" if len(names) < 80 else f"{len(left)} texts")
    return dataclasses.replace(kept, xmp=xmp_with, texts=()), tuple(lost)


_ATTACHMENTS = {
    "hdr-gain-map": "its HDR gain map stays behind: the result is the base picture",
    "MotionPhoto": "the film attached to it stays behind",
    "MicroVideo": "the film attached to it stays behind",
}


def attachment_notes(kept: Metadata) -> tuple[str, ...]:
    """Name what is attached to the photo and will not be in the result."""
    packet = (kept.xmp or b"").decode("utf-8", "replace")
    return tuple(dict.fromkeys(text for word, text in _ATTACHMENTS.items() if word in packet))


def upright_metadata(kept: Metadata, was: int, size: tuple[int, int]) -> Metadata:
    """Make metadata true for the picture that was turned, alone in its file.

    Parameters
    ----------
    was
        The orientation that was applied.
    size
        Width and height of the upright picture.
    """
    dpi = kept.dpi
    if dpi and was in SIDEWAYS:
        dpi = dpi[1], dpi[0]
    return dataclasses.replace(
        kept,
        exif=exif.upright(kept.exif, was, size),
        xmp=xmp.upright(kept.xmp, size),
        dpi=dpi,
        turn=None,
    )


def upright_pixels(pixels: npt.NDArray[Any], was: int) -> npt.NDArray[Any]:
    """Turn (H, W, C) pixels so that they are seen as the camera was held (EXIF 2.32, 4.6.4)."""
    turned = pixels.transpose(1, 0, 2) if was in SIDEWAYS else pixels
    if was in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if was in (3, 4, 7, 8):
        turned = turned[::-1]
    return np.ascontiguousarray(turned)
