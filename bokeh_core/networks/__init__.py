"""Networks, the registry of their weights, and running them.

from bokeh_core import networks
network, record = networks.load("portrait")  # or a .safetensors file
with torch.inference_mode():
    logits = network(networks.prepare(rgb, record))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bokeh_core.networks.api import load, prepare
    from bokeh_core.networks.inference import Prediction, predict
    from bokeh_core.networks.shared import SharedPortraitNet
    from bokeh_core.networks.unet import UNet, UNetConfig

__all__ = [
    "Prediction",
    "SharedPortraitNet",
    "UNet",
    "UNetConfig",
    "load",
    "predict",
    "prepare",
]

_HOMES = {
    "load": "api",
    "prepare": "api",
    "Prediction": "inference",
    "predict": "inference",
    "SharedPortraitNet": "shared",
    "UNet": "unet",
    "UNetConfig": "unet",
}


def __getattr__(name: str) -> Any:
    """Import on first use: torch takes seconds, and the records of weights need none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
