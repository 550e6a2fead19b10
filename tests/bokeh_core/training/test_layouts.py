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
from bokeh_core.training import layouts, samples
from bokeh_core.training.items import FileItem, NyuItem, partition


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


@pytest.mark.parametrize("wrong", [3.0, -0.5])
def test_a_depth_of_floats_that_are_no_nearness_is_named(tmp_path, wrong):
    (tmp_path / "images").mkdir()
    (tmp_path / "depths").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), picture())
    cv2.imwrite(str(tmp_path / "depths" / "a.tiff"), np.full((12, 8), wrong, np.float32))
    (item,) = layouts.find(tmp_path)
    with pytest.raises(InputError, match=r"a\.tiff must be of 8 or 16 bits, or of floats from 0"):
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


MEANINGS = '{"mask": {"255": "person", "200": "animal", "128": "unknown", "0": "neither"}}'


def label_folder(folder, meanings=MEANINGS):
    codes = np.repeat(np.array([[0, 128, 200, 255]], np.uint8), 2, 0).repeat(8, 0).repeat(2, 1)
    cv2.imwrite(str(folder / "a.jpg"), picture((16, 8)))
    cv2.imwrite(str(folder / "a_mask.png"), codes)
    if meanings:
        (folder / "labels.json").write_text(meanings, encoding="utf-8")
    return layouts.find(folder)[0]


def test_labels_mean_what_the_folder_says(tmp_path):
    found = label_folder(tmp_path).read()
    for plane, wanted in (
        (found.mask, [0, 0, 0, 255]),
        (found.animals, [0, 0, 255, 0]),
        (found.known, [255, 0, 255, 255]),
    ):
        np.testing.assert_array_equal(plane, np.tile(np.repeat(wanted, 2), (16, 1)))


def test_without_meanings_a_mask_is_a_soft_matte(tmp_path):
    found = label_folder(tmp_path, meanings="").read()
    assert set(np.unique(found.mask)) == {0, 128, 200, 255}
    assert found.animals is None
    assert found.known is None


def test_labels_of_another_size_are_never_mixed(tmp_path):
    item = label_folder(tmp_path)
    cv2.imwrite(str(tmp_path / "a.jpg"), picture((50, 25)))
    found = item.read()
    assert found.mask.shape == (50, 25)
    assert set(np.unique(found.mask)) == {0, 255}
    assert (found.mask > 0).mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "meanings",
    [
        "[]",
        "{}",
        '{"mask": {"high": "person"}}',
        '{"mask": {"255": "dog"}}',
        '{"mask": {"256": "person"}}',
        "no json",
    ],
)
def test_meanings_that_are_none_are_refused_with_the_file(tmp_path, meanings):
    with pytest.raises(InputError, match=r"labels\.json"):
        label_folder(tmp_path, meanings)


def test_a_label_without_a_meaning_is_refused_by_value(tmp_path):
    item = label_folder(tmp_path, '{"mask": {"255": "person", "128": "unknown", "0": "neither"}}')
    with pytest.raises(InputError, match=r"a_mask\.png: labels\.json does not say what 200 means"):
        item.read()


def depth_folder(folder, unit, codes):
    cv2.imwrite(str(folder / "a.jpg"), picture((12, 8)))
    cv2.imwrite(str(folder / "a_depth.png"), codes)
    (folder / "labels.json").write_text(f'{{"depth": "{unit}"}}', encoding="utf-8")
    return layouts.find(folder)[0]


def test_measured_depth_is_one_over_metres_and_has_holes(tmp_path):
    codes = np.full((12, 8), 2500, np.uint16)
    codes[0] = 0
    item = depth_folder(tmp_path, "millimetres", codes)
    found = item.read()
    assert found.metric
    assert np.isnan(found.disparity[0]).all()
    assert found.disparity[1:] == pytest.approx(0.4)
    assert samples.decode(item, 64).depth is None  # not learnt from
    cv2.imwrite(str(tmp_path / "a_depth.png"), codes.astype(np.uint8))
    with pytest.raises(InputError, match=r"a_depth\.png must be of 16 bits"):
        item.read()


def test_measured_disparity_has_holes_and_no_unit(tmp_path):
    codes = np.full((12, 8), 51, np.uint8)
    codes[0] = 0
    found = depth_folder(tmp_path, "disparity", codes).read()
    assert not found.metric
    assert np.isnan(found.disparity[0]).all()
    assert found.disparity[1:] == pytest.approx(0.2)
    with pytest.raises(InputError, match="depth is 'feet'"):
        depth_folder(tmp_path, "feet", codes)


def test_photos_may_be_png_or_jpeg_and_masks_be_called_matte(tmp_path):
    for name in ("1.png", "2.jpeg", "3.JPG"):
        cv2.imwrite(str(tmp_path / name), picture())
    for name in ("1_matte", "2_mask", "3_mask"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture()[..., 0])
    cv2.imwrite(str(tmp_path / "3.png"), picture(value=200))  # a copy: the JPEG counts
    items = layouts.find(tmp_path)
    assert [item.photo.name for item in items] == ["1.png", "2.jpeg", "3.JPG"]
    assert [item.mask.name for item in items] == ["1_matte.png", "2_mask.png", "3_mask.png"]


@pytest.mark.parametrize(("name", "part"), [("training", "training"), ("testing", "test")])
def test_a_folder_that_is_called_like_a_part_is_one(tmp_path, name, part):
    folder = tmp_path / name
    folder.mkdir()
    cv2.imwrite(str(folder / "00001.png"), picture())
    cv2.imwrite(str(folder / "00001_matte.png"), picture()[..., 0])
    (item,) = layouts.find(tmp_path)
    assert item.published == part


