"""A corpus made by code: each case has its right value."""

import pytest

from bokeh_core import picture


@pytest.fixture
def read(tmp_path):
    """Read bytes as a file of this name."""

    def reading(data, name):
        path = tmp_path / name
        path.write_bytes(data)
        return picture.read(path)

    return reading


@pytest.fixture
def again(tmp_path):
    """Write a picture in another format and read it back, with the notes of the writing."""

    def writing(made, suffix, quality=100):
        path = tmp_path / f"again{suffix}"
        lost = picture.write(path, made, quality=quality)
        return picture.read(path), lost

    return writing
