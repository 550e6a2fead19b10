"""Portrait bokeh as a library: photo in, matte, depth and composite out.

Arrays are float32. `rgb` is (H, W, 3) linear light with sRGB primaries, values >= 0 (highlights may
exceed 1). `depth` is (H, W) relative disparity in [0, 1], 1 = nearest. `matte` is (H, W) in [0, 1],
1 = subject.

    import bokeh_core as bc
    photo = bc.picture.read("photo.jpg")
    rgb = photo.linear()
    found = bc.analyse(rgb)
    out = bc.render(rgb, found, lens=bc.Lens(max_coc=48.0))
    bc.picture.write("composite.jpg", photo.with_linear(out))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bokeh_core import picture, presets
    from bokeh_core.analysis import analyse
    from bokeh_core.binned_gaussian import BinnedGaussian
    from bokeh_core.depth import estimate_depth
    from bokeh_core.errors import (
        BokehError,
        Cancelled,
        InputError,
        ModelCorrupt,
        ModelMissing,
        OutOfMemory,
        OutputError,
    )
    from bokeh_core.lens import Lens
    from bokeh_core.maps import Analysis
    from bokeh_core.rendering import render
    from bokeh_core.segmentation import portrait_matte

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "BinnedGaussian",
    "BokehError",
    "Cancelled",
    "InputError",
    "Lens",
    "ModelCorrupt",
    "ModelMissing",
    "OutOfMemory",
    "OutputError",
    "__version__",
    "analyse",
    "estimate_depth",
    "picture",
    "portrait_matte",
    "presets",
    "render",
]

_MODULES = ("picture", "presets")
_HOMES = {
    "Analysis": "maps",
    "analyse": "analysis",
    "estimate_depth": "depth",
    "portrait_matte": "segmentation",
    "render": "rendering",
    "Lens": "lens",
    "BinnedGaussian": "binned_gaussian",
}


def __getattr__(name: str) -> Any:
    """Import on first use: torch takes seconds, reading a picture needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    home = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'errors')}")
    value = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
