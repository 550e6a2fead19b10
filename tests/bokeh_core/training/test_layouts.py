"""Every layout is found, read the same way, and split the same way for ever."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.training import layouts
from bokeh_core.training.layouts import FileItem, NyuItem


def picture(shape=(12, 8), value=90):
    return np.full((*shape, 3), value, np.uint8)


def test_the_portraits_layout(portraits):
    items = layouts.find(portraits)
    assert len(items) == 30
    found = items[3].read()
    assert found.rgb.shape == (96, 72, 3)
    assert set(np.unique(found.mask)) == {0, 255}
    assert found.disparity.shape == (48, 36)
    assert found.disparity[found.mask[::2, ::2] > 0].mean() == pytest.approx(220 / 255, abs=0.01)


def test_folders_of_images_masks_and_depths(tmp_path):
    for name in ("images", "masks", "depths"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), picture())
    cv2.imwrite(str(tmp_path / "images" / "unlabelled.png"), picture())
    cv2.imwrite(str(tmp_path / "masks" / "a.png"), picture(value=255)[..., 0])
    cv2.imwrite(str(tmp_path / "depths" / "a.png"), np.full((12, 8), 32768, np.uint16))
    (item,) = layouts.find(tmp_path)
    found = item.read()
    assert found.mask.min() == 255
    assert found.disparity.mean() == pytest.approx(0.5, abs=1e-4)


def test_the_pfcn_layout_with_masks_as_matlab_files(tmp_path):
    scipy_io = pytest.importorskip("scipy.io", reason="extra train")
    (tmp_path / "images_data_crop").mkdir()
    (tmp_path / "images_mask").mkdir()
    cv2.imwrite(str(tmp_path / "images_data_crop" / "00001.jpg"), picture())
    mask = np.zeros((12, 8), np.uint8)
    mask[:6] = 1
    scipy_io.savemat(tmp_path / "images_mask" / "00001_mask.mat", {"mask": mask})
    (item,) = layouts.find(tmp_path)
    np.testing.assert_array_equal(item.read().mask, mask * 255)


def test_the_labelled_nyu_file(tmp_path):
    h5py = pytest.importorskip("h5py", reason="NYU needs the extra [train]")
    file = tmp_path / "nyu.mat"
    rgb = np.random.default_rng(0).integers(0, 255, (2, 3, 16, 12), np.uint8)
    metres = np.full((2, 16, 12), 2.0, np.float32)
    with h5py.File(file, "w") as data:
        data["images"], data["depths"] = rgb, metres
    items = layouts.find(file)
    found = items[1].read()
    assert len(items) == 2
    assert found.mask is None
    assert found.rgb.shape == (12, 16, 3)
    np.testing.assert_array_equal(found.rgb[5, 9], rgb[1, :, 9, 5])
    assert found.disparity == pytest.approx(0.5)
    assert found.metric


def test_all_frames_of_a_nyu_scene_are_in_one_part(tmp_path):
    h5py = pytest.importorskip("h5py", reason="NYU needs the extra [train]")
    file = tmp_path / "nyu.mat"
    names = [f"study_{index // 4:04d}{'ab'[index // 2 % 2]}" for index in range(400)]
    with h5py.File(file, "w") as data:
        data["images"] = np.zeros((400, 3, 2, 2), np.uint8)
        data["depths"] = np.ones((400, 2, 2), np.float32)
        scenes = data.create_dataset("scenes", (1, 400), h5py.ref_dtype)
        for index, name in enumerate(names):
            codes = np.array([[ord(letter)] for letter in name], np.uint16)
            scenes[0, index] = data.create_dataset(f"#refs#/{index}", data=codes).ref
    items = layouts.find(file)
    assert items[7].scene == "study_0001"
    held = np.array([item.held_out for item in items]).reshape(100, 4)
    assert (held.all(1) == held.any(1)).all()
    assert 3 < held[:, 0].sum() < 25
    assert len({item.key for item in items}) == 400


def test_what_is_not_there_is_refused_with_the_expected_layouts(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        layouts.find(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"NAME_mask\.png"):
        layouts.find(tmp_path)
    (tmp_path / "x.mat").write_bytes(b"not HDF5")
    pytest.importorskip("h5py", reason="NYU needs the extra [train]")
    with pytest.raises(InputError, match="NYU"):
        layouts.find(tmp_path / "x.mat")


def test_a_named_folder_that_is_not_there_is_refused_by_name(portraits):
    assert len(layouts.find(portraits, ("drawn",))) == 30
    with pytest.raises(InputError, match="no folder darwn, other in"):
        layouts.find(portraits, ("drawn", "darwn", "other"))


def test_a_mask_of_another_size_is_brought_to_that_of_the_photo(tmp_path):
    half = np.zeros((25, 17), np.uint8)  # of 50 x 33, rounded
    half[:10] = 255
    cv2.imwrite(str(tmp_path / "a.jpg"), picture((50, 33)))
    cv2.imwrite(str(tmp_path / "a_mask.png"), half)
    (item,) = layouts.find(tmp_path)
    mask = item.read().mask
    assert mask.shape == (50, 33)
    assert (mask > 127).mean() == pytest.approx(0.4, abs=0.01)
    cv2.imwrite(str(tmp_path / "a_mask.png"), half.T)
    with pytest.raises(InputError, match=r"a_mask\.png on .*a\.jpg: a mask of 25 x 17 for a photo"):
        item.read()


def huge():
    """A PNG whose header claims more pixels than OpenCV takes."""
    whole = cv2.imencode(".png", picture())[1].tobytes()
    header = b"IHDR" + struct.pack(">II", 60_000, 60_000) + whole[24:29]
    return whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]


@pytest.mark.parametrize("content", [b"", b"no picture", huge()], ids=["empty", "other", "huge"])
@pytest.mark.parametrize("name", ["a.jpg", "a_mask.png", "a_depth.png"])
def test_a_damaged_file_is_named(tmp_path, name, content):
    cv2.imwrite(str(tmp_path / "a.jpg"), picture())
    for label in ("a_mask.png", "a_depth.png"):
        cv2.imwrite(str(tmp_path / label), picture()[..., 0])
    (item,) = layouts.find(tmp_path)
    item.read()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        item.read()


def test_a_depth_of_floats_is_named(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "depths").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), picture())
    cv2.imwrite(str(tmp_path / "depths" / "a.tiff"), np.ones((12, 8), np.float32))
    (item,) = layouts.find(tmp_path)
    with pytest.raises(InputError, match=r"a\.tiff must be of 8 or 16 bits, got float32"):
        item.read()


def test_a_depth_of_other_proportions_is_named(portraits):
    depth = next(iter(sorted((portraits / "drawn").glob("*_depth.png"))))
    cv2.imwrite(str(depth), cv2.imread(str(depth), 0).T)
    with pytest.raises(InputError, match=f"{depth.name} on .*a depth of 48 x 36 for a photo of 72"):
        layouts.find(portraits)[0].read()


def test_a_mask_of_zeros_and_ones_is_named(portraits):
    mask = next(iter(sorted((portraits / "drawn").glob("*_mask.png"))))
    cv2.imwrite(str(mask), cv2.imread(str(mask), 0) // 255)
    with pytest.raises(InputError, match=f"{mask.name}: a mask has 255"):
        layouts.find(portraits)[0].read()


def test_a_photo_that_was_cut_off_is_named(portraits):
    item = layouts.find(portraits)[0]
    whole = item.photo.read_bytes()
    item.photo.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(InputError, match=rf"{item.photo.name}.*truncated"):
        item.read()


@pytest.mark.parametrize("content", [b"", b"no MATLAB file" * 20])
def test_a_damaged_matlab_mask_is_named(tmp_path, content):
    (tmp_path / "images_data_crop").mkdir()
    (tmp_path / "images_mask").mkdir()
    cv2.imwrite(str(tmp_path / "images_data_crop" / "00001.jpg"), picture())
    (tmp_path / "images_mask" / "00001_mask.mat").write_bytes(content)
    (item,) = layouts.find(tmp_path)
    with pytest.raises(InputError, match=r"00001_mask\.mat"):
        item.read()


def test_a_nyu_file_that_goes_away_is_named(tmp_path):
    pytest.importorskip("h5py", reason="NYU needs the extra [train]")
    with pytest.raises(InputError, match=r"frame 7 of .*nyu\.mat"):
        NyuItem("nyu", "00007", tmp_path / "nyu.mat", 7).read()


def test_the_split_depends_on_the_name_alone_and_is_fixed():
    items = [FileItem("pfcn", f"{i:05d}", None, None, None) for i in range(5000)]
    held = [item.name for item in items if item.held_out]
    assert 0.08 < len(held) / len(items) < 0.12
    assert held[:4] == ["00005", "00006", "00031", "00034"]


def test_the_split_does_not_depend_on_how_the_folder_is_spelled(portraits, monkeypatch):
    keys = [item.key for item in layouts.find(portraits)]
    assert keys == [f"drawn/{index:03d}" for index in range(30)]
    inner = portraits / "drawn"
    (inner / "below").mkdir()
    for folder, spelled in ((portraits, "."), (inner, "."), (inner, ".."), (inner / "below", "..")):
        monkeypatch.chdir(folder)
        assert [item.key for item in layouts.find(Path(spelled))] == keys


@pytest.mark.parametrize("module", ["h5py", "scipy.io"])
def test_what_a_layout_needs_and_is_not_installed_is_said(tmp_path, monkeypatch, module):
    photo, file = tmp_path / "1.png", tmp_path / "labels.mat"
    cv2.imwrite(str(photo), picture())
    file.write_bytes(b"")
    monkeypatch.setitem(sys.modules, module, None)
    read = {
        "h5py": lambda: layouts.find(file),
        "scipy.io": FileItem("pfcn", "1", photo, file, None).read,
    }[module]
    with pytest.raises(ModelMissing, match=f"{module.partition('.')[0]} .* --with train"):
        read()
