"""Every error that bokeh_core raises on purpose, and what the caller can do about it.

BokehError
|- InputError       the pixels, maps or parameters given are wrong: change them
|- ModelError
|  |- ModelMissing  weights are not on this machine: fetch or reinstall them
|  `- ModelCorrupt  weights do not match their recorded hash or shape: replace them
|- OutputError      a result cannot be written there: another place, or make room
|- OutOfMemory      the device has no room even after shrinking tiles: smaller picture
`- Cancelled        raised *by the caller* out of a progress callback; passes through untouched
"""

from __future__ import annotations


def reason(error: OSError) -> str:
    """Word what the system refused; where it is a right that is missing, with the way out."""
    said = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return f"{said}: have its owner allow it, or use another file or folder"
    return said


class BokehError(Exception):
    """Base of all deliberate errors; its text is one line fit for a user."""


class InputError(BokehError, ValueError):
    """A picture, map or parameter is unusable; the message says which and what is allowed."""


class OutputError(BokehError, OSError):
    """A result could not be written; the message names the file and the reason."""


class ModelError(BokehError):
    """Base of errors about network weights."""


class ModelMissing(ModelError):
    """The weights are not on this machine."""


class ModelCorrupt(ModelError):
    """A weights file is damaged, of another model, or not in safetensors format."""


class OutOfMemory(BokehError, MemoryError):
    """Not enough memory on the device, even with the smallest tiles."""


class Cancelled(BokehError):
    """The caller asked to stop; raise it inside a progress callback."""
