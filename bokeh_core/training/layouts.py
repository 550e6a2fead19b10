"""Which labelled pictures lie on disk, in any of the layouts people have.

portraits   NAME.jpg (.jpeg, .png ...) with NAME_mask.png or NAME_matte.png (255 = person) and/or
            NAME_depth.png (8-bit disparity, 255 = near), in a folder or in its subfolders; with
            labels.json beside them masks hold labels:
            {"mask": {"255": "person", "200": "animal", "128": "unknown", "0": "neither"}}
            and depth may be measured: {"depth": "disparity"} or {"depth": "millimetres"}
folders     images/NAME.*, masks/NAME.*, depths/NAME.* (singular names too); masks or depths may
            be absent; depth is 8- or 16-bit disparity
PFCN        images_data_crop/NAME.jpg, images_mask/NAME_mask.mat or .png (Shen et al. 2016)
NYU         nyu_depth_v2_labeled.mat (MATLAB 7.3 = HDF5): images and depths in metres; the file or
            its folder
NYU lists   nyu2_train.csv and nyu2_test.csv: photo and depth a line; 8-bit depth: 255 = 10 m,
            16-bit depth: millimetres (Alhashim and Wonka 2018)

Where published lists lie beside the pictures (`published_lists`), items know their part in them.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from bokeh_core.errors import InputError
from bokeh_core.training import masks, published_lists
from bokeh_core.training.items import FileItem, Item, NyuItem
from bokeh_core.training.masks import Convention, needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bokeh_core.training.items import Part

PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
"""Endings of photos; of several photos of one name the first of these counts."""

_MASKS = ("_mask.png", "_matte.png")
_DEPTHS = ("_depth.png",)
_NYU = "nyu_depth_v2_labeled.mat"
_NYU_LISTS = ("nyu2_train.csv", "nyu2_test.csv")


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
        raise InputError(
            f"{root} does not exist: labelled pictures are in a folder or a NYU .mat file"
        )
    root = root.resolve()  # pictures right in it are named, and so split, by its own name
    absent = [folder for folder in folders if not (root / folder).is_dir()]
    if absent:
        raise InputError(f"no folder {', '.join(absent)} in {root}")
    items: list[Item] = []
    for part in [root / folder for folder in folders] or [root, *sorted(root.iterdir())]:
        if part.is_dir():
            items += _of_folder(part)
    if not items:
        wanted = f" in {', '.join(folders)}" if folders else ""
        raise InputError(
            f"no labelled pictures{wanted} under {root}: expected NAME.jpg with NAME_mask.png, "
            f"NAME_matte.png or NAME_depth.png, or folders images/ with masks/ or depths/, or "
            f"PFCN's folders, or {_NYU}, or {_NYU_LISTS[0]}"
        )
    return items


def _of_folder(folder: Path) -> Iterator[Item]:
    yield from _portraits(folder)
    yield from _folders(folder)
    yield from _pfcn(folder)
    if (folder / _NYU).is_file():
        yield from _nyu(folder / _NYU)
    for name in _NYU_LISTS:
        if (folder / name).is_file():
            yield from _nyu_list(folder / name)


def _portraits(folder: Path) -> Iterator[FileItem]:
    convention = masks.convention(folder)
    part_of = published_lists.of_names(folder)
    files = {path.name: path for path in folder.iterdir()}
    labels = (*_MASKS, *_DEPTHS)
    for stem, photo in _photos(files.values()).items():
        mask, depth = (_first(files, stem, endings) for endings in (_MASKS, _DEPTHS))
        if (mask or depth) and not photo.name.endswith(labels):
            yield FileItem(
                folder.name, stem, photo, mask, depth, convention, published=part_of(stem)
            )


def _first(files: dict[str, Path], stem: str, endings: Sequence[str]) -> Path | None:
    return next((files[stem + ending] for ending in endings if stem + ending in files), None)


def _photos(files: Iterable[Path]) -> dict[str, Path]:
    """Name the photos among files, sorted; of those of one name the first of `PHOTOS` counts."""
    found: dict[str, Path] = {}
    for path in sorted(files):
        if path.suffix.lower() in PHOTOS:
            found[path.stem] = min(path, found.get(path.stem, path), key=_rank)
    return found


def _rank(photo: Path) -> int:
    return PHOTOS.index(photo.suffix.lower())


def _folders(folder: Path) -> Iterator[FileItem]:
    part_of = published_lists.of_names(folder)
    labels = [_by_stem(folder, names) for names in (("masks", "mask"), ("depths", "depth"))]
    for stem, photo in _by_stem(folder, ("images", "image")).items():
        mask, depth = (found.get(stem) for found in labels)
        if mask or depth:
            yield FileItem(folder.name, stem, photo, mask, depth, published=part_of(stem))


def _by_stem(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in names:
        found |= _photos((folder / name).glob("*"))
    return found


def _pfcn(folder: Path) -> Iterator[FileItem]:
    photos = sorted((folder / "images_data_crop").glob("*.jpg"))
    lists = published_lists.of_pfcn(folder) if photos else {}
    for photo in photos:
        for suffix in ("png", "mat"):
            mask = folder / "images_mask" / f"{photo.stem}_mask.{suffix}"
            if mask.exists():
                yield FileItem(
                    "pfcn", photo.stem, photo, mask, None, published=lists.get(photo.stem)
                )
                break


def _nyu(file: Path) -> Iterator[NyuItem]:
    h5py = needed("h5py")
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
    lists = published_lists.of_nyu(file.parent)
    for index, scene in enumerate(scenes):
        yield NyuItem("nyu", f"{index:05d}", file, index, scene=scene, published=lists.get(index))


def _scenes(data: Any) -> list[str]:
    """Read the scene of every frame; parts of one, `study_0001a` and `b`, count as one."""
    names = ("".join(map(chr, np.ravel(data[one]))) for one in np.ravel(data["scenes"]))
    return [_whole_scene(name) for name in names]


def _whole_scene(name: str) -> str:
    return re.sub(r"(?<=\d)[a-z]$", "", name)


def _nyu_list(file: Path) -> Iterator[FileItem]:
    """Read `photo,depth` lines; the paths begin where the list lies, or above it."""
    part: Part = "training" if "train" in file.name else "test"
    convention = Convention(depth=masks.TEN_METRES)
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read the list {file}: {error}") from None
    for row in filter(None, rows):
        if len(row) != 2:
            raise InputError(f"{file}: expected photo,depth in every line, got {','.join(row)!r}")
        photo, depth = (_placed(file, path.strip()) for path in row)
        place = photo.parent.name
        scene = _whole_scene(place.removesuffix("_out")) if place.endswith("_out") else ""
        name = f"{place}-{photo.stem.removesuffix('_colors')}"
        yield FileItem("nyu2", name, photo, None, depth, convention, scene=scene, published=part)


def _placed(file: Path, path: str) -> Path:
    """Find a path of a list below the list's folder, with or without its first part, or above."""
    choices = (
        file.parent / path,
        file.parent / path.partition("/")[2],
        file.parent.parent / path,
    )
    for choice in choices:
        if choice.is_file():
            return choice
    return choices[0]
