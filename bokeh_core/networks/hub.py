"""Larger models that a user may fetch (extra `[hub]`), run by transformers without remote code.

Why these: docs/decisions/0013. Revisions and hashes are those that several independent projects
pin.
"""

from __future__ import annotations

import functools
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import platformdirs
import torch

from bokeh_core import devices, extras
from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks import download, imagenet

if TYPE_CHECKING:
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
MAX_CONFIG_BYTES = 1 << 20


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
    """Of the weights."""
    config_sha256: str
    """Of the file that says how the network is built: layers in another number come out random."""
    bytes: int
    licence: str
    input_size: int
    """Side of a square with as many pixels as the picture the network looks at."""
    multiple: int
    """The sides of its input are multiples of this."""

    @property
    def files(self) -> dict[str, str]:
        """What has to be there, and the SHA-256 of each."""
        return {CONFIG: self.config_sha256, WEIGHTS: self.sha256}


MODELS = {
    model.name: model
    for model in (
        HubModel(
            name="depth-anything-v2-small",
            task="depth",
            repository="depth-anything/Depth-Anything-V2-Small-hf",
            revision="5426e4f0f36572d16453bbda7a8389317b1bef99",
            sha256="3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70",
            config_sha256="c56698d3643dde1f83ea2212759e6b31a22b8f827246a36dd007ee8a22b3ff75",
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
            config_sha256="ae1006f5a83227048b563b2e60709d4203e432b2276949ebef41a8cfeeeaf45f",
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
    return all((folder(model) / name).exists() for name in model.files)


def fetch(model: HubModel, progress: Progress) -> Path:
    """Download what is missing or not right, going on where an earlier try stopped.

    Raises
    ------
    ModelMissing
        The extra `[hub]` is not installed, or the hub cannot be reached.
    ModelCorrupt
        What came is not the recorded file; it is removed.
    OutputError
        It cannot be written.
    """
    try:
        from huggingface_hub import constants, get_token, hf_hub_url  # noqa: PLC0415
    except ImportError:
        raise _without_extra() from None
    place = folder(model)
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    for name, digest in model.files.items():
        url = hf_hub_url(model.repository, name, revision=model.revision)
        at_most = model.bytes if name == WEIGHTS else MAX_CONFIG_BYTES
        for done in download.fetch(url, place / name, digest, token, at_most=at_most):
            progress(f"{done / 1e6:.1f} of {model.bytes / 1e6:.1f} MB", done / model.bytes)
    progress("checked", 1.0)
    return place


def check(model: HubModel) -> None:
    """Compare the files with their recorded hashes; ModelMissing or ModelCorrupt."""
    if not fetched(model):
        raise ModelMissing(
            f"{model.name} is not on this machine: defocus models fetch {model.name}"
        )
    for name, digest in model.files.items():
        path = folder(model) / name
        found = download.sha256(path)
        if found != digest:
            raise ModelCorrupt(
                f"{path} is not the file it should be (SHA-256 {found[:12]}..., expected "
                f"{digest[:12]}...): defocus models fetch {model.name} replaces it"
            )


@functools.lru_cache(maxsize=2)
def network(model: HubModel, device: torch.device) -> Any:
    """Load a fetched model and keep it; `network.cache_clear()` frees it.

    Two are kept, as a photo may use one for the matte and one for the depth.
    """
    check(model)
    try:
        import transformers  # noqa: PLC0415
    except ImportError:
        raise _without_extra() from None
    words: Any = transformers.utils.logging
    words.disable_progress_bar()  # both would stand on stderr even under --quiet
    words.set_verbosity_error()
    try:
        loader: Any = {
            "depth": transformers.AutoModelForDepthEstimation,
            "matte": transformers.VitMatteForImageMatting,
        }[model.task]
        loaded, report = loader.from_pretrained(
            folder(model),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:  # whatever a config can break, and those errors share no base
        if devices.is_full(error):
            raise
        raise _unbuildable(model, f"{type(error).__name__}: {error}") from error
    # weights without a value come out random and values without a place are dropped, in silence
    for complaint, names in report.items():
        if names:
            raise _unbuildable(model, f"{complaint}: {', '.join(sorted(map(str, names)))}")
    return loaded.eval().to(device)


def disparity(pixels: Float32, model: HubModel, device: torch.device) -> Float32:
    """Run a depth model on an sRGB-encoded picture (h, w, 3); relative disparity, 0 to 1."""
    loaded = network(model, device)
    mean, std = np.array((imagenet.MEAN, imagenet.STD), np.float32)
    image = torch.from_numpy((pixels - mean) / std).permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = loaded(pixel_values=image.to(device)).predicted_depth[0].float().cpu().numpy()
    low, high = np.percentile(found, (0.5, 99.5))
    return np.asarray(np.clip((found - low) / max(high - low, 1e-6), 0, 1), np.float32)


def alpha(pixels: Float32, trimap: Float32, model: HubModel, device: torch.device) -> Float32:
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


def _unbuildable(model: HubModel, reason: str) -> ModelCorrupt:
    """Blame transformers: the files are those on record, so fetching them again would not help."""
    from transformers import __version__  # noqa: PLC0415

    short = textwrap.shorten(reason, 160, placeholder=" ...")
    return ModelCorrupt(
        f"{folder(model) / CONFIG} is as recorded, but transformers {__version__} cannot build its "
        f"network ({short}): reinstall it with {extras.how_to_get('hub')}"
    )


def _without_extra() -> ModelMissing:
    return ModelMissing(f"optional models need the extra [hub]: {extras.how_to_get('hub')}")
