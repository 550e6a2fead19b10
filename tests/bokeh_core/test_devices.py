"""One way to name a device; a lack of memory is told from other faults, whoever reports it."""

from __future__ import annotations

import inspect

import cv2
import numpy as np
import pytest
import torch

import bokeh_core as bc
from bokeh_core import devices, hair, progress, rendering, segmentation
from bokeh_core.errors import InputError, OutOfMemory
from bokeh_core.networks import hub, inference

FULL = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("MPS backend out of memory (MPS allocated: 1.00 GB, other: 2.00 GB)"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    cv2.error("OpenCV(4.10) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate"),
]


@pytest.mark.parametrize("fault", FULL)
def test_no_room_left_is_told_by_class_or_text(fault):
    with pytest.raises(OutOfMemory, match="no room left on cuda"), devices.room_on("cuda"):
        raise fault


def test_nobody_chooses_the_best_there_is_for_networks_and_renderer_alike():
    best = devices.find(None)
    assert best.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert devices.find(str(best)) == devices.find(best) == best
    assert segmentation.Choice().place == best
    functions = [
        *(bc.analyse, bc.estimate_depth, bc.portrait_matte, bc.render),
        *(inference.predict, rendering.render_tiles, rendering.prepare),
    ]
    for function in functions:
        assert inspect.signature(function).parameters["device"].default is None, function


@pytest.mark.parametrize("name", ["auto", "gpu", "cuda:99", "abacus:1"])
def test_a_device_that_is_not_there_is_refused_by_every_public_function(name):
    with pytest.raises(InputError, match=f"device {name} cannot be used here"):
        devices.find(name)
    photo = np.full((32, 32, 3), 0.2, np.float32)
    with pytest.raises(InputError, match=f"device {name} cannot be used here"):
        bc.portrait_matte(photo, device=name)
    with pytest.raises(InputError, match=f"device {name} cannot be used here"):
        bc.render(photo, depth=photo[..., 0], matte=None, lens=bc.Lens(), device=name)


def test_another_fault_stays_what_it_is():
    with pytest.raises(RuntimeError, match="illegal"), devices.room_on("cuda"):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def test_a_matting_network_without_room_says_so(monkeypatch):
    def full(*_):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(hub, "alpha", full)
    rgb, matte = np.full((96, 96, 3), 0.2, np.float32), np.zeros((96, 96), np.float32)
    matte[24:72, 24:72] = 1
    matte[20:24] = 0.5
    with pytest.raises(OutOfMemory):
        hair.by_network(
            rgb, matte, hub.find("vitmatte-small"), torch.device("cpu"), progress.ignore
        )
