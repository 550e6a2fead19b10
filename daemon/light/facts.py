"""Facts from `bokeh_core` and `daemon.wire`, written by tests/light/facts.py."""

VERSION = "0.1.0"
"""Of this client and of the daemon it came with."""

PROTOCOL = (1, 1)
"""Lowest and highest protocol spoken."""

SAMPLE_BYTES = {"u8": 1, "u16": 2, "f32": 4}
"""Sample type on the wire -> its bytes."""

OUTPUTS = ("matte", "depth", "composite")
"""Planes that can be asked for."""

SMALLEST_SIDE = 16
"""Pixels that a picture has at least each way."""

STAGES = {
    "queued": "waiting for another picture",
    "starting": "loading the networks",
    "pixels": "handing the photo over",
    "check": "checking the photo",
    "decode": "reading the photo",
    "matte": "finding the people",
    "depth": "estimating the depth",
    "render": "blurring",
    "encode": "packing the result",
    "send": "fetching the result",
}
"""Stages of a request, in the user's words."""

SUBJECTS = ("main", "all", "pets", "at_focus_point", "none")
"""Who may be the subject, in the wire's words."""

LENS: dict[str, tuple[float, float, float]] = {
    "focus_range": (0.0, 0.0, 1.0),
    "max_coc": (32.0, 0.0, 1024.0),
    "foreground": (1.0, 0.0, 4.0),
    "blades": (0, 3, 16),
    "curvature": (0.0, 0.0, 1.0),
    "rotation": (0.0, -6.283185307179586, 6.283185307179586),
    "squeeze": (1.0, 0.5, 2.0),
    "cat_eye": (0.0, 0.0, 1.0),
    "ring": (0.0, -1.0, 1.0),
    "fringe": (0.0, -0.3, 0.3),
    "highlight_gain": (0.0, 0.0, 16.0),
    "highlight_threshold": (0.95, 0.1, 16.0),
    "highlight_size": (0.01, 0.0005, 0.1),
    "grain": (0.0, 0.0, 2.0),
    "grain_seed": (0, 0, 2147483647),
}
"""Field of the lens -> default, lowest, highest value."""

PAPER: dict[str, tuple[float, float, float]] = {
    "bins": (5, 1, 64),
    "strength": (16.0, 0.0, 1024.0),
    "curve": (1.0, 0.0, 8.0),
    "taps": (0, 0, 8191),
}
"""The same of the paper's blur."""

PAPER_BINS = 5
"""The paper's number of depth bins."""

PAPER_CURVE = 1.68
"""Our growth from bin to bin for it, as it names none."""

PAPER_STRENGTH = 38.6
"""Our sigma of the farthest bin at a short side of ..."""

PAPER_SIDE = 3000
"""... so many pixels; it grows with the picture."""

LOOKS: dict[str, dict[str, float]] = {
    "natural": {
        "f_number": 2.8,
        "blades": 0,
        "curvature": 0.0,
        "squeeze": 1.0,
        "cat_eye": 0.0,
        "ring": 0.0,
        "highlight_gain": 1.0,
    },
    "dreamy": {
        "f_number": 1.2,
        "blades": 0,
        "curvature": 0.0,
        "squeeze": 1.0,
        "cat_eye": 0.3,
        "ring": -0.4,
        "highlight_gain": 2.0,
    },
    "vintage": {
        "f_number": 1.8,
        "blades": 0,
        "curvature": 0.0,
        "squeeze": 1.0,
        "cat_eye": 0.9,
        "ring": 0.3,
        "highlight_gain": 2.0,
    },
    "bubbles": {
        "f_number": 2.0,
        "blades": 0,
        "curvature": 0.0,
        "squeeze": 1.0,
        "cat_eye": 0.4,
        "ring": 0.9,
        "highlight_gain": 4.0,
    },
    "hexagon": {
        "f_number": 2.8,
        "blades": 6,
        "curvature": 0.2,
        "squeeze": 1.0,
        "cat_eye": 0.0,
        "ring": 0.0,
        "highlight_gain": 4.0,
    },
    "cinema": {
        "f_number": 2.0,
        "blades": 0,
        "curvature": 0.0,
        "squeeze": 1.8,
        "cat_eye": 0.3,
        "ring": 0.0,
        "highlight_gain": 2.0,
    },
}
"""Ready-made look -> fields of the lens."""

LOOK_LABELS = {
    "natural": "Natural portrait",
    "dreamy": "Dreamy, wide open",
    "vintage": "Vintage swirl",
    "bubbles": "Soap bubbles",
    "hexagon": "Hexagonal highlights",
    "cinema": "Anamorphic cinema",
}
"""Ready-made look -> its words in a menu."""

PAPER_LABELS = {"paper": "The paper's bins", "paper-notebook": "The paper's notebook"}
"""Look of the paper -> its words in a menu."""

FOCUS_RANGE = 0.05
"""Depth around the focus that stays sharp by default."""

COC_AT_F1 = 0.05240063823614738
"""Blur radius at infinity over the long side, at f/1; it falls as 1 / f-number."""
