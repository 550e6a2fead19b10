"""Text files that people write: lists of names, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError, reason

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> str:
    """Return the text of a file in UTF-8, without the mark that some editors of Windows begin with.

    Raises
    ------
    InputError
        It cannot be read, or is written in another encoding.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text in UTF-8; save it as that") from None
