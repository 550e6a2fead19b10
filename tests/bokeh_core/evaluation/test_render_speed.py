"""What is measured in a process of its own comes to an end whatever becomes of that process."""

from __future__ import annotations

import os

import pytest

from bokeh_core.errors import OutOfMemory
from bokeh_core.evaluation import render_speed


class Deadly:
    """Ends the process that it is sent to, as the out-of-memory killer would."""

    def __reduce__(self):
        return os._exit, (9,)

    def __str__(self):
        return "deadly"


def test_a_process_that_is_killed_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(render_speed, "_measured", print)
    with pytest.raises(OutOfMemory, match="deadly, 12 MP: the process was killed"):
        render_speed.measure(Deadly(), 12.0)
