# Written by tests/gimp/stubs.py from GIMP's introspection.
# mypy: disable-error-code="override"

from typing import Any

from gi.repository import Gio, GLib, GObject

class Colorspace(int):
    value_nick: str
    RGB: Colorspace

class InterpType(int):
    value_nick: str
    NEAREST: InterpType
    BILINEAR: InterpType

class Pixbuf(GObject.Object):
    def add_alpha(self, substitute_color_: bool, r_: int, g_: int, b_: int) -> Pixbuf | None: ...
    def composite(
        self,
        dest_: Pixbuf,
        dest_x_: int,
        dest_y_: int,
        dest_width_: int,
        dest_height_: int,
        offset_x_: float,
        offset_y_: float,
        scale_x_: float,
        scale_y_: float,
        interp_type_: InterpType,
        overall_alpha_: int,
    ) -> None: ...
    def copy(self) -> Pixbuf | None: ...
    def equal(self, icon2_: Gio.Icon | None) -> bool: ...
    def fill(self, pixel_: int) -> None: ...
    def get_height(self) -> int: ...
    def get_pixels(self) -> bytes: ...
    def get_rowstride(self) -> int: ...
    def get_width(self) -> int: ...
    def load(
        self, size_: int, cancellable_: Gio.Cancellable | None
    ) -> tuple[Gio.InputStream, str]: ...
    @staticmethod
    def new(
        colorspace_: Colorspace, has_alpha_: bool, bits_per_sample_: int, width_: int, height_: int
    ) -> Pixbuf | None: ...
    @staticmethod
    def new_from_bytes(
        data_: GLib.Bytes,
        colorspace_: Colorspace,
        has_alpha_: bool,
        bits_per_sample_: int,
        width_: int,
        height_: int,
        rowstride_: int,
    ) -> Pixbuf: ...
    @staticmethod
    def new_from_file(filename_: str) -> Pixbuf | None: ...
    def new_subpixbuf(self, src_x_: int, src_y_: int, width_: int, height_: int) -> Pixbuf: ...
    def scale(
        self,
        dest_: Pixbuf,
        dest_x_: int,
        dest_y_: int,
        dest_width_: int,
        dest_height_: int,
        offset_x_: float,
        offset_y_: float,
        scale_x_: float,
        scale_y_: float,
        interp_type_: InterpType,
    ) -> None: ...
    def scale_simple(
        self, dest_width_: int, dest_height_: int, interp_type_: InterpType
    ) -> Pixbuf | None: ...
    def __init__(self, **properties: Any) -> None: ...
