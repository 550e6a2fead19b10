"""Helpers for scripts that run inside GIMP's Python: make images, call the plug-in, read pixels."""

import importlib.util
import json
import os
import random
import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Babl", "0.1")
from gi.repository import Babl, Gegl, Gimp, Gio

OUT = os.environ["DEFOCUS_TEST_OUT"]


def image_of(width, height, precision="U8_NON_LINEAR", base="RGB"):
    return Gimp.Image.new_with_precision(
        width, height, getattr(Gimp.ImageBaseType, base), getattr(Gimp.Precision, precision)
    )


def layer_of(image, width, height, alpha=False, name="photo", at=(0, 0), seed=1):
    """A layer with reproducible noise, inserted at the top."""
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = ("GRAYA" if alpha else "GRAY") if grey else ("RGBA" if alpha else "RGB")
    layer = Gimp.Layer.new(
        image,
        name,
        width,
        height,
        getattr(Gimp.ImageType, f"{kind}_IMAGE"),
        100,
        Gimp.LayerMode.NORMAL,
    )
    layer.set_offsets(*at)
    image.insert_layer(layer, None, 0)
    form = own_format(layer)
    size = width * height * Babl.format_get_bytes_per_pixel(Babl.format(form.split("-")[0]))
    noise = random.Random(seed)
    if "float" in form or "half" in form or "double" in form:
        import array

        channels = size // (width * height) // (4 if "float" in form else 2)
        data = array.array(
            "f", [noise.random() for _ in range(width * height * channels)]
        ).tobytes()
        form = form.replace("half", "float")
    else:
        data = noise.randbytes(size)
    write(layer, data, form)
    return layer


def own_format(layer):
    return Babl.get_name(layer.get_format())


def read(layer, form=None):
    """All pixels, in the layer's own format unless told."""
    where = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    return bytes(
        layer.get_buffer().get(where, 1.0, form or own_format(layer), Gegl.AbyssPolicy.NONE)
    )


def write(layer, data, form=None, at=None):
    x, y, width, height = at or (0, 0, layer.get_width(), layer.get_height())
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(x, y, width, height), form or own_format(layer), bytes(data))
    buffer.flush()
    layer.update(x, y, width, height)


def call(name, image=None, layers=(), **arguments):
    """Run a procedure without dialog; raises RuntimeError with its message on failure."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", arguments.pop("mode", Gimp.RunMode.NONINTERACTIVE))
    if image is not None:
        config.set_property("image", image)
        config.set_core_object_array("drawables", list(layers))
    for argument, value in arguments.items():
        config.set_property(argument.replace("_", "-"), value)
    result = procedure.run(config)
    if result.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise RuntimeError(Gimp.get_pdb().get_last_error())
    return [result.index(i) for i in range(1, result.length())]


def plug_in(module, package="gimp_plugin"):
    """Import a module of the installed plug-in, as its own process would."""
    folder = os.path.join(Gimp.directory(), "plug-ins", "bokeh")
    if "gimp_plugin" not in sys.modules:
        sys.path.insert(0, folder)
        spec = importlib.util.spec_from_file_location(
            "gimp_plugin",
            os.path.join(folder, "__init__.py"),
            submodule_search_locations=[folder],
        )
        sys.modules["gimp_plugin"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["gimp_plugin"])
    return importlib.import_module(f"{package}.{module}")


def tree(image):
    """Names of all layers, nested as they are."""

    def names(layers):
        return [
            [x.get_name(), names(x.get_children())] if x.is_group() else x.get_name()
            for x in layers
        ]

    return names(image.get_layers())


def save(image, name):
    path = os.path.join(OUT, name)
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path), None)
    return path


def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))


def keep(name, data):
    """Leave bytes or a JSON value for the test outside."""
    path = os.path.join(OUT, name)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else json.dumps(data).encode())


def run(script):
    """Run a test script; its traceback goes to a file, since GIMP swallows it."""
    try:
        exec(compile(open(script).read(), script, "exec"), globals())
        keep("done", b"")
    except BaseException:
        keep("traceback", traceback.format_exc().encode())
        raise
