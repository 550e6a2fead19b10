"""A network as one ONNX file: a photo's bytes in, its maps at full size out, in any program.

Three graphs are joined: the photo is brought to what the network takes as `inference.network_input`
does, the network looks at it (the shared one at its mirror image too), and what it sees is enlarged
as `upsampling.enlarged` does. Left to the library are the closer looks at small people, the choice
of the subject and the refinement along the photo's edges.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from bokeh_core import extras
from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.networks import hub, inference, records, registry
from bokeh_core.networks.shared import STRIDE
from bokeh_core.picture.transfer import to_linear

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.networks.records import ModelRecord

OPSET = 18
IR_VERSION = 10

_PREPARE = """
<ir_version: %(ir)d, opset_import: ["": %(opset)d]>
prepare (uint8[H, W, 3] photo, float[256] light) => (float[1, 3, h, w] rgb, int64[2] size) {
  shape = Shape (photo)
  two = Constant <value = int64[1] {2}> ()
  none = Constant <value = int64[1] {0}> ()
  size = Slice (shape, none, two)
  sides = Cast <to = 11> (size)
  area = ReduceProd <keepdims = 0> (sides)
  side = Constant <value = double {%(side)d}> ()
  root = Sqrt (area)
  scale = Div (side, root)
  multiple = Constant <value = double {%(stride)d}> ()
  scaled = Mul (sides, scale)
  parts = Div (scaled, multiple)
  rounded = Round (parts)
  least = Constant <value = double {1}> ()
  most = Constant <value = double {%(most)d}> ()
  above = Max (rounded, least)
  within = Min (above, most)
  target = Mul (within, multiple)
  fits = LessOrEqual (target, sides)
  counted = Cast <to = 6> (fits)
  both = ReduceMin <keepdims = 0> (counted)
  shrinks = Cast <to = 9> (both)
  first = Constant <value = int64 {0}> ()
  second = Constant <value = int64 {1}> ()
  tall = Gather (sides, first)
  wide = Gather (sides, second)
  rows = Gather (target, first)
  columns = Gather (target, second)
%(down)s%(across)s
  codes = Cast <to = 6> (photo)
  linear = Gather (light, codes)
  planes = Transpose <perm = [2, 0, 1]> (linear)
  shorter = MatMul (down_either, planes)
  turned = Transpose <perm = [1, 0]> (across_either)
  small = MatMul (shorter, turned)
  zero = Constant <value = float {0}> ()
  one = Constant <value = float {1}> ()
  clipped = Clip (small, zero, one)
  knee = Constant <value = float {0.0031308}> ()
  slope = Constant <value = float {12.92}> ()
  power = Constant <value = float {0.4166666667}> ()
  gain = Constant <value = float {1.055}> ()
  offset = Constant <value = float {0.055}> ()
  dark = Mul (clipped, slope)
  raised = Pow (clipped, power)
  gained = Mul (raised, gain)
  bright = Sub (gained, offset)
  below = LessOrEqual (clipped, knee)
  encoded = Where (below, dark, bright)
  batch = Constant <value = int64[1] {0}> ()
  rgb = Unsqueeze (encoded, batch)
}
"""

_BY_AREA = """
  %(n)s_step = Div (%(from)s, %(to)s)
  %(n)s_none = Constant <value = double {0}> ()
  %(n)s_unit = Constant <value = double {1}> ()
  %(n)s_i = Range (%(n)s_none, %(to)s, %(n)s_unit)
  %(n)s_j = Range (%(n)s_none, %(from)s, %(n)s_unit)
  %(n)s_last = Constant <value = int64[1] {1}> ()
  %(n)s_column = Unsqueeze (%(n)s_i, %(n)s_last)
  %(n)s_begin = Mul (%(n)s_column, %(n)s_step)
  %(n)s_end = Add (%(n)s_begin, %(n)s_step)
  %(n)s_next = Add (%(n)s_j, %(n)s_unit)
  %(n)s_high = Min (%(n)s_end, %(n)s_next)
  %(n)s_low = Max (%(n)s_begin, %(n)s_j)
  %(n)s_common = Sub (%(n)s_high, %(n)s_low)
  %(n)s_overlap = Max (%(n)s_common, %(n)s_none)
  %(n)s_area = Div (%(n)s_overlap, %(n)s_step)
  %(n)s = Cast <to = 1> (%(n)s_area)
