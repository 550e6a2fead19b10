"""Larger models that a user may fetch (extra `[hub]`), run by transformers without remote code.

Only models that transformers loads by itself are here. Depth Anything 3, MoGe-2, BiRefNet and
MODNet need code from their repositories, which would run unchecked, and are left out for that.
Revisions and hashes are those that several independent projects pin.
"""

from __future__ import annotations

import functools
import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import platformdirs
import torch

from bokeh_core import devices
from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks import imagenet

if TYPE_CHECKING:
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]

WEIGHTS = "model.safetensors"
_FILES = ("config.json", WEIGHTS)


Task = Literal["depth", "matte"]
"""A depth network, or a matting network that refines the default network's matte."""


@dataclass(frozen=True)
class HubModel:
    """A model on the hub, pinned to one revision and one content."""

    name: str
    task: Task
    repository: str
    revision: str
    sha256: str
    bytes: int
    licence: str
    input_size: int
    """Side of a square with as many pixels as the picture the network looks at."""
    multiple: int
    """The sides of its input are multiples of this."""


MODELS = {
    model.name: model
    for model in (
        HubModel(
            name="depth-anything-v2-small",
            task="depth",
            repository="depth-anything/Depth-Anything-V2-Small-hf",
            revision="5426e4f0f36572d16453bbda7a8389317b1bef99",
            sha256="3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70",
            bytes=99_173_660,
            licence="Apache-2.0",
            input_size=518,
            multiple=14,
        ),
        HubModel(
            name="vitmatte-small",
            task="matte",
            repository="hustvl/vitmatte-small-composition-1k",
            revision="6a58ad7646403c1df626fbd746900aec7361ea1d",
            sha256="bda9289db1bb6762d978b42d1c62ae3f34daf7497171a347a1d09657efd788cb",
            bytes=103_294_572,
            licence="Apache-2.0",
            input_size=768,
            multiple=32,
        ),
    )
}
"""Optional models by name."""


def find(name: str) -> HubModel:
    """Return the model; ModelMissing names the ones there are."""
    if name not in MODELS:
        raise ModelMissing(f"no optional model named {name!r}; there are: {', '.join(MODELS)}")
    return MODELS[name]


def folder(model: HubModel) -> Path:
    """Where the model lies once it is fetched."""
    return Path(platformdirs.user_cache_dir("defocus")) / "models" / model.name


def fetched(model: HubModel) -> bool:
    """Whether all files are there (their content is checked when they are loaded)."""
    return all((folder(model) / name).exists() for name in _FILES)


def fetch(model: HubModel, progress: Progress) -> Path:
    """Download what is missing, going on where an earlier try stopped, and check it.

    Raises
    ------
    ModelMissing
        The extra `[hub]` is not installed, or the hub cannot be reached.
    ModelCorrupt
        What came is not the recorded file; it is removed.
    """
    try:
        from huggingface_hub import hf_hub_download  # noqa: PLC0415
    except ImportError:
        raise _without_extra() from None
    place = folder(model)
    for count, name in enumerate(_FILES):
        progress(name, count / len(_FILES))
        try:
            hf_hub_download(model.repository, name, revision=model.revision, local_dir=place)
        except Exception as error:  # the hub's errors share no base
            reason = textwrap.shorten(f"{type(error).__name__}: {error}", 160, placeholder=" ...")
            raise ModelMissing(
                f"{model.name}: {name} cannot be fetched from {model.repository} ({reason}): check "
                "the network and the disk; the same command goes on from there"
            ) from error
    try:
        check(model)
    except ModelCorrupt as fault:
        (place / WEIGHTS).unlink(missing_ok=True)
        raise ModelCorrupt(
            f"what {model.repository} sent is not {model.name} (SHA-256 differs) and is removed: "
            f"defocus models fetch {model.name} tries again"
        ) from fault
    progress("checked", 1.0)
    return place


def check(model: HubModel) -> None:
    """Compare the weights with their recorded hash; ModelMissing or ModelCorrupt."""
    path = folder(model) / WEIGHTS
    if not fetched(model):
        raise ModelMissing(
            f"{model.name} is not on this machine: defocus models fetch {model.name}"
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") else None
        found = digest.hexdigest() if digest else hashlib.sha256(file.read()).hexdigest()
    if found != model.sha256:
        raise ModelCorrupt(
            f"{path} is not the file it should be (SHA-256 {found[:12]}..., expected "
            f"{model.sha256[:12]}...): delete it, then defocus models fetch {model.name}"
        )


@functools.lru_cache(maxsize=1)
def network(model: HubModel, device: str) -> Any:
    """Load a fetched model once per process and device; `network.cache_clear()` frees it."""
    check(model)
    try:
        import transformers  # noqa: PLC0415
    except ImportError:
        raise _without_extra() from None
    loader: Any = {
        "depth": transformers.AutoModelForDepthEstimation,
        "matte": transformers.VitMatteForImageMatting,
    }[model.task]
    try:
        loaded = loader.from_pretrained(
            folder(model), local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError) as error:
        if devices.is_full(error):
            raise
        reason = str(error).splitlines()[0]
        raise ModelCorrupt(
            f"{folder(model)} cannot be loaded ({reason}): delete it, then defocus models fetch "
            f"{model.name}"
        ) from error
    return loaded.eval().to(device)


def disparity(pixels: Float32, model: HubModel, device: str) -> Float32:
    """Run a depth model on an sRGB-encoded picture (h, w, 3); relative disparity, 0 to 1."""
    loaded = network(model, device)
    mean, std = np.array((imagenet.MEAN, imagenet.STD), np.float32)
    image = torch.from_numpy((pixels - mean) / std).permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = loaded(pixel_values=image.to(device)).predicted_depth[0].float().cpu().numpy()
    low, high = np.percentile(found, (0.5, 99.5))
    return np.asarray(np.clip((found - low) / max(high - low, 1e-6), 0, 1), np.float32)


def alpha(pixels: Float32, trimap: Float32, model: HubModel, device: str) -> Float32:
    """Run a matting model.

    Parameters
    ----------
    pixels : ndarray (h, w, 3)
        sRGB-encoded, in [0, 1]; sides multiples of 32.
    trimap : ndarray (h, w)
        0 background, 1 subject, 0.5 to be found.

    Returns
    -------
    ndarray (h, w)
        Alpha in [0, 1].
    """
    loaded = network(model, device)
    planes = np.dstack(((pixels - 0.5) / 0.5, trimap)).astype(np.float32)
    image = torch.from_numpy(planes).permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = loaded(pixel_values=image.to(device)).alphas[0, 0]
    return np.ascontiguousarray(found.float().cpu().numpy())


def _without_extra() -> ModelMissing:
    return ModelMissing("optional models need the extra [hub]: python3 install.py --with hub")
