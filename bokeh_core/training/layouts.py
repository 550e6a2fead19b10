"""Which labelled pictures lie on disk, in any of the layouts people have, and the fixed split.

portraits   NAME.jpg, NAME_mask.png (255 = person), NAME_depth.png (8-bit disparity, 255 = near),
            in a folder or in its subfolders
folders     images/NAME.*, masks/NAME.*, depths/NAME.* (singular names too); masks or depths may
            be absent; depth is 8- or 16-bit disparity
PFCN        images_data_crop/NAME.jpg, images_mask/NAME_mask.mat or .png (Shen et al. 2016)
NYU         nyu_depth_v2_labeled.mat (MATLAB 7.3 = HDF5): images and depths in metres
"""

from __future__ import annotations

import hashlib
import importlib
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from bokeh_core.errors import InputError, ModelMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Bytes = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

TEST_PART = 0.1
"""Part of the pictures that is never trained on."""

FAINT = 16
"""A mask that has something in it, but nothing as bright as this, is of another scale (0 and 1)."""

Label = Literal["mask", "depth"]
LABELS: tuple[Label, ...] = get_args(Label)
LABELS_OF: dict[str, frozenset[Label]] = {
    "joint": frozenset({"mask", "depth"}),
    "portrait": frozenset({"mask"}),
    "depth": frozenset({"depth"}),
}
"""What a task learns from, and is scored on."""

PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Labelled:
    """One picture with what is known about it.

    Attributes
    ----------
    rgb : ndarray (H, W, 3), uint8
        sRGB-encoded.
    mask : ndarray (H, W), uint8 or None
        255 = subject; of the photo's size.
    disparity : ndarray (h, w), float32 or None
        Relative inverse depth, larger = nearer, of any size and scale.
    metric : bool
        `disparity` is one over metres.
    """

    rgb: Bytes
    mask: Bytes | None
    disparity: Float32 | None
    metric: bool = False


@dataclass(frozen=True)
class Item(ABC):
    """Where one labelled picture lies; `folder` and `name` identify it."""

    folder: str
    name: str

    @property
    def key(self) -> str:
        """Stable name of the picture over all folders, e.g. `pfcn/00002`."""
        return f"{self.folder}/{self.name}"

    @property
    def group(self) -> str:
        """What is in one part as a whole: the picture alone, or its scene where that is known."""
        return self.key

    @property
    def held_out(self) -> bool:
        """Whether the picture belongs to the test part, decided by the name of its group alone."""
        return hashlib.sha256(self.group.encode()).digest()[0] < TEST_PART * 256

    @property
    @abstractmethod
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""

    @abstractmethod
    def read(self) -> Labelled:
        """Read picture and labels; InputError names the file that cannot be read."""


@dataclass(frozen=True)
class FileItem(Item):
    """A picture whose labels are files of their own."""

    photo: Path
    mask: Path | None
    depth: Path | None

    @property
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""
        return frozenset(name for name in LABELS if getattr(self, name) is not None)

    def read(self) -> Labelled:
        """Read picture and labels; InputError names the file that cannot be read."""
        bgr = _image(self.photo, cv2.IMREAD_COLOR)
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        mask = None
        if self.mask is not None:
            mask = _fitted(_mask(self.mask), rgb, f"{self.mask} on {self.photo}")
        depth = None
        if self.depth is not None:
            codes = _image(self.depth, cv2.IMREAD_UNCHANGED)
            if codes.dtype not in (np.uint8, np.uint16):
                raise InputError(f"{self.depth} must be of 8 or 16 bits, got {codes.dtype}")
            codes = codes[..., 0] if codes.ndim == 3 else codes
            _check_proportions(codes, rgb, f"{self.depth} on {self.photo}", "depth")
            full = np.float32(np.iinfo(codes.dtype).max)
            depth = np.asarray(codes.astype(np.float32) / full, np.float32)
        return Labelled(rgb, mask, depth)


@dataclass(frozen=True)
class NyuItem(Item):
    """One frame of the labelled NYU Depth v2 file; MATLAB stores it column by column."""

    file: Path
    index: int
    scene: str = ""

    @property
    def group(self) -> str:
        """The scene: its frames resemble each other."""
        return f"{self.folder}/{self.scene}" if self.scene else self.key

    @property
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""
        return frozenset({"depth"})

    def read(self) -> Labelled:
        """Read one frame (disparity: one over the metres); InputError names the unreadable one."""
        h5py = _needed("h5py")
        try:
            with h5py.File(self.file, "r") as data:
                rgb = np.asarray(data["images"][self.index], np.uint8).transpose(2, 1, 0)
                metres = np.asarray(data["depths"][self.index], np.float32).T
        except (OSError, KeyError) as error:
            raise InputError(f"cannot read frame {self.index} of {self.file}: {error}") from None
        return Labelled(np.ascontiguousarray(rgb), None, 1 / np.maximum(metres, 0.1), metric=True)


