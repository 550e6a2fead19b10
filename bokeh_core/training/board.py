"""The learning curves for TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core import extras
from bokeh_core.errors import ModelMissing

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.training.checkpoint import Measured


class Board:
    """Event files in a folder: `tensorboard --logdir FOLDER` shows them."""

    def __init__(self, folder: Path, step: int) -> None:
        """Go on at `step`: what a run that was killed wrote beyond it is hidden.

        Raises
        ------
        ModelMissing
            The extra `[tensorboard]` is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415
        except ImportError:
            raise ModelMissing(
                f"TensorBoard is not installed: {extras.how_to_get('tensorboard')}"
            ) from None
        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def add(self, line: Measured) -> None:
        """Write one line of the curves."""
        values = {f"training/{name}": value for name, value in line.losses.items()}
        values |= {f"validation/{name}": value for name, value in line.validation.items()}
        for name, value in {**values, "rate": line.rate, "size": line.size}.items():
            self._writer.add_scalar(name, value, line.step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
