"""Writes what editors have to know into `daemon/light/facts.py`: `python -m tests.light.facts`.

Their Python cannot import the packages where these facts are at home.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import get_args

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.lens import Lens
from bokeh_core.limits import MIN_SIDE
from bokeh_core.presets import FOCUS_RANGE, LOOKS, PAPER_LABELS, PortraitLens
from daemon.runtime.version import VERSION
from daemon.wire import planes, protocol
from daemon.wire.stages import STAGES

PLACE = Path(__file__).parents[2] / "daemon" / "light" / "facts.py"
SIDE = 3000
"""Short side in pixels of the picture that the strength of the paper's look is told for."""


def ranges(kind: type[Lens | BinnedGaussian]) -> dict[str, tuple[float, float, float]]:
    """Return default, lowest and highest value of each number of a style."""
    fields = [field for field in dataclasses.fields(kind) if "also" in field.metadata]
    return {
        field.name: (field.default, field.metadata["low"], field.metadata["high"])
        for field in fields
        if field.default is not None
    }


def facts() -> list[tuple[str, object, str]]:
    """Return every fact: its name (with a type where the value leaves it open), and what it is."""
    usual = BinnedGaussian.usual(4 * SIDE // 3, SIDE)
    subjects = get_args(planes.Subject)
    looks = {name: dataclasses.asdict(look) for name, look in LOOKS.items()}
    labels = {name: look.pop("label") for name, look in looks.items()}
    numbers = "dict[str, tuple[float, float, float]]"
    return [
        ("VERSION", VERSION, "Of this client and of the daemon it came with."),
        ("PROTOCOL", protocol.PROTOCOL, "Lowest and highest protocol spoken."),
        ("SAMPLE_BYTES", planes.BYTES_PER_SAMPLE, "Sample type on the wire -> its bytes."),
        ("OUTPUTS", get_args(planes.Output), "Planes that can be asked for."),
        ("SMALLEST_SIDE", MIN_SIDE, "Pixels that a picture has at least each way."),
        ("STAGES", STAGES, "Stages of a request, in the user's words."),
        ("SUBJECTS", subjects, "Who may be the subject, in the wire's words."),
        (f"LENS: {numbers}", ranges(Lens), "Field of the lens -> default, lowest, highest value."),
        (f"PAPER: {numbers}", ranges(BinnedGaussian), "The same of the paper's blur."),
        ("PAPER_BINS", usual.bins, "The paper's number of depth bins."),
        ("PAPER_CURVE", usual.curve, "Our growth from bin to bin for it, as it names none."),
        ("PAPER_STRENGTH", usual.strength, "Our sigma of the farthest bin at a short side of ..."),
        ("PAPER_SIDE", SIDE, "... so many pixels; it grows with the picture."),
        ("LOOKS: dict[str, dict[str, float]]", looks, "Ready-made look -> fields of the lens."),
        ("LOOK_LABELS", labels, "Ready-made look -> its words in a menu."),
        ("PAPER_LABELS", PAPER_LABELS, "Look of the paper -> its words in a menu."),
        ("FOCUS_RANGE", FOCUS_RANGE, "Depth around the focus that stays sharp by default."),
        (
            "COC_AT_F1",
            PortraitLens().coc(1.0, 1000) / 1000,
            "Blur radius at infinity over the long side, at f/1; it falls as 1 / f-number.",
        ),
    ]


def page() -> str:
    """Return the text of the module, formatted."""
    lines = ['"""Facts from `bokeh_core` and `daemon.wire`, written by tests/light/facts.py."""']
    for name, value, about in facts():
        lines += ["", f"{name} = {value!r}", f'"""{about}"""']
    words = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", str(PLACE)]
    text = "\n".join(lines) + "\n"
    return subprocess.run(words, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    PLACE.write_text(page(), encoding="utf-8")