def find(root: Path, folders: Sequence[str] = ()) -> list[Item]:
    """List the labelled pictures under `root`, sorted by name; the layout is recognised.

    Parameters
    ----------
    root
        A folder or a NYU .mat file.
    folders
        Only these subfolders of the portraits layout; empty = all.

    Raises
    ------
    InputError
        When nothing labelled is found, or one of `folders` is not there.
    """
    if root.is_file():
        return list(_nyu(root))
    if not root.is_dir():
        raise InputError(f"{root} does not exist: --data must be a folder or a NYU .mat file")
    root = root.resolve()  # pictures right in it are named, and so split, by its own name
    absent = [folder for folder in folders if not (root / folder).is_dir()]
    if absent:
        raise InputError(f"no folder {', '.join(absent)} in {root}")
    items: list[Item] = []
    for part in [root / folder for folder in folders] or [root, *sorted(root.iterdir())]:
        if part.is_dir():
            items += [*_portraits(part), *_folders(part), *_pfcn(part)]
    if not items:
        wanted = f" in {', '.join(folders)}" if folders else ""
        raise InputError(
            f"no labelled pictures{wanted} under {root}: expected NAME.jpg with NAME_mask.png or "
            f"NAME_depth.png, or folders images/ with masks/ or depths/, or PFCN's folders"
        )
    return items


def _portraits(folder: Path) -> Iterator[FileItem]:
    for photo in sorted(folder.glob("*.jpg")):
        mask = _existing(photo.with_name(f"{photo.stem}_mask.png"))
        depth = _existing(photo.with_name(f"{photo.stem}_depth.png"))
        if mask or depth:
            yield FileItem(folder.name, photo.stem, photo, mask, depth)


def _folders(folder: Path) -> Iterator[FileItem]:
    labels = [_by_stem(folder, names) for names in (("masks", "mask"), ("depths", "depth"))]
    for stem, photo in _by_stem(folder, ("images", "image")).items():
        mask, depth = (found.get(stem) for found in labels)
        if mask or depth:
            yield FileItem(folder.name, stem, photo, mask, depth)


def _by_stem(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    return {
        path.stem: path
        for name in names
        for path in sorted((folder / name).glob("*"))
        if path.suffix.lower() in PHOTOS
    }


def _pfcn(folder: Path) -> Iterator[FileItem]:
    for photo in sorted((folder / "images_data_crop").glob("*.jpg")):
        for suffix in ("png", "mat"):
            mask = folder / "images_mask" / f"{photo.stem}_mask.{suffix}"
            if mask.exists():
                yield FileItem("pfcn", photo.stem, photo, mask, None)
                break


def _nyu(file: Path) -> Iterator[NyuItem]:
    h5py = _needed("h5py")
    try:
        with h5py.File(file, "r") as data:
            count = len(data["images"])
            if len(data["depths"]) != count:
                raise InputError(f"{file}: {count} images but {len(data['depths'])} depths")
            scenes = _scenes(data) if "scenes" in data else [""] * count
            if len(scenes) != count:
                raise InputError(f"{file}: {count} images but {len(scenes)} scenes")
    except (OSError, KeyError) as error:
        raise InputError(f"{file} is not the labelled NYU Depth v2 file: {error}") from None
    for index, scene in enumerate(scenes):
        yield NyuItem("nyu", f"{index:05d}", file, index, scene)


def _scenes(data: Any) -> list[str]:
    """Read the scene of every frame; parts of one, `study_0001a` and `b`, count as one."""
    names = ("".join(map(chr, np.ravel(data[one]))) for one in np.ravel(data["scenes"]))
    return [re.sub(r"(?<=\d)[a-z]$", "", name) for name in names]


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def _image(path: Path, flags: int) -> npt.NDArray[Any]:
    try:
        image = cv2.imread(str(path), flags)
    except cv2.error:  # a header that claims more pixels than OpenCV takes
        image = None
    if image is None:
        raise InputError(f"cannot read {path} as a picture")
    if path.suffix.lower() in (".jpg", ".jpeg"):
        _check_whole(path)
    return np.asarray(image)


def _check_whole(jpeg: Path) -> None:
    """Refuse a JPEG that was cut off: OpenCV fills what is missing with grey and says nothing."""
    try:
        with Image.open(jpeg) as picture:
            picture.load()
    except OSError as error:
        raise InputError(f"cannot read {jpeg} as a picture: {error}") from None


def _mask(path: Path) -> Bytes:
    if path.suffix == ".mat":
        scipy_io = _needed("scipy.io")
        try:
            inside = np.asarray(scipy_io.loadmat(path)["mask"]) > 0
        except Exception as error:  # scipy's errors share no base
            raise InputError(f"cannot read {path} as a mask: {error}") from error
        return np.asarray(inside * np.uint8(255), np.uint8)
    mask = np.asarray(_image(path, cv2.IMREAD_GRAYSCALE), np.uint8)
    if 0 < mask.max() < FAINT:
        raise InputError(
            f"{path}: a mask has 255 where the subject is, this one has {mask.max()} at most"
        )
    return mask


def _fitted(mask: Bytes, rgb: Bytes, names: str) -> Bytes:
    """Bring a mask to its photo's size; InputError unless the proportions agree to a pixel."""
    tall, wide = rgb.shape[:2]
    if mask.shape == (tall, wide):
        return mask
    _check_proportions(mask, rgb, names, "mask")
    method = cv2.INTER_AREA if wide < mask.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, (wide, tall), interpolation=method), np.uint8)


def _check_proportions(label: npt.NDArray[Any], rgb: Bytes, names: str, what: Label) -> None:
    """Refuse a label whose proportions differ from its photo's by more than a pixel."""
    (height, width), (tall, wide) = label.shape, rgb.shape[:2]
    if abs(height * wide - width * tall) > max(height, width, tall, wide):
        raise InputError(f"{names}: a {what} of {width} x {height} for a photo of {wide} x {tall}")


def _needed(module: str) -> Any:
    """Import what only some layouts need; ModelMissing says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ModelMissing(
            f"{package} is needed for this data: python3 install.py --with train"
        ) from None