"""
"""Weights (to, from) of a reduction by area: how much of a pixel lies in which new one."""

_LINEAR = """
  %(n)s_half = Constant <value = double {0.5}> ()
  %(n)s_centre = Add (%(n)s_column, %(n)s_half)
  %(n)s_place = Mul (%(n)s_centre, %(n)s_step)
  %(n)s_at = Sub (%(n)s_place, %(n)s_half)
  %(n)s_edge = Sub (%(from)s, %(n)s_unit)
  %(n)s_positive = Max (%(n)s_at, %(n)s_none)
  %(n)s_inside = Min (%(n)s_positive, %(n)s_edge)
  %(n)s_gap = Sub (%(n)s_inside, %(n)s_j)
  %(n)s_distance = Abs (%(n)s_gap)
  %(n)s_near = Sub (%(n)s_unit, %(n)s_distance)
  %(n)s_positive_near = Max (%(n)s_near, %(n)s_none)
  %(n)s_linear = Cast <to = 1> (%(n)s_positive_near)
  %(n)s_either = Where (shrinks, %(n)s, %(n)s_linear)
"""
"""Beside those, the weights of a linear enlargement for a photo that is too small."""

_ENLARGE = """
<ir_version: %(ir)d, opset_import: ["": %(opset)d]>
enlarge (%(inputs)s, int64[2] size) => (%(outputs)s) {
  single = Constant <value = int64[2] {1, 1}> ()
  whole = Concat <axis = 0> (single, size)
  zeroth = Constant <value = int64 {0}> ()
  next = Constant <value = int64 {1}> ()
  pixels = ReduceProd <keepdims = 0> (size)
%(nodes)s}
"""

_OUTPUT = """
  %(n)s_shape = Shape <start = 2> (seen_%(n)s)
  %(n)s_count = ReduceProd <keepdims = 0> (%(n)s_shape)
  %(n)s_shrinks = Less (pixels, %(n)s_count)
  %(n)s_target = Where (%(n)s_shrinks, size, %(n)s_shape)
  %(n)s_from = Cast <to = 11> (%(n)s_shape)
  %(n)s_to = Cast <to = 11> (%(n)s_target)
  %(n)s_tall = Gather (%(n)s_from, zeroth)
  %(n)s_wide = Gather (%(n)s_from, next)
  %(n)s_rows = Gather (%(n)s_to, zeroth)
  %(n)s_columns = Gather (%(n)s_to, next)
%(down)s%(across)s
  %(n)s_shorter = MatMul (%(n)s_down, seen_%(n)s)
  %(n)s_turned = Transpose <perm = [1, 0]> (%(n)s_across)
  %(n)s_reduced = MatMul (%(n)s_shorter, %(n)s_turned)
  %(n)s_large = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel">
    (%(n)s_reduced, , , whole)
  %(n)s = Reshape (%(n)s_large, size)
"""
"""Of a photo smaller than what the network saw it is reduced by area; else enlarged linearly."""


class Look(nn.Module):
    """What `inference.predict` does with the pixels, without closer looks; planes (1, 1, h, w)."""

    def __init__(self, network: nn.Module, architecture: str) -> None:
        super().__init__()
        self.network = network
        self.shared = architecture == records.SHARED

    def forward(self, rgb: Tensor) -> tuple[Tensor, ...]:
        """Return people, animals and disparity of the shared network; or the family's one plane."""
        if not self.shared:
            return (torch.sigmoid(self.network(rgb)),)
        seen = self.network(torch.cat((rgb, rgb.flip(3))))
        mattes, disparity = (
            (plane[:1] + plane[1:].flip(3)) / 2 for plane in map(torch.sigmoid, seen)
        )
        return mattes[:, :1], mattes[:, 1:], disparity


def outputs_of(record: ModelRecord) -> tuple[str, ...]:
    """Name the maps that the file gives, (H, W) float32 in [0, 1] each; InputError: none."""
    if record.architecture == records.SHARED:
        return ("matte", "animals", "depth")
    if record.architecture != records.FAMILY:
        raise InputError(f"{record.name} gives no maps of its own that an ONNX file could have")
    return ("matte",) if "portrait" in record.tasks else ("depth",)


