"""Picture files in and out, and the way between their codes and linear light."""

from bokeh_core.limits import MIN_SIDE
from bokeh_core.picture.maps import map_picture, read_map, write_map
from bokeh_core.picture.model import Format, Metadata, Picture
from bokeh_core.picture.reading import MAX_PIXELS, read
from bokeh_core.picture.transfer import ToneCurve, Transfer, from_linear, to_linear
from bokeh_core.picture.writing import SUFFIXES, check_writable, write

__all__ = [
    "MAX_PIXELS",
    "MIN_SIDE",
    "SUFFIXES",
    "Format",
    "Metadata",
    "Picture",
    "ToneCurve",
    "Transfer",
    "check_writable",
    "from_linear",
    "map_picture",
    "read",
    "read_map",
    "to_linear",
    "write",
    "write_map",
]
