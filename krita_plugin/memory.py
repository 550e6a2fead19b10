"""The settings of the last render, kept in Krita's own settings."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from daemon.light.parameters import Parameters

GROUP, SETTINGS, PHOTO = "defocus", "parameters", "clicked-in"


def keep(parameters: Parameters, photo: str) -> None:
    """Keep settings for the next picture; `photo` is the digest of the one they are for."""
    krita = _krita()
    krita.writeSetting(GROUP, SETTINGS, json.dumps(parameters.record()))
    krita.writeSetting(GROUP, PHOTO, photo)


def recall(photo: str) -> Parameters:
    """Return the settings of the last render; a point clicked in another photo is forgotten."""
    krita = _krita()
    try:
        kept = Parameters.from_record(json.loads(krita.readSetting(GROUP, SETTINGS, "{}")))
    except (ValueError, AttributeError):
        return Parameters()
    if kept.focus == "point" and krita.readSetting(GROUP, PHOTO, "") != photo:
        return dataclasses.replace(kept, focus="subject")
    return kept


def _krita() -> Any:
    import krita  # noqa: PLC0415 - only there inside of Krita

    return krita.Krita.instance()
