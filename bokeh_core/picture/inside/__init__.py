"""The depth map and the portrait matte that a phone keeps inside its photo's file."""

from bokeh_core.picture.inside.edited import maps_inside
from bokeh_core.picture.inside.maps import PhoneMaps, Scene, phone_maps

__all__ = ["PhoneMaps", "Scene", "maps_inside", "phone_maps"]
