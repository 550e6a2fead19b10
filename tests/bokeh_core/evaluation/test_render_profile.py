"""The profile sees the renderer's lines and nothing else."""

from pathlib import Path

import numpy as np

from bokeh_core import rendering
from bokeh_core.evaluation.render_profile import profile, watched
from bokeh_core.lens import Lens
from bokeh_core.rendering import render


def test_samples_are_lines_of_the_renderer_of_a_call_under_way():
    rgb = np.random.default_rng(0).uniform(0, 1, (400, 500, 3)).astype(np.float32)
    with watched() as seen:
        render(
            rgb,
            depth=np.full(rgb.shape[:2], 0.2, np.float32),
            matte=None,
            lens=Lens(focus=0.9, max_coc=40.0),
        )
    assert sum(seen.values()) > 3
    folder = Path(rendering.__file__).parent
    modules = {module for module, _ in seen}
    assert modules <= {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
    assert not {"parallel.py", "api.py"} & modules


def test_the_shares_printed_add_up(capsys):
    profile(0.1)
    printed = capsys.readouterr().out.split("lines:")[0].splitlines()[1:]
    assert sum(float(line.split("%")[0]) for line in printed) > 99.0
