"""Picture files in and out, and the way between their codes and linear light."""

from bokeh_core.limits import MIN_SIDE
from bokeh_core.picture.formats import Format
from bokeh_core.picture.inside import PhoneMaps, Scene, maps_inside, phone_maps
from bokeh_core.picture.limits import MAX_PIXELS
from bokeh_core.picture.maps import MapFile, map_picture, open_map, read_map, write_map
from bokeh_core.picture.metadata import Metadata
from bokeh_core.picture.model import Picture
from bokeh_core.picture.reading import missing_formats, read
from bokeh_core.picture.transfer import ToneCurve, Transfer, from_linear, to_linear
from bokeh_core.picture.writing import SUFFIXES, WRITABLE, check_writable, suffix_for, write

__all__ = [
    "MAX_PIXELS",
    "MIN_SIDE",
    "SUFFIXES",
    "WRITABLE",
    "Format",
    "MapFile",
    "Metadata",
    "PhoneMaps",
    "Picture",
    "Scene",
    "ToneCurve",
    "Transfer",
    "check_writable",
    "from_linear",
    "map_picture",
    "maps_inside",
    "missing_formats",
    "open_map",
    "phone_maps",
    "read",
    "read_map",
    "suffix_for",
    "to_linear",
    "write",
    "write_map",
]
