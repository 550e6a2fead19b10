"""Which format a file has, by its first bytes, and words for what is no picture."""

from __future__ import annotations

from bokeh_core.errors import InputError
from bokeh_core.picture import bmff, jxl
from bokeh_core.picture.formats import FORMATS, Format
from bokeh_core.picture.tiff import RAW

_MAGIC: dict[Format, tuple[bytes, ...]] = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "TIFF": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "JPEG XL": (jxl.CODESTREAM, jxl.SIGNATURE),
}
_AVIF, _HEIF = {b"avif", b"avis"}, {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"FOVb", b"\x00MRM")
_RAW_SUFFIXES = {".dng", ".nef", ".nrw", ".cr2", ".arw", ".srf", ".sr2", ".pef", ".iiq", ".3fr"}
_RAW_SUFFIXES |= {".erf", ".kdc", ".dcr", ".mos", ".mef", ".srw", ".rwl", ".fff", ".gpr"}


def format_of(data: bytes, suffix: str) -> Format:
    """Return the format of a file by its first 64 bytes.

    Parameters
    ----------
    data
        The beginning.
    suffix
        The name's, in lower case: most raw files begin like a TIFF.

    Raises
    ------
    InputError
        Empty, a raw file, or no picture that can be read.
    """
    if not data:
        raise InputError("is empty (0 bytes)")
    if data.startswith(_RAW) or bmff.brand(data) == b"crx " or data[8:10] == b"CR":
        raise InputError(RAW)
    for name, starts in _MAGIC.items():
        if data.startswith(starts):
            if name == "TIFF" and suffix in _RAW_SUFFIXES:
                raise InputError(RAW)
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    names = bmff.brands(data)
    if names & _AVIF:
        return "AVIF"
    if names & _HEIF:
        return "HEIC"
    raise InputError(f"is not a picture that can be read ({', '.join(FORMATS)})")