def write(name: str, path: Path) -> ModelRecord:
    """Write the weights of a name, shipped, own or opened, as an ONNX file.

    Its input `photo` is (H, W, 3) uint8, sRGB; its outputs are those of `outputs_of`. The metadata
    carry the record.

    Raises
    ------
    ModelMissing
        The extra `[onnx]` is not installed, or there are no such weights.
    ModelCorrupt
        The weights cannot be used.
    InputError
        They are not of a network that finds mattes or depth, or of an optional model.
    """
    if name in hub.MODELS:
        raise InputError(f"{name} is an optional model: only defocus's own networks are written")
    outputs = outputs_of(registry.find(name))
    try:
        import onnx  # noqa: PLC0415
        from onnx import compose  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(f"onnx is not installed: {extras.how_to_get('onnx')}") from None
    network, record = inference.network(name, torch.device("cpu"))
    seen = [f"seen_{output}" for output in outputs]
    looked = _looked(Look(network, record.architecture).eval(), seen)
    pairs = [*((plane, plane) for plane in seen), ("size", "size")]
    joined = compose.merge_models(_prepare(record.input_size), looked, io_map=[("rgb", "rgb")])
    whole = compose.merge_models(joined, _enlarge(outputs), io_map=pairs)
    _keep_light(whole)
    onnx.helper.set_model_props(whole, {"defocus": json.dumps(records.to_json(record))})
    onnx.checker.check_model(whole, full_check=True)
    fresh = path.with_name(path.name + ".part")
    onnx.save(whole, fresh)
    fresh.replace(path)
    return record


def _prepare(side: int) -> Any:
    from onnx import parser  # noqa: PLC0415

    weights = _BY_AREA + _LINEAR
    down = weights % {"n": "down", "from": "tall", "to": "rows"}
    across = weights % {"n": "across", "from": "wide", "to": "columns"}
    return parser.parse_model(
        _PREPARE
        % {
            "ir": IR_VERSION,
            "opset": OPSET,
            "side": side,
            "stride": STRIDE,
            "most": inference.LONGEST * side // STRIDE,
            "down": down,
            "across": across,
        }
    )


def _enlarge(outputs: tuple[str, ...]) -> Any:
    from onnx import parser  # noqa: PLC0415

    nodes = (
        _OUTPUT
        % {
            "n": name,
            "down": _BY_AREA % {"n": f"{name}_down", "from": f"{name}_tall", "to": f"{name}_rows"},
            "across": _BY_AREA
            % {"n": f"{name}_across", "from": f"{name}_wide", "to": f"{name}_columns"},
        }
        for name in outputs
    )
    return parser.parse_model(
        _ENLARGE
        % {
            "ir": IR_VERSION,
            "opset": OPSET,
            "inputs": ", ".join(f"float[1, 1, h_{name}, w_{name}] seen_{name}" for name in outputs),
            "outputs": ", ".join(f"float[H, W] {name}" for name in outputs),
            "nodes": "".join(nodes),
        }
    )


def _keep_light(model: Any) -> None:
    """Make the table of linear light a part of the file."""
    from onnx import numpy_helper  # noqa: PLC0415

    light = to_linear(np.arange(256, dtype=np.uint8)[:, None, None].repeat(3, 2))[:, 0, 0]
    model.graph.initializer.append(numpy_helper.from_array(light, "light"))
    (given,) = (value for value in model.graph.input if value.name == "light")
    model.graph.input.remove(given)


def _looked(look: Look, names: list[str]) -> Any:
    """Return the network's own graph, for every size that is a multiple of the stride."""
    example = torch.rand(1, 3, 3 * STRIDE, 4 * STRIDE)
    high, wide = (torch.export.Dim(name, min=1, max=256) for name in ("high", "wide"))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of torch's exporter, about itself
        program = torch.onnx.export(
            look,
            (example,),
            dynamo=True,
            dynamic_shapes=({2: STRIDE * high, 3: STRIDE * wide},),
            input_names=["rgb"],
            output_names=names,
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.ir_version = IR_VERSION
    return model
