"""Every layout is found, read the same way, and split the same way for ever."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.training import layouts
from bokeh_core.training.layouts import FileItem


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
    scipy_io = pytest.importorskip("scipy.io", reason="PFCN's own masks need scipy")
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


def test_what_is_not_there_is_refused_with_the_expected_layouts(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        layouts.find(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"NAME_mask\.png"):
        layouts.find(tmp_path)
    (tmp_path / "x.mat").write_bytes(b"not HDF5")
    pytest.importorskip("h5py", reason="NYU needs the extra [train]")
    with pytest.raises(InputError, match="NYU"):
        layouts.find(tmp_path / "x.mat")


def test_a_damaged_photo_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "a_mask.png").write_bytes(b"")
    (item,) = layouts.find(tmp_path)
    with pytest.raises(InputError, match=r"a\.jpg"):
        item.read()


def test_the_split_depends_on_the_name_alone_and_is_fixed():
    items = [FileItem("pfcn", f"{i:05d}", None, None, None) for i in range(5000)]
    held = [item.name for item in items if item.held_out]
    assert 0.08 < len(held) / len(items) < 0.12
    assert held[:4] == ["00005", "00006", "00031", "00034"]
