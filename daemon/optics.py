"""What a picture is blurred with, as it travels: the fields of `bokeh_core.Lens` and its kin.

The meaning and unit of every field are those of `bokeh_core.lens`; a test keeps both in step. It is
not imported here, so that the front stays free of the library.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from daemon.planes import Fraction


class Lens(Struct, tag_field="kind", tag="lens", frozen=True, kw_only=True):
    """The physical lens; the fields are those of `bokeh_core.Lens`, lengths in full-size pixels."""

    focus: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    focus_point: tuple[Fraction, Fraction] | None = None
    focus_range: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    max_coc: Annotated[float, Meta(ge=0.0, le=1024.0)] = 32.0
    foreground: Annotated[float, Meta(ge=0.0, le=4.0)] = 1.0
    blades: Annotated[int, Meta(ge=0, le=16)] = 0
    curvature: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    rotation: Annotated[float, Meta(ge=-6.283185307179586, le=6.283185307179586)] = 0.0
    squeeze: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.0
    cat_eye: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    ring: Annotated[float, Meta(ge=-1.0, le=1.0)] = 0.0
    fringe: Annotated[float, Meta(ge=-0.3, le=0.3)] = 0.0
    kernel: (
        Annotated[
            tuple[Annotated[tuple[float, ...], Meta(min_length=1, max_length=64)], ...],
            Meta(min_length=1, max_length=64),
        ]
        | None
    ) = None
    highlight_gain: Annotated[float, Meta(ge=0.0, le=16.0)] = 0.0
    highlight_threshold: Annotated[float, Meta(ge=0.1, le=16.0)] = 0.95
    highlight_size: Annotated[float, Meta(ge=0.0005, le=0.1)] = 0.01
    grain: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.0
    grain_seed: Annotated[int, Meta(ge=0, le=2_147_483_647)] = 0
    keep_subject_sharp: bool = False


class BinnedGaussian(Struct, tag_field="kind", tag="binned_gaussian", frozen=True, kw_only=True):
    """The paper's renderer; the fields are those of `bokeh_core.BinnedGaussian`."""

    bins: Annotated[int, Meta(ge=1, le=64)] = 5
    strength: Annotated[float, Meta(ge=0.0, le=1024.0)] = 16.0
    curve: Annotated[float, Meta(ge=0.1, le=8.0)] = 1.0
    soft_matte: bool = False


class Camera(Struct, frozen=True, kw_only=True):
    """Physical settings that replace `max_coc` (and `focus`, where the lens leaves it open)."""

    f_number: Annotated[float, Meta(gt=0.0, le=1000.0, description="aperture number N")]
    focal_length_mm: Annotated[float, Meta(gt=0.0, le=10_000.0, description="real focal length")]
    sensor_width_mm: Annotated[
        float,
        Meta(gt=0.0, le=10_000.0, description="width of the sensor along the picture's width"),
    ]
    focus_distance_m: Annotated[float, Meta(gt=0.0, le=1e6, description="plane in focus")]
    nearest_m: Annotated[
        float | None, Meta(description="distance that depth 1 stands for; null: focus_distance_m")
    ] = None
    farthest_m: Annotated[
        float | None, Meta(description="distance that depth 0 stands for; null: infinity")
    ] = None
