"""Read what `defocus dataset ... --out DIR` made: `python examples/read_dataset.py DIR`."""

import sys
from pathlib import Path

import numpy as np

from bokeh_core.training.bokeh_dataset import BokehDataset

for split in ("train", "test"):
    try:
        dataset = BokehDataset(Path(sys.argv[1]), split)
    except ValueError as error:
        print(error)
        continue
    for sample in dataset:
        blurred = np.abs(sample.bokeh - sample.image).mean()
        about = sample.row
        print(
            f"{split} {about['source']} f/{about['f_number']:g} {about['shape']}"
            f" focus {about['focus']:.2f}: {sample.image.shape[1]} x {sample.image.shape[0]},"
            f" subject {sample.mask.mean():.0%}, changed by {blurred:.4f} ({about['truth']})"
        )