def test_lists_of_names_beside_the_pictures_are_read(portraits):
    folder = portraits / "drawn"
    (folder / "train.txt").write_text("000.jpg\nimages/001.jpg\n\n002\n")
    (folder / "val.txt").write_text("003.jpg\n")
    (folder / "test.txt").write_text("004.jpg\r\n")
    found = [item.published for item in layouts.find(portraits)[:6]]
    assert found == ["training"] * 3 + ["validation", "test", None]
    with pytest.raises(InputError, match="names drawn/005"):
        layouts.find(portraits)[5].part("published")


def test_the_lists_of_pfcn_are_read(tmp_path):
    scipy_io = pytest.importorskip("scipy.io", reason="extra train")
    for name in ("images_data_crop", "images_mask"):
        (tmp_path / name).mkdir()
    for number in range(1, 5):
        cv2.imwrite(str(tmp_path / "images_data_crop" / f"{number:05d}.jpg"), picture())
        cv2.imwrite(str(tmp_path / "images_mask" / f"{number:05d}_mask.png"), picture()[..., 0])
    scipy_io.savemat(tmp_path / "trainlist.mat", {"trainlist": np.array([[1], [4]], np.uint16)})
    scipy_io.savemat(tmp_path / "testlist.mat", {"testlist": np.array([[2.0]])})
    found = [item.published for item in layouts.find(tmp_path)]
    assert found == ["training", "test", None, "training"]
    (tmp_path / "testlist.mat").write_bytes(b"no MATLAB file")
    with pytest.raises(InputError, match=r"testlist of .*testlist\.mat"):
        layouts.find(tmp_path)


def test_the_folder_of_the_nyu_file_is_understood_with_its_official_split(tmp_path):
    h5py = pytest.importorskip("h5py", reason="NYU needs the extra [train]")
    scipy_io = pytest.importorskip("scipy.io", reason="extra train")
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as data:
        data["images"] = np.zeros((3, 3, 2, 2), np.uint8)
        data["depths"] = np.ones((3, 2, 2), np.float32)
    lists = {"trainNdxs": np.array([[1], [3]]), "testNdxs": np.array([[2]])}
    scipy_io.savemat(tmp_path / "splits.mat", lists)
    items = layouts.find(tmp_path)
    assert [item.key for item in items] == ["nyu/00000", "nyu/00001", "nyu/00002"]
    assert [item.published for item in items] == ["training", "test", "training"]


def test_the_lists_of_nyu_frames_are_read_and_their_depth_is_metric(tmp_path):
    inside = tmp_path / "data" / "nyu2_train" / "kitchen_0028b_out"
    tests = tmp_path / "data" / "nyu2_test"
    for folder in (inside, tests):
        folder.mkdir(parents=True)
    cv2.imwrite(str(inside / "7.jpg"), picture())
    cv2.imwrite(str(inside / "7.png"), np.full((12, 8), 51, np.uint8))
    cv2.imwrite(str(tests / "00000_colors.png"), picture())
    cv2.imwrite(str(tests / "00000_depth.png"), np.full((12, 8), 4000, np.uint16))
    row = "data/nyu2_train/kitchen_0028b_out/7"
    (tmp_path / "data" / "nyu2_train.csv").write_text(f"{row}.jpg,{row}.png\n")
    row = "data/nyu2_test/00000"
    (tmp_path / "data" / "nyu2_test.csv").write_text(f"{row}_colors.png,{row}_depth.png\n")
    learnt, tested = layouts.find(tmp_path)
    assert (learnt.key, learnt.group) == ("nyu2/kitchen_0028b_out-7", "nyu2/kitchen_0028")
    assert (tested.key, tested.group) == ("nyu2/nyu2_test-00000", tested.key)
    assert (learnt.published, tested.published) == ("training", "test")
    assert learnt.read().metric
    assert learnt.read().disparity == pytest.approx(1 / 2)
    assert tested.read().disparity == pytest.approx(1 / 4)
    (tmp_path / "data" / "nyu2_test.csv").write_text("one.png\n")
    with pytest.raises(InputError, match=r"nyu2_test\.csv: expected photo,depth"):
        layouts.find(tmp_path)


def test_a_mask_that_is_in_alpha_only_is_named(tmp_path):
    alpha = np.zeros((12, 8), np.uint8)
    alpha[:6] = 255
    cv2.imwrite(str(tmp_path / "a.jpg"), picture())
    cv2.imwrite(str(tmp_path / "a_mask.png"), np.dstack((picture(value=255), alpha)))
    (item,) = layouts.find(tmp_path)
    with pytest.raises(InputError, match=r"a_mask\.png: the mask is in the alpha channel only"):
        item.read()


def test_three_parts_are_apart_and_the_test_part_is_what_it_was():
    items = [FileItem("pfcn", f"{i:05d}", None, None, None) for i in range(5000)]
    parts = [item.part() for item in items]
    assert 0.04 < parts.count("validation") / 5000 < 0.06
    assert [item.held_out for item in items] == [part == "test" for part in parts]


def test_a_published_training_part_gives_some_of_it_for_validation():
    def listed(count, part):
        names = (f"{part}-{i:05d}" for i in range(count))
        return [FileItem("pfcn", name, None, None, None, published=part) for name in names]

    parts = partition([*listed(2000, "training"), *listed(300, "test")], "published")
    assert 0.04 < len(parts["validation"]) / 2000 < 0.06
    assert len(parts["training"]) + len(parts["validation"]) == 2000
    assert len(parts["test"]) == 300
    own = [*listed(2000, "training"), *listed(9, "validation")]
    assert len(partition(own, "published")["validation"]) == 9
