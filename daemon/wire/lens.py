"""What a picture is blurred with, as it travels: the fields of `bokeh_core.Lens` and its kin.

The meaning and unit of every field are those of `bokeh_core.lens`; a test keeps both in step. It is
not imported here, so that the server stays free of the library.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from daemon.wire.planes import Fraction

Light: TypeAlias = Annotated[float, Meta(ge=0.0)]
Metres: TypeAlias = Annotated[float, Meta(gt=0.0, le=1e6)]


class Lens(Struct, tag_field="kind", tag="lens", frozen=True, kw_only=True):
    """The physical lens; the fields are those of `bokeh_core.Lens`, lengths in full-size pixels."""

    focus: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    focus_point: tuple[Fraction, Fraction] | None = None
    focus_range: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    max_coc: Annotated[float, Meta(ge=0.0, le=1024.0)] = 32.0
    foreground: Annotated[float, Meta(ge=0.0, le=4.0)] = 1.0
    blades: Literal[0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] = 0
    curvature: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    rotation: Annotated[float, Meta(ge=-6.283185307179586, le=6.283185307179586)] = 0.0
    squeeze: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.0
    cat_eye: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    ring: Annotated[float, Meta(ge=-1.0, le=1.0)] = 0.0
    fringe: Annotated[float, Meta(ge=-0.3, le=0.3)] = 0.0
    kernel: (
        Annotated[
            tuple[Annotated[tuple[Light, ...], Meta(min_length=1, max_length=64)], ...],
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
    """The renderer of the paper that the project began with (docs/references.md).

    The fields are those of `bokeh_core.BinnedGaussian`.
    """

    bins: Annotated[int, Meta(ge=1, le=64)] = 5
    strength: Annotated[float, Meta(ge=0.0, le=1024.0)] = 16.0
    curve: Annotated[float, Meta(ge=0.0, le=8.0)] = 1.0
    taps: Annotated[int, Meta(ge=0, le=8191)] = 0
    stretch_depth: bool = False
    soft_matte: bool = False


class Preset(Struct, tag_field="kind", tag="preset", frozen=True, kw_only=True):
    """A ready-made look by name: the lens that the command line and GIMP make of it, too.

    `natural` is what both start from. The blur grows with the picture; the subject stays sharp
    while the focus is on it.
    """

    name: Annotated[
        Literal[
            "natural",
            "dreamy",
            "vintage",
            "bubbles",
            "hexagon",
            "cinema",
            "paper",
            "paper-notebook",
        ],
        Meta(description="as in `welcome.presets`; the paper's are a `binned_gaussian`"),
    ] = "natural"
    f_number: Annotated[
        Annotated[float, Meta(gt=0.0, le=1000.0)] | None,
        Meta(description="of an 85 mm lens focused at 2 m on full frame; null: the preset's"),
    ] = None
    focus: Annotated[
        Annotated[float, Meta(ge=0.0, le=1.0)] | None,
        Meta(description="disparity in focus; null: the subject. Not for the paper's"),
    ] = None
    focus_point: Annotated[
        tuple[Fraction, Fraction] | None,
        Meta(description="focus on what is seen at this fraction of width and height"),
    ] = None


Look: TypeAlias = Lens | BinnedGaussian | Preset
"""What a picture can be blurred with."""


class Camera(Struct, frozen=True, kw_only=True):
    """Physical settings that replace `lens.max_coc`.

    In focus is what the lens says: `focus`, `focus_point` or, where both are open, the subject.
    With `nearest_m` depth stands for distances: `focus_distance_m` is one more way to say it then.
    """

    f_number: Annotated[float, Meta(gt=0.0, le=1000.0, description="aperture number N")]
    focal_length_mm: Annotated[float, Meta(gt=0.0, le=10_000.0, description="real focal length")]
    sensor_width_mm: Annotated[
        float,
        Meta(gt=0.0, le=10_000.0, description="width of the sensor along the picture's width"),
    ]
    focus_distance_m: Annotated[
        Metres | None,
        Meta(
            description="beside `nearest_m`: the distance in focus; null: as the lens says. "
            "Without `nearest_m`: how far away what is in focus is; required"
        ),
    ] = None
    nearest_m: Annotated[
        Metres | None,
        Meta(description="distance that depth 1 stands for; null: that of the subject"),
    ] = None
    farthest_m: Annotated[
        Metres | None, Meta(description="distance that depth 0 stands for; null: infinity")
    ] = None
